"""The training facts on a card: written and read back alike, and every problem in them told at once."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from models.card import TrainingFacts, read_card, training_facts, write_card
from models.errors import BrokenCheckpoint
from tests.models.sample_networks import CARDS

FACTS = TrainingFacts(
    config="cascade",
    steps=1200,
    megapixels=265.4,
    petaflop=0.4,
    minutes=12.5,
    run_petaflop=0.5,
    machines=("2 CPU threads", "1 CPU thread"),
    validation_db=29.5,
)


def test_training_facts_survive_being_written(tmp_path: Path) -> None:
    found = read_card(write_card(replace(CARDS["cascade"], trained=FACTS), tmp_path / "card.yaml"))
    assert found.trained == FACTS
    assert training_facts(asdict(FACTS)) == FACTS


def test_a_card_without_facts_is_sound(tmp_path: Path) -> None:
    assert read_card(write_card(CARDS["cascade"], tmp_path / "card.yaml")).trained is None


def test_all_problems_of_the_facts_are_told_at_once(tmp_path: Path) -> None:
    path = write_card(replace(CARDS["cascade"], trained=FACTS), tmp_path / "card.yaml")
    text = path.read_text()
    text = text.replace("steps: 1200", "steps: 12.5").replace("minutes: 12.5", "hours: 3")
    path.write_text(text.replace("petaflop: 0.4", "petaflop: .nan"))
    with pytest.raises(BrokenCheckpoint) as caught:
        read_card(path)
    for said in ("'steps' is 12.5", "'hours' is unknown", "'minutes' is missing", "'petaflop' is nan"):
        assert said in str(caught.value)


@pytest.mark.parametrize("trained", ["3", "[1, 2]", "two hours"])
def test_facts_that_are_no_mapping_are_refused(trained: str, tmp_path: Path) -> None:
    path = write_card(CARDS["cascade"], tmp_path / "card.yaml")
    path.write_text(path.read_text().replace("trained: null", f"trained: {trained}"))
    with pytest.raises(BrokenCheckpoint, match="'trained'"):
        read_card(path)


def test_a_license_is_written_in_american_and_read_in_british_spelling_too(tmp_path: Path) -> None:
    path = write_card(replace(CARDS["cascade"], license="CC BY 4.0"), tmp_path / "card.yaml")
    text = path.read_text()
    assert "\nlicense: CC BY 4.0\n" in text and "licence" not in text
    path.write_text(text.replace("license:", "licence:"))
    assert read_card(path).license == "CC BY 4.0"
    path.write_text(text + "licence: mine\n")
    with pytest.raises(BrokenCheckpoint, match="'licence' is no entry of a card"):
        read_card(path)

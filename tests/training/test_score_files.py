"""Score files: several data sets in one file, stale scores told from fresh ones, and damage told in a sentence."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from models.card import ModelCard
from models.errors import BrokenCheckpoint
from training.evaluation.score_files import ScoreFile, Setting, Weights, read_scores, weights_of

CARD = ModelCard("net", "Net", "ar_cnn", "S", "P", hyperparameters={"widths": (8, 16)})
OLD, NEW = Weights("ab12", {}), Weights("cd34", {})
FIRST, SECOND = Setting("First"), Setting("Second", "gray", blind=True)


def row(condition: str, quality_factor: int | None, double: list[int] | None = None, **more) -> dict:
    return {
        "model": "net",
        "condition": condition,
        "quality_factor": quality_factor,
        "double": double,
        "psnr_db": 30.0,
        "unguarded_psnr_db": 30.0,
    } | more


def test_one_data_set_keeps_the_others_and_merges_its_own(tmp_path: Path) -> None:
    file = ScoreFile(tmp_path / "scores.json", OLD)
    assert file.found(FIRST, "c").rows == ()
    file.add(FIRST, "c", rows=[row("QF 40", 40), row("double", None, [10, 30, 4, 4])])
    file.add(SECOND, "c", rows=[row("QF 10", 10)])
    file.add(
        FIRST, "c", rows=[row("QF 10", 10, model="none"), row("QF 10", 10), row("QF 40", 40, psnr_db=31.0)]
    )
    file.add(FIRST, "c", never_compressed={"cost_db": 0.5})
    found = file.found(FIRST, "c")
    assert [(each["condition"], each["model"]) for each in found.rows] == [
        ("QF 10", "none"),
        ("QF 10", "net"),
        ("QF 40", "net"),
        ("double", "net"),
    ]
    assert found.rows[2]["psnr_db"] == 31.0
    assert found.conditions == {"QF 10", "QF 40", "double"}
    assert found.never_compressed == {"cost_db": 0.5}
    assert set(read_scores(file.path).measurements) == {"First, rgb, with tables", "Second, gray, blind"}
    text = file.path.read_text()
    assert json.loads(text) and text.count("\n    {") == 5, "one line per row"


def test_scores_of_other_weights_or_another_convention_are_not_found_and_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    ScoreFile(path, OLD).add(FIRST, "c", rows=[row("QF 10", 10)])
    ScoreFile(path, OLD).add(SECOND, "c", rows=[row("QF 10", 10)])
    newer = ScoreFile(path, NEW)
    assert newer.found(FIRST, "c").rows == ()
    assert ScoreFile(path, OLD).found(FIRST, "another convention").rows == ()
    assert ScoreFile(path, replace(OLD, hyperparameters={"stages": 2})).found(FIRST, "c").rows == ()
    newer.add(FIRST, "c", rows=[row("QF 20", 20)])
    assert newer.found(FIRST, "c").conditions == {"QF 20"}, "nothing of the old weights is left among the new"
    assert set(read_scores(path).of(NEW)) == {FIRST.key}
    assert set(read_scores(path).of(OLD)) == {SECOND.key}


def test_what_else_a_file_holds_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    ScoreFile(path, OLD).add(FIRST, "c", rows=[row("QF 10", 10)])
    path.write_text(path.read_text().replace("{", '{\n "trained": {"steps": 7},\n "weights": {},', 1))
    assert set(read_scores(path).of(OLD)) == {FIRST.key}


def test_weights_are_known_by_their_bytes_and_hyperparameters(tmp_path: Path) -> None:
    with pytest.raises(BrokenCheckpoint, match="no weights"):
        weights_of(tmp_path, CARD)
    file = tmp_path / "weights.safetensors"
    file.write_bytes(b"one")
    first = weights_of(tmp_path, CARD)
    assert first == Weights(hashlib.sha256(b"one").hexdigest(), {"widths": [8, 16]})
    file.unlink()
    file.write_bytes(b"two")
    assert weights_of(tmp_path, CARD).sha256 == hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "{", '{"rows": []}', '{"measurements": {"a": 3}}', '{"measurements": 3}', "[" * 9000],
)
def test_damaged_files_are_told_and_missing_ones_are_empty(text: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    assert read_scores(path).measurements == {}
    path.write_text(text)
    with pytest.raises(BrokenCheckpoint) as caught:
        read_scores(path)
    assert str(caught.value).count(". ") >= 2


def test_settings_have_names_of_their_own() -> None:
    others = [
        FIRST,
        SECOND,
        replace(FIRST, blind=True),
        replace(FIRST, color="y"),
        replace(FIRST, self_ensemble=True),
        replace(FIRST, stages=1),
        replace(FIRST, limit=1),
    ]
    assert len({setting.key for setting in others}) == len(others)

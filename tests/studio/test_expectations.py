"""What is expected of a model is what was measured of its weights, and who is recommended follows from it."""

import json
import shutil

import pytest

from models.jpeg import Degradation, Save
from models.zoo import Zoo
from studio.engine.expectations import EQUAL_DB, Condition, Expectations, told_condition
from studio.session.examples import open_example
from tests.paths import REPOSITORY
from tests.present import present

SHIPPED = REPOSITORY / "checkpoints"


@pytest.fixture(scope="module")
def shipped() -> Zoo:
    return Zoo(SHIPPED, "cpu")


def rows_of(name: str, data: str) -> list[dict]:
    scores = json.loads((SHIPPED / name / "scores.json").read_text("utf-8"))["measurements"]
    return next(entry["rows"] for key, entry in scores.items() if key.startswith(f"{data},"))


@pytest.mark.parametrize("quality", [10, 20, 40, 90])
def test_a_measured_quality_is_told_as_it_was_measured(shipped, quality):
    card = next(card for card in shipped.cards() if card.name == "cascade")
    rows = {row["model"]: row for row in rows_of("cascade", "LIVE1") if row["condition"] == f"QF {quality}"}
    found = present(Expectations(shipped).of(card, Condition(quality)))
    assert found.gain_db == pytest.approx(rows["cascade"]["psnr_db"] - rows["none"]["psnr_db"])
    assert found.data == "LIVE1" and not found.harms


def test_between_two_qualities_the_gain_lies_between_theirs(shipped):
    of, card = Expectations(shipped).of, next(card for card in shipped.cards() if card.name == "ar_cnn")
    low, middle, high = (present(of(card, Condition(quality))).gain_db for quality in (80, 85, 90))
    assert middle == pytest.approx((low + high) / 2)


@pytest.mark.parametrize("is_gray", [False, True])
@pytest.mark.parametrize("quality", [*range(10, 91, 10), None])
def test_the_recommended_model_is_the_best_measured_one(shipped, quality, is_gray):
    expectations, cards = Expectations(shipped), shipped.cards()
    known = Condition(quality or 50, is_gray)
    gains = {card.name: found.gain_db for card in cards if (found := expectations.of(card, known))}
    chosen = present(expectations.recommended(cards, Condition(quality, is_gray)))
    assert gains[chosen.name] >= max(gains.values()) - EQUAL_DB


def test_a_cheaper_model_is_recommended_where_it_is_as_good(shipped, tmp_path):
    for name in ("cascade", "ar_cnn"):
        shutil.copytree(SHIPPED / name, tmp_path / name)
    scores = json.loads((tmp_path / "ar_cnn" / "scores.json").read_text("utf-8"))
    cascade = next(card for card in shipped.cards() if card.name == "cascade")
    best = present(Expectations(shipped).of(cascade, Condition(20)))
    rows = next(iter(scores["measurements"].values()))["rows"]
    plain = next(row for row in rows if row["model"] == "none" and row["condition"] == "QF 20")
    own = next(row for row in rows if row["model"] == "ar_cnn" and row["condition"] == "QF 20")
    own["psnr_db"] = plain["psnr_db"] + best.gain_db - EQUAL_DB / 2
    (tmp_path / "ar_cnn" / "scores.json").write_text(json.dumps(scores), "utf-8")
    zoo = Zoo(tmp_path, "cpu")
    assert present(Expectations(zoo).recommended(zoo.cards(), Condition(20))).name == "ar_cnn"


def test_a_model_that_was_trained_further_or_never_measured_is_not_recommended(tmp_path):
    shutil.copytree(SHIPPED / "ar_cnn", tmp_path / "ar_cnn")
    zoo = Zoo(tmp_path, "cpu")
    expectations = Expectations(zoo)
    assert present(expectations.recommended(zoo.cards(), Condition(20))).name == "ar_cnn"
    (tmp_path / "ar_cnn" / "scores.json").unlink()
    assert expectations.recommended(zoo.cards(), Condition(20)) is None


def test_a_model_harms_where_it_lost_on_average_or_on_many_pictures(shipped):
    of, card = Expectations(shipped).of, next(card for card in shipped.cards() if card.name == "ar_cnn")
    for quality in (80, 90, 95):
        row = next(
            r
            for r in rows_of("ar_cnn", "LIVE1")
            if r["model"] == "ar_cnn" and r["condition"] == f"QF {quality}"
        )
        found = present(of(card, Condition(quality)))
        assert found.harms == (found.gain_db < 0 or row["share_worse"] > 0.25)


def test_what_a_header_or_a_damage_tells_needs_no_pixel():
    rocket, coffee = open_example("rocket").image, open_example("coffee").image
    assert (
        told_condition(rocket, None).quality_factor == present(rocket.estimated_quality_factor).quality_factor
    )
    assert told_condition(coffee, None).quality_factor is None
    assert told_condition(coffee, Degradation((Save(30), Save(12)))).quality_factor == 12

"""Score files: several data sets in one file, stale scores told from fresh ones, and damage told in a sentence."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from models.card import ModelCard
from models.errors import BrokenCheckpoint
from tests.changed_metrics import another_metric, other_convention
from tests.paths import REPOSITORY
from training.evaluation import metrics
from training.evaluation.score_files import ScoreFile, Setting, Weights, read_scores, weights_of
from training.evaluation.scoring import Options

CARD = ModelCard("net", "Net", "ar_cnn", "S", "P", hyperparameters={"widths": (8, 16)})
OLD, NEW = Weights("ab12", {}), Weights("cd34", {})
PSNR = metrics.METRICS[:1]
CHECKPOINTS = REPOSITORY / "checkpoints"
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
    assert file.found(FIRST).rows == ()
    file.add(FIRST, rows=[row("QF 40", 40), row("double", None, [10, 30, 4, 4])])
    file.add(SECOND, rows=[row("QF 10", 10)])
    file.add(FIRST, rows=[row("QF 10", 10, model="none"), row("QF 10", 10), row("QF 40", 40, psnr_db=31.0)])
    file.add(FIRST, never_compressed={"cost_db": 0.5})
    found = file.found(FIRST)
    assert [(each["condition"], each["model"]) for each in found.rows] == [
        ("QF 10", "none"),
        ("QF 10", "net"),
        ("QF 40", "net"),
        ("double", "net"),
    ]
    assert found.rows[2]["psnr_db"] == 31.0
    assert found.conditions(PSNR) == {"QF 10", "QF 40", "double"}
    assert found.never_compressed == {"cost_db": 0.5}
    assert set(read_scores(file.path).measurements) == {"First, rgb, with tables", "Second, gray, blind"}
    text = file.path.read_text()
    assert json.loads(text) and text.count("\n    {") == 5, "one line per row"


def test_scores_of_other_weights_or_another_convention_are_not_found_and_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    ScoreFile(path, OLD).add(FIRST, rows=[row("QF 10", 10)])
    ScoreFile(path, OLD).add(SECOND, rows=[row("QF 10", 10)])
    newer = ScoreFile(path, NEW)
    assert newer.found(FIRST).rows == ()
    with other_convention("psnr_db"):
        assert ScoreFile(path, OLD).found(FIRST).rows == ()
    assert ScoreFile(path, replace(OLD, hyperparameters={"stages": 2})).found(FIRST).rows == ()
    newer.add(FIRST, rows=[row("QF 20", 20)])
    assert newer.found(FIRST).conditions(PSNR) == {"QF 20"}, (
        "nothing of the old weights is left among the new"
    )
    assert set(read_scores(path).of(NEW)) == {FIRST.key}
    assert set(read_scores(path).of(OLD)) == {SECOND.key}


def test_another_convention_of_one_metric_voids_its_values_alone(tmp_path: Path) -> None:
    file = ScoreFile(tmp_path / "scores.json", OLD)
    file.add(FIRST, rows=[row("QF 10", 10, ssim=0.9), row("QF 20", 20, ssim=0.8)])
    with other_convention("ssim"):
        found = file.found(FIRST)
        assert [each["psnr_db"] for each in found.current_rows] == [30.0, 30.0]
        assert not any("ssim" in each for each in found.current_rows)
        assert found.conditions(PSNR) == {"QF 10", "QF 20"} and found.conditions(metrics.METRICS[:2]) == set()
        file.add(FIRST, rows=[row("QF 10", 10, ssim=0.5)])
        found = file.found(FIRST)
        assert [each.get("ssim") for each in found.current_rows] == [0.5, None]
        assert found.conditions(metrics.METRICS[:2]) == {"QF 10"}


def test_a_new_metric_voids_nothing_and_is_what_is_missing(tmp_path: Path) -> None:
    file = ScoreFile(tmp_path / "scores.json", OLD)
    file.add(FIRST, rows=[row("QF 10", 10)])
    with another_metric() as metric:
        found = file.found(FIRST)
        assert found.current_rows == [row("QF 10", 10)]
        assert found.conditions([metric]) == set()
        file.add(FIRST, rows=[row("QF 10", 10) | {metric.name: 1.5}])
        file.add(FIRST, rows=[row("QF 10", 10)])
        found = file.found(FIRST)
        assert found.current_rows == [row("QF 10", 10) | {metric.name: 1.5}], "it is of the same weights"
        assert found.conditions([metric]) == {"QF 10"}
    assert file.found(FIRST).conditions(PSNR) == {"QF 10"}, "nor does a metric that is gone"


def test_files_of_before_with_one_text_for_all_metrics_are_read(tmp_path: Path) -> None:
    file = ScoreFile(tmp_path / "scores.json", OLD)
    file.add(FIRST, rows=[row("QF 10", 10, ssim=0.9, psnr_b_db=29.0)])
    content = json.loads(file.path.read_text())
    entry = content["measurements"][FIRST.key]
    assert list(entry.pop("conventions")) == ["psnr_db", "ssim", "psnr_b_db"]
    together = Options(FIRST.color).convention
    entry["convention"] = together
    file.path.write_text(json.dumps(content))
    assert file.found(FIRST).current_rows == [row("QF 10", 10, ssim=0.9, psnr_b_db=29.0)]
    entry["convention"] = together.replace("11-tap", "7-tap")
    file.path.write_text(json.dumps(content))
    assert file.found(FIRST).current_rows == [row("QF 10", 10, psnr_b_db=29.0)]
    for other in (together.replace("peak 255", "peak 1"), together.replace("in RGB", "in luma")):
        entry["convention"] = other
        file.path.write_text(json.dumps(content))
        assert file.found(FIRST).rows == ()


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.glob("*/scores.json")), ids=lambda path: path.parent.name)
def test_shipped_scores_are_of_the_present_conventions(path: Path) -> None:
    measurements = read_scores(path).measurements.values()
    assert measurements
    for measurement in measurements:
        assert tuple(measurement.current_rows) == measurement.rows != ()


def test_what_else_a_file_holds_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    ScoreFile(path, OLD).add(FIRST, rows=[row("QF 10", 10)])
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

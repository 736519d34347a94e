"""Measuring for score files: by protocol, only what is missing or stale, and with nothing lost when interrupted."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import skimage.data
import torch

from models.card import read_card
from models.errors import InvalidSetting
from models.png_files import write_png
from models.zoo import ARCHITECTURES, Zoo, save_checkpoint
from tests.models.sample_networks import CARDS, lively_network
from training.evaluate import main
from training.evaluation import measure_all
from training.evaluation.benchmarks import recompressed
from training.evaluation.score_files import Measurement, Setting, read_scores, weights_of
from training.evaluation.scoring import Row


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_scores_stand_beside_the_weights(pictures, checkpoints, tmp_path) -> None:
    folder = shutil.copytree(checkpoints, tmp_path / "checkpoints")
    save_checkpoint(
        folder / "second", lively_network(CARDS["ar_cnn"]), replace(CARDS["ar_cnn"], name="second")
    )
    asked = ("--data", pictures, "--checkpoints", folder, "--quality-factors", 10, "--scores")
    assert run("--model", "ar_cnn", *asked) == 0
    measurement = measurement_of(folder, "ar_cnn", pictures)
    assert [row["model"] for row in measurement.rows] == ["none", "ar_cnn"]
    assert all("torch" in row["machine"] for row in measurement.rows)
    assert sorted(path.parent.name for path in folder.glob("*/scores.json")) == ["ar_cnn"]
    assert run(*asked) == 0
    assert len(list(folder.glob("*/scores.json"))) == len(CARDS) + 1, (
        "without --model every checkpoint is measured"
    )


def measurement_of(checkpoints: Path, name: str, pictures: Path) -> Measurement:
    """What was measured of a checkpoint's present weights."""
    weights = weights_of(checkpoints / name, read_card(checkpoints / name / "card.yaml"))
    return read_scores(checkpoints / name / "scores.json").of(weights)[f"{pictures.name}, rgb, with tables"]


def test_only_missing_and_stale_scores_are_measured(pictures, checkpoints, tmp_path, capsys) -> None:
    folder = shutil.copytree(checkpoints, tmp_path / "checkpoints")
    asked = ("--model", "ar_cnn", "--data", pictures, "--checkpoints", folder, "--scores", "--missing")
    assert run(*asked, "--quality-factors", 10) == 0
    first = measurement_of(folder, "ar_cnn", pictures).rows
    capsys.readouterr()
    assert run(*asked, "--quality-factors", 10, 40, "--uncompressed") == 0
    printed = capsys.readouterr().out
    assert "QF 40" in printed and "QF 10 " not in printed and "never compressed" in printed
    second = measurement_of(folder, "ar_cnn", pictures)
    assert second.conditions() == {"QF 10", "QF 40"}
    assert second.rows[:2] == first, "what was there is as it was, its timing too"
    assert second.never_compressed is not None and second.never_compressed["images"] == 2
    assert run(*asked, "--quality-factors", 10, 40, "--uncompressed") == 0
    assert "QF" not in capsys.readouterr().out
    torch.manual_seed(2)
    save_checkpoint(folder / "ar_cnn", ARCHITECTURES["ar_cnn"](), CARDS["ar_cnn"])
    assert run(*asked, "--quality-factors", 10) == 0
    third = measurement_of(folder, "ar_cnn", pictures)
    assert third.conditions() == {"QF 10"} and third.never_compressed is None, (
        "scores of replaced weights are gone"
    )
    assert third.rows[1]["psnr_db"] != first[1]["psnr_db"]


def test_all_follows_the_protocol_of_each_data_set(checkpoints, tmp_path, capsys) -> None:
    folder = shutil.copytree(checkpoints, tmp_path / "checkpoints")
    for name in ("LIVE1", "Classic5"):
        (tmp_path / name).mkdir()
    write_png(skimage.data.astronaut()[100:132, 180:220], tmp_path / "LIVE1" / "astronaut.png")
    write_png(skimage.data.camera()[:32, :40], tmp_path / "Classic5" / "camera.png")
    asked = ("--all", "--model", "ar_cnn", "--checkpoints", folder)
    assert run(*asked, "--data", tmp_path / "LIVE1", tmp_path / "Classic5") == 0
    found = read_scores(folder / "ar_cnn" / "scores.json").measurements
    assert set(found) == {"LIVE1, rgb, with tables", "Classic5, gray, with tables"}
    live1, classic5 = found["LIVE1, rgb, with tables"], found["Classic5, gray, with tables"]
    own = [row for row in live1.rows if row["model"] == "ar_cnn"]
    factors = [row["quality_factor"] for row in own if row["subsampling"] == "4:2:0" and not row["tables"]]
    assert factors == [*range(10, 91, 10), 92, 95, 96, 97, 98, 99, 100]
    unsubsampled = [
        row["quality_factor"] for row in own if row["subsampling"] == "4:4:4" and not row["tables"]
    ]
    assert unsubsampled == [96, 97, 98, 99, 100]
    assert {row["tables"] for row in own} == {"", "flat", "editor", "phone", "camera"}
    assert live1.never_compressed is not None and live1.never_compressed["images"] == 1
    assert classic5.never_compressed is None
    assert {row["quality_factor"] for row in classic5.rows} == {10, 20, 30, 40, 50, 70, 90}
    assert run(*asked, "--data", folder) == 2
    assert "no protocol" in capsys.readouterr().err


def test_an_interruption_costs_no_finished_row(pictures, checkpoints, tmp_path, monkeypatch) -> None:
    folder = shutil.copytree(checkpoints, tmp_path / "checkpoints")
    score_one, calls = measure_all.score_one, []

    def interrupted(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return score_one(*arguments, **options)

    monkeypatch.setattr(measure_all, "score_one", interrupted)
    asked = ("--model", "ar_cnn", "--model", "dncnn", "--data", pictures, "--checkpoints", folder, "--scores")
    with pytest.raises(KeyboardInterrupt):
        run(*asked, "--quality-factors", 10, 20)
    assert measurement_of(folder, "ar_cnn", pictures).conditions() == {"QF 10", "QF 20"}
    assert run(*asked, "--quality-factors", 10, 20, "--missing") == 0
    assert len(calls) == 5, "two of dncnn, none of ar_cnn again"
    assert measurement_of(folder, "dncnn", pictures).conditions() == {"QF 10", "QF 20"}


def test_weights_that_are_replaced_during_a_sweep_are_measured_and_named_as_they_are(
    pictures, checkpoints, tmp_path
) -> None:
    folder = shutil.copytree(checkpoints, tmp_path / "checkpoints")
    candidate = measure_all.shipped(folder, "ar_cnn", "cpu")
    data = measure_all.DataSet(Setting(pictures.name), recompressed(pictures, quality_factors=[10]))
    (first,) = measure_all.measure_candidate(candidate, data)
    torch.manual_seed(2)
    save_checkpoint(folder / "ar_cnn", ARCHITECTURES["ar_cnn"](), CARDS["ar_cnn"])
    (second,) = measure_all.measure_candidate(candidate, data, missing=True)
    assert isinstance(first, Row) and isinstance(second, Row)
    assert second.values["psnr_db"] != first.values["psnr_db"]
    assert measurement_of(folder, "ar_cnn", pictures).rows[1]["psnr_db"] == second.values["psnr_db"]
    loads = []

    def replaced_while_loading():
        loads.append(save_checkpoint(folder / "ar_cnn", lively_network(CARDS["ar_cnn"]), CARDS["ar_cnn"]))
        return Zoo(folder, "cpu").load("ar_cnn")

    with pytest.raises(InvalidSetting, match="replaced"):
        list(measure_all.measure_candidate(replace(candidate, load=replaced_while_loading), data))
    assert loads


def test_a_broken_checkpoint_does_not_stop_the_others(pictures, checkpoints, tmp_path, capsys) -> None:
    folder = shutil.copytree(checkpoints, tmp_path / "checkpoints")
    for name in set(CARDS) - {"ar_cnn", "dncnn"}:
        shutil.rmtree(folder / name)
    (folder / "ar_cnn" / "weights.safetensors").write_bytes(b"nothing")
    asked = ("--data", pictures, "--checkpoints", folder, "--quality-factors", 10, "--scores")
    assert run(*asked) == 2
    assert "ar_cnn/weights.safetensors is damaged" in capsys.readouterr().err
    assert measurement_of(folder, "dncnn", pictures).conditions() == {"QF 10"}

"""What a run tells: previews at true size, how fast it goes, what it prints; and that presets keep their word."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.metrics
import torch
from PIL import Image

from models.errors import InvalidSetting
from models.zoo import Zoo
from tests.paths import REPOSITORY, needs_shared_data
from tests.present import present
from tests.training.doomed import small_configuration, write_photographs
from tests.training.tiny_runs import any_architecture
from training.clock import Clock, Throughput
from training.config import TrainConfig
from training.events import TrainEvent
from training.journal import Previews
from training.learner import Learner
from training.pictures import SKIMAGE_TRAIN, SKIMAGE_VALIDATION, folder_of
from training.processes import Processes
from training.run import RunFolder
from training.train import Console
from training.trainer import fit

CONFIGS = REPOSITORY / "training" / "configs"
quiet_machine = pytest.mark.skipif(
    "QUIET_MACHINE" not in os.environ, reason="measures speed; set QUIET_MACHINE=1 where nothing else runs"
)


def picture(path: Path) -> np.ndarray:
    with Image.open(path) as found:
        assert found.format == "PNG"
        return np.asarray(found)


def test_previews_are_lossless_at_true_size_and_measured(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    run = RunFolder(tmp_path / "run")
    fit(small_configuration(steps=30), run, data_root=tmp_path, device="cpu")
    shown = [event for event in run.events() if event.kind == "preview"]
    validated = [event.step for event in run.events() if event.kind == "validation"]
    assert validated == [11, 22, 30]
    assert sorted({event.step for event in shown}) == [0, *validated]
    assert {event.values["name"] for event in shown} == {"validation-0", "validation-1"}
    for event in shown:
        name = event.values["name"]
        assert event.values["file"] == f"previews/{name}-{event.step}.png"
        original, degraded, restored = (
            picture(run.previews / f"{name}-{kind}.png") for kind in ("original", "degraded", event.step)
        )
        assert original.shape == degraded.shape == restored.shape == (48, 48, 3)
        for pixels, value in ((restored, "psnr_db"), (degraded, "input_db")):
            expected = skimage.metrics.peak_signal_noise_ratio(original, pixels)
            assert event.values[value] == pytest.approx(expected, abs=1e-3)
    validation = picture(tmp_path / "validation" / "validation-0.png")
    np.testing.assert_array_equal(
        picture(run.previews / "validation-0-original.png"), validation[16:64, 24:72]
    )


@pytest.mark.parametrize("architecture", ["ar_cnn", "hr_cnn", "luma_chroma", "qcn"])
def test_every_kind_of_network_is_previewed_in_colour(architecture: str, tmp_path: Path) -> None:
    config = any_architecture(architecture)
    learner = Learner(config, tmp_path, Processes("cpu"))
    previews = Previews(config, learner.averaged, learner.device, learner.validation_photographs)
    values = list(previews.write(7, tmp_path / "previews"))
    assert [each["name"] for each in values] == list(SKIMAGE_VALIDATION)
    for each in values:
        assert each["psnr_db"] == pytest.approx(each["input_db"], abs=0.1), (
            "untrained, so as good as doing nothing"
        )
        assert picture(tmp_path / each["file"]).shape == (32, 32, 3)


def test_training_events_tell_how_fast_it_goes(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    run = RunFolder(tmp_path / "run")
    fit(small_configuration(steps=30), run, data_root=tmp_path, device="cpu")
    trained = [event for event in run.events() if event.kind == "train"]
    for event in trained:
        values = event.values
        assert values["images_per_second"] > 0 and 0 <= values["waiting_share"] <= 1
        assert values["memory_mb"] > 50 and values["seconds_left"] >= 0
        pixels = 32**2 if event.step <= 15 else 48**2
        if event.step != 18:  # half of that report's steps had smaller patches
            expected = values["images_per_second"] * pixels / 1e6
            assert values["megapixels_per_second"] == pytest.approx(
                expected, rel=0.05, abs=1e-4
            )  # as rounded
        for name in (
            "loss",
            "spatial_1",
            "spatial_3",
            "frequency",
            "quality",
            "learning_rate",
            "gradient_norm",
        ):
            assert isinstance(values[name], float)
        for name in ("progress", "megapixels", "petaflop", "minutes", "machine"):
            assert name in values
    assert trained[-1].values["seconds_left"] == 0
    validated = [event.values for event in run.events() if event.kind == "validation"]
    inputs = [
        value for name, value in validated[0].items() if name.endswith("_input_db") and name[:5] != "score"
    ]
    assert validated[0]["score_input_db"] == pytest.approx(sum(inputs) / len(inputs), abs=1e-3)


def test_waiting_is_the_time_that_data_take(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    config = small_configuration()
    learner = Learner(config, tmp_path, Processes("cpu"))
    batch = learner.patches(0)[0]

    def slowly():
        while True:
            time.sleep(0.05)
            yield batch

    clock = Clock(100, None)
    throughput, batches = Throughput(clock, 0, torch.device("cpu")), slowly()
    began = time.monotonic()
    for _ in range(4):
        throughput.wait_for(batches)
        throughput.count(batch, 2)
        time.sleep(0.05)
    report, spent = throughput.report(4), time.monotonic() - began
    assert 0.3 < float(report["waiting_share"]) < 0.9
    assert report["images_per_second"] == pytest.approx(4 * 2 * 2 / spent, rel=0.3)
    assert report["seconds_left"] == pytest.approx(24 * spent, rel=0.3)


def test_a_log_gets_one_line_per_event(capsys) -> None:
    console = Console()
    assert console.bar is None, "nobody watches a test"
    values = {
        "loss": 0.01234,
        "images_per_second": 12.34,
        "megapixels_per_second": 0.5,
        "waiting_share": 0.031,
    }
    values |= {"memory_mb": 812.3, "seconds_left": 3725.0, "progress": 0.5}
    console.show(TrainEvent(0, "activity", {"doing": "load", "of": 3}))
    console.show(TrainEvent(0, "start", {"resumed": False, "warnings": ["a.png is left out."]}))
    console.show(TrainEvent(50, "train", values))
    console.show(TrainEvent(50, "train", {**values, "loss": None}))
    console.show(TrainEvent(50, "validation", {"score_db": 29.5, "score_input_db": 29.0}))
    console.show(TrainEvent(50, "saved", {"minutes": 1}))
    assert capsys.readouterr().out.splitlines() == [
        "Loading 3 photographs",
        "a.png is left out.",
        "Begun at step 0.",
        "step 50, loss 0.01234, 12.3 images/s, 0.500 MP/s, waiting for data 3.1%, 812 MB, 1 h 2 min left",
        "step 50, loss no number, 12.3 images/s, 0.500 MP/s, waiting for data 3.1%, 812 MB, 1 h 2 min left",
        "step 50, validation 29.500 dB, +0.500 dB over doing nothing",
    ]


def test_folders_stay_below_their_root_unless_they_are_whole_paths(tmp_path: Path) -> None:
    assert folder_of("a/b", tmp_path) == tmp_path / "a" / "b"
    assert folder_of("/elsewhere", tmp_path) == Path("/elsewhere")
    for entry in ("..", "../a", "a/../../b", ""):
        with pytest.raises(InvalidSetting, match="leads out of"):
            folder_of(entry, tmp_path)


def test_scikit_image_gives_photographs_of_its_own_for_validation() -> None:
    assert not set(SKIMAGE_TRAIN) & set(SKIMAGE_VALIDATION) and len(SKIMAGE_VALIDATION) >= 3


def test_the_shipped_cascade_can_be_continued(tmp_path: Path) -> None:
    config = TrainConfig.from_yaml(CONFIGS / "continue-cascade.yaml")
    config = replace(
        config,
        data=replace(
            config.data, train=("skimage",), validation="skimage", validation_size=64, batch_sizes=(2,)
        ),
        optimizer=replace(config.optimizer, minutes=None, steps=2),
        runtime=replace(config.runtime, compile=False, precision="fp32"),
    )
    run = RunFolder(tmp_path / "run")
    fit(config, run, data_root=tmp_path, device="cpu")
    start = next(event for event in run.events() if event.kind == "start")
    first = next(event.values for event in run.events() if event.kind == "validation")
    assert start.values["score_db"] > first["score_input_db"] + 0.5, "it begins as good as it was shipped"


def train_preset(name: str, folder: Path, *more: str) -> tuple[RunFolder, float]:
    """The run of a preset on two cores by the command line, and how many seconds the command took."""
    command = [
        sys.executable,
        "-m",
        "training.train",
        str(CONFIGS / f"{name}.yaml"),
        "--run",
        str(folder),
        *more,
    ]
    if sys.platform == "linux":
        command = ["taskset", "-c", "0,1", *command]
    began = time.monotonic()
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=900, check=False)
    assert result.returncode == 0, result.stderr
    return RunFolder(folder), time.monotonic() - began


def waiting(run: RunFolder) -> float:
    """Share of the run's time spent waiting for data, without the first report, which starts the worker."""
    _, *later = [event.values for event in run.events() if event.kind == "train"]
    return sum(values["waiting_share"] for values in later) / len(later)


@quiet_machine
def test_the_two_minute_preset_keeps_its_word(tmp_path: Path) -> None:
    run, seconds = train_preset("tiny-cpu", tmp_path / "run", "--data", str(tmp_path))
    last = [event.values for event in run.events() if event.kind == "validation"][-1]
    print(f"{seconds:.0f} s, {last['qf10_db'] - last['qf10_input_db']:+.2f} dB, waiting {waiting(run):.1%}")
    assert seconds <= 150
    assert last["qf10_db"] >= last["qf10_input_db"] + 0.5
    assert waiting(run) <= 0.05
    run.publish(tmp_path / "checkpoints")
    card = Zoo(tmp_path / "checkpoints", "cpu").load("tiny-cpu").card
    assert present(card.trained).minutes <= 2.5


@quiet_machine
@needs_shared_data
def test_the_cascade_does_not_wait_for_data(tmp_path: Path) -> None:
    run, _ = train_preset("cascade", tmp_path / "run", "--minutes", "3")
    print(f"waiting {waiting(run):.1%}")
    assert waiting(run) <= 0.05

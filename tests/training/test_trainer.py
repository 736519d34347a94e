"""The trainer: it learns, it resumes exactly, it survives being killed, and it publishes what the zoo can load."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from models.errors import InvalidSetting
from models.zoo import Zoo
from tests.paths import REPOSITORY
from training.config import TrainConfig
from training.data import DegradedPatches
from training.run import TrainRun, write_atomically
from training.trainer import Clock, Trainer, fit, learning_rate

TINY = REPOSITORY / "training" / "configs" / "tiny-cpu.yaml"


def tiny(**optimizer) -> TrainConfig:
    config = TrainConfig.from_yaml(TINY)
    settings = {"steps": 8, "minutes": None, "warmup_steps": 2, **optimizer}
    return dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, batch_sizes=(2,), validation_size=64),
        optimizer=dataclasses.replace(config.optimizer, **settings),
        runtime=dataclasses.replace(config.runtime, validate_every=4, save_every=4, log_every=2),
    )


def same_weights(first: TrainRun, second: TrainRun) -> bool:
    one, two = first.load_last(), second.load_last()
    return all(
        torch.equal(one[part][name], two[part][name])
        for part in ("network", "averaged")
        for name in one[part]
    )


def test_a_stopped_run_resumes_to_the_very_same_weights(tmp_path) -> None:
    whole, parts = TrainRun(tmp_path / "whole"), TrainRun(tmp_path / "parts")
    assert fit(tiny(), whole, data_root=tmp_path)
    asked = iter([False, False, True])
    assert not fit(tiny(), parts, data_root=tmp_path, should_stop=lambda: next(asked))
    assert parts.load_last()["step"] == 3
    assert not same_weights(whole, parts)
    assert fit(tiny(), parts, data_root=tmp_path, resume=True)
    assert same_weights(whole, parts)
    kinds = [event.kind for event in parts.events()]
    assert kinds.count("start") == 2 and kinds[-1] == "end" and "validation" in kinds


def test_one_batch_is_learned_by_heart(tmp_path) -> None:
    trainer = Trainer(tiny(learning_rate=3e-3), tmp_path, torch.device("cpu"))
    batch = DegradedPatches(trainer.config, trainer.images)[0]
    losses = [trainer.step(batch, rate=3e-3, step=i, squared=False)["spatial_3"].item() for i in range(60)]
    assert min(losses[-5:]) < 0.85 * losses[0]


def test_validation_of_an_untrained_network_is_the_do_nothing_row(tmp_path) -> None:
    values = Trainer(tiny(), tmp_path, torch.device("cpu")).validate()
    for case in ("qf10", "qf40", "double_10_30"):
        assert values[f"{case}_db"] == pytest.approx(values[f"{case}_input_db"], abs=0.01)
    assert values["qf10_input_db"] < values["qf40_input_db"]


def test_a_second_run_in_the_same_folder_is_refused(tmp_path) -> None:
    run = TrainRun(tmp_path / "run")
    fit(tiny(steps=1), run, data_root=tmp_path)
    with pytest.raises(InvalidSetting, match="--resume"):
        fit(tiny(steps=1), run, data_root=tmp_path)
    with pytest.raises(InvalidSetting, match="nothing to resume"):
        fit(tiny(), TrainRun(tmp_path / "other"), data_root=tmp_path, resume=True)


def test_a_published_run_is_loaded_by_the_zoo(tmp_path) -> None:
    run = TrainRun(tmp_path / "run")
    with pytest.raises(InvalidSetting, match="best.pt"):
        run.publish(tmp_path / "checkpoints")
    fit(tiny(steps=4), run, data_root=tmp_path)
    run.publish(tmp_path / "checkpoints")
    zoo = Zoo(tmp_path / "checkpoints", "cpu")
    card = next(card for card in zoo.cards() if card.name == "tiny-cpu")
    assert card.stage_names == ("stage 1", "stage 2", "stage 3") and card.steerable and card.parameters > 1000
    assert "4 steps" in card.training
    assert zoo.load("tiny-cpu").card.name == "tiny-cpu"


def test_the_schedule_warms_up_and_ends_low_by_steps_or_by_minutes() -> None:
    config = tiny(steps=1000, warmup_steps=10, learning_rate=1e-3, final_learning_rate=1e-6)
    assert learning_rate(config, 0, 0.0) == pytest.approx(1e-4)
    assert learning_rate(config, 10, 0.0) == pytest.approx(1e-3)
    assert learning_rate(config, 999, 1.0) == pytest.approx(1e-6)
    assert Clock(1000, 10.0, earlier_seconds=300).progress(100) == pytest.approx(0.5, abs=0.01)
    assert Clock(1000, None, earlier_seconds=1e6).progress(100) == pytest.approx(0.1)


def test_an_interrupted_write_leaves_the_old_file(tmp_path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(temporary) -> None:
        temporary.write_text("half")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        write_atomically(path, fail)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def _command(run, *more: str) -> list[str]:
    arguments = ["--run", str(run), "--steps", "24", "--minutes", "600", "--data", str(run.parent)]
    return [sys.executable, "-m", "training.train", str(TINY), *arguments, *more]


def test_the_command_line_survives_kill_and_resumes_identically(tmp_path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    config = tmp_path / "often.yaml"
    config.write_text(TINY.read_text().replace("save_every: 100", "save_every: 5"))

    def command(name: str, *more: str) -> list[str]:
        return [str(config) if part == str(TINY) else part for part in _command(tmp_path / name, *more)]

    subprocess.run(
        command("whole"), check=True, cwd=REPOSITORY, env=environment, capture_output=True, timeout=200
    )
    child = subprocess.Popen(command("killed"), cwd=REPOSITORY, env=environment, stderr=subprocess.DEVNULL)
    events, deadline = tmp_path / "killed" / "events.jsonl", time.monotonic() + 120
    while time.monotonic() < deadline and not (events.exists() and '"saved"' in events.read_text()):
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    saved = [json.loads(line) for line in events.read_text().splitlines() if '"saved"' in line]
    assert saved and saved[-1]["step"] < 24
    subprocess.run(
        command("killed", "--resume"),
        check=True,
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        timeout=200,
    )
    assert same_weights(TrainRun(tmp_path / "whole"), TrainRun(tmp_path / "killed"))


def test_a_bad_command_line_is_a_sentence_and_code_2(tmp_path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "training.train", str(TINY), "--run", str(tmp_path), "--steps", "0"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert result.returncode == 2
    assert "optimizer.steps" in result.stderr and "Traceback" not in result.stderr

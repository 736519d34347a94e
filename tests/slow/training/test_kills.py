"""kill -9 at any moment: nothing is lost but the time since the last save."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.paths import REPOSITORY
from tests.training.doomed import save_without_end, small_configuration, started, train, write_photographs
from tests.training.sample_runs import holder_of, last_state, write_configuration
from training.run import RunFolder
from training.trainer import fit

KILLS_OF_RUNS, KILLS_OF_SAVES = 20, 50


def same(first: Any, second: Any) -> bool:
    """Whether two states hold the same tensors, bit by bit, and the same values."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(same(a, b) for a, b in zip(first, second, strict=True))
    return torch.equal(first, second) if isinstance(first, torch.Tensor) else first == second


def assert_same_end(whole: RunFolder, parts: RunFolder) -> None:
    """Weights, averages, optimizer, random states, best weights and curves are those of the uninterrupted run."""
    one, two = last_state(whole), last_state(parts)
    for key in one.keys() - {"seconds"}:
        assert same(one[key], two[key]), key
    bests = [run._load_best() for run in (whole, parts)]
    assert same(*bests)
    for kind, timeless in (("train", ("loss", "learning_rate", "megapixels")), ("validation", ("score_db",))):
        curves = [
            [
                (event.step, *(event.values[name] for name in timeless))
                for event in run.events()
                if event.kind == kind
            ]
            for run in (whole, parts)
        ]
        assert curves[0] == curves[1], kind
    steps = [event.step for event in parts.events()]
    assert steps == sorted(steps)
    previews = [
        {event.values["file"]: (run.folder / event.values["file"]).read_bytes() for event in run.events()
         if event.kind == "preview"}
        for run in (whole, parts)
    ]  # fmt: skip
    assert previews[0] == previews[1] and previews[0]


def test_runs_killed_at_random_moments_end_with_the_very_same_weights(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    whole = RunFolder(tmp_path / "whole")
    began = time.monotonic()
    process = started(train, whole.folder, tmp_path)
    process.join(600)
    assert process.exitcode == 0
    longest = (time.monotonic() - began) / 2
    moments, kills, runs = random.Random(7), 0, []
    while kills < KILLS_OF_RUNS:
        runs.append(RunFolder(tmp_path / f"parts-{len(runs)}"))
        exitcode = None
        while exitcode != 0:
            process = started(train, runs[-1].folder, tmp_path)
            process.join(moments.uniform(0, longest) if kills < KILLS_OF_RUNS else 600)
            if process.is_alive():
                process.kill()
                kills += 1
                process.join(60)
            exitcode = process.exitcode
            assert exitcode in (0, -9), exitcode
    for run in runs:
        assert_same_end(whole, run)
        assert (
            holder_of(run) is None
            and not list(run.folder.glob("*.part"))
            and not list(run.folder.glob(".*.part"))
        )


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_a_run_and_its_group_stops_and_saves_it(told: signal.Signals, tmp_path: Path) -> None:
    """As Ctrl-C in a terminal and `timeout` send it."""
    write_photographs(tmp_path)
    config = write_configuration(small_configuration(steps=100_000), tmp_path / "configs")
    run = RunFolder(tmp_path / "run")
    command = [
        sys.executable,
        "-m",
        "training.train",
        str(config),
        "--run",
        str(run.folder),
        "--device",
        "cpu",
    ]
    process = subprocess.Popen(
        [*command, "--data", str(tmp_path)],
        cwd=REPOSITORY,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until = time.monotonic() + 300
        while not any(event.kind == "train" for event in run.events()):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.1)
        os.killpg(process.pid, told)
        said, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0 and "It is saved." in said, said
    end = list(run.events())[-1]
    assert end.kind == "end" and not end.values["finished"]
    assert last_state(run)["step"] == end.step > 0


def test_a_kill_during_saving_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    run, moments, step = RunFolder(tmp_path), random.Random(3), 0
    run.save({"step": 0, "weights": torch.zeros(200_000)})
    interrupted = 0
    for _ in range(KILLS_OF_SAVES):
        process = started(save_without_end, tmp_path, step)
        deadline = time.monotonic() + 60
        while last_state(run)["step"] == step and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.05))
        process.kill()
        process.join(60)
        interrupted += bool(list(tmp_path.glob(".*.part")))
        state, warning = run.load_latest()
        assert warning == "" and state["step"] > step
        assert (state["weights"] == state["step"]).all()
        step = state["step"]
        previous = torch.load(run.previous_path, weights_only=True)
        assert previous["step"] in (step - 1, step) and (previous["weights"] == previous["step"]).all()
    assert interrupted > KILLS_OF_SAVES / 10, "the kills fell between the saves, not into them"


@pytest.mark.parametrize("damage", ["cut off", "a bit turned", "empty", "no checkpoint"])
def test_a_damaged_last_checkpoint_is_replaced_by_the_one_before(damage: str, tmp_path: Path) -> None:
    write_photographs(tmp_path)
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    config = small_configuration(steps=24)
    fit(config, whole, data_root=tmp_path, device="cpu")
    asked = iter(range(1, 1000))
    fit(config, parts, data_root=tmp_path, device="cpu", should_stop=lambda: next(asked) == 18)
    assert (last_state(parts)["step"], parts.previous_path.exists()) == (18, True)
    data = bytearray(parts.last_path.read_bytes())
    data[len(data) // 2] ^= 16
    broken = {"cut off": data[: len(data) // 2], "a bit turned": data, "empty": b"", "no checkpoint": b"PK"}
    parts.last_path.write_bytes(broken[damage])
    told = []
    fit(config, parts, data_root=tmp_path, device="cpu", resume=True, on_event=told.append)
    start = next(event for event in told if event.kind == "start")
    assert start.step == 16
    assert "last.pt cannot be read" in start.values["warnings"][0]
    assert "goes on from step 16" in start.values["warnings"][0]
    assert_same_end(whole, parts)

"""Stop ends the training of a small network within five seconds, whatever the trainer is doing."""

import os
import sys
import time

import psutil
import pytest
import skimage.data

from models.png_files import write_png
from studio.train import stopping
from studio.train.jobs import Jobs
from tests.training.sample_runs import configuration
from training.events import History, TrainEvent
from training.run import RunFolder
from training.run_state import ProcessFile, ProcessMark, this_process

STOP_SECONDS = 5.0
PATIENCE_SECONDS = 300.0
MOMENTS = ("importing", "loading", "measuring", "training", "validating")


def waiting_share() -> float:
    """How many times longer everything takes because other processes work, at least 1."""
    return max(os.getloadavg()[0] / (os.cpu_count() or 1), 1.0) if hasattr(os, "getloadavg") else 1.0


@pytest.fixture
def jobs(tmp_path):
    for folder, count in (("train", 2500), ("validation", 500)):
        (tmp_path / folder).mkdir()
        first = tmp_path / folder / "0.png"
        write_png(skimage.data.astronaut()[100:164, 180:244], first)
        for number in range(1, count):
            os.link(first, tmp_path / folder / f"{number}.png")
    jobs = Jobs(tmp_path / "runs", tmp_path)
    yield jobs
    for name in jobs.names():
        trainer = ProcessFile.read(jobs.files(name).process_path).trainer
        if trainer is not None and trainer.is_alive():
            psutil.Process(trainer.pid).kill()


def small():
    """A minuscule cascade whose validations take longer than Stop may."""
    data = {"patch_sizes": [32], "batch_sizes": [2], "validation_size": 48, "train": ["train"], "workers": 1}
    runtime = {"precision": "fp32", "compile": False, "validate_every": 20, "save_every": 20, "log_every": 1}
    optimizer = {"steps": 100_000, "warmup_steps": 5}
    return configuration("small", data=data, runtime=runtime, optimizer=optimizer)


def until(condition):
    limit = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def reached(jobs, moment):
    run, record = jobs.files("small"), jobs.record("small")
    if moment == "importing":
        return ProcessFile.read(run.process_path).trainer is not None
    if moment in ("loading", "measuring"):
        return record.activity.lower().startswith(moment)
    return record.step >= (3 if moment == "training" else 20)


@pytest.mark.skipif(sys.platform == "win32", reason="an import cannot be asked to end there, only forced")
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_stopped_training_ends_within_five_seconds(jobs, moment):
    jobs.start(small())
    until(lambda: reached(jobs, moment))
    trainer = ProcessFile.read(jobs.files("small").process_path).trainer
    assert trainer is not None
    before, load = time.monotonic(), waiting_share()
    jobs.stop("small")
    assert jobs.state("small").kind in ("stopping", "stopped")
    until(lambda: not trainer.is_alive() and jobs.state("small").kind == "stopped")
    took = time.monotonic() - before
    print(f"{moment}: {took:.2f} s, at {load:.1f} times the work that this machine has cores for")
    assert took <= STOP_SECONDS * max(load, waiting_share())
    told = [event for event in jobs.files("small").events() if event.kind in ("validation", "start")]
    assert [event.kind for event in told] == (["start"] if moment in ("training", "validating") else [])
    assert jobs.files("small").can_resume() is (moment in ("training", "validating"))


@pytest.fixture
def asked(tmp_path):
    """due(seconds since Stop, the trainer's own lock, its events) for a folder that is asked to stop."""
    run = RunFolder(tmp_path / "run")

    def due(age, history, *, locked=True, patience=(100.0, 10.0)):
        run.folder.mkdir(exist_ok=True)
        run.stop_path.touch()
        then = time.time() - age
        os.utime(run.stop_path, (then, then))
        mark = this_process()
        if not locked:
            return stopping.due(run, mark, history, patience)
        with run.lock():
            run.stop_path.touch()
            os.utime(run.stop_path, (then, then))
            return stopping.due(run, mark, history, patience)

    return due


def test_who_has_nothing_to_lose_is_asked_firmly_sooner(asked):
    starting = History.of([TrainEvent(0, "activity", {"doing": "first_step"}, 1.0)])
    training = History.of([TrainEvent(5, "train", {}, 1.0)])
    assert asked(0, History(), locked=False) == stopping.FIRMLY, "it reads no file while it imports"
    assert asked(4.5, History(), locked=False) == stopping.BY_FORCE
    assert [asked(age, starting) for age in (0, 2.5, 4.5)] == [1, 2, 3]
    assert [asked(age, training) for age in (0, 90, 105, 115)] == [1, 1, 2, 3]


def test_a_request_that_is_sent_to_nobody_is_forgotten():
    gone = ProcessMark(2**22 + 1, 0.0)
    for request in (stopping.ASKED, stopping.FIRMLY, stopping.BY_FORCE):
        stopping.send(gone, request)

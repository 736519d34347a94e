"""The run's folder: who holds it, what is in it, and that old ones still work."""

import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest
import torch

from models.errors import BrokenCheckpoint, InvalidSetting
from models.files import write_atomically
from tests.present import present
from tests.training.doomed import small_configuration, started, train, write_photographs
from tests.training.sample_runs import holder_of, last_state
from training.checkpoint_files import save_state
from training.events import EventFile, TrainEvent
from training.run import Heartbeat, RunFolder
from training.run_state import SILENT_SECONDS, ProcessMark, this_process, trainer_of
from training.trainer import fit


def leave_lock(run: RunFolder, holder: ProcessMark) -> None:
    run.folder.mkdir(parents=True, exist_ok=True)
    run.lock_path.write_text(json.dumps(asdict(holder)))


def beat(run: RunFolder, seconds_off: float) -> None:
    """As a process does whose clock is that wrong."""
    moment = time.time() + seconds_off
    os.utime(run.heartbeat_path, (moment, moment))


def test_a_lock_names_its_process_and_goes_with_it(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    assert holder_of(run) is None
    with run.lock():
        assert holder_of(run) == this_process()
        assert present(holder_of(run)).pid == os.getpid() and run.heartbeat_path.exists()
        with pytest.raises(InvalidSetting, match=f"in use: process {os.getpid()}") as caught, run.lock():
            pass
        assert "give another folder" in str(caught.value)
        assert holder_of(run) == this_process(), "a refused process leaves the lock alone"
    assert holder_of(run) is None and not run.lock_path.exists()


def test_the_lock_of_a_dead_process_holds_nobody_back(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        import psutil

        alive = ProcessMark(child.pid, psutil.Process(child.pid).create_time(), socket.gethostname(), "sleep")
        leave_lock(run, alive)
        assert holder_of(run) == alive
        leave_lock(run, replace(alive, started=alive.started - 3600))
        assert holder_of(run) is None, "the number was given to another process"
        leave_lock(run, alive)
        child.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 60
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            time.sleep(0.01)
        assert holder_of(run) is None, "killed, but not yet waited for"
    finally:
        child.kill()
        child.wait()
    assert holder_of(run) is None
    with run.lock():
        assert holder_of(run) == this_process()


def test_on_another_machine_the_heartbeat_decides(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    elsewhere = replace(this_process(), host="elsewhere")
    leave_lock(run, elsewhere)
    assert holder_of(run) is None, "no heartbeat at all"
    run.heartbeat_path.touch()
    assert holder_of(run) == elsewhere
    late = time.time() - SILENT_SECONDS - 1
    os.utime(run.heartbeat_path, (late, late))
    assert holder_of(run) is None


@pytest.mark.parametrize(("silent_seconds", "trains"), [(100, True), (150, False)])
def test_page_and_trainer_agree_when_another_machine_is_gone(silent_seconds, trains, tmp_path: Path) -> None:
    run, then = RunFolder(tmp_path), time.time() - silent_seconds
    leave_lock(run, replace(this_process(), host="elsewhere"))
    run.heartbeat_path.touch()
    os.utime(run.heartbeat_path, (then, then))
    assert (holder_of(run) is not None) is trains
    assert (run.state().kind == "elsewhere") is trains


def test_a_holder_whose_clock_disagrees_is_not_pushed_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.run.WATCH_SECONDS", 1.0)
    run = RunFolder(tmp_path)
    for off in (-7200, 7200):
        leave_lock(run, replace(this_process(), host="elsewhere"))
        run.heartbeat_path.touch()
        beat(run, off)
        later = threading.Timer(0.3, beat, (run, off))
        later.start()
        with pytest.raises(InvalidSetting, match="is in use"), run.lock():
            pass
        later.join()
        with run.lock():
            assert holder_of(run) == this_process(), "no sign came any more"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere starts do not move with the clock")
@pytest.mark.parametrize("step", [-86_400, -3, 3, 3600])
def test_a_live_trainer_stays_alive_when_the_clock_is_set(
    step: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, mark = RunFolder(tmp_path), present(ProcessMark.of(os.getpid()))
    create_time = psutil.Process.create_time
    with run.lock():
        monkeypatch.setattr(psutil.Process, "create_time", lambda self: create_time(self) + step)
        assert holder_of(run) is not None and mark.is_alive()
        assert trainer_of(run) is not None
        with pytest.raises(InvalidSetting, match="is in use"), run.lock():
            pass
    other = replace(this_process(), identity=this_process().identity + "0")
    leave_lock(run, other)
    assert holder_of(run) is None, "its number was given to another process"


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", '{"pid": "x"}', '{"pid": -1, "started": 0, "host": "", "command": ""}']
)
def test_a_lock_that_says_nothing_holds_nobody_back(content: str, tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.lock_path.write_text(content)
    assert holder_of(run) is None


def test_two_trainers_in_one_folder_are_one_too_many(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    process = started(train, tmp_path / "run", tmp_path)
    run, deadline = RunFolder(tmp_path / "run"), time.monotonic() + 300
    while holder_of(run) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert present(holder_of(run)).pid == process.pid
    with pytest.raises(InvalidSetting, match="is in use"):
        fit(small_configuration(), run, data_root=tmp_path, device="cpu")
    process.join(600)
    assert process.exitcode == 0 and holder_of(run) is None
    assert [event.kind for event in run.events() if event.kind in ("start", "error")] == ["start"]


def test_the_heartbeat_follows_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is: at every event it has been renewed since the event before."""
    write_photographs(tmp_path)
    monkeypatch.setattr("training.journal.Heartbeat", functools.partial(Heartbeat, every_seconds=0.0))
    run, moments, beats = RunFolder(tmp_path / "run"), [], []

    def note(_event: TrainEvent) -> None:
        moments.append(time.time())
        beats.append(run.heartbeat_path.stat().st_mtime)

    fit(small_configuration(steps=6), run, data_root=tmp_path, device="cpu", on_event=note)
    assert len(beats) > 6
    coarse_clock_seconds = 0.05  # of the file system
    assert all(beat > before - coarse_clock_seconds for before, beat in zip(moments, beats[1:], strict=False))
    assert beats[-1] > beats[0]
    beat = Heartbeat(tmp_path / "beat", every_seconds=0.0)
    beat.beat()
    os.utime(beat.path, (0, 0))
    beat.beat()
    assert beat.path.stat().st_mtime > 0


def test_events_are_whole_lines_and_steps_never_go_back(tmp_path: Path) -> None:
    file = EventFile(tmp_path / "events.jsonl")
    for step in (0, 3, 4, 6, 8, 9):
        file.write(step, "train", {"loss": step / 10})
    with open(file.path, "ab") as raw:
        raw.write(b'{"step": 9, "kind": "val\xff')
    assert [event.step for event in file.read()] == [0, 3, 4, 6, 8, 9]
    file.forget_after(6)
    file.write(7, "train", {})
    assert [event.step for event in file.read()] == [0, 3, 4, 6, 7]
    assert all(json.loads(line) for line in file.path.read_text().splitlines())


def test_writing_is_whole_or_not_at_all_and_keeps_the_one_before(tmp_path: Path, monkeypatch) -> None:
    path, kept = tmp_path / "file", tmp_path / "kept"
    for text in ("first", "second", "third"):
        write_atomically(path, lambda temporary, text=text: temporary.write_text(text), keep=kept)
    assert (path.read_text(), kept.read_text()) == ("third", "second")

    def no_links(*names: object) -> None:
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    write_atomically(path, lambda temporary: temporary.write_text("fourth"), keep=kept)
    assert (path.read_text(), kept.read_text()) == ("fourth", "third")
    assert sorted(tmp_path.iterdir()) == [path, kept]


def test_a_folder_of_something_else_loses_nothing(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    texts = {
        "config.yaml": "# how I train\n" + small_configuration().to_yaml(),
        ".draft.part": "half",
        "stop": "!",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    with pytest.raises(InvalidSetting, match="not written by a run"):
        fit(small_configuration(), RunFolder(folder), data_root=tmp_path, device="cpu")
    assert {name: (folder / name).read_text() for name in texts} == texts
    (folder / "config.yaml").unlink()
    assert fit(small_configuration(steps=1), RunFolder(folder), data_root=tmp_path, device="cpu")
    assert (folder / ".draft.part").exists()


def test_a_run_killed_before_its_first_checkpoint_begins_anew_on_resume(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    run = RunFolder(tmp_path / "run")
    run.begin(small_configuration())
    run.write_event(0, "start", resumed=False)
    assert fit(small_configuration(steps=2), run, data_root=tmp_path, device="cpu", resume=True)
    assert [event.values["resumed"] for event in run.events() if event.kind == "start"] == [False]
    run.last_path.unlink()
    run.previous_path.unlink()
    with pytest.raises(InvalidSetting, match="nothing to resume"):
        fit(small_configuration(), run, data_root=tmp_path, device="cpu", resume=True)
    with pytest.raises(InvalidSetting, match="a run in .* already"):
        fit(small_configuration(), run, data_root=tmp_path, device="cpu")


def test_a_checkpoint_of_an_earlier_version_resumes(tmp_path: Path) -> None:
    """They had one generator, no random states, no phase, no previous.pt and no lock."""
    write_photographs(tmp_path)
    run, asked = RunFolder(tmp_path / "run"), iter(range(1, 1000))
    fit(small_configuration(), run, data_root=tmp_path, device="cpu", should_stop=lambda: next(asked) == 39)
    state = last_state(run)
    old = {key: value for key, value in state.items() if key not in ("phase", "random_states", "pixels")}
    save_state(old | {"generator": torch.Generator().get_state()}, run.last_path)
    run.previous_path.unlink()
    assert fit(small_configuration(), run, data_root=tmp_path, device="cpu", resume=True)
    trained = [event for event in run.events() if event.kind == "train"]
    assert [event.step for event in trained] == list(range(3, 61, 3))
    assert trained[-1].values["megapixels"] == round((30 * 2 * 32**2 + 30 * 2 * 48**2) / 1e6, 3)


def test_a_checkpoint_of_another_network_is_a_sentence(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    run = RunFolder(tmp_path / "run")
    fit(small_configuration(steps=1), run, data_root=tmp_path, device="cpu")
    other = replace(small_configuration(steps=2), hyperparameters={"widths": [8, 8, 16]})
    with pytest.raises(BrokenCheckpoint, match="does not fit small"):
        fit(other, run, data_root=tmp_path, device="cpu", resume=True)
    assert last_state(run)["step"] == 1

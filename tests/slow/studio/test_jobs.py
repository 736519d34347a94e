"""Runs are started, stopped, resumed and found again, whatever their trainer does; fake ones misbehave on purpose."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

import studio.train.stopping
from models.errors import InvalidSetting
from studio.train.jobs import PUBLISHED, Jobs
from tests.paths import REPOSITORY
from training.config import TrainConfig
from training.log import KEPT_BYTES, SHOWN_LINES, log_lines
from training.run_state import ProcessFile, ProcessMark, trainer_of

FAKE = REPOSITORY / "tests" / "studio" / "fake_trainer.py"
PATIENCE_SECONDS = 120


def config(name="run"):
    return TrainConfig.from_text(f"name: {name}\narchitecture: cascade\n")


def until(condition, what="what was waited for"):
    limit = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < limit, f"{what} did not come"
        time.sleep(0.05)


@pytest.fixture
def jobs_of(tmp_path):
    """jobs_of(way) -> Jobs whose trainer behaves so; whatever is left of it is ended afterwards."""
    made = []

    def make(way, **settings):
        jobs = Jobs(tmp_path / "runs", tmp_path, trainer=(sys.executable, str(FAKE), way), **settings)
        made.append(jobs)
        return jobs

    yield make
    for jobs in made:
        for name in jobs.names():
            known = ProcessFile.read(jobs.files(name).process_path)
            for mark in (trainer_of(jobs.files(name)), known.trainer, known.keeper):
                if mark is not None and mark.is_alive():
                    with suppress(psutil.NoSuchProcess):  # it may end between the two
                        psutil.Process(mark.pid).kill()


def kind_of(jobs, name="run"):
    return jobs.state(name).kind


def test_a_run_starts_stops_and_resumes(jobs_of):
    jobs = jobs_of("trains")
    assert jobs.names() == [] and jobs.live() is None
    jobs.start(config())
    assert kind_of(jobs) in ("starting", "running") and jobs.live() == "run"
    until(lambda: jobs.record("run").step >= 10)
    assert kind_of(jobs) == "running"
    jobs.stop("run")
    assert kind_of(jobs) in ("stopping", "stopped")
    until(lambda: kind_of(jobs) == "stopped")
    assert jobs.record("run").kind == "end" and jobs.live() is None
    jobs._asked["run"] = 1  # as if Resume had been faster than the supervisor's next look
    jobs.resume("run")
    until(lambda: kind_of(jobs) == "running")
    jobs.stop("run")
    until(lambda: kind_of(jobs) == "stopped")


def test_a_run_that_ends_is_finished(jobs_of):
    jobs = jobs_of("finishes")
    jobs.start(config())
    until(lambda: kind_of(jobs) == "finished")
    with pytest.raises(InvalidSetting, match="does not run any more"):
        jobs.stop("run")


def test_the_trainer_has_a_session_of_its_own_and_hears_no_terminal(jobs_of):
    jobs = jobs_of("trains")
    jobs.start(config())
    until(lambda: kind_of(jobs) == "running")
    trainer = trainer_of(jobs.files("run"))
    assert trainer is not None and os.getsid(trainer.pid) != os.getsid(0)
    keeper = ProcessFile.read(jobs.files("run").process_path).keeper
    assert keeper is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(keeper.pid, number)
    time.sleep(0.5)
    assert keeper.is_alive() and kind_of(jobs) == "running"


def test_one_run_at_a_time_on_a_machine(jobs_of):
    jobs, other = jobs_of("trains"), jobs_of("trains")
    jobs.start(config("first"))
    for asked in (jobs, other):
        with pytest.raises(InvalidSetting, match="first is being trained"):
            asked.start(config("second"))
    assert not jobs.files("second").config_path.exists()
    with pytest.raises(InvalidSetting, match="is being trained"):
        jobs.delete("first")


def test_a_hanging_trainer_is_called_stalled_and_can_be_stopped(jobs_of, monkeypatch):
    jobs = jobs_of("hangs")
    monkeypatch.setattr("training.run_state.LATE_SECONDS", 1)
    monkeypatch.setattr(studio.train.stopping, "HANGING_PATIENCE_SECONDS", (0.5, 0.5))
    jobs.start(config())
    until(lambda: kind_of(jobs) == "stalled")
    assert "No sign of life for" in jobs.state("run").sentence
    jobs.stop("run")
    until(lambda: kind_of(jobs) == "stopped")


def test_a_trainer_that_ignores_signals_is_ended_by_force_and_can_be_resumed(jobs_of):
    jobs = jobs_of("ignores", patience_seconds=(0.5, 0.5))
    jobs.start(config())
    until(lambda: kind_of(jobs) == "running")
    jobs.stop("run")
    assert kind_of(jobs) == "stopping"
    until(lambda: kind_of(jobs) == "stopped")
    until(lambda: ProcessFile.read(jobs.files("run").process_path).exit_code == -signal.SIGKILL)
    assert "was ended" in jobs.state("run").sentence and jobs.files("run").can_resume()


def test_a_million_lines_leave_a_small_log(jobs_of):
    jobs = jobs_of("floods")
    jobs.start(config())
    until(lambda: kind_of(jobs) == "finished")
    log = jobs.files("run").log_path
    until(lambda: log_lines(log)[-1:] == ["line 999999 of a million"])
    assert log.stat().st_size <= 2 * KEPT_BYTES + 65_536
    lines = log_lines(log)
    assert len(lines) == SHOWN_LINES and lines[0] == f"line {1_000_000 - SHOWN_LINES} of a million"
    until(lambda: not [path for path in log.parent.iterdir() if path.name.endswith(".part")])


def test_what_a_trainer_scrawls_is_shown_as_clean_lines(jobs_of):
    jobs = jobs_of("scrawls")
    jobs.start(config())
    until(lambda: kind_of(jobs) == "finished")
    until(lambda: log_lines(jobs.files("run").log_path)[-1:] == ["last words"])
    lines = log_lines(jobs.files("run").log_path)
    assert all(character.isprintable() or character == "\t" for line in lines for character in line)
    assert max(map(len, lines)) <= 410 and "<script>alert(1)</script>" in lines


def test_colours_and_progress_bars_do_not_show(tmp_path):
    path = tmp_path / "log.txt"
    path.write_bytes(
        b"\x1b[31mred\x1b[0m and \x1b]0;title\x07plain\n  1%|#  |\r 50%|## |\r100%|###|\r\nwide \xe2\x96\x88\n\n"
    )
    assert log_lines(path) == ["red and plain", "100%|###|", "wide \u2588"]
    assert log_lines(tmp_path / "none.txt") == []


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("dies", r"exit code 2.*There are no pictures in /nowhere.*correct the recipe"),
        ("says", r"The disk is full\. 10 MB are needed\. Make room and resume\."),
        ("killed", r"signal 9.*Resume goes on from its last checkpoint"),
    ],
)
def test_a_trainer_that_fails_leaves_a_sentence(jobs_of, way, words):
    jobs = jobs_of(way)
    jobs.start(config())
    until(lambda: kind_of(jobs) == "failed" and jobs.state("run").sentence)
    until(lambda: ProcessFile.read(jobs.files("run").process_path).exit_code is not None)
    assert_matches(words, jobs.state("run").sentence)
    if way != "killed":
        assert jobs.free_name("run") == "run"  # nothing was trained: the same name serves again
        jobs.start(config())


def assert_matches(pattern, text):
    import re

    assert re.search(pattern, text, re.S), text


SERVER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
from pathlib import Path
from studio.train.jobs import Jobs
from training.config import TrainConfig
jobs = Jobs(Path(sys.argv[1]), Path(sys.argv[1]), trainer=(sys.executable, sys.argv[2], "trains"))
jobs.start(TrainConfig.from_text("name: run\\narchitecture: cascade\\n"))
print("started", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_survives_its_server_and_a_later_one_finds_and_stops_it(jobs_of, tmp_path, number):
    command = [sys.executable, "-c", SERVER, str(tmp_path / "runs"), str(FAKE)]
    server = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert server.stdout is not None and server.stdout.readline() == "started\n"
    server.send_signal(number)
    server.wait(30)
    later = jobs_of("trains")
    until(lambda: kind_of(later) == "running")
    before = later.record("run").step
    until(lambda: later.record("run").step > before)
    assert later.live() == "run"
    with pytest.raises(InvalidSetting, match="run is being trained"):
        later.start(config("another"))
    later.stop("run")
    until(lambda: kind_of(later) == "stopped")
    server.stdout.close()


def test_a_run_whose_server_died_while_stopping_it_is_stopped_by_the_next(jobs_of):
    jobs = jobs_of("ignores")
    jobs.start(config())
    until(lambda: kind_of(jobs) == "running")
    jobs.files("run").stop_path.touch()  # as an earlier server left it
    old = time.time() - 1000
    os.utime(jobs.files("run").stop_path, (old, old))
    later = jobs_of("ignores")
    until(lambda: kind_of(later) == "stopped")


def test_a_lock_left_by_a_crash_does_not_lie(jobs_of):
    jobs = jobs_of("killed")
    jobs.start(config())
    until(lambda: kind_of(jobs) == "failed")
    lock = jobs.files("run").lock_path
    dead = json.loads(lock.read_text())
    assert dead["pid"] and jobs.live() is None
    me = ProcessMark.of(os.getpid())
    assert me is not None
    lock.write_text(
        json.dumps({**dead, "pid": me.pid, "started": me.started - 100})
    )  # its number is somebody else's now
    assert jobs.live() is None
    lock.write_text(json.dumps({**dead, "pid": me.pid, "started": me.started}))
    assert jobs.live() == "run"
    for nonsense in ("", "[]", '{"pid": "1"}', '{"pid": -1, "started": 0}', "{" * 100_000):
        lock.write_text(nonsense)
        assert jobs.live() is None


@pytest.mark.parametrize(
    "name",
    ["", "..", "../evil", "a/b", "/tmp/x", "a b", "ä", "-x", "x" * 65, ".hidden", PUBLISHED, None, 3, "a\nb"],
)
def test_names_that_are_none_are_refused(jobs_of, name):
    jobs = jobs_of("trains")
    for act in (jobs.files, jobs.state, jobs.stop, jobs.resume, jobs.delete, jobs.command):
        with pytest.raises(InvalidSetting, match="allowed"):
            act(name)


def test_links_out_of_the_root_are_no_runs(jobs_of, tmp_path):
    jobs = jobs_of("trains")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "config.yaml").write_text("name: x\n")
    jobs.root.mkdir()
    (jobs.root / "linked").symlink_to(outside)
    assert jobs.names() == []
    with pytest.raises(InvalidSetting, match="link"):
        jobs.delete("linked")
    assert (outside / "config.yaml").exists()


def test_deleting_removes_one_run_alone(jobs_of):
    jobs = jobs_of("finishes")
    for name in ("one", "two"):
        jobs.start(config(name))
        until(lambda name=name: kind_of(jobs, name) == "finished")
    jobs.delete("one")
    assert jobs.names() == ["two"] and not (jobs.root / "one").exists()
    with pytest.raises(InvalidSetting, match="no run called one"):
        jobs.delete("one")


def test_free_names_count_up_and_taken_ones_are_refused(jobs_of):
    jobs = jobs_of("finishes")
    jobs.start(config("mine"))
    until(lambda: kind_of(jobs, "mine") == "finished")
    assert jobs.free_name("mine") == "mine-2" and jobs.free_name("mine-2") == "mine-2"
    with pytest.raises(InvalidSetting, match="a run called mine already"):
        jobs.start(config("mine"))
    with pytest.raises(InvalidSetting, match="nothing|no checkpoint"):
        jobs.resume("never-started")


def test_a_root_that_cannot_be_written_is_one_sentence(jobs_of, tmp_path):
    jobs = jobs_of("trains")
    jobs.root.mkdir()
    (jobs.root / "run").write_text("a file where a folder belongs")
    with pytest.raises(InvalidSetting, match=r"cannot be kept.*is needed.*Make room"):
        jobs.start(config())
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidSetting, match=r"cannot be kept.*is needed.*Make room"):
        Jobs(tmp_path / "file" / "runs", tmp_path).start(config())


def test_the_command_shown_is_the_command_run(jobs_of):
    jobs = jobs_of("finishes")
    jobs.start(config())
    until(lambda: kind_of(jobs) == "finished")
    assert jobs.command("run") == [
        sys.executable,
        str(FAKE),
        "finishes",
        "--run",
        str(jobs.root / "run"),
        "--data",
        str(jobs.data_root),
    ]
    jobs.write_recipe(config("second"))
    line = jobs.command_line("second")
    assert line.startswith(f"cd {REPOSITORY} && ")
    subprocess.run(["sh", "-c", line], check=True, timeout=PATIENCE_SECONDS, cwd="/")
    until(lambda: kind_of(jobs, "second") == "finished")


def test_jobs_know_neither_gradio_nor_torch():
    code = "import sys, studio.train.jobs, studio.train.keeper; sys.exit(bool({'torch', 'gradio'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, timeout=120).returncode == 0

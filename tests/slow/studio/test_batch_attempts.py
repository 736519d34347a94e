"""A picture that ends its process is tried twice, reported, and passed over; all others are restored."""

import csv
import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.jpeg import Save, encode
from studio.batch.attempts import TRIES, Attempt, watched
from studio.batch.files import BatchPicture
from studio.restore.__main__ import main
from tests.paths import REPOSITORY

DEADLY = """
import os, sys
from studio.batch import run

real = run.BatchRestorer.restore

def restore(self, picture, on_progress=None):
    if "deadly" in picture.source.name:
        with open(os.environ["TRIED"], "a") as file:
            file.write(picture.source.name + chr(10))
        os._exit(1)
    return real(self, picture, on_progress)

run.BatchRestorer.restore = restore
"""
PROGRAM = (
    DEADLY
    + """
from studio.batch.attempts import watched
from studio.restore.__main__ import main
sys.exit(watched(main))
"""
)


HOOK = f"""
import importlib.util, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "studio.batch.run":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            exec({DEADLY!r}, {{}})

        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Finder())
"""
"""For sitecustomize: makes the batch of every process deadly, workers of Ray included."""


@pytest.fixture
def pictures(photograph, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number, name in enumerate(("a", "b-deadly", "c", "d-deadly", "e")):
        pixels = photograph.image.pixels[number : number + 40, :48]
        (folder / f"{name}.jpg").write_bytes(encode(pixels, Save(30)).data)
    return folder


def command(pictures, checkpoints, tmp_path, *more):
    where = ["--checkpoints", str(checkpoints), "--device", "cpu", "--model", "plain"]
    words = [str(pictures), "-o", str(tmp_path / "out"), "--report", str(tmp_path / "r.csv"), *where, *more]
    env = {**os.environ, "TRIED": str(tmp_path / "tried")}
    return words, env


def rows_of(path):
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    return {row["picture"].rsplit("/")[-1]: row for row in csv.DictReader(lines)}


def check(ended, tmp_path):
    assert ended.returncode == 1, ended.stderr
    rows = rows_of(tmp_path / "r.csv")
    states = {name: row["state"] for name, row in rows.items()}
    assert states.pop("b-deadly.jpg") == states.pop("d-deadly.jpg") == "failed"
    assert set(states.values()) <= {"restored", "done before"} and len(states) == 3
    assert "ended the whole process 2 times" in rows["b-deadly.jpg"]["sentence"]
    assert ended.stderr.count("ended the whole process 2 times") == 2
    assert len(list((tmp_path / "out").glob("*.png"))) == 3
    tried = (tmp_path / "tried").read_text().split()
    assert sorted(tried) == sorted(["b-deadly.jpg"] * TRIES + ["d-deadly.jpg"] * TRIES)


@pytest.mark.skipif(sys.platform != "linux", reason="a command watches itself on Linux only")
def test_one_command_reports_it_and_restores_the_others(pictures, checkpoints, tmp_path):
    words, env = command(pictures, checkpoints, tmp_path)

    def again():
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words],
            cwd=REPOSITORY,
            env=env,
            timeout=600,
            capture_output=True,
            text=True,
        )
        check(ended, tmp_path)
        return ended

    again()
    ended = again()  # a repeated command does not try it again
    assert "0 restored, 3 done before, 2 failed" in ended.stdout


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_ray_reports_it_and_restores_the_others(pictures, checkpoints, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(HOOK)
    words, env = command(pictures, checkpoints, tmp_path, "--engine", "ray")
    env |= {"PYTHONPATH": str(tmp_path / "site")}
    ended = subprocess.run(
        [sys.executable, "-m", "studio.restore", *words],
        cwd=REPOSITORY,
        env=env,
        timeout=900,
        capture_output=True,
        text=True,
    )
    check(ended, tmp_path)


def test_a_changed_file_or_other_settings_are_tried_anew(tmp_path):
    source = tmp_path / "a.jpg"
    source.write_bytes(b"one")
    picture, unfinished = BatchPicture(source, "deep/a"), []
    for tries in range(TRIES):
        attempt = Attempt(tmp_path / "out", picture, ["plain"])
        assert (attempt.tries, attempt.is_hopeless) == (tries, False)
        unfinished.append(attempt.running())
        unfinished[-1].__enter__()  # and never left: the process ended
    hopeless = Attempt(tmp_path / "out", picture, ["plain"])
    assert hopeless.is_hopeless and str(hopeless.path) in hopeless.sentence
    assert not Attempt(tmp_path / "out", picture, ["cascade"]).is_hopeless
    assert not Attempt(tmp_path / "out", BatchPicture(source, "a"), ["plain"]).is_hopeless
    source.write_bytes(b"another")
    fresh = Attempt(tmp_path / "out", picture, ["plain"])
    assert not fresh.is_hopeless
    with pytest.raises(KeyboardInterrupt), fresh.running():
        raise KeyboardInterrupt  # stopped by hand: no try counts
    assert Attempt(tmp_path / "out", picture, ["plain"]).tries == 0
    assert list((tmp_path / "out").iterdir()) == []


def test_nothing_is_left_of_pictures_that_end_no_process(pictures, checkpoints, tmp_path):
    (pictures / "broken.jpg").write_bytes(b"no picture")
    words, _ = command(pictures, checkpoints, tmp_path)
    assert main(words) == 1
    assert not list((tmp_path / "out").glob(".*"))


@pytest.mark.skipif(sys.platform != "linux", reason="a command watches itself on Linux only")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_watched_command_is_stopped_like_any_other(number, tmp_path):
    code = (
        "import os, sys, time\nfrom pathlib import Path\nfrom studio.batch.attempts import watched\n"
        "def work():\n"
        "    Path(sys.argv[1]).write_text(str(os.getpid()))\n"
        "    try:\n        time.sleep(60)\n"
        "    except KeyboardInterrupt:\n        return 130\n"
        "    return 0\n"
        "sys.exit(watched(work))"
    )
    mark = tmp_path / "child"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(mark)], cwd=REPOSITORY, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 300
    while not (mark.is_file() and mark.read_text()):
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(number)
    expected = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}
    assert process.wait(60) == expected[number]
    child = int(mark.read_text())
    state = Path(f"/proc/{child}/stat")
    while state.exists() and " Z " not in state.read_text():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="a command watches itself on Linux only")
def test_exit_codes_come_through():
    def ended(code):
        os._exit(code)

    assert [watched(lambda code=code: code) for code in (0, 1, 2, 130)] == [0, 1, 2, 130]
    assert watched(lambda: sys.exit(2)) == 2
    assert watched(lambda: ended(3)) == 3  # outside any picture: once is enough
    assert watched(lambda: os.kill(os.getpid(), signal.SIGKILL) or 0) == 128 + signal.SIGKILL

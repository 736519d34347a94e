"""A batch that is killed in the middle and repeated: the same results as without, none made twice.

JPEG_STUDIO_BATCH=500 pytest tests/studio/test_batch_killed.py   the promised size
"""

import csv
import hashlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from tests.paths import REPOSITORY

COUNT = int(os.environ.get("JPEG_STUDIO_BATCH", "24"))
LONGEST_SECONDS = 120 + 6 * COUNT


@pytest.fixture(scope="module")
def pictures(photograph, tmp_path_factory):
    """COUNT different JPEGs of 48 x 48 pixels, and one broken file in the middle."""
    folder = tmp_path_factory.mktemp("pictures")
    pixels, rng = photograph.image.pixels, np.random.default_rng(5)
    for index in range(COUNT):
        row, column = rng.integers(0, 32), rng.integers(0, 48)
        crop = np.roll(pixels[row : row + 48, column : column + 48], index, axis=2)
        Image.fromarray(crop).save(folder / f"{index:04d}.jpg", quality=10 + index % 80)
    (folder / f"{COUNT // 2:04d}x.jpg").write_bytes(b"broken")
    return folder


def command(pictures, checkpoints, output, *options):
    where = ["--checkpoints", str(checkpoints), "--device", "cpu", "--model", "cascade"]
    return [sys.executable, "-m", "studio.restore", str(pictures), "-o", str(output), *where, *options]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def stamps(folder):
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.glob("*.png")}


def kill_when_done(process, output, wanted):
    """SIGKILL once so many results are there."""
    until = time.monotonic() + LONGEST_SECONDS
    while len(list(output.glob("*.png"))) < wanted:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < until, f"{wanted} results were not there in time"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL


def test_killed_and_repeated_equals_uninterrupted(pictures, checkpoints, tmp_path):
    whole, killed, report = tmp_path / "whole", tmp_path / "killed", tmp_path / "report.csv"
    subprocess.run(
        command(pictures, checkpoints, whole), cwd=REPOSITORY, timeout=LONGEST_SECONDS, check=False
    )
    assert len(contents(whole)) == COUNT

    done = {}
    for share in (3, 2):  # killed twice, at a third and at half of the pictures
        process = subprocess.Popen(
            command(pictures, checkpoints, killed), cwd=REPOSITORY, stderr=subprocess.DEVNULL
        )
        kill_when_done(process, killed, COUNT // share)
        assert done.items() <= stamps(killed).items()
        done = stamps(killed)
        assert len(done) < COUNT
    (killed / "0000_cascade.png.part").write_bytes(b"an unfinished file of an earlier run")

    last = subprocess.run(
        command(pictures, checkpoints, killed, "--report", str(report)),
        cwd=REPOSITORY,
        timeout=LONGEST_SECONDS,
        check=False,
        capture_output=True,
        text=True,
    )
    assert last.returncode == 1
    assert last.stderr.count(f"{COUNT // 2:04d}x.jpg") == 1
    assert done.items() <= stamps(killed).items(), "a result was made twice"
    assert contents(killed) == contents(whole)
    lines = [line for line in report.read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    states = [row["state"] for row in rows]
    hashes = {row["result"]: row["result_sha256"] for row in rows if row["result"]}
    assert hashes == {name: hashlib.sha256(data).hexdigest() for name, data in contents(whole).items()}
    assert states.count("done before") == len(done)
    assert states.count("restored") == COUNT - len(done)
    assert states.count("failed") == 1

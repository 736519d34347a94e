"""Ctrl-C at any moment is 130, SIGTERM 143, without a traceback; what the studio kept on the disk goes with it."""

import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from models.png_files import write_png
from tests.paths import REPOSITORY
from tests.present import present

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")


def started(arguments, tmp_path, **environment):
    values = {**os.environ, "OMP_NUM_THREADS": "1", "GRADIO_TEMP_DIR": str(tmp_path / "temp"), **environment}
    command = [sys.executable, *arguments]
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=values, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process, number=signal.SIGINT):
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert "Traceback" not in said and "terminate called" not in said, said
    return process.returncode


def waiting_for(module, words, tmp_path):
    """A program that is in the middle of an import."""
    (tmp_path / module).mkdir()
    waiting = "import sys, time\nprint('importing', flush=True)\ntime.sleep(60)\n"
    (tmp_path / module / "__init__.py").write_text(waiting)
    process = started(words, tmp_path, PYTHONPATH=str(tmp_path))
    assert present(process.stdout).readline() == "importing\n"
    return process


PROGRAMS = ["app.py", "studio.restore", "studio.sweep", "training.evaluate", "training.train"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("program", PROGRAMS)
def test_before_a_program_knows_what_it_was_asked(program, tmp_path, number, code):
    words = [program] if program.endswith(".py") else ["-m", program]
    assert ended(waiting_for("argparse", words, tmp_path), number) == code


@pytest.mark.parametrize(
    "words",
    [
        ("studio.restore", "photo.jpg", "-o", "restored.png"),
        ("studio.sweep", "--help"),
        ("training.evaluate", "--data", "."),
        ("training.train", "training/configs/tiny-cpu.yaml"),
    ],
    ids=lambda words: words[0],
)
def test_while_a_program_imports(words, tmp_path):
    assert ended(waiting_for("torch", ["-m", *words], tmp_path)) == 130


def test_in_the_middle_of_a_restoration(tmp_path):
    (tmp_path / "in").mkdir()
    noise = np.random.default_rng(3).integers(0, 256, (1500, 1500, 3), np.uint8)
    for name in "ab":
        write_png(noise, tmp_path / "in" / f"{name}.png")
    options = ["-o", str(tmp_path / "out"), "--model", "plain", "--model", "cascade", "--device", "cpu"]
    process = started(["-m", "studio.restore", str(tmp_path / "in"), *options], tmp_path)
    limit = time.monotonic() + 240
    while not (tmp_path / "out" / "a_plain.png").exists() and time.monotonic() < limit:
        time.sleep(0.05)
    time.sleep(0.5)  # the network is at work
    assert ended(process) == 130


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_studio_that_serves(tmp_path, number, code):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = str(one.getsockname()[1])
    process = started(["app.py", "--port", port, "--device", "cpu"], tmp_path)
    assert "http://" in present(process.stdout).readline()
    limit = time.monotonic() + 120
    while time.monotonic() < limit:
        try:
            socket.create_connection(("127.0.0.1", int(port)), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    assert ended(process, number) == code
    assert list((tmp_path / "temp").iterdir()) == []

"""python app.py: mistakes on the command line are one sentence and leave no server behind."""

import socket
import subprocess
import sys

from tests.paths import REPOSITORY


def started_with(*arguments):
    command = [sys.executable, "app.py", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)


def test_a_port_out_of_range_is_one_sentence():
    ended = started_with("--port", "99999")
    assert ended.returncode == 2
    assert "1 to 65535" in ended.stderr


def test_a_taken_port_is_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = started_with("--port", str(taken.getsockname()[1]))
    assert ended.returncode == 2
    assert "Choose another" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_device_that_is_not_there_is_one_sentence():
    ended = started_with("--device", "toaster")
    assert ended.returncode == 2
    assert "toaster" in ended.stderr and "privateuseone" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_folder_of_models_that_is_not_there_is_said():
    ended = started_with("--checkpoints", "no/such/folder", "--dry-run", "--device", "cpu")
    assert ended.returncode == 0
    assert "There is no folder no/such/folder" in ended.stderr and "plain" in ended.stdout


def test_the_program_stays_small():
    assert len((REPOSITORY / "app.py").read_text("utf-8").splitlines()) < 60

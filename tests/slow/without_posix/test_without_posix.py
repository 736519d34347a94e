"""The studio on a system without POSIX, as far as one with POSIX can show it: see sitecustomize.py beside this file."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from models.zoo import Zoo
from tests.paths import REPOSITORY
from tests.present import present

SLOWEST_SECONDS = 240
TRUTHS = """
import os, sys, signal
assert sys.platform == "win32" and not hasattr(os, "fork") and not hasattr(signal, "SIGKILL")
try:
    import resource
except ModuleNotFoundError:
    pass
else:
    raise AssertionError("resource is there")
"""
IMPORT_ALL = """
import importlib
from pathlib import Path
count = 0
for room in ("models", "training", "studio"):
    for path in sorted(Path(room).rglob("*.py")):
        name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        if not name.endswith("__main__"):
            importlib.import_module(name)
            count += 1
print(count)
"""
STOP_AND_RESUME = """
import sys, time
from pathlib import Path
from studio.train.jobs import Jobs
from studio.train.publish import publish
from training.config import TrainConfig

def until(what, seconds=200):
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, (jobs.state("tiny-cpu"), jobs.files("tiny-cpu").log_path.read_text())
        time.sleep(0.1)

if __name__ == "__main__":
    jobs = Jobs(Path(sys.argv[1]))
    text = Path("training/configs/tiny-cpu.yaml").read_text()
    text = text.replace("validate_every: 200", "validate_every: 10").replace("save_every: 100", "save_every: 10")
    text = text.replace("log_every: 10", "log_every: 1").replace("batch_sizes: [16]", "batch_sizes: [2]")
    config = TrainConfig.from_text(text)
    jobs.start(config)
    until(lambda: jobs.record("tiny-cpu").step >= 10)
    jobs.stop("tiny-cpu")
    until(lambda: jobs.state("tiny-cpu").kind == "stopped")
    first = jobs.record("tiny-cpu")
    assert first.kind == "end" and not first.finished, first
    jobs.resume("tiny-cpu")
    until(lambda: jobs.record("tiny-cpu").step > first.step and jobs.state("tiny-cpu").kind == "running")
    jobs.stop("tiny-cpu")
    until(lambda: jobs.state("tiny-cpu").kind == "stopped")
    print(publish(jobs.files("tiny-cpu"), jobs.published, frozenset()).name)
"""


@pytest.fixture
def environment():
    return os.environ | {
        "WITHOUT_POSIX": str(REPOSITORY),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(REPOSITORY)]),
        "OMP_NUM_THREADS": "1",
    }


def ended(*command, environment, cwd=REPOSITORY):
    result = subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, env=environment, capture_output=True, timeout=400
    )
    assert result.returncode == 0, result.stderr.decode("utf-8", "replace")[-3000:]
    return result.stdout.decode("utf-8", "replace")


def below_root(text, tmp_path):
    """A program that counts as the project's own, since imports of files below its root alone are answered."""
    path = tmp_path / "studio_program.py"
    path.write_text(text)
    return path


def test_the_stand_ins_stand_in(environment, tmp_path):
    ended(below_root(TRUTHS, tmp_path), environment=environment | {"WITHOUT_POSIX": str(tmp_path)})


def test_every_module_is_imported(environment):
    assert int(ended("-c", IMPORT_ALL, environment=environment)) > 200


def test_a_training_is_stopped_resumed_and_published(environment, tmp_path):
    program, runs = below_root(STOP_AND_RESUME, tmp_path), tmp_path / "runs"
    try:
        assert ended(program, runs, environment=environment).split()[-1] == "tiny-cpu"
        assert Zoo(runs / "published", "cpu").load("tiny-cpu").card.name == "tiny-cpu"
        assert (runs / "tiny-cpu" / "events.jsonl").read_bytes().count(b"\r") == 0
    finally:
        for process in re.findall(r'"pid": (\d+)', (runs / "tiny-cpu" / "process.json").read_text()):
            try:
                os.kill(int(process), signal.SIGKILL)
            except ProcessLookupError:
                continue


def test_a_series_passes_on_that_it_shall_stop(environment, tmp_path):
    configs, runs = tmp_path / "configs", tmp_path / "runs"
    configs.mkdir()
    text = (REPOSITORY / "training" / "configs" / "tiny-cpu.yaml").read_text()
    (configs / "tiny-cpu.yaml").write_text(
        text.replace("minutes: 1.9", "petaflop: 100").replace("log_every: 10", "log_every: 1")
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "training.experiments.series", str(configs), "--runs", str(runs)],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    events, limit = runs / "tiny-cpu" / "events.jsonl", time.monotonic() + SLOWEST_SECONDS
    try:
        while not (events.exists() and '"train"' in events.read_text()):
            assert process.poll() is None and time.monotonic() < limit
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0 and "The same command goes on." in said, said


def test_the_page_opens_and_restores(environment, tmp_path):
    noise = np.random.default_rng(5).integers(60, 200, (40, 56, 3), np.uint8)
    photo = tmp_path / "photo.jpg"
    Image.fromarray(noise).save(photo, quality=30)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port), "--runs", str(tmp_path / "runs")],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address, limit = f"http://127.0.0.1:{port}", time.monotonic() + SLOWEST_SECONDS
        while True:
            assert server.poll() is None and time.monotonic() < limit, present(server.stderr).read()[-3000:]
            try:
                page = urllib.request.urlopen(address, timeout=10).read().decode()
                break
            except OSError:
                time.sleep(0.3)
        assert "Restoration Studio" in page
        client = Client(address, verbose=False, download_files=str(tmp_path / "files"))
        answer = client.predict(handle_file(photo), models=["cascade"], api_name="/restore")
        with Image.open(answer["results"][0]["file"]) as picture:
            assert picture.size == (56, 40)
    finally:
        server.kill()
        _, said = server.communicate(timeout=60)
    assert "Traceback" not in said, said[-3000:]


def test_the_command_line_restores(environment, tmp_path):
    photo, result = tmp_path / "photo.jpg", tmp_path / "restored.png"
    Image.effect_noise((48, 40), 50).convert("RGB").save(photo, quality=30)
    ended("-m", "studio.restore", photo, "-o", result, "--model", "ar_cnn", environment=environment)
    with Image.open(result) as picture:
        assert picture.size == (48, 40)

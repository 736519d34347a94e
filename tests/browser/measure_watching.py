"""Measures what watching costs: images per second of a training alone, and with the Train tab open in two browsers.

python tests/browser/measure_watching.py [--seconds 60] [--rounds 3] [--browsers 2] [--threads 2]

Run it while nothing else runs. Each round trains the two-minute preset's network twice for so many seconds, once from
the command line with no studio there, once started in the studio while headless browsers watch, in changing order.
What is compared is the images per second between the first validation's end and the end of training, of the medians.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from playwright.sync_api import sync_playwright

from studio.train.jobs import Jobs
from studio.train.recipe import PRESETS, Recipe
from tests.browser.conftest import go_to
from tests.paths import REPOSITORY
from tests.present import present

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 300_000
WARM_UP_SHARE = 0.2
"""Of the time, left out at the beginning: the trainer and the pages are still loading."""


def speed(events: Path) -> float:
    """Megapixels per second of a run, validations left out as in its own reports."""
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    reports = [line["values"] for line in lines if line["kind"] == "train"]
    late = [one for one in reports if one["minutes"] >= WARM_UP_SHARE * reports[-1]["minutes"]]
    return statistics.median(one["megapixels_per_second"] for one in late)


def alone(jobs: Jobs, name: str) -> float:
    """From the command line, with nobody watching."""
    subprocess.run(jobs.command(name), cwd=REPOSITORY, check=True, capture_output=True)
    return speed(jobs.root / name / "events.jsonl")


@contextmanager
def studio(runs: Path, folder: Path):
    """The studio's address while it runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "app.py", "--port", str(port), "--runs", str(runs), "--device", "cpu"]
    command += ["--checkpoints", str(folder / "none")]
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "gradio")}
    with open(folder / "studio.log", "a") as log:
        server = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        limit = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < limit:
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except OSError:
                time.sleep(0.3)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def watched(jobs: Jobs, name: str, browsers: int, folder: Path) -> float:
    """Started in the studio, with so many browsers at its Train tab."""
    config = present(Recipe.read((jobs.root / name / "config.yaml").read_text()).config)
    with studio(jobs.root, folder) as address, sync_playwright() as playwright:
        open_ones = [
            playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS) for _ in range(browsers)
        ]
        pages = [one.new_page(viewport={"width": 1440, "height": 900}) for one in open_ones]
        for page in pages:
            page.set_default_timeout(PATIENCE)
            page.goto(address)
            page.wait_for_function(
                "() => document.querySelector('#action .action')?.dataset.state === 'idle'"
            )
            go_to(page, "Train")
            page.wait_for_selector("#train-runs th button")
        jobs.start(config)
        for page in pages:
            page.locator(f"#train-runs tr[data-name='{name}'] th button").click()
            page.wait_for_selector("#train-head [data-state=running]")
        for page in pages:
            page.wait_for_selector("#train-head [data-state=finished]")
        for one in open_ones:
            one.close()
    return speed(jobs.root / name / "events.jsonl")


def recipe(name: str, seconds: float) -> Recipe:
    """The two-minute preset for so long."""
    preset = Recipe.read(PRESETS[0].text())
    return preset.with_values({"name": name, "optimizer.minutes": seconds / 60})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--browsers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2, help="of the trainer and of the studio")
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(asked.threads)
    found: dict[str, list[float]] = {"alone": [], "watched": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        jobs = Jobs(folder / "runs")
        for number in range(asked.rounds):
            ways = [
                ("alone", alone),
                ("watched", lambda jobs, name: watched(jobs, name, asked.browsers, folder)),
            ]
            for way, measure in ways[:: -1 if number % 2 else 1]:
                config = present(recipe(f"{way}-{number}", asked.seconds).config)
                jobs.write_recipe(config)
                found[way].append(measure(jobs, config.name))
                print(f"round {number + 1}, {way}: {found[way][-1]:.4f} MP/s", flush=True)
    share = statistics.median(found["watched"]) / statistics.median(found["alone"])
    print(f"watched by {asked.browsers} browsers: {share:.1%} of the speed alone; at least 95 % is asked for")


if __name__ == "__main__":
    main()

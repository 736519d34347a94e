"""The real program on a free port, and a headless Chromium that reports every request and error of the page."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from models.card import ModelCard
from models.networks.ar_cnn import ArCnn
from models.networks.cascade import Cascade
from models.zoo import Zoo, save_checkpoint
from studio.session.examples import example
from tests.paths import REPOSITORY

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
START_SECONDS = 180
LEFT = ("AbortError: signal is aborted without reason", "Unexpected error Connection errored out.")
"""Gradio ends its streams so where a page is left."""


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """The project's own checkpoints; untrained networks stand in for those that are missing."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for card in Zoo(REPOSITORY / "checkpoints", "cpu").cards():
        if card.architecture:
            (folder / card.name).symlink_to(REPOSITORY / "checkpoints" / card.name)
    torch.manual_seed(3)
    words = {"summary": "Untrained.", "paper": "None.", "parameters": 1}
    if not (folder / "cascade").exists():
        names = ("stage 1", "stage 2", "stage 3")
        card = ModelCard("cascade", "Cascade", "cascade", stage_names=names, mmac_per_pixel=0.2, **words)
        save_checkpoint(folder / "cascade", Cascade(), card)
    if not (folder / "ar_cnn").exists():
        card = ModelCard("ar_cnn", "AR-CNN", "ar_cnn", color="planes", mmac_per_pixel=0.1, **words)
        save_checkpoint(folder / "ar_cnn", ArCnn(), card)
    return folder


@pytest.fixture(scope="session")
def address(checkpoints, tmp_path_factory):
    """Where the studio runs, as `python app.py` starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("log") / "studio.log"
    environment = {
        **os.environ,
        "GRADIO_TEMP_DIR": str(tmp_path_factory.mktemp("gradio")),
        "OMP_NUM_THREADS": "2",
    }
    command = [
        sys.executable,
        "app.py",
        "--port",
        str(port),
        "--checkpoints",
        str(checkpoints),
        "--device",
        "cpu",
    ]
    with log.open("w") as stream:
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=stream, stderr=stream)
    try:
        wait_until_served(f"http://127.0.0.1:{port}/", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()


def wait_until_served(url, process, log):
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"the studio did not start in {START_SECONDS} s: {log.read_text()}")


@pytest.fixture(scope="module")
def browser():
    """Closed after each module: while Playwright runs, no other test may run an event loop."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium found; install it, or name it in the variable CHROMIUM")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=options)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, address):
    """open_page(width, height, query) -> a page past its welcome; afterwards it must have stayed on this machine."""
    pages, strangers, errors = [], [], []

    def watch(request):
        if not request.url.startswith((address, "data:", "blob:")):
            strangers.append(request.url)

    def open_one(width=1440, height=900, query=""):
        if "door=" not in query:
            query = f"{query}{'&' if '?' in query else '?'}door=experiment"
        page = browser.new_page(viewport={"width": width, "height": height}, accept_downloads=True)
        pages.append(page)
        page.on("request", watch)
        page.on("pageerror", lambda error: None if str(error).startswith(LEFT) else errors.append(str(error)))
        page.on(
            "console",
            lambda message: (
                errors.append(message.text)
                if message.type == "error" and not message.text.startswith(LEFT)
                else None
            ),
        )
        page.goto(f"{address}/{query}")
        wait_until_idle(page)
        return page

    yield open_one
    for page in pages:
        page.close()
    assert strangers == []
    assert errors == []


def go_to(page, place):
    """Choose a place of the studio, which may lie behind More."""
    page.wait_for_selector("#frame .place", state="attached")  # after a reload the row is empty at first
    choice = page.locator("#frame").get_by_role("tab", name=place, exact=True)
    if not choice.is_visible():
        page.locator("#frame .opener").click()
    choice.click()


def take(page, kind):
    """Press one of the ways to take results away, which lie in a menu."""
    if page.locator("#takeaway details[open]").count() == 0:
        page.locator("#takeaway summary").click()
    page.locator(f"#takeaway [data-kind={kind}], #takeaway [data-format={kind}]").click()


def wait_until_idle(page, seconds=60):
    """Until no model works and the table shows results."""
    page.wait_for_function(
        """() => document.querySelector('#results tr[data-state=done]')
            && !document.querySelector('#results tr[data-state=running], #results tr[data-state=waiting]')
            && document.querySelector('#action .action')?.dataset.state === 'idle'
            && document.querySelector('#viewer canvas').dataset.ready === 'true'""",
        timeout=seconds * 1000,
    )


@pytest.fixture(scope="session")
def photograph_png():
    """Bytes of a clean 240 x 200 crop, as a person's file."""
    whole = np.array(Image.open(BytesIO(example("chelsea").read_bytes())).convert("RGB"))
    buffer = BytesIO()
    Image.fromarray(whole[60:260, 100:340]).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def settled():
    """The function that waits until the page is idle."""
    return wait_until_idle


@pytest.fixture(scope="session")
def served():
    """The function that waits until a program serves its page."""
    return wait_until_served

"""While a person's own photograph is on its way, nothing of another one is shown under its name, kept or packed."""

import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import take

pytestmark = pytest.mark.browser

ROWS, COLUMNS = 2000, 3000
OPEN_NAME = "() => document.querySelector('#photograph .facts b, .facts b')?.textContent"


@pytest.fixture(scope="module")
def holiday(tmp_path_factory):
    """A red photograph that takes a while to open."""
    path = tmp_path_factory.mktemp("own") / "holiday.jpg"
    grain = np.random.default_rng(3).integers(0, 60, (ROWS, COLUMNS, 1))
    Image.fromarray((grain + [150, 20, 10]).astype(np.uint8)).save(path, quality=95)
    return path


@pytest.mark.parametrize("first_press_ms", [0, 400, 1200])
def test_restore_pressed_while_a_photograph_opens(open_page, settled, holiday, first_press_ms):
    page = open_page(query="?picture=coffee&quality=30&models=plain")
    page.locator("#photograph input[type=file]").set_input_files(holiday)
    page.wait_for_timeout(first_press_ms)
    for _ in range(300):
        if page.evaluate(OPEN_NAME) == "holiday":
            break
        page.evaluate("() => document.querySelector('#restore-button').click()")
        page.wait_for_timeout(200)
    assert page.evaluate(OPEN_NAME) == "holiday"
    for _ in range(60):  # a press that follows an unanswered one is not taken
        page.click("#restore-button[aria-disabled=false]")
        page.wait_for_timeout(1000)
        if page.locator("#results tr[data-id=plain]").count():
            break
    settled(page)
    with page.expect_download(timeout=60_000) as waiting:
        take(page, "zip")
    archive = zipfile.ZipFile(waiting.value.path())
    names = archive.namelist()
    report = json.loads(archive.read(next(name for name in names if name.endswith("report.json"))))
    assert report["photograph"]["sha256"] == hashlib.sha256(holiday.read_bytes()).hexdigest()
    pictures = [Image.open(io.BytesIO(archive.read(name))) for name in names if name.endswith(".png")]
    assert len(pictures) == 2
    for picture in pictures:
        assert picture.size == (COLUMNS, ROWS)
        red, green, _ = np.asarray(picture.resize((30, 20)).convert("RGB")).reshape(-1, 3).mean(0)
        assert red > 150 > 80 > green

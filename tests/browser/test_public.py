"""The public page in a real browser: hostile names and texts stay text, nothing of training is there, images go."""

import base64
import json
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.card import ModelCard
from models.networks.ar_cnn import ArCnn
from models.zoo import save_checkpoint
from tests.browser.conftest import go_to, take
from tests.load.server import served

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=alert(1)>\"'><svg onload=alert(2)><script>alert(3)</script>{{7*7}}${7*7}"
NAMES = [
    "<img src=x onerror=alert(1)>.jpg",
    '"><svg onload=alert(1)>.jpg',
    "{{7*7}}${alert(1)}.jpg",
    "[x](javascript:alert(1)).jpg",
    "../../etc/passwd.jpg",
    "a\nb\u202egpj.jpg",
]
DROP = """([text, name]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  document.querySelector("#photograph .drop").dispatchEvent(
    new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
}"""


@pytest.fixture(scope="module")
def evil_checkpoints(tmp_path_factory):
    """A model whose card is full of markup."""
    folder = tmp_path_factory.mktemp("evil")
    card = ModelCard(
        "ar_cnn", EVIL, "ar_cnn", summary=EVIL, paper=EVIL, license=EVIL, training=EVIL, color="planes", parameters=1
    )  # fmt: skip
    save_checkpoint(folder / "ar_cnn", ArCnn(), card)
    return folder


@pytest.fixture(scope="module")
def public(evil_checkpoints):
    with served("--public", "--checkpoints", str(evil_checkpoints)) as server:
        yield server
        assert "Traceback" not in server.log.read_text(), server.log.read_text()


@pytest.fixture
def watched(browser, public):
    """A page, and what went wrong on it: dialogs and broken rules."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    wrong = []
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page, wrong
    page.close()


def hostile_jpeg():
    """A JPEG whose EXIF text, comment and colour profile's name are markup."""
    exif = Image.Exif()
    for tag in (0x010E, 0x010F, 0x0110, 0x013B, 0x8298):
        exif[tag] = EVIL
    buffer = BytesIO()
    pixels = np.full((64, 96, 3), 90, np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", exif=exif, comment=EVIL.encode(), quality=60)
    data = buffer.getvalue()
    adobe = b"\xff\xed" + struct.pack(">H", len(EVIL) + 2) + EVIL.encode()
    return data[:2] + adobe + data[2:]


def drop(page, name):
    page.evaluate("() => { document.querySelector('.facts b')?.setAttribute('data-seen', '1'); }")
    page.evaluate(DROP, [base64.b64encode(hostile_jpeg()).decode(), name])
    page.wait_for_function(
        """() => { const b = document.querySelector('.facts b');
                   return b && !b.dataset.seen && !document.querySelector('#results tr[data-state=done]'); }""",
        timeout=60_000,
    )


def looked_at_everywhere(page, settled):
    page.locator("#restore-button").click()
    settled(page, 90)
    for tab in ("Anatomy", "Sweep", "Lessons", "Models", "Experiment"):
        go_to(page, tab)
        page.wait_for_timeout(1500)


def test_hostile_texts_are_text_everywhere(public, watched, settled):
    page, wrong = watched
    page.goto(f"{public.address}/?models=ar_cnn,{EVIL}&picture={EVIL}&view={EVIL}")
    settled(page, 90)
    for name in NAMES:
        drop(page, name)
    looked_at_everywhere(page, settled)
    go_to(page, "Models")
    assert page.get_by_text("<img src=x onerror=alert(1)>").locator("visible=true").count() >= 1
    assert page.locator("img[src='x']").count() == 0
    assert page.locator("script:text('alert(3)')").count() == 0
    assert page.locator("svg[onload]").count() == 0
    assert page.get_by_role("tab", name="Train").count() == 0
    assert wrong == []


def test_the_comparison_that_people_take_away_is_harmless_too(public, browser, watched, settled, tmp_path):
    page, wrong = watched
    page.goto(public.address)
    settled(page, 90)
    drop(page, NAMES[0])
    page.locator("#restore-button").click()
    settled(page, 90)
    with page.expect_download(timeout=60_000) as waiting:
        take(page, "page")
    place = tmp_path / "comparison.html"
    waiting.value.save_as(place)
    page.goto(place.as_uri())
    page.wait_for_function("() => document.querySelector('canvas')", timeout=60_000)
    assert "onerror=alert" in Path(place).read_text("utf-8")
    assert wrong == []


def test_delete_my_images_now(public, watched, settled):
    page, wrong = watched
    page.goto(public.address)
    settled(page, 90)
    drop(page, "mine.jpg")
    page.locator("#restore-button").click()
    settled(page, 90)
    assert page.get_by_text("pictures deleted after 30 min").is_visible()
    own = [path for path in public.files() if path.name.startswith("mine")]
    assert own
    page.get_by_role("button", name="Delete my images now").click()
    page.get_by_text("Deleted:").wait_for(timeout=60_000)
    assert not any(path.exists() for path in own)
    page.locator("#restore-button").click()
    refused = page.get_by_text("no photograph in memory")
    refused.wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    assert refused.is_visible(), "the sentence went away by itself"
    assert page.locator("#restore-button").inner_text().startswith("Repair")
    assert page.get_by_text("Deleted:").is_visible()
    assert wrong == []


def test_a_page_elsewhere_may_show_the_studio_in_a_frame_only_if_it_is_trusted(public, browser):
    page = browser.new_page()
    try:
        refused = []
        page.on("console", lambda message: refused.append(message.text))
        page.set_content(f"<iframe src={json.dumps(public.address)} width=800 height=600></iframe>")
        page.wait_for_timeout(3000)
        assert any("frame-ancestors" in text for text in refused), refused
    finally:
        page.close()

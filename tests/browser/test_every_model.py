"""Every shipped model in the Restore tab, side by side, with its stages: on one of the studio's own pictures, or, with
JPEG_STUDIO_LOAD=1, on all of them and on a photograph of twelve megapixels."""

import base64
import os
import time
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.zoo import Zoo
from studio.session.examples import EXAMPLES, example
from tests.browser.test_journey import DROP

pytestmark = pytest.mark.browser

FULL = bool(os.environ.get("JPEG_STUDIO_LOAD"))
SECONDS = 3000 if FULL else 300
NEW_PICTURE = """(name) => document.querySelector('.facts b')?.textContent.startsWith(name)
  && !document.querySelector('#results tr[data-state=done]')"""
STAGES = """(count) => count === (document.querySelector('#viewer .stages').hidden
  ? 0 : Number(document.querySelector('#viewer .stages input').max))"""
NAMED = "(name) => document.querySelector('#viewer canvas').ariaLabel.includes(name)"
SHOWN_STAGE = "(words) => document.querySelector('#viewer .stages output').textContent.startsWith(words)"


def twelve_megapixels() -> bytes:
    """A camera's 4000 x 3000 JPEG, made of four photographs side by side, each three to five times enlarged."""
    whole = Image.new("RGB", (4000, 3000))
    for number, name in enumerate(("coffee", "chelsea", "astronaut", "rocket")):
        piece = Image.open(BytesIO(example(name).read_bytes())).convert("RGB")
        whole.paste(
            piece.resize((2000, 1500), Image.Resampling.BICUBIC), (number % 2 * 2000, number // 2 * 1500)
        )
    noise = np.random.default_rng(5).normal(0, 4, (3000, 4000, 3))
    pixels = np.clip(np.asarray(whole) + noise, 0, 255).astype(np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()


def restore_with_all(page, cards, settled) -> None:
    """Press Restore with every model ticked; each must give a result, and show as many stages as its card names."""
    for card in cards:
        page.locator(f"#steps .models input[name='{card.name}']").set_checked(True)
    begun = time.monotonic()
    page.click("#restore-button")
    page.wait_for_selector("#stop-button[aria-disabled=false]")
    settled(page, SECONDS)
    print(f"{page.locator('.facts b').inner_text()}: {time.monotonic() - begun:.0f} s")
    rows = page.locator("#results tbody tr").evaluate_all(
        "rows => rows.map(({dataset: d}) => [d.id, d.state])"
    )
    assert sorted(rows) == sorted([["degraded", "done"], *([card.name, "done"] for card in cards)])
    for card in cards:
        page.locator("#viewer .side-b select").select_option(card.name)
        page.wait_for_function(STAGES, arg=len(card.stage_names))
        for stage, name in enumerate(card.stage_names, 1):
            page.locator("#viewer .stages input").fill(str(stage))
            page.wait_for_function(SHOWN_STAGE, arg=f"{stage} of {len(card.stage_names)}")
            page.wait_for_function(NAMED, arg=name if stage < len(card.stage_names) else card.title)


@pytest.fixture
def cards(checkpoints):
    """Those of all shipped models."""
    return [card for card in Zoo(checkpoints, "cpu").cards() if card.name != "plain"]


def test_every_model_restores_the_samples(open_page, settled, cards):
    page = open_page()
    for one in EXAMPLES if FULL else EXAMPLES[5:6]:
        page.locator(f"#photograph button[data-name={one.name}]").click()
        page.wait_for_function(NEW_PICTURE, arg=one.name)
        restore_with_all(page, cards, settled)


@pytest.mark.skipif(not FULL, reason="takes twenty minutes; set JPEG_STUDIO_LOAD=1")
def test_every_model_restores_twelve_megapixels(open_page, settled, cards):
    page = open_page()
    page.evaluate(DROP, [base64.b64encode(twelve_megapixels()).decode(), "twelve.jpg"])
    page.wait_for_function(NEW_PICTURE, arg="twelve")
    restore_with_all(page, cards, settled)

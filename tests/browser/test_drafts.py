"""A large photograph: its part in sight is repaired first, Stop keeps what is finished, and Go on finishes it."""

import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from tests.browser.viewer_page import canvas_pixels

pytestmark = pytest.mark.browser

LABEL = "() => document.querySelector('#viewer .labels').textContent"
PRESSED = "() => document.querySelector('#restore-button').textContent"


def test_the_part_in_sight_comes_first_and_a_stopped_repair_goes_on(open_page):
    buffer = BytesIO()
    Image.fromarray(np.tile(astronaut(), (4, 5, 1))).save(buffer, "JPEG", quality=20)  # 5.2 megapixels
    page = open_page(query="?door=repair")
    page.set_default_timeout(240_000)
    file = {"name": "crowd.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}
    page.locator("#photograph input[type=file]").set_input_files(file)
    page.wait_for_function("() => document.querySelector('.facts b')?.textContent === 'crowd'")
    viewer = page.locator("#viewer section.viewer")
    page.wait_for_function("() => document.querySelector('#viewer canvas').dataset.ready === 'true'")
    assert json.loads(viewer.get_attribute("data-sight")) == [0, 0, 1, 1]

    page.click("#restore-button")
    page.wait_for_function(f"() => ({LABEL})().includes('so far')")
    assert json.loads(viewer.get_attribute("data-look"))["zoom"] == "1.000", "closer, to see what is done"
    page.click("#stop-button")
    page.wait_for_function(f"() => ({PRESSED})().startsWith('Go on')")
    assert "stopped at" in page.evaluate(PRESSED)
    assert "Go on keeps what is done" in page.locator("#action [role=status]").inner_text()
    assert "so far" in page.evaluate(LABEL), "finished tiles stay"
    page.wait_for_timeout(1000)
    kept = canvas_pixels(page)

    page.click("#restore-button")
    page.wait_for_function("() => document.querySelector('#verdict .title').textContent !== ''")
    page.wait_for_function("() => document.querySelector('#viewer canvas').dataset.ready === 'true'")
    assert "so far" not in page.evaluate(LABEL)
    finished = canvas_pixels(page)
    page.locator("#viewer .side-b select").select_option("degraded")
    page.wait_for_function("() => document.querySelector('#viewer canvas').dataset.ready === 'true'")
    brought = canvas_pixels(page)
    right = np.s_[100:-40, finished.shape[1] // 2 + 40 : -20]

    def difference(other: np.ndarray) -> float:
        return float(np.abs(kept[right].astype(int) - other[right]).mean())

    assert difference(finished) < 0.5 * difference(brought)

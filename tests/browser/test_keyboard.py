"""The whole way without a mouse: choose, break, restore, look, take away, and reach every tab."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.jpeg import Degradation, Save, degrade, read
from models.zoo import Zoo
from studio.session.examples import example
from tests.browser.pictures import assert_same_picture

pytestmark = pytest.mark.browser

LONGEST_WAY = 90
"""Presses of Tab after which something cannot be called reachable."""

FOCUS_IS_SEEN = """() => {
  const rings = [...document.querySelectorAll(":focus"), ...document.querySelectorAll(":focus-within")];
  return rings.some((one) => {
    const style = getComputedStyle(one);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  });
}"""


def tab_to(page, selector, key="Tab"):
    """Press Tab until the focus is on `selector`, and see it there."""
    for _ in range(LONGEST_WAY):
        page.keyboard.press(key)
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            assert page.evaluate(FOCUS_IS_SEEN), f"no focus ring on {selector}"
            return
    pytest.fail(f"{LONGEST_WAY} presses of {key} do not reach {selector}")


def test_a_photograph_is_chosen_broken_restored_looked_at_and_taken_away(open_page, settled, checkpoints):
    page = open_page()
    tab_to(page, "#photograph button[data-name=chelsea]")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.facts b')?.textContent.startsWith('chelsea')")
    tab_to(page, "input[aria-label='number input for Quality factor']")
    page.keyboard.press("Control+a")
    page.keyboard.type("35")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#bench-facts').textContent.includes('quality 35')")
    tab_to(page, "#restore-button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#stop-button[aria-disabled=false]")
    settled(page)

    tab_to(page, "#viewer .surface")
    page.keyboard.press("x")
    page.keyboard.press("1")
    page.wait_for_function("() => document.querySelector('#viewer canvas').ariaLabel.includes('original')")
    before = page.locator("#viewer .percent").inner_text()
    page.keyboard.press("+")
    page.wait_for_function(
        "(before) => document.querySelector('#viewer .percent').innerText !== before", arg=before
    )

    tab_to(page, "#results tr[data-id=cascade] a")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    with open(waiting.value.path(), "rb") as stream:
        taken = np.array(Image.open(BytesIO(stream.read())).convert("RGB"))
    broken = degrade(read(example("chelsea").read_bytes()).pixels, Degradation((Save(35, "4:2:0"),)))
    assert_same_picture(taken, Zoo(checkpoints, "cpu").load("cascade").restore(broken.image).pixels)


def test_every_tab_opens_by_keyboard(open_page):
    page = open_page()
    names = page.locator("#frame [role=tab]").all_inner_texts()
    assert len(names) >= 6
    tab_to(page, "#frame [role=tab][aria-selected=true]")
    for _ in list(names):
        page.keyboard.press("ArrowRight")
        name = page.evaluate("() => document.activeElement.textContent.trim()")
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.activeElement.ariaSelected === 'true'")
        names.remove(name)
    assert names == []

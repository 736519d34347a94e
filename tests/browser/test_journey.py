"""A person's way through the Restore tab in a real browser: every pixel that comes out is the engine's."""

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.jpeg import Degradation, Save, degrade, read
from models.zoo import Zoo
from tests.browser.conftest import go_to
from tests.browser.pictures import assert_same_picture

pytestmark = pytest.mark.browser

TWICE = Degradation((Save(25, "4:4:4"), Save(40, "4:2:0", (4, 4))))

DROP = """([text, name]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "image/png" }));
  for (const kind of ["dragover", "drop"]) {
    document.querySelector("#photograph .drop").dispatchEvent(
      new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }
}"""

READ_CANVAS = """() => {
  const canvas = document.querySelector("#viewer canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let text = "";
  for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
  return [canvas.width, canvas.height, btoa(text)];
}"""


def drop(page, png, name="my cat.png"):
    before = page.locator("#photograph").evaluate("() => document.querySelector('.facts b')?.textContent")
    page.evaluate(DROP, [base64.b64encode(png).decode(), name])
    page.wait_for_function(
        "(before) => document.querySelector('.facts b')?.textContent !== before", arg=before
    )


def choose(page, name, value):
    page.locator(f"#steps input[value='{value}']").nth(name).check(force=True)


def set_number(page, label, value):
    box = page.get_by_label(f"number input for {label}", exact=True)
    box.fill(str(value))
    box.press("Enter")


def canvas_pixels(page):
    columns, rows, text = page.evaluate(READ_CANVAS)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(rows, columns, 4)[..., :3]


def downloaded(page, row):
    with page.expect_download() as waiting:
        page.locator(f"#results tr[data-id='{row}'] a").click()
    file = waiting.value
    with open(file.path(), "rb") as stream:
        return file.suggested_filename, np.array(Image.open(BytesIO(stream.read())).convert("RGB"))


def break_twice(page):
    choose(page, 0, "twice")
    set_number(page, "Quality factor", 25)
    choose(page, 0, "4:4:4")
    set_number(page, "Second quality factor", 40)
    page.wait_for_function(
        "() => document.querySelector('#bench-facts').textContent.includes('quality 25 (4:4:4), then 40')"
    )


def test_drop_break_twice_run_three_models_and_download(open_page, settled, photograph_png, checkpoints):
    page = open_page()
    drop(page, photograph_png)
    break_twice(page)
    assert "bits per pixel" in page.locator("#bench-facts").inner_text()
    zoo = Zoo(checkpoints, "cpu")
    names = [card.name for card in zoo.cards() if card.name != "plain"][-3:]
    for card in zoo.cards():
        box = page.locator(f"#steps .models input[name='{card.name}']")
        box.set_checked(card.name in names)
    page.click("#restore-button")
    page.wait_for_selector("#stop-button[aria-disabled=false]")
    settled(page)

    broken = degrade(read(photograph_png).pixels, TWICE)
    shown = page.locator("#results tbody tr").evaluate_all("(rows) => rows.map((row) => row.dataset.id)")
    assert sorted(shown) == sorted(["degraded", *names])
    for name in names:
        file_name, pixels = downloaded(page, name)
        assert file_name == f"my-cat_{name}_qf25-444_qf40-420-shift4x4.png"
        assert_same_picture(pixels, zoo.load(name).restore(broken.image).pixels)
    np.testing.assert_array_equal(downloaded(page, "degraded")[1], broken.image.pixels)


def test_the_line_moves_by_mouse_and_keyboard(open_page):
    page = open_page()
    line = page.locator("#viewer .divider")
    box = page.locator("#viewer .surface").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, middle, steps=4)
    page.mouse.up()
    assert abs(int(line.get_attribute("aria-valuenow")) - 25) <= 1
    line.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "() => document.querySelector('#viewer .divider').getAttribute('aria-valuenow') === '27'"
    )


def test_one_to_one_draws_every_pixel_of_the_png(open_page):
    page = open_page()
    page.locator("#viewer .surface").focus()
    for key in ("z", "x", "2"):
        page.keyboard.press(key)
    page.wait_for_timeout(400)
    assert page.locator("#viewer .percent").inner_text() == "100 %"
    _, picture = downloaded(page, "degraded")
    drawn = canvas_pixels(page)
    rows, columns = picture.shape[:2]
    top, left = (
        (whole - part + 1) // 2 for whole, part in ((drawn.shape[0], rows), (drawn.shape[1], columns))
    )
    assert top >= 0
    assert left >= 0
    np.testing.assert_array_equal(drawn[top : top + rows, left : left + columns], picture)
    page.locator("#viewer .surface").focus()
    page.keyboard.press("+")
    page.wait_for_timeout(300)
    assert page.locator("#viewer .percent").inner_text() == "200 %"
    larger = canvas_pixels(page)
    center = picture[rows // 2 - 40 : rows // 2 + 40, columns // 2 - 40 : columns // 2 + 40]
    top, left = ((side + 1) // 2 - 80 for side in larger.shape[:2])
    np.testing.assert_array_equal(
        larger[top : top + 160, left : left + 160], center.repeat(2, 0).repeat(2, 1)
    )


def test_keys_flip_hold_and_scrub(open_page):
    page = open_page()
    surface = page.locator("#viewer .surface")
    surface.focus()
    page.keyboard.press("x")
    page.keyboard.press("1")
    label = page.locator("#viewer canvas")
    page.wait_for_function("() => document.querySelector('#viewer canvas').ariaLabel.includes('original')")
    page.keyboard.down(" ")
    page.wait_for_function("() => document.querySelector('#viewer canvas').ariaLabel.includes('damaged')")
    page.keyboard.up(" ")
    page.wait_for_function("() => document.querySelector('#viewer canvas').ariaLabel.includes('original')")
    page.locator("#viewer .side-b select").select_option("cascade")
    page.locator("#viewer .stages input").fill("1")
    page.wait_for_function("() => document.querySelector('#viewer canvas').ariaLabel.includes('stage 1')")
    assert "1 of 3" in page.locator("#viewer .stages output").inner_text()
    surface.focus()
    page.keyboard.press("?")
    assert page.locator("#viewer .keys").is_visible()
    assert label.get_attribute("role") == "img"


def test_changed_settings_fade_and_restore_makes_them_current(open_page, settled):
    page = open_page()
    set_number(page, "Quality factor", 30)
    page.wait_for_selector("#freshness .stale")
    assert float(page.locator("#results").evaluate("(one) => getComputedStyle(one).opacity")) < 0.6
    page.click("#restore-button")
    page.wait_for_selector("#freshness .stale", state="detached")
    settled(page)
    assert "30, exact" in page.locator("#quality").inner_text()


def test_stop_ends_a_run(open_page, settled):
    page = open_page()
    page.locator("#photograph button[data-name=hubble]").click()
    page.wait_for_function("() => document.querySelector('.facts b')?.textContent.startsWith('hubble')")
    page.click("#restore-button")
    page.wait_for_selector("#results tr[data-state=running]")
    page.click("#stop-button")
    page.wait_for_selector("#results tr[data-state=stopped]", timeout=15_000)
    assert "Stopped" in page.locator("#results .note").inner_text()
    assert page.locator("#restore-button").is_enabled()
    page.click("#restore-button")
    page.wait_for_selector("#results tr[data-state=stopped]", state="detached")
    settled(page, 90)
    assert page.locator("#results tr[data-state=done]").count() > 1


def test_a_file_that_is_no_picture_is_one_calm_sentence(open_page):
    page = open_page()
    page.evaluate(DROP, [base64.b64encode(b"%PDF-1.7 nothing to see").decode(), "<b>x</b>.png"])
    page.wait_for_selector("#photograph .trouble:not([hidden])")
    assert "Traceback" not in page.content()
    assert page.locator("#results tr[data-state=done]").count() > 0
    page.locator("#photograph button[data-name=camera]").click()
    page.wait_for_selector("#photograph .trouble", state="hidden")


def in_sight(page, selector):
    """Whether all of an element is within the window and nothing lies over it."""
    return page.locator(selector).evaluate(
        """(one) => {
          const { left, right, top, bottom } = one.getBoundingClientRect();
          const corners = [[left + 2, top + 2], [right - 2, bottom - 2]];
          return corners.every(([x, y]) => one.contains(document.elementFromPoint(x, y)));
        }"""
    )


@pytest.mark.parametrize("size", [(1440, 900), (1280, 720), (390, 844)], ids=["large", "small", "phone"])
def test_restore_and_the_sentence_that_refuses_it_are_in_sight(open_page, size):
    page = open_page(*size)
    assert in_sight(page, "#restore-button")
    ticked = page.locator("#steps .models input:checked")
    while ticked.count():
        ticked.first.uncheck()
    page.evaluate("() => scrollTo(0, document.documentElement.scrollHeight)")
    page.click("#restore-button")
    page.wait_for_selector("#notice .notice")
    assert in_sight(page, "#notice .notice")
    page.evaluate("() => scrollTo(0, 0)")
    assert in_sight(page, "#notice .notice")
    assert page.locator("#restore-button").is_visible()


def test_a_kept_file_has_no_numbers(open_page, settled):
    page = open_page()
    page.locator("#photograph button[data-name=rocket]").click()
    page.wait_for_function("() => document.querySelector('.facts b')?.textContent.startsWith('rocket')")
    choose(page, 0, "keep")
    page.wait_for_function(
        "() => document.querySelector('#bench-facts').textContent.includes('Without a clean original')"
    )
    page.click("#restore-button")
    page.wait_for_selector("#stop-button[aria-disabled=false]")
    settled(page)
    assert "without a clean original" in page.locator("#results .note").inner_text()
    assert "dB" not in page.locator("#results tbody").inner_text()


@pytest.mark.parametrize("query", ["", "?__theme=dark"])
def test_a_phone_shows_everything_without_sideways_scrolling(open_page, settled, photograph_png, query):
    page = open_page(390, 844, query)

    def overflow():
        return page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")

    assert overflow() <= 0
    drop(page, photograph_png, "a very long file name that goes on and on and on until it must end.png")
    choose(page, 0, "twice")
    page.wait_for_timeout(500)
    assert overflow() <= 0
    page.click("#restore-button")
    page.wait_for_selector("#stop-button[aria-disabled=false]", state="attached")
    settled(page)
    go_to(page, "Models")
    page.wait_for_selector(".models-list")
    assert overflow() <= 0

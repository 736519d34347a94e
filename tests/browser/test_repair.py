"""Somebody brings a photograph: three presses from the file to its repair, and nothing of it is lost on the way."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut, chelsea

from training.evaluation.metrics import psnr_db

pytestmark = pytest.mark.browser

OPEN_NAME = "() => document.querySelector('.facts b')?.textContent"
DONE = """() => document.querySelector('#action .action').dataset.state === 'idle'
  && document.querySelector('#verdict .title').textContent !== ''"""


def jpeg(pixels, quality: int, **settings) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, **settings)
    return file.getvalue()


def decoded(data: bytes) -> np.ndarray:
    return np.array(Image.open(BytesIO(data)).convert("RGB"))


def messenger(pixels) -> tuple[np.ndarray, bytes]:
    """Saved, cut by three columns and two rows, and saved again."""
    first = decoded(jpeg(pixels, 70))
    return pixels[2:, 3:], jpeg(first[2:, 3:], 50)


def screenshot() -> np.ndarray:
    """Text and flat areas."""
    page = np.full((320, 480, 3), 245, np.uint8)
    page[:48] = (20, 90, 160)
    rng = np.random.default_rng(4)
    for row in range(64, 300, 20):
        for column in range(16, 16 + int(rng.integers(200, 440)), 9):
            page[row : row + 11, column : column + int(rng.integers(2, 7))] = 30
    return page


BROUGHT = {
    "holiday-25": lambda: (chelsea(), jpeg(chelsea(), 25)),
    "holiday-92": lambda: (chelsea(), jpeg(chelsea(), 92)),
    "messenger": lambda: messenger(astronaut()[:320, :320]),
    "screenshot": lambda: (screenshot(), jpeg(screenshot(), 40)),
}


def bring(page, data: bytes, name: str = "IMG_2024.jpg") -> None:
    file = {"name": name, "mimeType": "image/jpeg", "buffer": data}
    page.locator("#photograph input[type=file]").set_input_files(file)
    page.wait_for_function(f"(stem) => ({OPEN_NAME})() === stem", arg=name.rpartition(".")[0], timeout=60_000)


def saved_by(page, selector: str) -> bytes:
    with page.expect_download(timeout=60_000) as waiting:
        page.click(selector)
    assert waiting.value.suggested_filename == "IMG_2024_repaired.png"
    with open(waiting.value.path(), "rb") as stream:
        return stream.read()


@pytest.mark.parametrize("kind", BROUGHT)
def test_three_actions_and_what_is_saved_is_closer_to_the_clean_picture(open_page, kind):
    clean, data = BROUGHT[kind]()
    page = open_page(query="?door=repair")
    bring(page, data)  # 1
    assert page.locator("#steps").get_by_text("Damage it").is_visible() is False
    page.click("#restore-button")  # 2
    page.wait_for_function(DONE, timeout=120_000)
    result = decoded(saved_by(page, "#verdict .download"))  # 3
    assert psnr_db(result, clean) > psnr_db(decoded(data), clean)


def test_three_taps_on_a_phone_and_nothing_lies_beside_the_screen(open_page):
    page = open_page(390, 844, "?door=repair")
    bar = page.locator("#action")
    with page.expect_file_chooser() as choosing:
        bar.get_by_role("button", name="Choose a photograph").click()  # 1
    choosing.value.set_files(
        {"name": "IMG_2024.jpg", "mimeType": "image/jpeg", "buffer": jpeg(chelsea(), 20)}
    )
    page.wait_for_function(f"() => ({OPEN_NAME})() === 'IMG_2024'", timeout=60_000)
    bar.get_by_role("button", name="Repair").click()  # 2
    page.wait_for_function(DONE, timeout=120_000)
    box = page.locator("#action .take").bounding_box()
    assert box["y"] + box["height"] <= 844 and box["height"] >= 44
    assert saved_by(page, "#action .take")  # 3
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_a_file_shows_at_once_while_it_is_on_its_way(open_page):
    page = open_page(query="?door=repair")
    page.route("**/upload*", lambda route: None)  # it never arrives
    big = jpeg(np.tile(chelsea(), (9, 8, 1)), 80)  # 9.7 megapixels
    page.evaluate(
        """() => {
          const told = (name) => () => { window[name] ??= performance.now(); };
          document.querySelector('#photograph input').addEventListener('change', told('chosenAt'), true);
          document.querySelector('#viewer .viewer').addEventListener('studio-preview', told('shownAt'));
        }"""
    )
    file = {"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": big}
    page.locator("#photograph input[type=file]").set_input_files(file)
    page.wait_for_function("() => window.shownAt", timeout=30_000)
    print("preview after", page.evaluate("() => window.shownAt - window.chosenAt"), "ms")
    assert "Sending mine.jpg" in page.locator("#photograph .first").inner_text()
    assert page.locator("#viewer canvas").get_attribute("aria-label").startswith("as brought")
    assert page.locator("#restore-button").get_attribute("aria-disabled") == "true"
    page.locator("#photograph .cancel").click()
    page.wait_for_function("() => document.querySelector('#viewer canvas').ariaLabel.includes('coffee')")
    assert page.locator("#photograph .first").inner_text() == "Open a photograph"
    assert page.locator("#restore-button").get_attribute("aria-disabled") == "false"


def test_a_reload_brings_picture_and_settings_back(open_page):
    page = open_page(query="?door=repair")
    bring(page, jpeg(chelsea(), 30))
    page.locator("#options > button").click()
    page.get_by_label("Quick").check(force=True)
    page.wait_for_function("() => location.search.includes('effort=quick')")
    page.reload()
    page.wait_for_function(f"() => ({OPEN_NAME})() === 'IMG_2024'", timeout=60_000)
    page.wait_for_function(
        "() => document.querySelector('#photograph .news').textContent.startsWith('Brought back')"
    )
    assert "effort=quick" in page.url
    page.get_by_role("button", name="Delete my images now").click()
    page.get_by_text("Deleted:").wait_for(timeout=60_000)
    page.reload()
    page.wait_for_function(f"() => ({OPEN_NAME})() === 'coffee'", timeout=60_000)
    page.wait_for_timeout(1500)
    assert page.evaluate(OPEN_NAME) == "coffee"


def test_back_and_forward_go_between_places_and_keep_the_picture(open_page):
    page = open_page(query="?door=repair")
    bring(page, jpeg(chelsea(), 30))
    for place, address in (("Models", "#models"), ("Experiment", "door=experiment"), ("Lessons", "#lessons")):
        page.get_by_role("tab", name=place, exact=True).first.click()
        page.wait_for_function("(address) => location.href.includes(address)", arg=address)
    page.go_back()
    page.wait_for_function("() => document.documentElement.dataset.place === 'restore'")
    assert page.get_by_role("tab", name="Experiment").get_attribute("aria-selected") == "true"
    assert page.evaluate(OPEN_NAME) == "IMG_2024"
    page.go_back()
    page.wait_for_function("() => document.documentElement.dataset.place === 'models'")
    page.go_forward()
    page.wait_for_function("() => document.documentElement.dataset.door === 'experiment'")
    assert page.evaluate(OPEN_NAME) == "IMG_2024"


@pytest.mark.parametrize("place", ["models", "lessons/quiz", "sweep"])
def test_a_place_can_be_linked_to(open_page, place):
    page = open_page(query=f"?door=repair#{place}")
    name = place.partition("/")[0]
    page.wait_for_function("(name) => document.documentElement.dataset.place === name", arg=name)
    if "/" in place:
        assert page.locator("#guess-game").is_visible()


def test_a_file_that_cannot_be_opened_is_named_where_it_was_dropped(open_page):
    page = open_page(query="?door=repair")
    before = page.locator("#viewer canvas").get_attribute("aria-label")
    file = {
        "name": "letter.txt",
        "mimeType": "text/plain",
        "buffer": b"Dear studio, this is no picture at all.",
    }
    page.locator("#photograph input[type=file]").set_input_files(file)
    page.wait_for_selector("#photograph .trouble:not([hidden])")
    words = page.locator("#photograph .trouble").inner_text()
    assert words.startswith("letter.txt: ") and "JPEG" in words
    assert page.locator("#viewer canvas").get_attribute("aria-label") == before


def test_the_focus_is_never_lost_and_goes_to_the_verdict(open_page):
    page = open_page(query="?door=repair")
    bring(page, jpeg(chelsea()[:160, :160], 20))
    page.locator("#restore-button").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#action .action').dataset.state === 'running'")
    assert page.evaluate("() => document.activeElement.id") == "restore-button"
    page.wait_for_function(DONE, timeout=60_000)
    page.wait_for_function("() => document.activeElement.closest('#verdict')")
    assert page.locator("#action .said").text_content() == "Repairing"

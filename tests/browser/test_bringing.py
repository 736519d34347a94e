"""What people bring beside one photograph: its clean original, several at once; and nothing unsaved goes unasked."""

import io
import json
import zipfile

import pytest
from PIL import Image
from skimage.data import astronaut, chelsea

from tests.browser.conftest import go_to, take
from tests.browser.test_repair import DONE, OPEN_NAME, bring, decoded, jpeg
from training.evaluation.metrics import psnr_db

pytestmark = pytest.mark.browser

QUESTION = "#question dialog[open]"


def png(pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def repair(page):
    page.click("#restore-button")
    page.wait_for_function(DONE, timeout=120_000)


def downloaded(page, press) -> tuple[str, bytes]:
    with page.expect_download(timeout=60_000) as waiting:
        press()
    with open(waiting.value.path(), "rb") as stream:
        return waiting.value.suggested_filename, stream.read()


def add_original(page, data: bytes, name: str = "clean.png"):
    page.locator("#original input[type=file]").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": data}
    )


def test_a_clean_original_gives_figures_everywhere_and_can_be_removed(open_page):
    clean, page = chelsea(), open_page(query="?door=repair")
    assert page.locator("#original .original").is_hidden()
    bring(page, jpeg(clean, 20))
    repair(page)
    with page.expect_file_chooser() as choosing:
        page.locator("#verdict").get_by_role("button", name="Add the clean original").click()
    wrong = {"name": "cut.png", "mimeType": "image/png", "buffer": png(clean[2:, 3:])}
    choosing.value.set_files(wrong)
    page.locator("#original .trouble").get_by_text("451").wait_for()
    add_original(page, png(clean))
    page.locator("#verdict .words").get_by_text("closer to the original").wait_for(timeout=60_000)
    page.locator("#original .state").get_by_text("Measured against clean.").wait_for()
    page.locator("#verdict").get_by_role("button", name="Numbers and quality factor").click()
    row = page.locator("#results tr[data-id]").last
    assert page.locator("#verdict .add-original").is_hidden()
    _, data = downloaded(page, lambda: page.click("#verdict .download"))
    measured = psnr_db(decoded(data), clean)
    assert f"{measured:.2f} dB" in row.inner_text()
    page.locator("#viewer .surface").focus()
    page.keyboard.press("1")
    page.wait_for_function("() => document.querySelector('#viewer canvas').ariaLabel.includes('original')")
    page.locator("#original").get_by_role("button", name="Remove").click()
    page.locator("#verdict .words").get_by_text("Block edges").wait_for(timeout=60_000)
    assert "dB" not in page.locator("#results thead").inner_text()
    assert page.evaluate("() => document.activeElement.matches('#original .add')")
    bring(page, jpeg(astronaut(), 20), "other.jpg")
    assert page.locator("#original .state").inner_text().startswith("Known from before")


def test_an_unsaved_result_is_asked_about_once_in_the_page(open_page):
    page = open_page(query="?door=repair")
    page.on("dialog", lambda _: pytest.fail("the browser's own question"))
    bring(page, jpeg(chelsea(), 20))
    repair(page)
    example = page.get_by_role("button", name="Astronaut")
    example.click()
    page.wait_for_selector(QUESTION)
    assert page.locator(QUESTION).inner_text().startswith("Replace IMG_2024? Its result is not saved.")
    assert page.evaluate("() => document.activeElement.textContent") == "Keep"
    page.keyboard.press("Tab")
    assert page.evaluate(
        "() => document.activeElement.closest('#question') !== null || document.activeElement === document.body"
    )
    page.keyboard.press("Escape")
    page.wait_for_selector(QUESTION, state="detached")
    assert page.evaluate(OPEN_NAME) == "IMG_2024"
    assert page.evaluate("() => document.activeElement.closest('.examples') !== null")

    file = {"name": "next.jpg", "mimeType": "image/jpeg", "buffer": jpeg(astronaut(), 40)}
    page.locator("#photograph input[type=file]").set_input_files(file)
    page.locator(QUESTION).get_by_role("button", name="Keep").click()
    go_to(page, "Lessons")
    page.click("#lessons-page .set-up")
    page.wait_for_selector(QUESTION)
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.documentElement.dataset.place") == "lessons"
    page.go_back()
    page.wait_for_function("() => document.documentElement.dataset.place === 'restore'")
    assert page.evaluate(OPEN_NAME) == "IMG_2024"
    assert page.locator("#verdict .title").inner_text()

    page.locator("#photograph input[type=file]").set_input_files(file)
    page.locator(QUESTION).get_by_role("button", name="Replace").click()
    page.wait_for_function(f"() => ({OPEN_NAME})() === 'next'", timeout=60_000)
    example.click()  # nothing was made of it
    page.wait_for_function(f"() => ({OPEN_NAME})() === 'astronaut'", timeout=60_000)
    assert page.locator(QUESTION).count() == 0


def test_a_saved_result_goes_unasked(open_page):
    page = open_page(query="?door=repair")
    bring(page, jpeg(chelsea(), 20))
    repair(page)
    downloaded(page, lambda: page.click("#verdict .download"))
    page.get_by_role("button", name="Astronaut").click()
    page.wait_for_function(f"() => ({OPEN_NAME})() === 'astronaut'", timeout=60_000)


def test_several_files_are_repaired_and_come_in_one_zip(open_page):
    page = open_page(query="?door=repair")
    pictures = {"IMG_1.jpg": chelsea()[:200, :240], "IMG_2.jpg": astronaut()[:240, :200]}
    files = [
        {"name": name, "mimeType": "image/jpeg", "buffer": jpeg(clean, 20)}
        for name, clean in pictures.items()
    ]
    letter = {"name": "letter.txt", "mimeType": "text/plain", "buffer": b"Dear studio, this is no picture."}
    page.locator("#photograph input[type=file]").set_input_files([files[0], letter, files[1]])
    page.wait_for_function(f"() => ({OPEN_NAME})() === 'IMG_1'", timeout=60_000)
    queue = page.locator("#queue")
    queue.get_by_role("button", name="Repair all 3").click()
    queue.get_by_text("2 of 3 repaired").wait_for(timeout=180_000)
    assert queue.locator("li[data-state=refused] .name").inner_text() == "letter.txt"
    assert "JPEG" in queue.locator("li[data-state=refused] .state").inner_text()
    name, data = downloaded(page, lambda: queue.get_by_role("button", name="Download all (zip)").click())
    assert name == "repaired.zip"
    archive = zipfile.ZipFile(io.BytesIO(data))
    for file, clean in pictures.items():
        result = decoded(archive.read(f"repaired/{file.removesuffix('.jpg')}_repaired.png"))
        assert psnr_db(result, clean) > psnr_db(decoded(jpeg(clean, 20)), clean)
    assert len(json.loads(archive.read("repaired/report.json"))["pictures"]) == 2
    queue.get_by_role("button", name="IMG_1.jpg").click()
    page.wait_for_function(f"() => ({OPEN_NAME})() === 'IMG_1'", timeout=60_000)
    page.wait_for_function(DONE, timeout=60_000)
    assert page.locator("#verdict .download").get_attribute("download") == "IMG_1_repaired.png"
    page.get_by_role("button", name="Delete my images now").click()
    page.wait_for_function("() => document.querySelector('#queue .queue').hidden")


def test_the_main_download_keeps_date_and_camera_on_request(open_page):
    exif = Image.Exif()
    exif[0x010F], exif[0x8825] = "Maker", {1: "N", 2: (52.0, 30.0, 0.0)}
    page = open_page(query="?door=repair")
    bring(page, jpeg(chelsea(), 20, exif=exif.tobytes()))
    repair(page)
    for kept in (False, True):
        page.locator("#verdict").get_by_label("Keep date and camera").set_checked(kept)
        name, data = downloaded(page, lambda: page.click("#verdict .download"))
        found = Image.open(io.BytesIO(data)).getexif()
        assert name == "IMG_2024_repaired.png"
        assert found.get(0x010F) == ("Maker" if kept else None) and not found.get_ifd(0x8825)
    _, data = downloaded(page, lambda: take(page, "webp"))
    assert Image.open(io.BytesIO(data)).getexif().get(0x010F) == "Maker"
    bring(page, jpeg(chelsea(), 30), "plain.jpg")
    repair(page)
    assert page.locator("#verdict .keep").is_hidden()


def test_a_comparison_is_shared_on_request_and_goes_with_the_images(open_page, browser):
    page = open_page(query="?door=repair")
    bring(page, jpeg(chelsea(), 20))
    repair(page)
    take(page, "share")
    assert "Whoever has the address sees these pictures for 30 minutes" in page.locator(QUESTION).inner_text()
    page.keyboard.press("Escape")
    assert page.locator("#takeaway .address").is_hidden()
    take(page, "share")
    page.locator(QUESTION).get_by_role("button", name="Share").click()
    page.wait_for_selector("#takeaway .address:not([hidden])", timeout=60_000)
    assert "or until you delete your images or leave" in page.locator("#takeaway .said").inner_text()
    link = page.locator("#takeaway .address").input_value()
    guest = browser.new_page(viewport={"width": 1200, "height": 900})
    errors = []
    guest.on("pageerror", lambda error: errors.append(str(error)))
    guest.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    assert guest.goto(link).status == 200
    guest.wait_for_selector(".viewer canvas[data-ready=true]", timeout=60_000)
    assert "IMG_2024" in guest.title() and "Shared until" in guest.locator("footer").inner_text()
    assert "UTC" not in guest.locator("#until").inner_text()
    guest.locator(".viewer .surface").focus()
    guest.keyboard.press("2")
    guest.wait_for_function("() => document.querySelector('.viewer canvas').ariaLabel.includes('ascade')")
    assert errors == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete my images now").click()
    page.get_by_text("Deleted:").wait_for(timeout=60_000)
    assert guest.goto(link).status == 404
    assert "not there any more" in guest.inner_text("body")
    guest.close()

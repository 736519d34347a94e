"""What people take away, in a real browser: a link that brings everything back, a page that works from disk, a zip."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import take

pytestmark = pytest.mark.browser

SETTINGS = (
    "?picture=astronaut&saves=twice&quality=23&subsampling=4:4:4&quality2=41&subsampling2=4:2:2&rows=3&columns=6"
    "&models=cascade&guidance=manual&manual=17&view=split&a=original&b=cascade/1&zoom=4&x=200.5&y=180.5"
)

READ_CONTROLS = """() => {
  const found = {};
  for (const one of document.querySelectorAll("#steps input")) {
    if (one.type === "radio" || one.type === "checkbox") {
      if (one.checked) found[one.name + "=" + one.value] = true;
    } else if (one.type === "number") found[one.getAttribute("aria-label")] = one.value;
    else if (one.getAttribute("role") === "listbox") found[one.getAttribute("aria-label")] = one.value;
  }
  return found;
}"""

READ_PIXELS = """() => {
  const canvas = document.querySelector(".viewer canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return [canvas.width, canvas.height, Array.from(data)];
}"""


def look(page):
    return json.loads(page.locator("#viewer .viewer").get_attribute("data-look"))


def names(controls):
    """Gradio numbers its radio groups anew on every page."""
    return {
        key.split("=", 1)[1] if key.startswith("radio-") else key: value for key, value in controls.items()
    }


def asked_link(page):
    take(page, "link")
    page.wait_for_selector("#takeaway .address:not([hidden])")
    return page.locator("#takeaway .address").input_value()


def test_a_link_restores_every_control_and_the_view(open_page, address):
    page = open_page(query=SETTINGS)
    page.wait_for_function(
        "() => JSON.parse(document.querySelector('#viewer .viewer').dataset.look || '{}').b === 'cascade/1'"
    )
    assert page.locator("#photograph_facts, .facts b").first.inner_text() == "astronaut"
    assert "23 (4:4:4), then 41 (4:2:2)" in page.locator("#bench-facts").inner_text()
    link = asked_link(page)
    assert link.startswith(address)
    for part in SETTINGS[1:].split("&"):
        assert part in link, part
    again = open_page(query=link.removeprefix(address + "/"))
    again.wait_for_function(
        "() => JSON.parse(document.querySelector('#viewer .viewer').dataset.look || '{}').b === 'cascade/1'"
    )
    assert names(again.evaluate(READ_CONTROLS)) == names(page.evaluate(READ_CONTROLS))
    assert look(again) == look(page)
    assert look(again)["zoom"] == "4.000"


def test_a_broken_link_is_explained_and_the_studio_works(open_page):
    page = open_page(query="?quality=400&models=fbcnn,cascade&picture=nobody")
    words = page.locator("#notice").inner_text()
    assert "1 to 100" in words and "fbcnn" in words and "nobody" in words
    assert page.locator("#results tr[data-id=cascade][data-state=done]").count() == 1


def test_the_html_page_shows_the_same_pixels_from_disk(open_page, browser, tmp_path):
    page = open_page(query="?picture=chelsea&saves=once&quality=12&models=cascade")
    with page.expect_download() as waiting:
        take(page, "page")
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    assert file.name == "chelsea_qf12-420.html"
    with page.expect_download() as waiting:
        page.locator("#results tr[data-id=cascade] a").click()
    expected = np.array(Image.open(waiting.value.path()).convert("RGB"))

    requests = []
    disk = browser.new_page(viewport={"width": 1200, "height": 900})
    disk.on("request", lambda request: requests.append(request.url))
    errors = []
    disk.on("pageerror", lambda error: errors.append(str(error)))
    disk.goto(Path(file).as_uri())
    disk.wait_for_selector(".viewer canvas[data-ready=true]")
    disk.locator(".viewer .surface").focus()
    for key in ("z", "x", "3"):
        disk.keyboard.press(key)
    disk.wait_for_function("() => document.querySelector('.viewer canvas').ariaLabel.includes('ascade')")
    disk.wait_for_timeout(300)
    width, height, data = disk.evaluate(READ_PIXELS)
    drawn = np.array(data, np.uint8).reshape(height, width, 4)[..., :3]
    side = 100
    center = expected[
        expected.shape[0] // 2 - side : expected.shape[0] // 2 + side,
        expected.shape[1] // 2 - side : expected.shape[1] // 2 + side,
    ]
    best = min(
        np.abs(
            drawn[
                height // 2 - side + down : height // 2 + side + down,
                width // 2 - side + right : width // 2 + side + right,
            ].astype(int)
            - center
        ).max()
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    )
    report = json.loads(disk.locator("#report").text_content())
    table = disk.locator(".results tbody").inner_text()
    disk.close()
    assert best == 0
    assert errors == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in requests)
    assert f"{report['results'][1]['metrics']['psnr_db']:.2f} dB" in table


def test_the_zip_holds_the_pictures_of_the_page(open_page):
    page = open_page(query="?picture=chelsea&saves=once&quality=12&models=cascade")
    with page.expect_download() as waiting:
        take(page, "zip")
    archive = zipfile.ZipFile(waiting.value.path())
    folder = waiting.value.suggested_filename.removesuffix(".zip")
    report = json.loads(archive.read(f"{folder}/report.json"))
    with page.expect_download() as waiting:
        page.locator("#results tr[data-id=cascade] a").click()
    shown = Path(waiting.value.path()).read_bytes()
    assert archive.read(f"{folder}/{waiting.value.suggested_filename}") == shown
    assert report["settings"]["link"].startswith("picture=chelsea&door=experiment&saves=once&quality=12")
    with Image.open(io.BytesIO(archive.read(f"{folder}/{folder}.jpg"))) as picture:
        assert picture.format == "JPEG"

"""The network goes for a while, or the server is started anew: picture, settings and place come back, in words."""

import json
import signal
from io import BytesIO

import pytest
from PIL import Image
from skimage.data import chelsea

from tests.browser.conftest import go_to
from tests.browser.server import Server

pytestmark = pytest.mark.browser

OPEN_NAME = "() => document.querySelector('.facts b')?.textContent"
DONE = """() => document.querySelector('#action .action')?.dataset.state === 'idle'
  && document.querySelector('#results tr[data-id=ar_cnn]')?.dataset.state === 'done'"""
SAFE = "No connection. Your picture is safe in this browser. Trying again."
OFFLINE_MS = 15_000


@pytest.fixture(scope="module")
def server(checkpoints, tmp_path_factory, served):
    server = Server(tmp_path_factory.mktemp("studio"), checkpoints, served)
    server.start()
    yield server
    server.kill(signal.SIGTERM)


@pytest.fixture
def page(browser, server):
    """A page with a photograph of somebody, saved once more at quality 30, and its result."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{server.address}/?door=experiment&quality=30&models=plain,ar_cnn")
    page.wait_for_function(DONE)
    bring(page, "IMG_2024")
    page.wait_for_function("() => document.querySelector('input[value=keep]').checked")
    page.wait_for_timeout(300)
    page.get_by_label("Save once").check(force=True)
    page.wait_for_function("() => location.search.includes('saves=once')")
    page.click("#restore-button")
    page.wait_for_function(DONE)
    page.wait_for_function("() => document.documentElement.dataset.kept === 'IMG_2024.jpg'")
    yield page
    page.context.close()


def bring(page, stem):
    buffer = BytesIO()
    Image.fromarray(chelsea()[:160, :200]).save(buffer, "JPEG", quality=60)
    file = {"name": f"{stem}.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}
    page.locator("#photograph input[type=file]").set_input_files(file)
    page.wait_for_function(f"(stem) => ({OPEN_NAME})() === stem", arg=stem)


def strip(page):
    return page.locator("#frame .strip")


def is_back(page):
    """The photograph, what was set, and the result of a run that nobody had to press for."""
    page.get_by_text("Brought back: IMG_2024.jpg").wait_for(state="attached")
    assert page.evaluate(OPEN_NAME) == "IMG_2024"
    assert "saves=once" in page.url
    page.wait_for_function("() => document.querySelector('input[value=once]').checked")
    page.wait_for_function(DONE)
    page.wait_for_function("() => document.querySelector('#viewer canvas').ariaLabel.includes('IMG_2024')")


def test_fifteen_seconds_without_a_network_lose_nothing(page):
    page.evaluate("() => { document.querySelector('#results tr[data-id=ar_cnn]').dataset.earlier = 'yes'; }")
    page.context.set_offline(True)
    strip(page).wait_for()
    assert strip(page).inner_text() == SAFE
    page.click("#restore-button")
    assert page.locator("#restore-button").inner_text() == "Waits for the connection"
    page.wait_for_timeout(OFFLINE_MS)
    assert page.locator(".toast-body:visible").count() == 0
    assert page.locator("#viewer canvas").get_attribute("aria-label").startswith("Left: IMG_2024")
    page.context.set_offline(False)
    strip(page).wait_for(state="hidden")
    page.locator("#results tr[data-id=ar_cnn][data-state=done]:not([data-earlier])").wait_for()
    assert page.evaluate(OPEN_NAME) == "IMG_2024"


def test_a_setting_changed_without_a_network_waits_no_longer_than_the_network(page):
    page.context.set_offline(True)
    strip(page).wait_for()
    page.get_by_label("Save twice").check(force=True)  # Gradio tries to say so at once, and gives the page up
    page.wait_for_timeout(OFFLINE_MS)
    assert page.locator(".toast-body:visible").count() == 0
    page.context.set_offline(False)
    is_back(page)


def test_a_file_chosen_without_a_network_is_sent_when_it_is_back(page):
    page.context.set_offline(True)
    buffer = BytesIO()
    Image.fromarray(chelsea()[:96, :120]).save(buffer, "JPEG", quality=50)
    file = {"name": "second.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}
    page.locator("#photograph input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Replace", exact=True).click()
    page.get_by_text("There is no connection. second.jpg is sent when it is back.").wait_for()
    page.context.set_offline(False)
    page.wait_for_function(f"() => ({OPEN_NAME})() === 'second'")


def test_a_server_that_is_started_anew_has_picture_settings_and_place_back(page, server):
    go_to(page, "Models")
    server.kill()
    strip(page).wait_for()
    assert strip(page).inner_text() == SAFE
    server.start()
    page.wait_for_function("() => !document.documentElement.dataset.connection")
    page.wait_for_function("() => document.documentElement.dataset.place === 'models'")
    page.get_by_text("Brought back: IMG_2024.jpg").wait_for(state="attached")
    go_to(page, "Experiment")
    is_back(page)


def test_a_server_that_has_forgotten_a_page_is_given_the_picture_again(page):
    def as_a_stranger(route):
        route.continue_(post_data=json.dumps(route.request.post_data_json | {"session_hash": "stranger"}))

    page.route("**/run/predict*", as_a_stranger)
    with page.expect_request("**/upload*"):
        page.click("#restore-button")
    page.unroute("**/run/predict*")
    is_back(page)

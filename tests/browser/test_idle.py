"""A page that nobody touches leaves the processor alone."""

import pytest

from tests.browser.conftest import go_to

pytestmark = pytest.mark.browser

COUNT_FRAMES = """
window.framesAsked = 0;
const ask = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (callback) => { window.framesAsked += 1; return ask(callback); };
"""
SETTLING_MILLISECONDS = 6000  # what has been shown fades in first
WATCHED_MILLISECONDS = 3000


@pytest.mark.parametrize("tab", ["Experiment", "Train"])
def test_an_idle_page_asks_for_no_frames(open_page, settled, tab: str) -> None:
    page = open_page()
    page.add_init_script(COUNT_FRAMES)
    page.reload()
    settled(page)
    go_to(page, tab)
    page.wait_for_timeout(SETTLING_MILLISECONDS)
    before = page.evaluate("framesAsked")
    assert before > 0, "nothing was counted"
    page.wait_for_timeout(WATCHED_MILLISECONDS)
    asked = page.evaluate("framesAsked") - before
    assert asked <= 3, f"{asked} frames in {WATCHED_MILLISECONDS} ms"

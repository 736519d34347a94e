"""A page that nobody touches leaves the processor alone."""

import pytest

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
    page.get_by_role("tab", name=tab, exact=True).click()
    page.wait_for_timeout(SETTLING_MILLISECONDS)
    before = page.evaluate("framesAsked")
    assert before > 0, "nothing was counted"
    page.wait_for_timeout(WATCHED_MILLISECONDS)
    asked = page.evaluate("framesAsked") - before
    assert asked <= 3, f"{asked} frames in {WATCHED_MILLISECONDS} ms"

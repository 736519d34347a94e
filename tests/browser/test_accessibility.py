"""axe-core finds nothing to mend at any place, in light and in dark, on a desktop and on a phone."""

import pytest

from tests.paths import REPOSITORY

pytestmark = pytest.mark.browser

AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations.map(
  ({ id, impact, nodes }) => id + ', ' + impact + ': ' + nodes.slice(0, 3).map(({ html }) => html.slice(0, 160))
)"""
PLACES = {
    "repair": "?door=repair",
    "experiment": "?door=experiment",
    "anatomy": "?door=repair#anatomy",
    "sweep": "?door=repair#sweep",
    "lessons": "?door=repair#lessons",
    "quiz": "?door=repair#lessons/quiz",
    "blind": "?door=repair#lessons/blind",
    "glossary": "?door=repair#lessons/glossary",
    "train": "?door=repair#train",
    "models": "?door=repair#models",
}
"""Their addresses."""
SHOWN = {
    "repair": "#verdict .title:not(:empty)",
    "experiment": "#verdict .title:not(:empty)",
    "anatomy": "#anatomy-facts :is(table, dl)",
}
"""What a place has when it is whole; elsewhere it is enough that a photograph is open."""
SETTLED_MS = 1500
PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def axe():
    if not AXE.exists():
        pytest.skip("axe-core is not installed; npm ci does it")
    return AXE.read_text("utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_axe_finds_nothing(browser, address, axe, scheme, size):
    found = {}
    for place, query in PLACES.items():
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, bypass_csp=True
        )
        page = context.new_page()
        page.goto(f"{address}/{query}")
        page.wait_for_selector(SHOWN.get(place, ".facts b"), state="attached", timeout=PATIENCE_MS)
        page.wait_for_timeout(SETTLED_MS)
        page.evaluate(axe)
        if violations := page.evaluate(RUN):
            found[place] = violations
        context.close()
    assert found == {}


FOCUSED = (
    "() => document.activeElement.closest('.action, .verdict, [id]')?.id || document.activeElement.tagName"
)
NOT_LOST = "() => ![document.body, document.documentElement].includes(document.activeElement)"


def press(page, selector):
    """By the keyboard."""
    page.locator(selector).first.focus()
    page.keyboard.press("Enter")


def test_the_focus_stays_somewhere_when_a_run_is_stopped(open_page):
    page = open_page(query="?door=experiment&models=plain,ar_cnn,cascade")
    press(page, "#restore-button")
    page.wait_for_function("() => document.querySelector('#action .action').dataset.state === 'running'")
    press(page, "#stop-button")
    page.wait_for_function("() => document.querySelector('#action .action').dataset.state === 'idle'")
    page.wait_for_timeout(500)
    assert page.evaluate(NOT_LOST), page.evaluate(FOCUSED)


def test_the_focus_stays_somewhere_after_a_guess(open_page):
    page = open_page(query="?door=repair#lessons/quiz")
    page.wait_for_function("() => document.querySelector('#guess-viewer canvas')?.dataset.ready === 'true'")
    guess = page.locator("#guess-game").get_by_role("button", name="Guess", exact=True)
    guess.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Next").first.wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate(NOT_LOST), page.evaluate(FOCUSED)


def test_the_focus_stays_somewhere_when_a_lesson_sets_the_studio_up(open_page, settled):
    page = open_page(query="?door=repair#lessons")
    button = page.get_by_role("button", name="Set the studio up").first
    button.wait_for()
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.documentElement.dataset.place === 'restore'")
    page.wait_for_timeout(1500)
    assert page.evaluate(NOT_LOST), page.evaluate(FOCUSED)

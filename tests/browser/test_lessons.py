"""The Lessons tab in a real browser: lessons set the studio up, words explain themselves, games keep their secrets."""

import json
import re

import pytest

from studio.lessons.glossary import glossary
from studio.lessons.lessons import lesson, lessons
from studio.page.wording import how_broken
from studio.session.form import RestoreForm
from studio.session.link import from_query
from tests.present import present

pytestmark = pytest.mark.browser

PATIENCE = 180_000
WORDS = {term.identifier: term.words for term in glossary()}


def open_tab(page, name):
    """Press a tab, or find it in the menu that narrow windows have."""
    tab = page.get_by_role("tab", name=name, exact=True).first
    if not tab.is_visible():
        page.locator("#frame .opener").click()
    tab.click()


def open_lessons(page):
    page.set_default_timeout(PATIENCE)
    open_tab(page, "Lessons")
    page.wait_for_selector("#lessons-page h2", state="visible")


def choose(page, one):
    page.locator("#lessons-page .contents button").nth(one.number - 1).click()
    page.wait_for_function(
        "(title) => document.querySelector('#lessons-page h2').textContent === title", arg=one.title
    )


def set_up(page, one, settled):
    """Press the lesson's button, and wait until the studio is as the lesson says."""
    link = from_query(one.settings, RestoreForm(), tuple(one.settings["models"].split(",")))
    page.click("#lessons-page .set-up")
    page.wait_for_function(
        """([picture, words]) => document.querySelector('.facts b')?.textContent === picture
            && document.querySelector('#bench-facts').textContent.includes(words)""",
        arg=[link.picture, how_broken(link.form.degradation())],
    )
    settled(page, 180)


def overflow(page):
    return page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")


def test_a_lesson_sets_the_studio_up_and_comes_along(open_page, settled):
    page, one = open_page(), present(lesson("twice"))
    open_lessons(page)
    choose(page, one)
    assert not page.locator("#lessons-page .answer > div").is_visible()
    set_up(page, one, settled)  # which is the first step

    assert page.get_by_role("tab", name="Experiment").get_attribute("aria-selected") == "true"
    assert "saved at quality 30 (4:2:0), then 30" in page.locator("#bench-facts").text_content()
    assert page.get_by_label("number input for Second quality factor", exact=True).input_value() == "30"
    look = json.loads(page.locator("#viewer .viewer").get_attribute("data-look"))
    assert {name: look[name] for name in ("view", "a", "b")} == {
        name: one.settings[name] for name in ("view", "a", "b")
    }
    degraded = page.locator("#results tr[data-id=degraded]").inner_text()
    assert any(claim.words.startswith("29.11") for claim in one.claims)
    assert "29.11 dB" in degraded

    guide = page.locator("#lesson-guide .guide")
    assert "step 1 of 5" in guide.inner_text() and "Set the studio up" not in guide.inner_text()
    viewer, below = page.locator("#viewer").bounding_box(), guide.bounding_box()
    assert below["y"] >= viewer["y"] + viewer["height"] and abs(below["width"] - viewer["width"]) < 4
    for step in (2, 3):
        guide.locator(".next").click()
        assert f"step {step} of 5" in guide.inner_text()
    guide.locator(".to-lesson").click()
    page.wait_for_selector("#lessons-page h2", state="visible")
    guide.wait_for(state="hidden")
    ticks = page.locator("#lessons-page .steps input")
    assert [box.is_checked() for box in ticks.all()] == [True, True, False, False, False]
    assert "2 of 5 steps" in page.locator("#lessons-page .contents").inner_text()


def test_another_view_arrives_with_its_lesson(open_page, settled):
    page, one = open_page(), present(lesson("network"))
    open_lessons(page)
    choose(page, one)
    set_up(page, one, settled)
    page.wait_for_function(
        """() => {
            const look = JSON.parse(document.querySelector('#viewer .viewer').dataset.look || '{}');
            return look.view === 'flip' && look.b === 'cascade' && Number(look.zoom) === 3;
        }"""
    )
    page.keyboard.press("ArrowRight")  # keys reach the page again, and nothing fails
    assert "Set the studio up" not in page.locator("#lesson-guide").inner_text()
    for step in range(len(one.steps)):
        assert f"step {step + 1} of {len(one.steps)}" in page.locator("#lesson-guide").inner_text()
        page.locator("#lesson-guide .next").click()
    assert "bring the whiskers back" in page.locator("#lesson-guide").inner_text()
    page.locator("#lesson-guide .next").click()
    page.wait_for_selector("#lessons-page h2", state="visible")
    page.locator("#lessons-page summary").press("Enter")
    assert page.locator("#lessons-page .answer > div").is_visible()


def test_words_explain_themselves_by_mouse_keyboard_and_touch(open_page):
    page = open_page()
    open_lessons(page)
    choose(page, lessons()[0])
    note, term = page.locator("#lessons-page .term-note"), page.locator("#lessons-page .term").first
    words = WORDS[term.get_attribute("data-term")]

    term.hover()
    note.wait_for(state="visible")
    assert words in note.inner_text()
    note.hover()  # the note may be read with the pointer on it
    assert note.is_visible()
    page.mouse.move(5, 5)
    note.wait_for(state="hidden")

    term.focus()
    note.wait_for(state="visible")
    description = page.locator("#" + term.get_attribute("aria-describedby"))
    assert description.text_content() == words
    page.keyboard.press("Escape")
    note.wait_for(state="hidden")
    page.keyboard.press("Enter")
    note.wait_for(state="visible")
    page.keyboard.press("Tab")
    assert words not in note.inner_text()

    term.dispatch_event("click")  # what a tap ends with
    note.wait_for(state="visible")
    assert words in note.inner_text()
    page.mouse.click(700, 60)
    note.wait_for(state="hidden")


def test_the_quiz_keeps_its_secret(open_page):
    page = open_page()
    open_lessons(page)
    open_tab(page, "Quality quiz")
    page.wait_for_function("() => document.querySelector('#guess-viewer canvas')?.dataset.ready === 'true'")
    assert page.locator("#guess-game .truth").is_hidden()
    assert not re.search(r"quality factor \d", page.locator("#lessons-tabs").inner_text())
    links = page.locator("#guess-viewer a, #guess-viewer img").evaluate_all(
        "(all) => all.map((one) => one.src || one.href)"
    )
    assert not any(re.search(r"qf\d|quality", link) for link in links)

    number = page.locator("#guess-game .number")
    number.fill("40")
    number.press("Enter")
    page.wait_for_selector("#guess-game .truth", state="visible")
    outcome = page.locator("#guess-game .outcome").inner_text()
    truth, guess, points = (
        int(one) for one in re.findall(r"factor (\d+).*said (\d+).* (\d+) points", outcome)[0]
    )
    assert guess == 40
    assert points == max(0, 100 - 4 * abs(truth - 40))
    assert f"quality factor {truth}" in page.locator("#guess-viewer .labels").inner_text()
    assert f"{points} points" in page.locator("#guess-game .score").inner_text()

    page.locator("#guess-game .go").click()
    page.wait_for_selector("#guess-game .truth", state="hidden")
    assert "Round 2 of 5" in page.locator("#guess-game .round").inner_text()


def test_ticks_and_points_survive_the_page(browser, address, settled):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    kept = {"points": [80, 60], "best": 310, "last": "earlier"}
    for visit in ("first", "second"):
        page = context.new_page()
        page.goto(address)
        settled(page, 180)
        open_lessons(page)
        if visit == "first":
            page.locator("#lessons-page .steps input").nth(1).check()
            page.evaluate("(kept) => localStorage.setItem('jpeg-studio-guess', JSON.stringify(kept))", kept)
            page.close()
    assert page.locator("#lessons-page .steps input").nth(1).is_checked()
    open_tab(page, "Quality quiz")
    page.wait_for_selector("#guess-game .score", state="visible")
    score = page.locator("#guess-game .score").inner_text()
    assert all(words in score for words in ("140 points", "2 of 5", "310 points"))
    context.close()


def test_the_blind_test_counts_votes_before_it_tells_names(open_page):
    page = open_page()
    open_lessons(page)
    open_tab(page, "Blind test")
    assert page.locator("#blind-viewer .empty").inner_text() == "Press Show a pair."
    assert page.locator("#blind-viewer .percent").inner_text() == "–"
    page.locator("#blind-game .deal").click()
    page.wait_for_selector("#blind-game .vote", state="visible")
    page.wait_for_function("() => document.querySelector('#blind-viewer canvas')?.dataset.ready === 'true'")
    labels = page.locator("#blind-viewer .labels")
    assert labels.inner_text().split() == ["A", "B"]
    assert "dB" not in page.locator("#blind-game .names").text_content()
    assert page.locator("#blind-game .reveal").is_disabled()
    for vote in ("a", "b", "a", "same"):
        page.locator(f"#blind-game [data-vote={vote}]").press("Enter")
    page.locator("#blind-game .reveal").press("Enter")
    page.wait_for_selector("#blind-game .names", state="visible")
    rows = page.locator("#blind-game tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    assert [(row[0], row[4]) for row in rows] == [("A", "2"), ("B", "1")]
    assert all("dB" in row[2] for row in rows)
    psnr = [float(row[2].split()[0]) for row in rows]
    agreed = 2 if psnr[0] > psnr[1] else 1
    score = page.locator("#blind-game .score").inner_text()
    assert f"{agreed} ({round(100 * agreed / 3)} %)" in score
    kept = json.loads(page.evaluate("() => localStorage.getItem('jpeg-studio-taste')"))
    assert (kept["pairs"], kept["agreed"], kept["disagreed"], kept["same"]) == (1, agreed, 3 - agreed, 1)


@pytest.mark.parametrize("query", ["", "?__theme=dark"])
def test_a_phone_shows_every_part_without_sideways_scrolling(open_page, settled, query):
    page, one = open_page(390, 844, query), present(lesson("chroma"))
    open_lessons(page)
    page.select_option("#lessons-page select", one.identifier)
    assert overflow(page) <= 0
    page.locator("#lessons-page .term").last.evaluate("(one) => one.click()")
    assert overflow(page) <= 0
    page.keyboard.press("Escape")
    set_up(page, one, settled)
    assert page.locator("#lesson-guide .guide").is_visible()
    assert page.locator("#lesson-guide .guide").bounding_box()["height"] <= 0.4 * 844
    sheet, bar = (
        page.locator(place).bounding_box() for place in ("#lesson-guide .guide", ".run-bar:has(#action)")
    )
    assert sheet["y"] + sheet["height"] <= bar["y"] + 1
    assert overflow(page) <= 0
    page.locator("#lesson-guide .to-lesson").click()
    page.wait_for_selector("#lessons-page h2", state="visible")
    for name, place in (
        ("Quality quiz", "#guess-game"),
        ("Blind test", "#blind-game"),
        ("Glossary", ".glossary"),
    ):
        open_tab(page, name)
        page.wait_for_selector(place, state="visible")
        assert overflow(page) <= 0

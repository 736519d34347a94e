"""The Models tab in a browser: sorting by mouse and keyboard, trying and withdrawing a model, and phones."""

import os
import socket
import subprocess
import sys

import pytest

from studio.train.publish import publish
from tests.browser.test_lessons import open_tab
from tests.paths import REPOSITORY
from tests.training.sample_runs import configuration, write_run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(checkpoints, served, tmp_path_factory):
    """A studio with one model that was trained here, called mine."""
    runs = tmp_path_factory.mktemp("runs")
    publish(write_run(configuration("mine"), runs, score_db=27.0), runs / "published", frozenset())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("log") / "studio.log"
    words = ["app.py", "--port", port, "--checkpoints", checkpoints, "--runs", runs, "--device", "cpu"]
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path_factory.mktemp("gradio"))}
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, *map(str, words)], cwd=REPOSITORY, env=environment, stdout=stream, stderr=stream
        )
    try:
        served(f"http://127.0.0.1:{port}/", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture
def open_models(open_page):
    """open_models(width, height) -> a page with the tab in front."""

    def open_one(width=1440, height=900):
        page = open_page(width, height)
        assert page.locator("#models-page *").count() == page.locator("#models-intro p").count() == 0, (
            "nothing is computed before the tab is looked at"
        )
        open_tab(page, "Models")
        page.wait_for_selector("#models-costs .plot[data-drawn='10']")
        return page

    return open_one


def names(page):
    return page.evaluate(
        "() => [...document.querySelectorAll('tbody[data-name]')].map((body) => body.dataset.name)"
    )


def column(page, number):
    """What the rows are sorted by; None for what is unknown."""
    return page.evaluate(
        """(number) => [...document.querySelectorAll('tbody[data-name]')]
            .map((body) => body.rows[0].cells[number].dataset.sort ?? null)""",
        number,
    )


def known(values):
    """The numbers; asserts that what is unknown is last."""
    numbers = [float(value) for value in values if value is not None]
    assert values[len(numbers) :] == [None] * (len(values) - len(numbers))
    return numbers


def sorting(page):
    return page.evaluate(
        "() => [...document.querySelectorAll('.models-table th[aria-sort]')].map((each) => each.ariaSort)"
    )


def test_the_table_sorts_by_mouse_and_by_keyboard(open_models):
    page = open_models()
    first = known(column(page, 1))
    assert first == sorted(first, reverse=True) and sorting(page)[1] == "descending"
    page.get_by_role("button", name="s/MP").click()
    seconds = known(column(page, 5))
    assert seconds == sorted(seconds) and len(set(seconds)) > 3
    assert sorting(page) == ["none"] * 5 + ["ascending", "none"]
    page.get_by_role("button", name="s/MP").click()
    assert known(column(page, 5)) == seconds[::-1] and sorting(page)[5] == "descending"

    page.get_by_role("button", name="QF 90", exact=True).focus()
    page.keyboard.press("Enter")
    gains = known(column(page, 3))
    assert gains == sorted(gains, reverse=True) and sorting(page)[3] == "descending"
    assert page.evaluate("() => document.activeElement.innerText").startswith("QF 90")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    harm = known(column(page, 4))
    assert harm == sorted(harm) and sorting(page)[4] == "ascending"
    page.get_by_role("button", name="Model", exact=True).click()
    titles = page.evaluate(
        "() => [...document.querySelectorAll('.model-title')].map((title) => title.innerText.toLowerCase())"
    )
    assert titles == sorted(titles)


def test_figures_printed_rows_and_crops_answer(open_models):
    page = open_models()
    traces = "() => document.querySelector('#models-costs .plot').data.map((trace) => trace.name)"
    assert not any("printed" in name for name in page.evaluate(traces))
    page.locator("#models-costs .switch button", has_text="50").click()
    page.wait_for_selector("#models-costs .plot[data-drawn='50']")
    page.locator("#models-cost label", has_text="operations").click()
    page.wait_for_function(f"() => ({traces})().includes('QGCN, printed')")
    assert page.evaluate("() => document.querySelector('#models-costs .plot').dataset.drawn") == "50"
    row = page.locator("tbody[data-name=qcn]")
    assert not row.get_by_text("27.56").is_visible()
    row.get_by_text("As printed: QGCN, Table II").click()
    assert row.get_by_text("27.56").is_visible()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.crop-pair img')].every((image) => image.naturalWidth === 128)"
    )
    page.locator(".crop-list button", has_text="AR-CNN").click()
    assert page.locator(".crop-pair figcaption").nth(1).inner_text().startswith("AR-CNN, ")
    assert page.locator(".crop-list [aria-pressed=true]").count() == 1
    assert page.locator("details.model[open]").count() == 0
    page.locator("#model-cascade summary").first.click()
    assert page.locator("#model-cascade dl").is_visible()


def test_try_it_leads_to_restore_with_that_model_alone(open_models):
    page = open_models()
    page.locator("tbody[data-name=qcn]").get_by_role("button", name="Try it").click()
    page.wait_for_selector("#steps .models", state="visible")
    page.wait_for_function("() => document.querySelectorAll('#steps .models input:checked').length === 1")
    assert page.locator("#steps .models label:has(input:checked)").inner_text().strip() == "QCN"


@pytest.mark.parametrize(("width", "height"), [(320, 640), (390, 844), (768, 1024), (844, 390), (1010, 700)])
def test_nothing_scrolls_sideways(open_models, width, height):
    page = open_models(width, height)
    page.evaluate(
        "() => document.querySelectorAll('#models-page details').forEach((each) => { each.open = true; })"
    )
    page.wait_for_timeout(300)
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    outside = page.evaluate(
        """() => [...document.querySelectorAll('#models-intro *, #models-figures *, #models-page *')]
            .filter((each) => each.getBoundingClientRect().width && each.getBoundingClientRect().right > innerWidth + 1)
            .map((each) => `${each.tagName} ${each.className}`)"""
    )
    assert outside == []
    if width < 1000:
        page.get_by_role("button", name="s/MP").click()
        seconds = known(column(page, 5))
        assert seconds == sorted(seconds)
        cell = page.locator("tbody[data-name=qcn] td[data-label='QF 50']").bounding_box()
        other = page.locator("tbody[data-name=qcn] td[data-label='MB']").bounding_box()
        assert other["y"] > cell["y"], "a row is a card of several lines"
        small = page.evaluate(
            """() => [...document.querySelectorAll('.models-table thead button, .models-table .acts button')]
                .filter((each) => each.offsetHeight && each.offsetHeight < 44).length"""
        )
        assert small == 0


def test_a_model_that_was_trained_here_is_marked_not_ticked_and_withdrawn(open_models):
    page = open_models()
    mine = page.locator("tbody[data-name=mine]")
    assert mine.locator(".mark").inner_text() == "own, unmeasured"
    ticked = page.evaluate(
        "() => [...document.querySelectorAll('#steps .models input:checked')].map((box) => box.value)"
    )
    assert "mine" not in " ".join(ticked) and len(ticked) >= 2
    assert page.locator("#steps .models label", has_text="(mine)").count() == 1
    page.locator("tbody[data-name=mine] .withdraw summary").click()
    mine.get_by_role("button", name="for good").click()
    mine.wait_for(state="detached")
    assert "mine" not in names(page) and "cascade" in names(page)
    page.locator("#steps .models label", has_text="(mine)").wait_for(state="detached")

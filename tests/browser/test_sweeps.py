"""A person's way through the Sweep tab in a real browser: numbers and pictures that come out are the engine's."""

import csv
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.jpeg import Degradation, Save, degrade, read
from models.restorer import RestoreOptions
from models.zoo import Zoo
from tests.browser.conftest import go_to
from tests.browser.pictures import assert_same_picture
from training.evaluation.metrics import psnr_db

pytestmark = pytest.mark.browser

PATIENCE = 120_000
"""Milliseconds for anything a model has to do first."""

ENDED = "() => document.querySelector('#sweep-stop').disabled && !document.querySelector('#sweep-progress progress')"
DRAWN_POINTS = """(chart) => {
  const plot = document.querySelector(chart + " .plot");
  const traces = plot && plot.data ? plot.data.filter((trace) => trace.showlegend !== false) : [];
  return traces.reduce((sum, trace) => sum + trace.x.length, 0);
}"""
OVERFLOW = "() => document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture
def open_sweep(open_page, photograph_png):
    """open_sweep(width, height, query) -> a page with a small photograph open and the Sweep tab in front."""

    def open_one(width=1440, height=900, query=""):
        page = open_page(width, height, query)
        page.set_default_timeout(PATIENCE)
        open_photograph(page, photograph_png, "my cat.png")
        enter(page)
        return page

    return open_one


def open_photograph(page, data, name):
    file = {"name": name, "mimeType": "image/png", "buffer": data}
    page.locator("#photograph input[type=file]").set_input_files(file)
    stem = name.split(".")[0].replace(" ", "-")
    page.wait_for_function("(stem) => document.querySelector('.facts b')?.textContent === stem", arg=stem)


def enter(page):
    go_to(page, "Sweep")
    page.wait_for_selector("#sweep-plan p")


def set_number(page, label, value):
    box = page.get_by_label(f"number input for {label}", exact=True)
    box.fill(str(value))
    box.press("Enter")


def choose(page, value):
    page.locator(f".bench-controls input[value='{value}']").check(force=True)


def plan(page, words):
    page.wait_for_function(
        "(words) => document.querySelector('#sweep-plan').textContent.includes(words)", arg=words
    )


def run(page):
    page.click("#sweep-run")
    page.wait_for_selector("#sweep-stop:not([disabled])")


def ended(page):
    page.wait_for_function(ENDED)


def downloaded(page, locator):
    with page.expect_download() as waiting:
        locator.click()
    with open(waiting.value.path(), "rb") as stream:
        return waiting.value.suggested_filename, stream.read()


def sweep_of_two(page, words="2 quality factors"):
    set_number(page, "Quality factors from", 20)
    set_number(page, "Quality factors to", 60)
    set_number(page, "In steps of", 40)
    plan(page, words)


def test_curves_grow_point_by_point_and_hold_the_engines_numbers(open_sweep, photograph_png, checkpoints):
    page = open_sweep()
    assert "press Run" in page.locator("#sweep-empty").inner_text()
    assert "240 × 200 pixels" in page.locator("#sweep-picture").inner_text()
    page.evaluate(
        """(count) => {
          window.counts = [];
          new MutationObserver(() => window.counts.push(eval(count)("#sweep-curves")))
            .observe(document.querySelector("#sweep-looking"), { subtree: true, childList: true, attributes: true });
        }""",
        DRAWN_POINTS,
    )
    run(page)
    ended(page)
    page.wait_for_selector("#sweep-reading .reading")
    grown = page.evaluate("() => [...new Set(window.counts)]")
    models = page.locator(".models").last.locator("input:checked").count()
    assert grown == sorted(grown)
    assert len(grown) >= 5, "points came in bunches"
    assert grown[-1] == 10 * (models + 1)

    name, data = downloaded(page, page.locator("#sweep-curves").get_by_text("CSV table"))
    assert name == "my-cat_sweep-quality_qf10-100_420.csv"
    rows = list(csv.DictReader(line for line in data.decode().splitlines() if not line.startswith("#")))
    zoo = Zoo(checkpoints, "cpu")
    broken = degrade(read(photograph_png).pixels, Degradation((Save(40),)))
    for model in ("plain", "cascade"):
        (row,) = [row for row in rows if row["model"] == model and row["quality_factor"] == "40"]
        restored = zoo.load(model).restore(broken.image).pixels
        assert float(row["psnr_db"]) == pytest.approx(psnr_db(restored, broken.reference), abs=1e-3)
        drawn = page.evaluate(
            "(title) => document.querySelector('#sweep-curves .plot').data.find((one) => one.name === title).y[3]",
            zoo.load(model).card.title,
        )
        assert drawn == pytest.approx(float(row["psnr_db"]), abs=1e-5)


def test_the_comparison_follows_its_slider_and_a_repeat_is_instant(open_sweep):
    page = open_sweep()
    sweep_of_two(page)
    run(page)
    ended(page)
    page.wait_for_function(
        "() => document.querySelector('#sweep-reading').textContent.includes('at quality 30')"
    )
    set_number(page, "Compare at quality factor", 45)
    page.wait_for_function(
        "() => document.querySelector('#sweep-reading').textContent.includes('at quality 45')"
    )
    set_number(page, "Compare at quality factor", 90)
    page.wait_for_function("() => document.querySelector('#sweep-reading').textContent.includes('No curve')")
    page.evaluate(
        """() => {
          window.worked = 0;
          const progress = document.querySelector("#sweep-progress");
          new MutationObserver(() => { if (progress.textContent.includes(" of ")) window.worked += 1; })
            .observe(progress, { subtree: true, childList: true, characterData: true });
        }"""
    )
    run_again = page.locator("#sweep-run")
    run_again.click()
    page.wait_for_function("() => document.querySelector('#sweep-reading').textContent.includes('No curve')")
    ended(page)
    assert page.evaluate("() => window.worked") == 0


def test_stop_keeps_the_points_and_says_so(open_sweep):
    page = open_sweep()
    go_to(page, "Experiment")
    page.locator("#photograph button[data-name=hubble]").click()
    page.wait_for_function("() => document.querySelector('.facts b')?.textContent.startsWith('hubble')")
    enter(page)
    page.wait_for_function(
        "() => document.querySelector('#sweep-picture').textContent.includes('centre crop of')"
    )
    assert "serve as the original" in page.locator("#sweep-picture").inner_text()
    set_number(page, "In steps of", 1)
    plan(page, "91 quality factors")
    run(page)
    page.wait_for_function(f"() => ({DRAWN_POINTS})('#sweep-curves') >= 11")
    page.click("#sweep-stop")
    ended(page)
    page.wait_for_selector("#sweep-outcome .stale")
    points = page.evaluate(DRAWN_POINTS, "#sweep-curves")
    assert 11 <= points < 4 * 91
    assert page.locator("#sweep-run").is_enabled()
    _, data = downloaded(page, page.locator("#sweep-curves").get_by_text("CSV table"))
    assert f"# Not complete: {points} of" in data.decode()


def test_another_photograph_makes_the_results_stale(open_sweep):
    page = open_sweep()
    sweep_of_two(page)
    run(page)
    ended(page)
    page.wait_for_selector("#sweep-reading .reading")
    assert page.locator("#sweep-freshness .stale").count() == 0
    go_to(page, "Experiment")
    page.locator("#photograph button[data-name=camera]").click()
    page.wait_for_function("() => document.querySelector('.facts b')?.textContent.startsWith('camera')")
    enter(page)
    page.wait_for_selector("#sweep-freshness .stale")
    opacity = page.locator(".sweep-results").first.evaluate("(one) => getComputedStyle(one).opacity")
    assert float(opacity) < 0.6


def test_maps_fill_and_figures_can_be_taken_away(open_sweep, browser, tmp_path):
    page = open_sweep()
    choose(page, "twice")
    sweep_of_two(page)
    run(page)
    ended(page)
    page.wait_for_function(
        "() => document.querySelector('#sweep-gains .plot').data[0].z.flat().every((cell) => cell !== null)"
    )
    assert (
        page.locator("#sweep-curves .plot").count() == 0
        or not page.locator("#sweep-curves .plot").is_visible()
    )
    for chart, word in (("#sweep-gains", "gain"), ("#sweep-plain", "plain")):
        name, data = downloaded(page, page.locator(f"{chart} .png"))
        assert name.startswith("my-cat_sweep-twice_qf20-60_420_shift4x4_")
        assert name.endswith(f"_{word}.png")
        picture = np.asarray(Image.open(BytesIO(data)).convert("RGB"))
        assert picture.shape == (1500, 2400, 3)
        assert tuple(picture[5, 5]) == (255, 255, 255)
    _, page_data = downloaded(page, page.locator("#sweep-gains").get_by_text("HTML page"))
    (tmp_path / "sweep.html").write_bytes(page_data)
    alone, requests = browser.new_page(), []
    alone.on("request", lambda request: requests.append(request.url))
    alone.goto((tmp_path / "sweep.html").as_uri())
    alone.wait_for_function(
        "() => document.querySelectorAll('.plotly-graph-div .heatmaplayer image').length === 2",
        timeout=PATIENCE,
    )
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    alone.close()


def test_the_strip_shows_the_same_place_of_every_picture_and_saves_it_lossless(
    open_sweep, photograph_png, checkpoints
):
    page = open_sweep()
    choose(page, "by_hand")
    sweep_of_two(page, "2 qualities by hand")
    run(page)
    ended(page)
    page.wait_for_function("() => document.querySelectorAll('#sweep-strip li').length === 5")
    assert page.locator("#sweep-strip li.marked b").inner_text() == "automatic"
    name, data = downloaded(page, page.locator("#sweep-strip li[data-id=told60] a"))
    assert name.endswith("_told60.png")
    broken = degrade(read(photograph_png).pixels, Degradation((Save(20),))).image
    restored = Zoo(checkpoints, "cpu").load("cascade").restore(broken, RestoreOptions("manual", 60)).pixels
    assert_same_picture(np.asarray(Image.open(BytesIO(data)).convert("RGB")), restored)

    places = "() => [...document.querySelectorAll('#sweep-strip img')].map((one) => one.style.transform)"
    page.locator("#sweep-strip").get_by_role("button", name="4:1").click()
    before = page.evaluate(places)
    box = page.locator("#sweep-strip .window").nth(1).bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 70, steps=5)
    page.mouse.up()
    after = page.evaluate(places)
    assert len(set(before)) == len(set(after)) == 1
    assert before != after
    page.get_by_label("across").press("ArrowRight")
    assert page.evaluate(places) != after


def test_everything_works_by_keyboard(open_sweep):
    page = open_sweep()
    page.get_by_role("tab", name="Sweep", exact=True).focus()
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate("() => document.activeElement.id || document.activeElement.ariaLabel || ''")
        )
        if seen[-1] == "sweep-run":
            break
    assert seen[-1] == "sweep-run", seen
    assert any("Quality factors from" in label for label in seen)
    set_number(page, "In steps of", 45)
    plan(page, "3 quality factors")
    page.locator("#sweep-run").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#sweep-stop:not([disabled])")
    ended(page)
    gain = page.locator("#sweep-curves").get_by_role("button", name="Gain", exact=True)
    gain.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#sweep-curves .plot').dataset.drawn === 'Gain'")
    assert page.evaluate("() => document.activeElement.textContent") == "Gain"
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


@pytest.mark.parametrize("query", ["", "?__theme=dark"])
def test_a_phone_shows_every_sweep_in_the_themes_ink(open_sweep, query):
    page = open_sweep(390, 844, query)
    assert page.evaluate(OVERFLOW) <= 0
    sweep_of_two(page)
    for kind, chart in (("quality", "#sweep-rates"), ("twice", "#sweep-plain"), ("by_hand", "#sweep-told")):
        choose(page, kind)
        page.wait_for_selector("#sweep-empty .sweep-empty")
        run(page)
        ended(page)
        page.wait_for_selector(f"{chart} .plot[data-drawn] .main-svg")
        assert page.evaluate(OVERFLOW) <= 0
        ink, tick = page.locator(chart).evaluate(
            """(one) => {
              const probe = one.appendChild(document.createElement("i"));
              probe.style.color = "var(--studio-ink)";
              const ink = getComputedStyle(probe).color;
              probe.remove();
              return [ink, getComputedStyle(one.querySelector(".xtick text")).fill];
            }"""
        )
        assert tick == ink
        assert page.locator(f"{chart} .plot").get_attribute("aria-label")


def test_without_a_model_the_page_says_so_and_no_longer_what_run_would_do(open_sweep):
    page = open_sweep()
    plan(page, "quality factors")
    ticked = page.locator(".bench-controls .models input[type=checkbox]:checked")
    names = [box.get_attribute("name") for box in ticked.all() if box.is_visible()]
    for name in names:
        page.locator(f".bench-controls .models input[name='{name}']:visible").uncheck()
    page.wait_for_function(
        "() => document.querySelector('#sweep-notice').textContent.includes('No model is ticked')"
    )
    assert page.locator("#sweep-plan").inner_text() == ""
    page.locator(f".bench-controls .models input[name='{names[0]}']:visible").check()
    plan(page, "× 1 model and plain decoding")
    assert page.locator("#sweep-notice").inner_text().strip() == ""

"""The Anatomy tab in a real browser: every number it shows is the JPEG layer's, and everything works by keyboard."""

import re

import numpy as np
import pytest

from models.jpeg import Degradation, Save, degrade, quantization_tables, read
from models.jpeg.dct import inverse_dct
from models.jpeg.encoder_planes import encoder_coefficients, sampling_factors
from models.jpeg.entropy import ac_cost, bit_lengths, dc_cost, standard_lengths
from studio.session.examples import example
from tests.browser.conftest import go_to
from tests.present import present

pytestmark = pytest.mark.browser

PATIENCE = 120_000
COFFEE = read(example("coffee").read_bytes()).pixels
READ_TABLE = """(name) => [...document.querySelectorAll(`#block [data-table=${name}] td[data-index]`)]
  .map((cell) => cell.textContent.replace("−", "-"))"""


@pytest.fixture(scope="module")
def once():
    """What the first visit shows: coffee, saved once at quality 10."""
    return degrade(COFFEE, Degradation((Save(10),)))


def enter(page):
    go_to(page, "Anatomy")
    page.wait_for_selector("#anatomy-shares table", timeout=PATIENCE)
    page.wait_for_function(
        """() => document.querySelector("#block-map canvas").dataset.ready
          && document.querySelector("#anatomy-histogram .plot").dataset.drawn""",
        timeout=PATIENCE,
    )


def shown_place(page):
    return tuple(int(page.locator(f"#block input.{name}").input_value()) for name in ("row", "column"))


def wait_for_place(page, row, column):
    page.wait_for_function(
        """([row, column]) => document.querySelector("#block input.row").value === String(row)
          && document.querySelector("#block input.column").value === String(column)
          && !document.querySelector("#block .inspector").hasAttribute("aria-busy")""",
        arg=[row, column],
        timeout=PATIENCE,
    )


def go(page, row, column):
    """Type a row, then a column, as a person does."""
    for name, number in (("row", row), ("column", column)):
        box = page.locator(f"#block input.{name}")
        if box.input_value() != str(number):
            box.fill(str(number))
            box.press("Enter")
            page.wait_for_function(
                "() => !document.querySelector('#block .inspector').hasAttribute('aria-busy')",
                timeout=PATIENCE,
            )
    wait_for_place(page, row, column)


def table(page, name):
    return np.array([float(text) for text in page.evaluate(READ_TABLE, name)]).reshape(8, 8)


def set_quality(page, quality_factor):
    page.locator("#block input.factor").evaluate(
        "(one, value) => { one.value = value; one.dispatchEvent(new Event('input', { bubbles: true })); }",
        str(quality_factor),
    )


def rounded(values):
    return np.sign(values) * np.floor(np.abs(values) + 0.5)


def test_ten_random_blocks_agree_with_the_jpeg_layer(open_page, once):
    page = open_page()
    enter(page)
    rng = np.random.default_rng(8)
    for trial in range(10):
        number = trial % 3
        component = once.image.components[number]
        page.locator(f"#block .components button >> nth={number}").click()
        rows, columns = component.coefficients.shape[:2]
        row, column = int(rng.integers(rows)), int(rng.integers(columns))
        go(page, row, column)
        integers, steps = component.coefficients[row, column], component.quantization_table
        np.testing.assert_array_equal(table(page, "integers"), integers)
        np.testing.assert_array_equal(table(page, "step"), steps)
        np.testing.assert_array_equal(table(page, "dequantized"), integers * steps)
        factors = sampling_factors(once.image.header, number)
        original = encoder_coefficients(once.reference, number, *factors)[row, column]
        np.testing.assert_allclose(
            table(page, "original"), original, atol=0.51
        )  # large ones are shown as whole numbers
        died = page.locator("#block [data-table=integers] td[data-kind=died]").count()
        assert died == ((rounded(original) != 0) & (integers == 0)).sum()
        check_samples(page, integers * steps, component.name)
        check_saving_again(page, original, number, int(rng.integers(1, 101)))


def check_samples(page, coefficients, name):
    page.locator("#block .numbers").evaluate("(one) => { one.open = true; }")
    page.locator("#block .numbers-of").select_option("file")
    shown = page.locator("#block .numbers-table td[data-index]").all_inner_texts()
    expected = np.clip(np.floor(inverse_dct(coefficients.astype(float)) + 128.5), 0, 255)
    assert (np.abs(np.array(shown, float).reshape(8, 8) - expected) <= 1).all()
    assert name in page.locator("#block .numbers-table caption").inner_text()


def check_saving_again(page, original, number, quality_factor):
    """The slider's arithmetic happens in the page; here it is libjpeg's tables and our own bit count."""
    set_quality(page, quality_factor)
    steps = quantization_tables(quality_factor)[min(number, 1)]
    integers = table(page, "saved")
    near_tie = np.abs(np.abs(original / steps) % 1 - 0.5) < 0.01  # the page has two decimals
    expected = rounded(original / steps)
    assert ((integers == expected) | near_tie).all()
    words = page.locator("#block .resave .verdict").inner_text()
    counted = re.match(r"(\d+) of 64 .* about (\d+) bits, error ([\d.]+) levels", words)
    survive, bits, error = present(counted).groups()
    assert int(survive) == np.count_nonzero(integers)
    lengths = standard_lengths("AC", min(number, 1))
    ac_bits = int(ac_cost(integers[None].astype(int), lengths)[0])
    dc_bits = int(bits) - ac_bits
    assert dc_bits in set(possible_dc_bits(min(number, 1)))
    assert float(error) == pytest.approx(np.sqrt(np.mean((integers * steps - original) ** 2)), abs=0.06)


def possible_dc_bits(number):
    differences = np.array([2**size - 1 for size in range(12)])
    assert bit_lengths(differences).tolist() == list(range(12))
    return dc_cost(differences, standard_lengths("DC", number)).tolist()


def test_at_the_files_own_quality_nothing_changes(open_page):
    page = open_page()
    enter(page)
    assert page.locator("#block .factor-words").inner_text() == "10"
    np.testing.assert_array_equal(table(page, "saved"), table(page, "integers"))
    in_file = present(re.search(r"(\d+) bits in the file", page.locator("#block .where").inner_text()))[1]
    again = present(re.search(r"about (\d+) bits", page.locator("#block .resave .verdict").inner_text()))[1]
    assert abs(int(in_file) - int(again)) <= 12  # the block before may be another one


def test_the_slider_answers_at_once(open_page):
    """Dragging the quality is arithmetic in the page; run it on a quiet machine to read the time."""
    page = open_page()
    enter(page)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    milliseconds = page.locator("#block input.factor").evaluate(
        """(one) => Array.from({ length: 40 }, (_, i) => {
          const began = performance.now();
          one.value = 5 + 2 * i;
          one.dispatchEvent(new Event("input", { bubbles: true }));
          return performance.now() - began;
        }).sort((a, b) => a - b)[20]"""
    )
    print(f"median of 40 steps of the slider: {milliseconds:.1f} ms")
    assert milliseconds < 100
    assert page.locator("#block .factor-words").inner_text() == "83"
    assert requests == []


def test_blocks_are_picked_in_the_viewer_on_the_map_and_by_arrows(open_page):
    page = open_page()
    enter(page)
    page.locator("#block-map").scroll_into_view_if_needed()
    box = page.locator("#block-map canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 10.5 / 75, box["y"] + box["height"] * 20.5 / 50)
    wait_for_place(page, 20, 10)
    assert "block row 20, column 10" in page.locator("#block-map .status").inner_text()
    page.locator("#block-map .surface").press("ArrowRight")
    wait_for_place(page, 20, 11)
    page.get_by_role("button", name="block below").click()
    wait_for_place(page, 21, 11)
    assert "block row 21, column 11" in page.locator("#block-map .status").inner_text()
    page.locator("#block .components button >> nth=1").click()
    assert shown_place(page) == (10, 5)
    page.get_by_role("button", name="block to the left").click()
    wait_for_place(page, 10, 4)
    page.locator("#block .components button >> nth=0").click()
    assert shown_place(page) == (20, 8)

    surface = page.locator("#anatomy-viewer .surface")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "() => document.querySelector('#block input.column').value !== '8'", timeout=PATIENCE
    )
    row, column = shown_place(page)
    assert 20 <= row <= 30
    assert 5 <= column <= 35


def test_a_block_picked_while_restoring_is_shown_on_entering(open_page):
    page = open_page()
    page.evaluate(
        "() => document.addEventListener('studio-block', (event) => { window.picked = event.detail; })"
    )
    box = page.locator("#viewer .surface").bounding_box()
    with page.expect_response(lambda response: "queue/data" in response.url, timeout=PATIENCE):
        page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2)
    picked = page.evaluate("() => window.picked")
    enter(page)
    assert shown_place(page) == (picked["row"], picked["column"])
    assert picked["column"] > 37


def test_the_tables_work_by_keyboard(open_page):
    page = open_page()
    enter(page)
    cell = page.locator("#block [data-table=integers] td[tabindex='0']")
    assert cell.count() == 1
    cell.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    story = page.locator("#block .story").inner_text()
    assert story.startswith("Row 2, column 2: 2 half waves down, 2 across.")
    assert page.locator("#block .basis").get_attribute("aria-label") == "Basis pattern of row 2, column 2"
    assert page.locator("#block [data-table=original] td.at").get_attribute("data-index") == "18"
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => document.querySelector('#anatomy-histogram').textContent.includes('Y, frequency row 2, column 0')",
        timeout=PATIENCE,
    )
    assert page.get_by_label("number input for Frequency down", exact=True).input_value() == "2"
    for host in ("#block", "#anatomy-facts", "#anatomy-shares"):
        assert page.locator(f"{host} table").count() >= 1
    captions = page.locator("#block .grid table caption").all_inner_texts()
    assert len(captions) == 6
    assert all(captions)


def set_number(page, label, value):
    box = page.get_by_label(f"number input for {label}", exact=True)
    box.fill(str(value))
    box.press("Enter")


def test_a_file_saved_twice_is_recognized(open_page):
    page = open_page()
    page.locator("#steps input[value='twice']").check(force=True)
    set_number(page, "Quality factor", 15)
    set_number(page, "Second quality factor", 60)
    page.wait_for_function(
        "() => document.querySelector('#bench-facts').textContent.includes('quality 15 (4:2:0), then 60')",
        timeout=PATIENCE,
    )
    enter(page)
    answer = page.locator("#anatomy-earlier .answer").inner_text()
    quality_factor = int(present(re.search(r"quality of about (\d+)", answer))[1])
    assert abs(quality_factor - 15) <= 2
    assert "(4, 4)" in answer
    assert "In truth: saved at quality 15" in page.locator("#anatomy-earlier").inner_text()
    assert "press Run" in page.locator("#anatomy-hint").inner_text()
    assert "saved twice" in page.locator("#anatomy-shares").inner_text()
    assert page.locator("#anatomy-histogram .plot").get_attribute("data-drawn") == "Grid of the first save"


def test_a_picture_without_jpeg_says_what_to_do_and_then_it_works(open_page):
    page = open_page()
    page.locator("#steps input[value='keep']").check(force=True)
    page.wait_for_function(
        "() => document.querySelector('#bench-facts').textContent.includes('Without a clean original')",
        timeout=PATIENCE,
    )
    go_to(page, "Anatomy")
    page.wait_for_selector("#anatomy-empty .empty", timeout=PATIENCE)
    assert "coffee is a PNG picture" in page.locator("#anatomy-empty").inner_text()
    assert not page.locator("#anatomy-bench").is_visible()
    go_to(page, "Experiment")
    page.locator("#steps input[value='once']").check(force=True)
    page.wait_for_function(
        "() => !document.querySelector('#bench-facts').textContent.includes('Without a clean original')",
        timeout=PATIENCE,
    )
    enter(page)
    assert not page.locator("#anatomy-empty .empty").is_visible()


@pytest.mark.parametrize("query", ["", "?__theme=dark"])
def test_a_phone_shows_everything_without_sideways_scrolling(open_page, query):
    page = open_page(390, 844, query)
    enter(page)
    assert page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth") <= 0
    tops = [page.locator(one).bounding_box()["y"] for one in ("#anatomy-viewer", "#block", "#anatomy-facts")]
    assert tops == sorted(tops)  # the picture first, the file's facts last
    for button in page.locator("#block .bar button").all():
        assert button.bounding_box()["height"] >= 40

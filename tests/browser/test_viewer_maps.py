"""The viewer's maps and the numbers of its visible crop, against NumPy, scikit-image and the metrics."""

import re
import warnings
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from models.jpeg import Degradation, Save, degrade
from studio.page.standalone import FOLDER
from tests.browser.viewer_page import canvas_pixels, opened, pane, press, settle, value_of, views
from tests.present import present
from training.evaluation.metrics import psnr_db, ssim

pytestmark = pytest.mark.browser

KINDS = ("signed", "absolute", "squared", "ssim", "blockiness")
VALUES = """([kind, pixels, others, outer, inner, side, phase]) => {
  const bytes = [pixels, others].map((one) => Uint8ClampedArray.from(one));
  const piece = { kind, pixels: bytes[0], others: bytes[1], outer, inner, side, phase };
  return Array.from(mapMathematics().values(piece).result, (value) => (Number.isNaN(value) ? null : value));
}"""


@pytest.fixture(scope="module")
def pictures():
    """An original of 330 x 290 pixels with edges and texture, and what a double save makes of it."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:295, :333]
    base = 128 + 60 * np.sin(x / 9 + y / 23) + 40 * (((x // 40) + (y // 31)) % 2)
    clean = np.stack([base, base[::-1], 200 - base / 2], axis=2) + rng.normal(0, 12, (295, 333, 3))
    degraded = degrade(
        clean.clip(0, 255).astype(np.uint8),
        Degradation((Save(12), Save(20, "4:2:0", (5, 3)))),
    )
    return degraded.reference, degraded.image.pixels


@pytest.fixture
def arithmetic(browser):
    """values(kind, pixels, others, inner, side, phase) as the page computes them, of a picture in one piece."""
    page = browser.new_page()
    add_module(page, "map_values.js", "mapMathematics")

    def values(kind, pixels, others, inner=None, side=1, phase=(0, 0)):
        rows, columns = pixels.shape[:2]
        outer = {"x": 0, "y": 0, "width": columns, "height": rows}
        rgba = [np.dstack([one, np.full((rows, columns), 255)]).ravel().tolist() for one in (pixels, others)]
        grid = {"row": phase[0], "column": phase[1]}
        found = page.evaluate(VALUES, [kind, *rgba, outer, inner or outer, side, grid])
        width = -(-(inner or outer)["width"] // side)
        return np.array([np.nan if one is None else one for one in found]).reshape(-1, width)

    yield values
    page.close()


def expected(kind, pixels, others, phase=(0, 0)) -> np.ndarray:
    """The map of a whole picture, not a number where it has none."""
    difference = pixels.astype(float) - others
    if kind == "signed":
        return difference.mean(2)
    if kind == "absolute":
        return np.abs(difference).mean(2)
    if kind == "squared":
        return (difference**2).mean(2)
    if kind == "blockiness":
        return edges(pixels, phase)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    found: Any = structural_similarity(pixels, others, channel_axis=2, full=True, **settings)
    whole = found[1]
    framed = np.full(whole.shape[:2], np.nan)
    framed[5:-5, 5:-5] = whole.mean(2)[5:-5, 5:-5]
    return framed


def edges(pixels, phase):
    """Strength of every edge, written onto both sides of it, the stronger of two where they cross."""
    plane = pixels @ np.array([0.299, 0.587, 0.114])
    down = edges_between_rows(plane, phase[0], phase[1])
    return np.maximum(down, edges_between_rows(plane.T, phase[1], phase[0]).T)


def edges_between_rows(plane, row_phase, column_phase):
    rows, columns = plane.shape
    strengths = np.zeros(plane.shape)
    starts = [max(0, start) for start in range(column_phase - 8, columns, 8) if start + 8 > 0]
    for edge in range(row_phase % 8, rows, 8):
        if edge == 0:
            continue
        steps = {offset: np.abs(plane[edge + offset] - plane[edge + offset - 1]) for offset in (-1, 0, 1)
                 if 0 < edge + offset < rows}  # fmt: skip
        beside = np.mean([steps[offset] for offset in (-1, 1) if offset in steps], axis=0)
        for start, stop in zip(starts, [*starts[1:], columns], strict=True):
            excess = steps[0][start:stop].mean() - beside[start:stop].mean()
            strengths[edge - 1 : edge + 1, start:stop] = max(0, excess)
    return strengths


def reduced(values, side, strongest):
    rows, columns = (-(-length // side) for length in values.shape)
    padded = np.full((rows * side, columns * side), np.nan)
    padded[: values.shape[0], : values.shape[1]] = values
    cells = padded.reshape(rows, side, columns, side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # cells without a value stay without one
        return np.nanmax(cells, axis=(1, 3)) if strongest else np.nanmean(cells, axis=(1, 3))


# Arithmetic


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("phase", [(0, 0), (3, 5)])
def test_maps_are_those_of_numpy_and_scikit_image(arithmetic, pictures, kind, phase):
    original, degraded = (one[20:63, 30:83] for one in pictures)
    found = arithmetic(kind, degraded, original, phase=phase)
    np.testing.assert_allclose(found, expected(kind, degraded, original, phase), atol=2e-4, rtol=1e-5)


def test_the_mean_of_the_ssim_map_is_the_ssim_of_training(arithmetic, pictures):
    original, degraded = (one[20:63, 30:83] for one in pictures)
    found = arithmetic("ssim", degraded, original)
    assert np.isnan(found[:5]).all() and np.isnan(found[:, -5:]).all()
    assert abs(np.nanmean(found) - ssim(degraded, original)) < 1e-5


@pytest.mark.parametrize("kind", ["ssim", "blockiness"])
def test_a_part_with_a_margin_has_the_values_of_the_whole(arithmetic, pictures, kind):
    original, degraded = (one[20:63, 30:83] for one in pictures)
    inner = {"x": 13, "y": 11, "width": 21, "height": 18}
    part = arithmetic(kind, degraded, original, inner, phase=(5, 2))
    whole = expected(kind, degraded, original, (5, 2))
    np.testing.assert_allclose(part, whole[11:29, 13:34], atol=2e-4, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_smaller_maps_hold_the_mean_or_the_strongest_edge(arithmetic, pictures, kind):
    original, degraded = (one[20:63, 30:83] for one in pictures)
    found = arithmetic(kind, degraded, original, side=4, phase=(5, 2))
    wanted = reduced(expected(kind, degraded, original, (5, 2)), 4, kind == "blockiness")
    np.testing.assert_allclose(found, wanted, atol=2e-4, rtol=1e-5)


# As drawn


def add_module(page, name, export):
    """Puts what a module of the viewer exports into the page's global scope."""
    source = (FOLDER / name).read_text("utf-8")
    page.add_script_tag(content=f"{source}\nwindow.{export} = {export};", type="module")
    page.wait_for_function(f"window.{export} !== undefined")


def color_table(page, scale):
    """(255, 3) uint8: the colours of a scale in order."""
    add_module(page, "color_scales.js", "TABLES")
    words = np.array(page.evaluate(f"Array.from(TABLES.{scale})"), np.uint32)
    return np.stack([words & 255, words >> 8 & 255, words >> 16 & 255], axis=1).astype(np.uint8)


@pytest.mark.parametrize("zoom", ["1:1", "1:2"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_pixel_of_a_drawn_map_has_the_colour_of_its_value(browser, tmp_path, pictures, kind, zoom):
    original, degraded = pictures
    grid = {"name": "g", "row": 3, "column": 6, "chroma_rows": 8, "chroma_columns": 8}
    value = value_of([pane("original", original), pane("degraded", degraded)], grids=[grid])
    low, high = {"signed": (-31.875, 31.875), "squared": (0, 31.875**2), "ssim": (1, 0)}.get(
        kind, (0, 31.875)
    )
    wanted = expected(kind, degraded, original, (3, 6))
    if zoom == "1:2":
        wanted = reduced(wanted, 2, kind == "blockiness")
    with opened(browser, tmp_path, {"viewer": value}) as page:
        table = color_table(page, "diverging" if kind == "signed" else "sequential")
        press(page, "x", "2")
        page.locator("#viewer .ratio select").select_option(label=zoom)
        page.locator("#viewer .map select").select_option(kind)
        settle(page, map="ready")
        (view,) = views(page)
        drawn = canvas_pixels(page)[view["top"] :, view["left"] :][: wanted.shape[0], : wanted.shape[1]]
        known = ~np.isnan(wanted)
        assert (drawn[~known] == (118, 118, 118)).all()
        places = ((wanted[known] - low) / (high - low) * 254).clip(0, 254)
        nearby = [table[np.round(places + bias).astype(int).clip(0, 254)] for bias in (-0.01, 0.01)]
        assert ((drawn[known] == nearby[0]).all(1) | (drawn[known] == nearby[1]).all(1)).all()
        assert len(np.unique(drawn[known], axis=0)) > 50


def test_legend_and_gain_say_what_colours_mean(browser, tmp_path, pictures):
    value = value_of([pane(name, one) for name, one in zip(("original", "degraded"), pictures, strict=True)])
    with opened(browser, tmp_path, {"viewer": value}) as page:
        legend = page.locator("#viewer .legend")
        press(page, "m")
        settle(page, map="ready")
        assert legend.inner_text().split() == [
            "−31.9",
            "0",
            "31.9",
            "grey",
            "levels,",
            "mean",
            "of",
            "R,",
            "G,",
            "B",
        ]
        before = canvas_pixels(page)
        press(page, ".")
        settle(page, map="ready")
        assert page.locator("#viewer .gain select").input_value() == "16"
        assert legend.inner_text().split()[:3] == ["−15.9", "0", "15.9"]
        assert (canvas_pixels(page) != before).any()
        press(page, "m", "m", ",", ",", ",", ",")
        assert legend.inner_text().split()[:2] == ["0", "65025"]
        press(page, "m")
        assert (
            legend.inner_text().split()[:3] == ["1", "0", "SSIM,"]
            and page.locator("#viewer .gain").is_hidden()
        )
        press(page, "m", "m")
        assert legend.is_hidden()


def test_without_an_original_the_map_says_what_it_compares_with(browser, tmp_path, pictures):
    panes = [pane("degraded", pictures[1], "as brought"), pane("net", pictures[0])]
    with opened(browser, tmp_path, {"viewer": value_of(panes)}) as page:
        press(page, "g", "m")
        settle(page, map="ready")
        words = page.locator("#viewer .remarks").inner_text()
        assert "No original is known: the map compares with “as brought”." in words
        colors = set(map(tuple, color_table(page, "diverging").tolist()))
        first, second = views(page)
        drawn = canvas_pixels(page)[second["top"] + 40 :, second["left"] + 40 :][:20, :20]
        assert all(tuple(color) in colors for color in drawn.reshape(-1, 3).tolist())
        press(page, "+")
        assert page.locator("#viewer .of-crop").all_inner_texts() == ["", ""], (
            "no numbers without an original"
        )


def lightness(color):
    """CIE L* of an sRGB colour."""
    linear = [c / 3294.6 if c <= 10.31475 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
    luminance = np.dot(linear, (0.2126, 0.7152, 0.0722))
    return 116 * np.cbrt(luminance) - 16 if luminance > 0.008856 else 903.3 * luminance


def test_scales_can_be_read_without_colour_vision(browser):
    page = browser.new_page()
    sequential = [lightness(color) for color in color_table(page, "sequential").tolist()]
    page.close()
    page = browser.new_page()
    diverging = [lightness(color) for color in color_table(page, "diverging").tolist()]
    page.close()
    assert (np.diff(sequential) >= 0).all() and sequential[-1] - sequential[0] > 70
    assert (np.diff(diverging[:128]) >= 0).all() and (np.diff(diverging[127:]) <= 0).all()
    assert abs(diverging[0] - diverging[-1]) < 10 and diverging[127] - diverging[0] > 60


# The visible crop


def crop_of(page):
    words = page.locator("#viewer .remarks").inner_text()
    found = re.search(
        r"Visible crop (\d+) × (\d+) at column (\d+), row (\d+): PSNR \(RGB\) and SSIM against", words
    )
    width, height, x, y = map(int, present(found).groups())
    return slice(y, y + height), slice(x, x + width)


def wait_for_numbers(page):
    page.wait_for_function(
        """() => {
          const labels = [...document.querySelectorAll("#viewer .of-crop")].map((one) => one.textContent);
          return labels.join("").includes("SSIM 0.") && !labels.join("").includes("…");
        }"""
    )


def test_numbers_of_the_visible_crop_are_those_of_training(browser, tmp_path, pictures):
    original, degraded = pictures
    better = ((original.astype(int) + degraded) // 2).astype(np.uint8)
    copy = original.copy()
    copy[0, 0] = 0  # equal wherever one looks but in the corner
    panes = [pane("original", original), pane("degraded", degraded), pane("net", better), pane("copy", copy)]
    with opened(browser, tmp_path, {"viewer": value_of(panes)}) as page:
        press(page, "g")
        assert "Visible crop" not in page.locator("#viewer .remarks").inner_text(), (
            "the whole picture is no crop"
        )
        press(page, "z", "+", "+")
        box = page.locator("#viewer .surface").bounding_box()
        crops = set()
        for dx, dy in ((0, 0), (137, 61), (-250, -190)):
            page.mouse.move(box["x"] + 300, box["y"] + 100)
            page.mouse.down()
            page.mouse.move(box["x"] + 300 + dx, box["y"] + 100 + dy, steps=3)
            page.mouse.up()
            settle(page)
            wait_for_numbers(page)
            crop = crop_of(page)
            crops.add(str(crop))
            labels = page.locator("#viewer .of-crop").all_inner_texts()
            assert labels[0] == "" and labels[3] == "crop identical, SSIM 1.000"
            for label, picture in ((labels[1], degraded), (labels[2], better)):
                psnr, similarity = map(
                    float, present(re.fullmatch(r"crop ([\d.]+) dB, SSIM ([\d.]+)", label)).groups()
                )
                assert abs(psnr - psnr_db(picture[crop], original[crop])) < 0.0051
                assert abs(similarity - ssim(picture[crop], original[crop])) < 0.00051
        assert len(crops) == 3


def test_the_crop_is_what_is_on_the_screen(browser, tmp_path, pictures):
    value = value_of([pane(name, one) for name, one in zip(("original", "degraded"), pictures, strict=True)])
    with opened(browser, tmp_path, {"viewer": value}) as page:
        press(page, "x", "z", "+", "+", "+")
        wait_for_numbers(page)
        (view,) = views(page)
        rows, columns = crop_of(page)
        _, _, width, height = view["cell"]
        assert columns.start == -(view["left"] // view["zoom"]) and rows.start == -(
            view["top"] // view["zoom"]
        )
        assert columns.stop == (width - view["left"]) // view["zoom"]
        assert rows.stop == (height - view["top"]) // view["zoom"]


# Memory


def test_maps_of_a_large_picture_read_it_piece_by_piece(browser, tmp_path):
    """No single reading is larger than a unit and its margin; both pictures as a whole would be 32 MB of pixels."""
    rng = np.random.default_rng(2)
    large = np.kron(rng.integers(0, 256, (50, 80, 3), np.uint8), np.ones((32, 32, 1), np.uint8))
    other = (large // 2 + 20).astype(np.uint8)
    buffer = BytesIO()
    Image.fromarray(large).save(buffer, format="PNG")
    with opened(
        browser, tmp_path, {"viewer": value_of([pane("original", large), pane("degraded", other)])}
    ) as page:
        page.evaluate("""() => {
          window.largest = 0;
          const plain = OffscreenCanvasRenderingContext2D.prototype.getImageData;
          OffscreenCanvasRenderingContext2D.prototype.getImageData = function (x, y, width, height) {
            window.largest = Math.max(window.largest, width * height);
            return plain.call(this, x, y, width, height);
          };
        }""")
        press(page, "x", "2")
        page.locator("#viewer .map select").select_option("ssim")
        settle(page, map="ready")
        assert 256 * 256 <= page.evaluate("window.largest") <= 272 * 272

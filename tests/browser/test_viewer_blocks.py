"""Blocks in the viewer: which one a press picks, where grids are drawn, what the loupe says; and Gradio's event."""

import io
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
from PIL import Image

from models.jpeg import read
from models.jpeg.color import rgb_to_ycbcr
from models.jpeg.metadata import upright
from studio.page.block_grids import grids_of, turn_of
from tests.browser.viewer_page import (
    canvas_pixels,
    opened,
    pane,
    place_of,
    press,
    settle,
    value_of,
    views,
)
from tests.paths import REPOSITORY

pytestmark = pytest.mark.browser

GREY = np.full((96, 120, 3), 119, np.uint8)
LAST = {"name": "last save", "row": 0, "column": 0, "chroma_rows": 16, "chroma_columns": 16}
FIRST = {"name": "first save", "row": 3, "column": 5, "chroma_rows": 8, "chroma_columns": 8}


def rotated_jpeg(orientation):
    """A 93 x 77 JPEG file that says how it is to be turned."""
    y, x = np.mgrid[:77, :93]
    picture = Image.fromarray(np.stack([x * 2, y * 3, x + y], axis=2).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=60, exif=exif)
    return read(buffer.getvalue())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_press_names_the_block_of_the_file_however_the_picture_is_turned(browser, tmp_path, orientation):
    image = rotated_jpeg(orientation)
    rows, columns = np.mgrid[:77, :93]
    number = np.stack([rows // 8, columns // 8, rows % 8, columns % 8], axis=2).astype(np.uint8)
    number = upright(number, orientation)
    grids = [grid.as_json() for grid in grids_of(image, None)]
    value = value_of([pane("degraded", image.pixels)], grids=grids, turn=turn_of(image))
    rng = np.random.default_rng(orientation)
    with opened(browser, tmp_path, {"viewer": value}) as page:
        press(page, "l")
        page.select_option("#viewer .ratio select", "4")  # whole pixels, which an outline can be counted by
        for _ in range(10):
            y, x = (int(rng.integers(length)) for length in image.pixels.shape[:2])
            page.mouse.click(*place_of(page, x, y))
            settle(page)
            block_row, block_column, row, column = map(int, number[y, x])
            picked = {"row": block_row, "column": block_column, "pane": "degraded"}
            assert page.evaluate("heard.slice(-2)") == [
                ["page", "viewer", picked],
                ["block", "viewer", picked],
            ]
            assert page.locator("#viewer .where").inner_text() == (
                f"column {x}, row {y} · block column {block_column}, row {block_row}"
                f" · inside it column {column}, row {row}"
            )
            inside = (number[..., 0] == block_row) & (number[..., 1] == block_column)
            check_outline(page, inside, image.pixels)


def check_outline(page, inside, picture):
    """Inside the block the picture is untouched but for the cursor; around it runs a frame."""
    (view,) = views(page)
    ys, xs = np.nonzero(inside)
    zoom, drawn = view["zoom"], canvas_pixels(page)
    top, bottom = view["top"] + ys.min() * zoom, view["top"] + (ys.max() + 1) * zoom
    left, right = view["left"] + xs.min() * zoom, view["left"] + (xs.max() + 1) * zoom
    sides = (
        drawn[top - 1, left:right],
        drawn[bottom, left:right],
        drawn[top:bottom, left - 1],
        drawn[top:bottom, right],
    )
    for side in sides:
        assert (side == (0x5F, 0xD0, 0xDA)).all(1).mean() > 0.5
    shown = picture[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1].repeat(zoom, 0).repeat(zoom, 1)
    assert (drawn[top:bottom, left:right] == shown).all(2).mean() > 0.7


def test_a_block_is_outlined_in_all_panes_and_let_go_by_escape(browser, tmp_path):
    value = value_of([pane("original", GREY), pane("degraded", GREY)])
    with opened(browser, tmp_path, {"viewer": value}) as page:
        press(page, "g")
        plain = canvas_pixels(page)
        page.mouse.click(*place_of(page, 20, 30, "degraded"))
        settle(page)
        changed = (canvas_pixels(page) != plain).any(2)
        for one in views(page):
            x, y, width, height = one["cell"]
            assert changed[y : y + height, x : x + width].sum() > 100
        assert page.evaluate("heard.at(-1)") == [
            "block",
            "viewer",
            {"row": 3, "column": 2, "pane": "degraded"},
        ]
        press(page, "Escape")
        np.testing.assert_array_equal(canvas_pixels(page), plain)


def test_the_server_can_name_the_block_to_outline(browser, tmp_path):
    value = value_of([pane("degraded", GREY)])
    with opened(browser, tmp_path, {"viewer": value}) as page:
        plain = canvas_pixels(page)
        page.evaluate("(value) => mounted.viewer.send(value)", {**value, "block": {"row": 3, "column": 2}})
        settle(page)
        assert (canvas_pixels(page) != plain).any()
        assert page.evaluate("heard.length") == 0


# Grids


def lines_of(page, plain, view):
    """Picture columns and rows at which lines begin: drawn where the plain picture had no change."""
    changed = (canvas_pixels(page) != plain).any(2)
    zoom = view["zoom"]
    area = changed[view["top"] : view["top"] + 96 * zoom, view["left"] : view["left"] + 120 * zoom]
    found = []
    for axis in (0, 1):
        share = area.mean(axis)
        starts = np.nonzero((share > 0.4) & ~np.append(False, share[:-1] > 0.4))[0]
        found.append(sorted({round(start / zoom) for start in starts}))
    return found


def test_grid_lines_lie_where_the_saves_put_them(browser, tmp_path):
    for grids in ([LAST], [{**LAST, "row": 5, "column": 1}], [LAST, FIRST]):
        value = value_of([pane("degraded", GREY)], grids=grids)
        with opened(browser, tmp_path, {"viewer": value}) as page:
            page.locator("#viewer .ratio select").select_option(label="4:1")
            settle(page)
            plain = canvas_pixels(page)
            press(page, "b")
            columns, rows = lines_of(page, plain, views(page)[0])
            wanted = [
                {at for grid in grids for at in range(grid[name] % 8, length + 1, 8)}
                for name, length in (("column", 120), ("row", 96))
            ]
            assert set(columns) | {0, 120} == wanted[0] | {0, 120}
            assert set(rows) | {0, 96} == wanted[1] | {0, 96}
            words = page.locator("#viewer .remarks").inner_text()
            assert "last save solid" in words and "chroma 16 × 16 bold" in words
            assert ("first save dashed" in words) == (len(grids) == 2)
            press(page, "b")
            np.testing.assert_array_equal(canvas_pixels(page), plain)


def test_the_grid_waits_for_a_zoom_that_shows_it(browser, tmp_path):
    value = value_of([pane("degraded", GREY)])
    with opened(browser, tmp_path, {"viewer": value}) as page:
        press(page, "z")
        plain = canvas_pixels(page)
        press(page, "b")
        np.testing.assert_array_equal(canvas_pixels(page), plain)
        assert "from 4:1 up" in page.locator("#viewer .remarks").inner_text()


# Loupe


def test_the_loupe_reads_the_pixel_in_every_pane(browser, tmp_path):
    rng = np.random.default_rng(8)
    pictures = {name: rng.integers(0, 256, (60, 80, 3), np.uint8) for name in ("original", "degraded", "net")}
    value = value_of([pane(name, pixels) for name, pixels in pictures.items()])
    with opened(browser, tmp_path, {"viewer": value}) as page:
        press(page, "g", "l")
        for x, y in ((0, 0), (79, 59), (33, 21)):
            page.mouse.move(*place_of(page, x, y, "net"))
            settle(page)
            assert page.locator("#viewer .where").inner_text().startswith(f"column {x}, row {y} · ")
            rows = [row.split("\t") for row in page.locator("#viewer .loupe tbody tr").all_inner_texts()]
            assert [row[0] for row in rows] == list(pictures)
            for row, pixels in zip(rows, pictures.values(), strict=True):
                assert [int(value) for value in row[1:4]] == pixels[y, x].tolist()
                np.testing.assert_allclose(
                    [float(one) for one in row[4:]], rgb_to_ycbcr(pixels[y, x]), atol=0.051
                )
        page.locator("#viewer .magnify").click()
        settle(page)
        assert page.locator("#viewer .loupe").is_hidden()


def test_the_lens_magnifies_the_pixels_around_the_cursor(browser, tmp_path):
    picture = np.random.default_rng(9).integers(0, 256, (400, 500, 3), np.uint8)
    with opened(browser, tmp_path, {"viewer": value_of([pane("degraded", picture)])}) as page:
        press(page, "x", "z", "l")
        page.mouse.move(*place_of(page, 400, 100))
        settle(page)
        drawn, (view,) = canvas_pixels(page), views(page)
        side, _, (_, _, _, height) = 17 * 6, 8, view["cell"]
        lens = drawn[height - 8 - side : height - 8, 8 : 8 + side]
        wanted = picture[92:109, 392:409].repeat(6, 0).repeat(6, 1)
        same = (lens == wanted).all(2)
        assert same.mean() > 0.6, "the rest is grid lines and the cursor"
        assert same[9:50:6, 9:50:6].mean() > 0.8


# In Gradio

APP = """
import sys
import gradio as gr
from studio.page.components import viewer
from tests.browser.viewer_page import pane, value_of
import numpy as np

grey = np.full((40, 64, 3), 119, np.uint8)
value = value_of([pane("original", grey), pane("degraded", grey)])
value["panes"] = [{**one, "file": {"path": path, "orig_name": "a.png", "meta": {"_type": "gradio.FileData"}}}
                  for one, path in zip(value["panes"], sys.argv[2:])]

def picked(name):
    def tell(event: gr.EventData):
        return f"{name}: row {event.row}, column {event.column}, {event.pane}"
    return tell

with gr.Blocks(analytics_enabled=False) as demo:
    first, second = viewer("first"), viewer("second")
    said = gr.Textbox(label="said", elem_id="said")
    demo.load(lambda: (value, value), None, [first, second])
    first.block(picked("first"), None, said)
    second.block(picked("second"), None, said)
demo.launch(server_port=int(sys.argv[1]), ssr_mode=False, quiet=True, css_paths="assets/studio.css")
"""


@pytest.fixture
def two_viewers(tmp_path, monkeypatch):
    """Address of a small Gradio program that holds two viewers."""
    folder = tmp_path / "gradio"
    folder.mkdir()
    paths = [folder / name for name in ("a.png", "b.png")]
    for path in paths:
        Image.fromarray(np.full((40, 64, 3), 119, np.uint8)).save(path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    log = (tmp_path / "log").open("w")
    command = [sys.executable, "-c", APP, str(port), *map(str, paths)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, process, tmp_path / "log")
        yield address
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def wait_for(address, process, log):
    limit = time.monotonic() + 180
    while time.monotonic() < limit:
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.3)
    pytest.fail("the program did not start in 180 s")


def test_gradio_hears_which_viewer_a_block_was_picked_in(browser, two_viewers):
    page = browser.new_page(viewport={"width": 1000, "height": 1400})
    page.goto(two_viewers)
    for name in ("first", "second"):
        page.wait_for_function(
            "(id) => document.querySelector(`#${id} .labels b`)", arg=name, timeout=120_000
        )
        settle(page, name)
    page.mouse.click(*place_of(page, 50, 12, "original", viewer="second"))
    said = "(words) => document.querySelector('#said textarea').value === words"
    page.wait_for_function(said, arg="second: row 1, column 6, degraded", timeout=120_000)
    page.locator("#first .surface").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(said, arg="first: row 2, column 4, degraded", timeout=120_000)
    page.close()

"""The viewer's pictures: exact pixels at whole zooms, and panes that never part."""

import cv2
import numpy as np
import pytest

from tests.browser.viewer_page import (
    canvas_pixels,
    coded,
    data_address,
    noise,
    opened,
    pane,
    place_of,
    press,
    settle,
    value_of,
    views,
)

pytestmark = pytest.mark.browser

SAMPLE = """(points) => {
  const pen = document.querySelector("#viewer canvas").getContext("2d");
  return points.map(([x, y]) => [...pen.getImageData(x, y, 1, 1).data].slice(0, 3));
}"""


def decoded(color):
    red, green, blue = color
    return red + 256 * (blue & 15), green + 256 * (blue >> 4)


def drawn_as(picture, view, shape):
    """What a canvas of this shape shows of a picture at a whole zoom, and where there is any of it."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    row, column = (y - view["top"]) // view["zoom"], (x - view["left"]) // view["zoom"]
    inside = (row >= 0) & (column >= 0) & (row < picture.shape[0]) & (column < picture.shape[1])
    return picture[row.clip(0, picture.shape[0] - 1), column.clip(0, picture.shape[1] - 1)], inside


# Exact pixels


@pytest.mark.parametrize("ratio", [1, 2])
def test_every_whole_zoom_draws_the_pixels_of_the_file(browser, tmp_path, ratio):
    pictures = {"original": noise(203, 301), "degraded": noise(203, 301, 2)}
    value = value_of([pane(name, pixels) for name, pixels in pictures.items()])
    with opened(browser, tmp_path, {"viewer": value}, device_scale_factor=ratio) as page:
        press(page, "x", "2")
        options = page.locator("#viewer .ratio option").all_inner_texts()
        wholes = [one for one in options if one.endswith(":1")]
        assert wholes[0] == "16:1" and wholes[-2:] == ["2:1", "1:1"] and "whole" in options
        for name in wholes:
            page.locator("#viewer .ratio select").select_option(label=name)
            settle(page)
            (view,) = views(page)
            assert view["zoom"] == int(name[:-2])
            drawn = canvas_pixels(page)
            wanted, inside = drawn_as(pictures["degraded"], view, drawn.shape)
            assert inside.sum() > 10_000
            np.testing.assert_array_equal(drawn[inside], wanted[inside])
        assert page.locator("#viewer .percent").inner_text() == "100 %"


def test_small_views_show_the_whole_picture_where_it_belongs(browser, tmp_path):
    rough = cv2.resize(noise(24, 36), (1801, 1203), interpolation=cv2.INTER_CUBIC)
    value = value_of([pane("original", rough), pane("degraded", rough)])
    with opened(browser, tmp_path, {"viewer": value}) as page:
        press(page, "x")
        (view,) = views(page)
        assert view["zoom"] < 0.5
        rows, columns = round(1203 * view["zoom"]), round(1801 * view["zoom"])
        drawn = canvas_pixels(page)[view["top"] : view["top"] + rows, view["left"] : view["left"] + columns]
        wanted = cv2.resize(rough, (columns, rows), interpolation=cv2.INTER_AREA)
        inner = drawn[4:-4, 4:-4].astype(int)
        errors = {
            (y, x): np.abs(inner - np.roll(wanted, (y, x), (0, 1))[4:-4, 4:-4]).mean()
            for y in (-1, 0, 1)
            for x in (-1, 0, 1)
        }
        assert min(errors, key=errors.__getitem__) == (0, 0)
        assert errors[0, 0] < 1.5 < min(error for shift, error in errors.items() if shift != (0, 0))


def test_smooth_pixels_can_be_had(browser, tmp_path):
    value = value_of([pane("original", noise(40, 50)), pane("degraded", noise(40, 50))])
    with opened(browser, tmp_path, {"viewer": value}) as page:
        press(page, "x")
        sharp = canvas_pixels(page)
        press(page, "n")
        assert page.locator("#viewer .nearest").get_attribute("aria-pressed") == "false"
        smooth = canvas_pixels(page)
        assert (
            np.abs(np.diff(smooth.astype(int), axis=1)).mean()
            < np.abs(np.diff(sharp.astype(int), axis=1)).mean()
        )
        assert (smooth != sharp).any()


# Panes that never part


def pinch(page, client, rng, box):
    """Two fingers somewhere on the surface, moving and spreading or closing in six steps."""
    middle = np.array(
        [box["x"] + box["width"] * rng.uniform(0.3, 0.7), box["y"] + box["height"] * rng.uniform(0.3, 0.7)]
    )
    reach, turn = rng.uniform(30, 60), rng.uniform(0, np.pi)
    grow, drift = rng.uniform(0.6, 1.6), rng.uniform(-30, 30, 2)

    def touch(kind, share):
        arm = reach * (1 + (grow - 1) * share) * np.array([np.cos(turn), np.sin(turn)])
        points = [] if kind == "touchEnd" else [middle + drift * share + arm, middle + drift * share - arm]
        touches = [{"x": float(x), "y": float(y), "id": i} for i, (x, y) in enumerate(points)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", 0)
    for step in range(1, 7):
        touch("touchMove", step / 6)
    touch("touchEnd", 1)


def drag(page, rng, box):
    page.mouse.move(*point_in(box, rng))
    page.mouse.down()
    page.mouse.move(*point_in(box, rng), steps=3)
    page.mouse.up()


def point_in(box, rng):
    return box["x"] + box["width"] * rng.uniform(0.05, 0.95), box["y"] + box["height"] * rng.uniform(
        0.05, 0.95
    )


def test_five_panes_stay_on_the_same_point_after_fifty_random_gestures(browser, tmp_path):
    rng = np.random.default_rng(5)
    address = data_address(coded(900, 1203))
    names = ["original", "degraded", "a", "b", "c"]
    value = value_of([pane(name, np.empty((900, 1203, 3)), url=address) for name in names])
    zooms, sampled = set(), 0
    with opened(browser, tmp_path, {"viewer": value}, has_touch=True) as page:
        client = page.context.new_cdp_session(page)
        press(page, "g")
        box = page.locator("#viewer .surface").bounding_box()
        for _ in range(50):
            kind = rng.integers(3)
            if kind == 0:
                page.mouse.move(*point_in(box, rng))
                page.mouse.wheel(0, float(rng.uniform(-900, 600)))
            elif kind == 1:
                drag(page, rng, box)
            else:
                pinch(page, client, rng, box)
            settle(page)
            seen = views(page)
            assert [one["id"] for one in seen] == names
            first = seen[0]
            for one in seen:
                assert one["zoom"] == first["zoom"]
                for axis, edge in ((0, "left"), (1, "top")):
                    apart = (one[edge] - one["cell"][axis]) - (first[edge] - first["cell"][axis])
                    assert abs(apart) <= 0.5 * min(1, first["zoom"])
            zooms.add(round(first["zoom"], 6))
            sampled += check_drawn_points(page, seen, rng)
    assert len(zooms) > 15 and max(zooms) > 4 and sampled > 100


def check_drawn_points(page, seen, rng):
    """At zooms that draw sharp pixels: all panes show the same picture pixel at the same place. Returns how many."""
    zoom, (_, _, width, height) = seen[0]["zoom"], seen[0]["cell"]
    if 1 < zoom < 2 or zoom < 1:
        return 0
    count = 0
    for x, y in zip(rng.integers(0, width, 6), rng.integers(0, height, 6), strict=True):
        points = [[int(one["cell"][0] + x), int(one["cell"][1] + y)] for one in seen]
        column, row = ((points[0][i] - seen[0][edge]) / zoom for i, edge in ((0, "left"), (1, "top")))
        if not (0 <= column < 1203 and 0 <= row < 900):
            continue
        found = [decoded(color) for color in page.evaluate(SAMPLE, points)]
        assert len(set(found)) == 1
        assert (
            abs(found[0][0] + 0.5 - column) <= 0.5 + 1 / zoom
            and abs(found[0][1] + 0.5 - row) <= 0.5 + 1 / zoom
        )
        count += 1
    return count


def test_the_point_under_the_wheel_stays(browser, tmp_path):
    value = value_of([pane("original", coded(900, 1203)), pane("degraded", coded(900, 1203))])
    with opened(browser, tmp_path, {"viewer": value}) as page:
        press(page, "g", "z")
        place = place_of(page, 600, 450, "degraded")
        page.mouse.move(*place)
        for _ in range(6):
            page.mouse.wheel(0, -150)
            settle(page)
        assert views(page)[0]["zoom"] > 3
        moved = np.array(place_of(page, 600, 450, "degraded")) - place
        assert np.abs(moved).max() < 6  # half a picture pixel at each step, in screen pixels

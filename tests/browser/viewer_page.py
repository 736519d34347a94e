"""A page with nothing but viewers in it, written to disk: their scripts as they are, pictures as data: addresses."""

import base64
import io
import json
from contextlib import contextmanager
from html import escape

import numpy as np
from PIL import Image

from studio.page.standalone import standalone_viewer
from tests.paths import REPOSITORY

PAGE = """<!doctype html>
<html lang="en" class="{theme}"><head><meta charset="utf-8"><title>Viewers</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{variables}
body {{ margin: 0; padding: 8px; background: var(--studio-page); font-family: sans-serif; }}
{style}</style></head><body>
{viewers}
<script>
{script}
window.heard = [];
document.addEventListener("studio-block", (event) => {{
  window.heard.push(["page", event.target.parentElement.id, event.detail]);
}});
window.mounted = {{}};
for (const [id, value] of Object.entries({values})) {{
  const props = {{ value }}, watchers = [];
  const trigger = (name, data) => window.heard.push([name, id, data]);
  window.mounted[id] = {{ props, send: (next) => {{ props.value = next; watchers.forEach((act) => act()); }} }};
  mountViewer({{ element: document.getElementById(id), props, watch: (name, act) => watchers.push(act), trigger }});
}}
</script></body></html>
"""


def data_address(pixels):
    """A lossless PNG of (rows, columns, 3) uint8 as a data: address."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def pane(identifier, pixels, label=None, url=None, **more):
    """One pane of a viewer's value."""
    label = label or identifier
    return {
        "id": identifier,
        "label": label,
        "detail": "",
        "alt": f"test, {label}",
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "file": {"url": url or data_address(pixels)},
        **more,
    }


def value_of(panes, **more):
    """A viewer's value; the first pane is compared with the last."""
    ids = [one["id"] for one in panes]
    grid = {"name": "last save", "row": 0, "column": 0, "chroma_rows": 8, "chroma_columns": 8}
    value = {
        "picture": "p",
        "run": "r",
        "panes": panes,
        "a": ids[0],
        "b": ids[-1],
        "reference": "original" if "original" in ids else "degraded",
        "grids": [grid],
        "turn": {"flip_rows": False, "flip_columns": False, "swap": False},
    }
    return {**value, **more}


def page_text(values, theme=""):
    """The whole page, with one viewer for each value by its id."""
    parts = standalone_viewer()
    variables = (REPOSITORY / "assets" / "studio.css").read_text("utf-8").split("/* Frame */")[0]
    viewers = "\n".join(
        f'<div class="studio-viewer" id="{escape(name)}">{parts.markup}</div>' for name in values
    )
    return PAGE.format(
        theme=theme,
        variables=variables,
        style=parts.style,
        viewers=viewers,
        script=parts.script,
        values=json.dumps(values).replace("<", "\\u003c"),
    )


READ_CANVAS = """(id) => {
  const canvas = document.querySelector("#" + id + " canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let text = "";
  for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
  return [canvas.width, canvas.height, btoa(text)];
}"""


def canvas_pixels(page, viewer="viewer"):
    """(rows, columns, 3) uint8: what a viewer's canvas holds."""
    columns, rows, text = page.evaluate(READ_CANVAS, viewer)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(rows, columns, 4)[..., :3]


def views(page, viewer="viewer"):
    """Where each pane's picture lies: dictionaries with id, zoom, left, top and cell, in device pixels."""
    return json.loads(page.locator(f"#{viewer} canvas").get_attribute("data-view"))


def settle(page, viewer="viewer", **attributes):
    """Wait until the pictures are there, a frame was drawn since, and the canvas has these data attributes."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    wanted = {"ready": "true", **attributes}
    page.wait_for_function(
        """([id, wanted]) => Object.entries(wanted).every(
            ([name, value]) => document.querySelector("#" + id + " canvas").dataset[name] === value)""",
        arg=[viewer, wanted],
        timeout=120_000,
    )


@contextmanager
def opened(browser, folder, values, *, theme="", **options):
    """A page with these viewers, opened from disk; afterwards nothing else was asked for and nothing complained."""
    errors, strangers = [], []
    file = folder / "viewers.html"
    file.write_text(page_text(values, theme), "utf-8")
    page = browser.new_page(**{"viewport": {"width": 1112, "height": 900}, **options})
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    # Chromium warns of the tests' own reading of the canvas.
    page.on("console", lambda one: None if "Canvas2D: Multiple" in one.text else errors.append(one.text))
    own = (file.as_uri(), "data:", "blob:")
    page.on("request", lambda one: None if one.url.startswith(own) else strangers.append(one.url))
    page.goto(file.as_uri())
    for name in values:
        settle(page, name)
    try:
        yield page
    finally:
        page.close()
    assert errors == []
    assert strangers == []


def press(page, *keys, viewer="viewer"):
    """Type keys while the viewer has the focus, and wait for the picture."""
    page.locator(f"#{viewer} .surface").focus()
    for key in keys:
        page.keyboard.press(key)
    settle(page, viewer)


def place_of(page, x, y, identifier=None, viewer="viewer"):
    """Window coordinates of the middle of a picture pixel in a pane, the first unless one is named."""
    box = page.locator(f"#{viewer} canvas").bounding_box()
    ratio = page.evaluate("devicePixelRatio")
    seen = views(page, viewer)
    one = next(view for view in seen if identifier in (None, view["id"]))
    return (
        box["x"] + (one["left"] + (x + 0.5) * one["zoom"]) / ratio,
        box["y"] + (one["top"] + (y + 0.5) * one["zoom"]) / ratio,
    )


def noise(rows, columns, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), np.uint8)


def coded(rows, columns):
    """Every pixel tells where it is: low bytes of column and row, and both high parts."""
    y, x = np.mgrid[:rows, :columns]
    return np.stack([x & 255, y & 255, (x >> 8) | (y >> 8) << 4], axis=2).astype(np.uint8)

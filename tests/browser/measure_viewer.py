"""Measures the viewer with five 12-megapixel panes: time to the first picture, and frames per second.

python tests/browser/measure_viewer.py [--megapixels 12] [--panes 5] [--seconds 5]

Run it while nothing else runs. Frames are counted with the browser's own requestAnimationFrame while wheel and pointer
events arrive once per frame, in headless Chromium with software rendering.
"""

import argparse
import functools
import statistics
import sys
import tempfile
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from models.png_files import write_png
from tests.browser.viewer_page import page_text, pane, settle, value_of

FIRST_PICTURE = """(value) => new Promise((done) => {
  const canvas = document.querySelector("#viewer canvas"), began = performance.now();
  let first = null;
  mounted.viewer.send(value);
  const look = () => {
    const seen = JSON.parse(canvas.dataset.view || "[]"), pen = canvas.getContext("2d");
    const drawn = seen.filter(({ left, top, zoom, cell }) => {
      const x = Math.max(left, cell[0]) + 20, y = Math.max(top, cell[1]) + 60;
      return [...pen.getImageData(x, y, 1, 1).data].join() !== "118,118,118,255";
    }).length;
    if (drawn && first === null) first = performance.now() - began;
    if (seen.length === value.panes.length && canvas.dataset.ready === "true") done([first, performance.now() - began]);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""

GESTURE = """([kind, seconds]) => new Promise((done) => {
  const surface = document.querySelector("#viewer .surface"), box = surface.getBoundingClientRect();
  const x = box.left + box.width / 6, y = box.top + box.height / 4;
  const pointer = (name, dx, dy) => surface.dispatchEvent(new PointerEvent(name, {
    pointerId: 1, bubbles: true, button: name === "pointermove" ? -1 : 0, clientX: x + dx, clientY: y + dy }));
  surface.setPointerCapture = () => {};
  const times = [];
  let began = null, number = 0;
  if (kind === "drag") pointer("pointerdown", 0, 0);
  const step = (now) => {
    began = began ?? now;
    times.push(now);
    number++;
    const turn = number / 40;
    if (kind === "drag") pointer("pointermove", 160 * Math.sin(turn), 120 * Math.sin(1.3 * turn));
    else surface.dispatchEvent(new WheelEvent("wheel", {
      bubbles: true, cancelable: true, clientX: x, clientY: y, deltaY: Math.floor(number / 60) % 2 ? 40 : -40 }));
    if (now - began < 1000 * seconds) requestAnimationFrame(step);
    else { if (kind === "drag") pointer("pointerup", 0, 0); done(times.slice(1).map((time, i) => time - times[i])); }
  };
  requestAnimationFrame(step);
})"""


def photograph_like(megapixels, seed):
    """(rows, columns, 3) uint8 with soft shapes and sensor noise, 4:3, all of one scene but for the noise."""
    columns = round((megapixels * 1e6 * 4 / 3) ** 0.5 / 16) * 16
    rows = columns * 3 // 4
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    base = 120 + 50 * np.sin(x / 97 + y / 211) + 40 * np.sin(y / 31) * np.sin(x / 43)
    grain = rng.integers(-6, 7, (rows, columns, 3), np.int8)
    scene = np.stack([base, base * 0.9 + 8, 190 - base / 2], axis=2)
    return (scene + grain).clip(0, 255).astype(np.uint8)


@contextmanager
def served(folder):
    """Address of a folder's files on this machine."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, format, *words):
        pass


def write_scene(folder, megapixels, count):
    """The pictures as PNG files and an empty viewer's page; returns the value that shows them as a grid of panes."""
    panes = []
    for number in range(count):
        name = ("original", "degraded")[number] if number < 2 else f"model {number - 1}"
        pixels = photograph_like(megapixels, number)
        write_png(pixels, folder / f"{number}.png")
        panes.append(pane(name, pixels, url=f"{number}.png", detail="30.02 dB"))
    nothing = {"picture": "", "run": "", "panes": [], "a": "", "b": ""}
    (folder / "index.html").write_text(page_text({"viewer": nothing}), "utf-8")
    return value_of(panes)


def measure(browser, megapixels, count, seconds):
    """What there is to know of one run.

    Returns:
        Milliseconds to the first picture and to all; by gesture the milliseconds between frames and the processor
        milliseconds of the page's main thread per frame; and the view at the end.
    """
    with tempfile.TemporaryDirectory() as folder:
        value = write_scene(Path(folder), megapixels, count)
        with served(folder) as address:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(600_000)
            page.goto(address)
            page.locator("#viewer .surface").focus()
            page.evaluate("() => document.querySelector('#viewer [data-mode=grid]').click()")
            first, everything = page.evaluate(FIRST_PICTURE, value)
            clock = page.context.new_cdp_session(page)
            clock.send("Performance.enable", {"timeDomain": "threadTicks"})
            frames = {}
            for kind, keys, words in GESTURES:
                page.locator("#viewer .surface").focus()
                for key in keys:
                    page.keyboard.press(key)
                settle(page)
                before = busy_milliseconds(clock)
                deltas = page.evaluate(GESTURE, [kind, seconds])
                frames[words] = deltas, (busy_milliseconds(clock) - before) / len(deltas)
            view = page.locator("#viewer canvas").get_attribute("data-view")
            page.close()
    return first, everything, frames, view


def busy_milliseconds(clock):
    """Processor time that the page's main thread has used so far."""
    metrics = clock.send("Performance.getMetrics")["metrics"]
    return 1000 * next(one["value"] for one in metrics if one["name"] == "TaskDuration")


GESTURES = (
    ("wheel", "0", "wheel, from the whole picture"),
    ("drag", "z", "drag at 1:1"),
    ("drag", "0++", "drag of a small view"),
    ("drag", "zm", "drag at 1:1 with a map"),
    ("wheel", "mmmmm0+l", "wheel with the loupe"),
)
"""Kind, keys pressed before, and what it is called."""


def main():
    """Print what was measured."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--megapixels", type=float, default=12, help="of each picture")
    parser.add_argument("--panes", type=int, default=5, help="in the grid")
    parser.add_argument("--seconds", type=float, default=5, help="of each gesture")
    settings = parser.parse_args()
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        first, everything, frames, _ = measure(browser, settings.megapixels, settings.panes, settings.seconds)
        browser.close()
    print(f"{settings.panes} panes of {settings.megapixels:g} megapixels, Chromium, software rendering")
    print(f"first picture visible after {first / 1000:.2f} s, all after {everything / 1000:.2f} s")
    for words, (deltas, busy) in frames.items():
        slow, median = sorted(deltas)[int(0.95 * len(deltas))], statistics.median(deltas)
        print(
            f"{words}: median {1000 / median:.0f} frames per second, 95 % within {slow:.0f} ms, "
            f"main thread {busy:.1f} ms of processor time per frame"
        )


if __name__ == "__main__":
    main()

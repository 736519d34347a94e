"""Figures as files: an HTML page that needs no network, a PNG picture of it, and the table in the document.

All pages share one plotly.min.js beside them. The picture is taken by a headless Chromium.
"""

import os
import shutil
from html import escape
from pathlib import Path

from plotly import graph_objects
from plotly.offline import get_plotlyjs

from models.errors import InvalidSetting, MissingExtra

SCRIPT = "plotly.min.js"
WIDTH = 960
SHARPNESS = 2
"""Pixels of the picture per pixel of the page."""

LONGEST_WAIT_MS = 60_000
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<script src="{script}"></script>
<style>body {{ margin: 0 auto; max-width: {width}px; background: #fff; }}</style>
</head>
<body>
{figure}
</body>
</html>
"""


def write_page(figure: graph_objects.Figure, path: Path) -> None:
    """Write a figure as HTML, and the script it needs beside it.

    Args:
        figure: with a title and a height.
        path: the .html file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    script = path.with_name(SCRIPT)
    if not script.exists() or script.read_text(encoding="utf-8") != get_plotlyjs():
        script.write_text(get_plotlyjs(), encoding="utf-8")
    markup = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=path.stem,
        config={"displaylogo": False, "responsive": True},
    )
    title = escape(figure.layout.title.text)
    text = PAGE.format(title=title, script=SCRIPT, width=WIDTH, figure=markup)
    path.write_text(text, encoding="utf-8")


def write_picture(page: Path, height: int) -> Path:
    """Take a PNG picture of a page, without plotly's buttons; returns its path.

    Args:
        page: from write_page().
        height: of the figure, in pixels of the page.

    Raises:
        MissingExtra: Playwright or a Chromium is not there.
    """
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise _no_browser("the Python package playwright is not installed") from error
    if browser is None:
        raise _no_browser("no Chromium was found")
    picture = page.with_suffix(".png")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            timeout=LONGEST_WAIT_MS,
        )
        try:
            view = chromium.new_page(
                viewport={"width": WIDTH, "height": height}, device_scale_factor=SHARPNESS
            )
            view.set_default_timeout(LONGEST_WAIT_MS)
            view.goto(page.resolve().as_uri())
            view.wait_for_selector(".main-svg .trace", state="attached")
            view.add_style_tag(content=".modebar { display: none !important; }")
            view.screenshot(path=picture)
        finally:
            chromium.close()
    return picture


def put_between(document: Path, begin: str, end: str, inner: str) -> None:
    """Write `inner` between two marks of a document that each stand on a line of their own.

    Raises:
        InvalidSetting: no such document, or no such marks in it.
    """
    try:
        text = document.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidSetting(
            f"The document {document} cannot be read ({error.strerror}). A text file is needed. Name one that is there."
        ) from error
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise InvalidSetting(
            f"{document} has no place for the numbers. A line {begin} and a line {end} are needed. Add them."
        )
    document.write_text(f"{before}{begin}\n{inner}\n{end}{after}", encoding="utf-8")


def _no_browser(why: str) -> MissingExtra:
    return MissingExtra(
        f"The PNG picture was not made: {why}. HTML pages need neither. Install requirements-dev.txt and Chromium "
        "(the variable CHROMIUM may name it), then run the same command with --redraw."
    )

"""One HTML file that holds a whole comparison: the viewer, every picture, the numbers. Works from disk, offline."""

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from models.places import shipped
from studio.page.standalone import standalone_viewer
from studio.session.visitor import Photograph

ASSETS = shipped("assets")
LEFT_OUT = "speed"
"""A column of the results table that says little elsewhere."""

IN_LOCAL_TIME = """const until = document.getElementById("until");
until.textContent = new Date(until.dateTime).toLocaleTimeString([], { timeStyle: "short" });"""


def comparison_page(
    photograph: Photograph,
    settings: str,
    view: Mapping[str, Any],
    table: Mapping[str, Any],
    report: Mapping[str, Any],
    shared_until: datetime | None = None,
) -> bytes:
    """Everything the Restore tab shows of one run, in one file.

    Args:
        photograph: names the page.
        settings: how the photograph was broken, in words.
        view: the viewer's value, see studio.page.view; its PNG files are embedded bit for bit.
        table: the results table's value, see studio.restore.results.
        report: see studio.restore.takeaway.report_of.
        shared_until: when its address ends, where it is shared and not taken away.

    Returns:
        The page, UTF-8.
    """
    parts = standalone_viewer()
    embedded = {**view, "panes": [{**pane, "file": {"url": _data_url(pane)}} for pane in view["panes"]]}
    columns = [column for column in table["columns"] if column["id"] != LEFT_OUT]
    page = Template((ASSETS / "comparison.html").read_text("utf-8")).substitute(
        title=escape(f"{photograph.name}, {settings}"),
        heading=escape(photograph.name),
        settings=escape(settings),
        footing=_footing(shared_until),
        variables=_color_variables(),
        style=parts.style,
        markup=parts.markup,
        script=parts.script,
        headings="".join(f'<th scope="col">{escape(column["title"])}</th>' for column in columns),
        rows="\n".join(_row(row, columns) for row in table["rows"] if row["state"] == "done"),
        convention=escape(table["convention"] or table["note"]),
        report=_for_script(report),
        value=_for_script(embedded),
    )
    return page.encode()


def _footing(shared_until: datetime | None) -> str:
    """What kind of page it is, as markup."""
    if shared_until is None:
        return "Every picture on this page is a lossless PNG inside this file, which works offline."
    moment = shared_until.astimezone(UTC)
    time = f"<time id='until' datetime='{moment:%Y-%m-%dT%H:%M:%SZ}'>{moment:%H:%M} UTC</time>"
    return (
        f"Shared until {time}, or until whoever shared it deletes their images or leaves. Every picture is a lossless "
        f"PNG.<script>{IN_LOCAL_TIME}</script>"
    )


def _data_url(pane: Mapping[str, Any]) -> str:
    return "data:image/png;base64," + base64.b64encode(Path(pane["file"]["path"]).read_bytes()).decode()


def _for_script(value: Any) -> str:
    """JSON that cannot end the script it stands in."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")


def _row(row: Mapping[str, Any], columns: Iterable[Mapping[str, str]]) -> str:
    cells = "".join(_cell(row["cells"][column["id"]]) for column in columns)
    return f"<tr><th scope='row'>{escape(row['label'])}</th>{cells}</tr>"


def _cell(cell: Mapping[str, str]) -> str:
    kind = f" class='{escape(cell['kind'])}'" if "kind" in cell else ""
    return f"<td{kind}>{escape(cell['text'])}</td>"


def _color_variables() -> str:
    """The rules for light and dark from the studio's style sheet: what stands before its first comment."""
    return (ASSETS / "studio.css").read_text("utf-8").partition("/* Frame */")[0]

"""Plotly figures in the page's own ink, one at a time, with a PNG of each and files to take away.

**Its value**:

- `title`: heading above the figure.
- `charts`: what the switch beside it chooses between, one dictionary each: `label` for the switch, `figure` (a plotly
  figure as plain data, made on `studio.page.sheet`), `alt` (what a person who cannot see it is told) and
  `file_name` (of its PNG, without the ending).
- `files`: further downloads, one dictionary each: `label`, `title`, `download` (the file's name) and `file` (from
  `PictureFolder`; on the page its `url` counts).

plotly.js is the copy inside the plotly package, loaded when the first chart comes onto the page.
"""

from pathlib import Path

import gradio as gr
import plotly

from studio.components.custom import custom_html

PLOTLY_JS = Path(plotly.__file__).resolve().parent / "package_data" / "plotly.min.js"
EMPTY_CHART = {"title": "", "charts": [], "files": []}


def chart(elem_id: str) -> gr.HTML:
    """An empty chart, which takes no room.

    Args:
        elem_id: identifier in the page, another one for each chart.
    """
    return custom_html(Path(__file__).parent, EMPTY_CHART, elem_id=elem_id, library=PLOTLY_JS)

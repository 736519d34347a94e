"""The table of measured results, with progress, and one lossless download per row."""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html

EMPTY_RESULTS = {"columns": [], "rows": [], "note": "", "convention": ""}


def results_table() -> gr.HTML:
    """An empty table; handlers set it to what `studio.restore.results.table_of` returns."""
    return custom_html(Path(__file__).parent, EMPTY_RESULTS, elem_id="results")

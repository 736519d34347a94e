"""The comparing viewer: pictures under one shared zoom and pan, drawn pixel for pixel."""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html

EMPTY_VIEW = {"picture": "", "run": "", "panes": [], "a": "", "b": ""}


def viewer() -> gr.HTML:
    """An empty viewer; handlers set it to what `studio.views.viewer.view_of` returns."""
    scripts = ("behavior.js", "controls.js")
    return custom_html(Path(__file__).parent, EMPTY_VIEW, elem_id="viewer", scripts=scripts)

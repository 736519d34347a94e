"""Markup of the Anatomy tab with its style: the file's facts, the verdict on an earlier save, shares of cells."""

from pathlib import Path

import gradio as gr

STYLE = Path(__file__).parent / "style.css"


def anatomy_facts(elem_id: str) -> gr.HTML:
    """An empty place; handlers set it to markup of studio.anatomy.view.

    Args:
        elem_id: identifier in the page, another one for each place.
    """
    return gr.HTML("", css_template=STYLE.read_text("utf-8"), apply_default_css=False, elem_id=elem_id)

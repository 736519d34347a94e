"""The bar that folds the three steps away on narrow screens; also lends sliders a keyboard release."""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html


def steps_bar() -> gr.HTML:
    """An empty bar; handlers set it to a summary of the settings in plain words."""
    return custom_html(Path(__file__).parent, "", elem_id="steps-bar")

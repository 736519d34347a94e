"""The block inspector: one 8x8 block in samples and coefficients, before and after quantization and restoration.

**Its value** is what `studio.anatomy.block_view.block_value` returns. Everything else happens in the page: pictures of
the samples, the basis patterns, and the block saved at another quality factor, by libjpeg's own formula.

**Listening to it from Python**:

    def picked(event: gr.EventData):
        event._data["row"], event._data["column"]        # another 8x8 block of the picture was asked for

    def frequency(event: gr.EventData):
        event._data["component"]                         # number of the component on show
        event._data["row"], event._data["column"]        # a coefficient was clicked, or Enter pressed on it

    block_inspector().pick(picked, None, outputs)
    block_inspector().frequency(frequency, None, outputs)
"""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html

EMPTY_BLOCK = {"parts": []}
SCRIPTS = ("transform.js", "samples.js", "tables.js", "behavior.js")


def block_inspector() -> gr.HTML:
    """An empty inspector, which takes no room."""
    return custom_html(Path(__file__).parent, EMPTY_BLOCK, elem_id="block", scripts=SCRIPTS)

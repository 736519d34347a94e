"""A map with one cell per 8x8 block: how many bits each takes. A click or the arrow keys pick a block.

**Its value** is what `studio.anatomy.block_view.map_value` returns. Its numbers arrive as a PNG of one pixel per
block, whose red and green channels are the high and the low byte of the number.

**Listening to it from Python**:

    def picked(event: gr.EventData):
        event._data["row"], event._data["column"]  # of the 8x8 block of the picture

    block_map().pick(picked, None, outputs)
"""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html

EMPTY_MAP = {"maps": []}


def block_map() -> gr.HTML:
    """An empty map, which takes no room."""
    return custom_html(Path(__file__).parent, EMPTY_MAP, elem_id="block-map")

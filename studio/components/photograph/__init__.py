"""Where a photograph comes in: drop, paste, browse, or one of the examples. Triggers `opened` and `example`."""

from pathlib import Path
from typing import Any

import gradio as gr

from models.jpeg.formats import SUFFIXES
from studio.components.custom import custom_html


def photograph_input(examples: list[dict[str, Any]], limit: str) -> gr.HTML:
    """The drop zone with its strip of examples.

    Args:
        examples: dictionaries with `name`, `title` and `file` (a thumbnail made by `served_file`).
        limit: how large a file may be, in words.
    """
    accept = ",".join(["image/*", *SUFFIXES])  # phones offer the camera for the first
    value = {"examples": examples, "limit": limit, "accept": accept}
    return custom_html(Path(__file__).parent, value, elem_id="photograph")

"""A command for a terminal, with a button that copies it. Triggers `copied`.

Its value: `line`, the command, and `note`, a sentence below.
"""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html

NO_COMMAND = {"line": "", "note": ""}


def command_line(elem_id: str) -> gr.HTML:
    """An empty one, which takes no room.

    Args:
        elem_id: identifier in the page.
    """
    return custom_html(Path(__file__).parent, NO_COMMAND, elem_id=elem_id)

"""The last lines of a program, folded until somebody wants to see them.

Its value: `lines`, texts, and `note`, a sentence below.
"""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html

NO_LOG = {"lines": [], "note": ""}


def run_log(elem_id: str) -> gr.HTML:
    """An empty log, which takes no room.

    Args:
        elem_id: identifier in the page.
    """
    return custom_html(Path(__file__).parent, NO_LOG, elem_id=elem_id)

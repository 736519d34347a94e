"""Asks the server whether there is news, cheaply, while it is on view. Triggers `beat` where there is."""

from collections.abc import Callable
from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html


def pulse(elem_id: str, answer: Callable[[], dict[str, str]]) -> gr.HTML:
    """A component that shows nothing.

    Args:
        elem_id: identifier in the page.
        answer: the news as two texts that differ whenever there are others: "urgent" is told within three seconds,
            "news" within nine to twenty more, later on a slow machine.
    """

    def pulse(_: object = None) -> dict[str, str]:
        return answer()

    return custom_html(Path(__file__).parent, None, elem_id=elem_id, server_functions=[pulse])

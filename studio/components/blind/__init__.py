"""A blind comparison: votes, names and a tally. Triggers `deal`, `halt` and `reveal`.

Its value is what `studio.lessons.game_view.blind_value` returns. `deal` carries {"picture": choice, "first": name,
"second": name}, `reveal` {"pair": token}. Votes and the tally stay in the browser.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from studio.components.custom import custom_html


def blind_controls(value: dict[str, Any]) -> gr.HTML:
    """The left side of the comparison.

    Args:
        value: see above.
    """
    return custom_html(Path(__file__).parent, value, elem_id="blind-game")

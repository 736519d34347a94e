"""The game of guessing a quality factor: slider, truth and score. Triggers `deal` and `guess`.

Its value is what `studio.lessons.game_view.guess_value` returns. `deal` carries {"picture": choice}, `guess`
{"round": token, "guess": number}. Points and the best game stay in the browser.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from studio.components.custom import custom_html


def guess_controls(value: dict[str, Any]) -> gr.HTML:
    """The left side of the game.

    Args:
        value: see above.
    """
    return custom_html(Path(__file__).parent, value, elem_id="guess-game")

"""The pages of the lessons, with a checklist that the browser remembers. Triggers `study`.

Its value is what `studio.lessons.view.lessons_value` returns. `study` carries {"lesson": identifier}: set the studio
up for it. In the page, the event `studio-lesson` on the document carries the lesson and its terms to the guide.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from studio.components.custom import custom_html

SCRIPTS = ("../terms/terms.js", "tree.js", "progress.js", "behavior.js")


def lessons_page(value: dict[str, Any]) -> gr.HTML:
    """All lessons.

    Args:
        value: see above; constant.
    """
    return custom_html(Path(__file__).parent, value, elem_id="lessons-page", scripts=SCRIPTS)

"""The step at hand of a lesson, beside whatever tab it is done in. Triggers `back`: to the lesson's page.

It appears with the event `studio-lesson` of the lessons' component, and hides while the lessons themselves are shown.
"""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html

SCRIPTS = ("../terms/terms.js", "../lessons/tree.js", "../lessons/progress.js", "behavior.js")


def lesson_guide() -> gr.HTML:
    """An empty guide."""
    return custom_html(Path(__file__).parent, {}, elem_id="lesson-guide", scripts=SCRIPTS)

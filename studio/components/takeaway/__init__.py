"""What people take away from a run: a zip, one HTML page, a link. Triggers `take_zip`, `take_page` and `take_link`.

Each event carries {"exif": bool, "look": {...}}: whether camera facts are wanted, and what the Restore tab's viewer
shows (see studio.session.link.look_of). A handler answers with {"answer": a new number, "file": a served file or
None, "query": a query string or None, "words": what to say}.
"""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html

NOTHING = {"answer": 0, "file": None, "query": None, "words": ""}


def takeaway_bar() -> gr.HTML:
    """The row of buttons."""
    return custom_html(Path(__file__).parent, NOTHING, elem_id="takeaway")

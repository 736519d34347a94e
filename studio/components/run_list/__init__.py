"""The training runs of this machine as a table. Triggers `chosen`, `used`, `compared` and `deleted`.

**Its value** is what `studio.train.runs_view.rows_of` returns: `runs`, one dictionary each with texts `name`,
`state`, `words` (the state for people), `network`, `steps`, `score`, `gain`, `gain_kind` ("good", "bad" or ""), `time`,
`use` (what the button says that puts its checkpoint into the pickers, "" for none), `used` (said where there is
nothing to press), and with `shown`, `live`, `comparable` and `deletable`.

**Listening to it**: `chosen`, `used` and `deleted` carry {"name"}, `compared` carries {"names"}. Deleting was
confirmed.
"""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html

NO_RUNS = {"runs": []}


def run_list(elem_id: str) -> gr.HTML:
    """An empty list, which takes no room.

    Args:
        elem_id: identifier in the page.
    """
    return custom_html(Path(__file__).parent, NO_RUNS, elem_id=elem_id)

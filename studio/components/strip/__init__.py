"""Pictures side by side in small windows that look at the same place, pixel for pixel, with numbers under each.

**Its value**:

- `panes`: one dictionary per picture, all of the same size: `id`, `label`, `detail` and `delta` (numbers in words, or
  empty), `marked` (framed), `alt`, `width`, `height`, `file` (from `PictureFolder.served`; on the page its `url`
  counts) and `download` (the file's name).
- `note`: a sentence below.
"""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html

EMPTY_STRIP = {"panes": [], "note": ""}


def strip(elem_id: str) -> gr.HTML:
    """An empty strip, which takes no room.

    Args:
        elem_id: identifier in the page.
    """
    return custom_html(Path(__file__).parent, EMPTY_STRIP, elem_id=elem_id)

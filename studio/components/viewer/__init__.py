"""The comparing viewer: any number of pictures under one shared zoom and pan, drawn pixel for pixel.

A page may hold several; give each its own `elem_id`. Keys go to the one with the focus, else to the one under the
pointer.

**Its value** is what `studio.page.view.view_of` returns:

- `panes`: one dictionary per picture, all of the same size: `id`, `label`, `detail` (its PSNR in words, or empty),
  `alt`, `width`, `height`, `file` (from `PictureFolder.served`; on the page its `url` counts), and for the stages of a
  network `group`, `stage` (1, 2, ...), `last`, and if need be `scrubber`, what their slider is called instead. The ids
  "original" and "degraded" have their meaning.
- `a`, `b`: ids that are compared until somebody chooses others; `run`: another one forgets that choice; `picture`:
  another one resets zoom, loupe and block.
- `reference`: the id that maps and the numbers of the visible crop compare with; numbers are shown for "original" only.
- `grids` and `turn`: where the 8x8 blocks lie, see `studio.page.block_grids`.
- `hint`: optional, what to do, said while there are no panes; without it the last one stays.
- `look`: optional, what a link asks to be shown, see `studio.session.link.look_values`;
  `section.viewer` tells the present one in its attribute data-look.
- `block`: optional, {"row", "column"} of a block to outline.

**Listening to it from Python**: people pick a block with a click that does not move, a tap, or Enter:

    def picked(event: gr.EventData):
        event._data["row"], event._data["column"]  # of the 8x8 block, counted in the file's own grid (decoded_pixels)
        event._data["pane"]                        # id of the pane that was pressed

    viewer("anatomy-viewer").block(picked, None, outputs)

**Listening to it in the page**: events bubble from the viewer's `section.viewer`, so listen on the document and ask
`event.target.closest("#viewer")` which one it was.

- `studio-block`, detail {row, column, pane}: as above.
- `studio-shown`, detail [pane id, ...]: what is looked at, stages named by their network.
- Dispatched on a viewer's `section.viewer`, `studio-show-pane` with a pane's id as detail shows that pane as picture B.

The scripts need nothing of Gradio: `studio.components.viewer.standalone` mounts them in a page of its own.
"""

from pathlib import Path

import gradio as gr

from studio.components.custom import custom_html
from studio.components.viewer.standalone import SCRIPTS
from studio.page.view import EMPTY_VIEW

OPEN_SOMETHING = "Open a photograph, or pick an example."


def viewer(elem_id: str = "viewer", hint: str = OPEN_SOMETHING) -> gr.HTML:
    """An empty viewer; handlers set it to what `studio.page.view.view_of` returns. Triggers `block`.

    Args:
        elem_id: identifier in the page, another one for each viewer.
        hint: what to do, said while there are no pictures.
    """
    return custom_html(Path(__file__).parent, EMPTY_VIEW | {"hint": hint}, elem_id=elem_id, scripts=SCRIPTS)

"""The viewer without Gradio, for a self-contained HTML file that is opened from disk."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
SCRIPTS = (
    "state.js",
    "background.js",
    "pictures.js",
    "geometry.js",
    "blocks.js",
    "overlays.js",
    "drawing.js",
    "map_values.js",
    "color_scales.js",
    "maps.js",
    "crop.js",
    "loupe.js",
    "controls.js",
    "look.js",
    "choosing.js",
    "pointer.js",
    "keys.js",
    "mount.js",
)
"""Run one after the other in one function."""


@dataclass(frozen=True)
class StandaloneViewer:
    """What a page needs to show the viewer; all three are constant and safe to put into HTML as they are.

    Attributes:
        markup: goes inside the element that is mounted, which needs the class "studio-viewer".
        style: a style sheet that touches nothing outside .studio-viewer. Its colours are the --studio- variables of
            assets/studio.css, whose rules for :root and .dark the page must contain as well.
        script: defines mountViewer({ element, props, watch, trigger }). `element` holds the markup; `props.value`
            is the value described in studio.components.viewer, each pane's `file` being {"url": ...} with a data:
            or blob: address; `watch(name, act)` is called once with "value" and keeps `act`, to be called after
            `props.value` was replaced; `trigger(name, data)` hears of picked blocks. The last two may be left out.
    """

    markup: str
    style: str
    script: str


def standalone_viewer() -> StandaloneViewer:
    """The viewer's files, ready for a page of their own.

    The page, for a value with data: addresses::

        <style>VARIABLES STYLE</style>
        <div class="studio-viewer" id="viewer">MARKUP</div>
        <script>
          SCRIPT
          const element = document.getElementById("viewer");
          mountViewer({ element, props: { value: VALUE } });
        </script>

    Where VALUE is written into a script, `<` must be written as \\u003c.
    """
    read = {name: (FOLDER / name).read_text("utf-8") for name in (*SCRIPTS, "template.html", "style.css")}
    body = "\n".join(read[name] for name in SCRIPTS)
    head = "function mountViewer({ element, props, watch = () => {}, trigger = () => {} }) {"
    return StandaloneViewer(
        markup=read["template.html"],
        style=f".studio-viewer {{\n{read['style.css']}\n}}",
        script=f"{head}\n{body}\n}}",
    )

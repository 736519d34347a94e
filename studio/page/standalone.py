"""The viewer without Gradio, for a self-contained HTML file that is opened from disk."""

from dataclasses import dataclass
from pathlib import Path

from studio.page.scripts import joined

FOLDER = Path(__file__).parent / "viewer"
MOUNT = "function mountViewer({ element, props, watch = () => {}, trigger = () => {} }) {"


@dataclass(frozen=True)
class StandaloneViewer:
    """What a page needs to show the viewer; all three are constant and safe to put into HTML as they are.

    Attributes:
        markup: goes inside the element that is mounted, which needs the class "studio-viewer".
        style: a style sheet that touches nothing outside .studio-viewer. Its colors are the --studio- variables of
            assets/studio.css, whose rules for :root and .dark the page must contain as well.
        script: defines mountViewer({ element, props, watch, trigger }). `element` holds the markup; `props.value`
            is the value described in viewer/behavior.js, each pane's `file` being {"url": ...} with a data:
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
    return StandaloneViewer(
        markup=(FOLDER / "template.html").read_text("utf-8"),
        style=f".studio-viewer {{\n{(FOLDER / 'style.css').read_text('utf-8')}\n}}",
        script=f"{MOUNT}\n{joined(FOLDER / 'behavior.js')}}}",
    )

"""Components of our own: folders with template.html, style.css and, where they behave, behavior.js.

What a component's value holds, and which events it triggers, stands at the head of its behavior.js. A component of one
tab lies in that tab's `components`, one of several tabs in this folder. Plain instances, not subclasses: Gradio writes
a .pyi file beside every module that subclasses a component.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
import plotly

from studio.page.scripts import joined
from studio.page.view import EMPTY_VIEW
from studio.server.gradio_internals import serve_where_it_lies

PAGE = Path(__file__).resolve().parent
PLOTLY_JS = Path(plotly.__file__).resolve().parent / "package_data" / "plotly.min.js"
GIVEN = "element, trigger, props, server, upload, watch"
"""What Gradio gives a component's script."""
OPEN_SOMETHING = "Open a photograph, or pick an example."


def component(
    name: str,
    value: Any,
    *,
    elem_id: str,
    library: Path | None = None,
    server_functions: list[Callable] | None = None,
) -> gr.HTML:
    """A component whose markup is constant and whose behavior reads `props.value`.

    Args:
        name: "sweep/strip" for studio/sweep/components/strip, "chart" for studio/page/chart. The template contains no
            placeholder, because Gradio compiles templates as code and values come from people; without a behavior.js
            it is `${value}`, which handlers set to markup.
        value: anything JSON can carry; dictionaries made by `served_file` gain a `url` on their way to the page.
        elem_id: identifier in the page.
        library: a script that is loaded before, once for all components that need it; served from where it lies.
        server_functions: what the scripts may call as `server.NAME`, each with one argument.
    """
    tab, _, own_name = name.rpartition("/")
    folder = PAGE.parent / tab / "components" / own_name if tab else PAGE / own_name
    behavior = folder / "behavior.js"
    head = None
    if library is not None:
        head = f'<script src="{address_of(library)}"></script>'
    return gr.HTML(
        value,
        html_template=(folder / "template.html").read_text("utf-8"),
        css_template=(folder / "style.css").read_text("utf-8"),
        js_on_load=joined(behavior) if behavior.exists() else None,
        apply_default_css=False,
        elem_id=elem_id,
        head=head,
        server_functions=server_functions,
    )


def share_scripts(blocks: Iterable[Any]) -> str:
    """One script that holds each component's, once however many components have it; they only call it from then on.

    To be asked when all events are connected: Gradio looks for their names in a component's own script.
    """
    numbers: dict[str, int] = {}
    for block in blocks:
        if isinstance(block, gr.HTML) and block.js_on_load:
            number = numbers.setdefault(block.js_on_load, len(numbers))
            block.js_on_load = f"studioScripts[{number}]({GIVEN})"
    return "const studioScripts = [\n" + "".join(f"({GIVEN}) => {{\n{text}}},\n" for text in numbers) + "];\n"


def address_of(path: Path) -> str:
    """Where the page finds a file of the program, which is served from where it lies; to be asked before the launch."""
    serve_where_it_lies(path)
    return f"gradio_api/file={quote(path.as_posix())}"


def viewer(elem_id: str, hint: str = OPEN_SOMETHING) -> gr.HTML:
    """An empty viewer, which says what to do; handlers set it to what `studio.page.view.view_of` returns."""
    return component("viewer", EMPTY_VIEW | {"hint": hint}, elem_id=elem_id)


def chart(elem_id: str) -> gr.HTML:
    """An empty chart; plotly.js is the copy inside the plotly package, loaded with the first chart of a page."""
    return component("chart", {"title": "", "charts": [], "files": []}, elem_id=elem_id, library=PLOTLY_JS)

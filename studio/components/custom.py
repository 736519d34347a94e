"""Builds a gr.HTML from a folder with template.html, style.css and behavior.js, and more scripts where one is too long.

Plain instances, not subclasses: Gradio writes a .pyi file beside every module that subclasses a component,
and an import should leave the source tree alone.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr

from studio.server.gradio_internals import serve_where_it_lies


def custom_html(
    folder: Path,
    value: Any,
    *,
    elem_id: str,
    scripts: tuple[str, ...] = ("behavior.js",),
    library: Path | None = None,
    server_functions: list[Callable] | None = None,
) -> gr.HTML:
    """A component whose markup is constant and whose behavior reads `props.value`.

    Args:
        folder: holds template.html, style.css and the scripts; none of them contains placeholders, because
            Gradio compiles templates as code and values come from people.
        value: anything JSON can carry; dictionaries made by `served_file` gain a `url` on their way to the page.
        elem_id: identifier in the page.
        scripts: run one after the other in one scope.
        server_functions: what the scripts may call as `server.NAME`, each with one argument.
        library: a script that is loaded before, once for all components that need it; served from where it lies.
    """
    if library is not None:
        serve_where_it_lies(library)
    head = None if library is None else f'<script src="gradio_api/file={quote(library.as_posix())}"></script>'

    def read(name: str) -> str:
        return (folder / name).read_text("utf-8")

    return gr.HTML(
        value,
        html_template=read("template.html"),
        css_template=read("style.css"),
        js_on_load="\n".join(read(name) for name in scripts),
        apply_default_css=False,
        elem_id=elem_id,
        head=head,
        server_functions=server_functions,
    )

"""Joins ES modules into the one script text that Gradio runs for a component, and that a page on disk can hold."""

import re
from pathlib import Path

IMPORT = re.compile(r'^import \{[^}]*\} from "([^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.MULTILINE)
OTHER_FORM = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
COMMENT = re.compile(r"^ *(?://[^\n]*|/\*\*.*?\*/)\n", re.MULTILINE | re.DOTALL)
TOP_LEVEL_NAME = re.compile(r"^(?:async )?(?:function\*? |const |let |class )(\w+)", re.MULTILINE)


def joined(entry: Path) -> str:
    """A module and all that it imports, each once and after what it needs, in one function and without comments.

    The modules share that function's scope, so no two may declare the same name at the top; eslint.config.js sees to
    it that every such declaration stands on a line of its own.

    Args:
        entry: a module, all of whose imports are written `import { a, b } from "./other.js";`.

    Raises:
        ValueError: two modules declare one name or import each other, or a form of import or export is not known here.
    """
    texts: dict[Path, str] = {}
    _collect(entry.resolve(), texts, ())
    homes: dict[str, Path] = {}
    for path, text in texts.items():
        for name in TOP_LEVEL_NAME.findall(text):
            if name in homes:
                raise ValueError(f"{path} and {homes[name]} both declare {name}. Rename one of them.")
            homes[name] = path
    return '(() => {\n"use strict";\n' + "\n".join(texts.values()) + "\n})();\n"


def _collect(path: Path, texts: dict[Path, str], importers: tuple[Path, ...]) -> None:
    """Add a module's text, after those of the modules it imports."""
    if path in importers:
        raise ValueError(
            f"{path} and {importers[-1]} import each other. Move what both need to a third module."
        )
    if path in texts:
        return
    source = path.read_text("utf-8")
    for address in IMPORT.findall(source):
        _collect((path.parent / address).resolve(), texts, (*importers, path))
    text = EXPORT.sub("", IMPORT.sub("", source))
    if strange := OTHER_FORM.search(text):
        raise ValueError(f"{path}: `{strange[0]}` cannot be joined. Import and export names, one by one.")
    texts[path] = COMMENT.sub("", text)

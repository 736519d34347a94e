"""Markup from jinja2 templates: every value is escaped, and line breaks and indentation of a template are left out."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

Render = Callable[..., Markup]


def templates(module: str, filters: Mapping[str, Callable[[Any], str]] | None = None) -> Render:
    """The templates beside a module, as a function of a template's name and its values.

    Args:
        module: `__file__` of a module whose folder has `templates/NAME.html`.
        filters: further ones than jinja2's.
    """
    folder = Path(module).parent / "templates"
    environment = _environment()
    environment.loader = FunctionLoader(lambda name: _joined((folder / f"{name}.html").read_text("utf-8")))
    environment.filters |= filters or {}

    def render(name: str, /, **values: Any) -> Markup:
        return Markup(environment.get_template(name).render(values))

    return render


def template(text: str) -> Render:
    """One template of text, as a function of its values."""
    compiled: Template = _environment().from_string(_joined(text))
    return lambda **values: Markup(compiled.render(values))


def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined)


def _joined(text: str) -> str:
    return re.sub(r"\s*\n\s*", "", text)

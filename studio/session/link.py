"""A link that carries every setting: to a query string and back. What arrives is checked piece by piece."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from models.errors import InvalidSetting
from studio.session.examples import example
from studio.session.form import RECOMMENDED, RestoreForm, clipped, one_of, whole

MODES = ("split", "flip", "grid")
MAX_ZOOM, MIN_ZOOM = 16.0, 1 / 16
LARGEST_PLACE = 1e5
LONGEST_VALUE = 400


@dataclass(frozen=True)
class Look:
    """What the viewer shows, as far as a link carries it.

    Attributes:
        mode: "split", "flip" or "grid".
        a, b: identifiers of the two panes, "" for the viewer's own choice.
        zoom: screen pixels per picture pixel, None shows the whole picture.
        column, row: the picture's pixel in the middle, None for the centre.
    """

    mode: str = "split"
    a: str = ""
    b: str = ""
    zoom: float | None = None
    column: float | None = None
    row: float | None = None


@dataclass(frozen=True)
class Link:
    """Everything a link can say.

    Attributes:
        form: the Restore tab's controls.
        picture: name of an example, "" where the link carries none because somebody's own photograph was open.
        look: the viewer.
        problems: one sentence for every part that could not be used; its default stands instead.
    """

    form: RestoreForm
    picture: str = ""
    look: Look = Look()
    problems: tuple[str, ...] = ()


def to_query(link: Link, default: RestoreForm | None = None) -> str:
    """The link's query string, without the question mark; from_query reads it back.

    Args:
        link: with a valid form; see RestoreForm.
        default: what is as in this form is left out.
    """
    entries: dict[str, str] = {}
    if link.picture:
        entries["picture"] = link.picture
    for entry in fields(link.form):
        value, control = getattr(link.form, entry.name), entry.metadata["control"]
        same = entry.default if default is None and control.optional else getattr(default, entry.name, None)
        if value != same:
            entries[control.key] = ",".join(value) if entry.name == "model_names" else str(value)
    if default is not None and entries.keys() - {"picture"}:
        entries["door"] = str(link.form.door)  # without it, settings are for experiments
    if default is None or link.look != Look():
        entries |= look_values(link.look)
    return urlencode(entries, safe=":,/")


def from_query(query: Mapping[str, Any], default: RestoreForm, known_models: tuple[str, ...]) -> Link:
    """Read a link; nothing in it can fail, what cannot be used is said in `problems`.

    Args:
        query: decoded parameters of the address; keys that mean nothing here are left alone.
        default: stands for everything that is not in the link.
        known_models: names that may be ticked.
    """
    reader = _Reader(query)
    values: dict[str, Any] = {}
    for name, control in default.controls().items():
        key, fallback = control.key, getattr(default, name)
        if name == "model_names":
            values[name] = reader.names(key, known_models, tuple(fallback))
        elif name == "repairing_model":
            values[name] = reader.word(key, (RECOMMENDED, *known_models), fallback)
        elif name == "door":
            values[name] = reader.word(key, control.choices, _door_of(query, default))
        elif control.choices:
            values[name] = reader.word(key, control.choices, fallback)
        else:
            values[name] = reader.number(key, control.low, control.high, fallback)
    look = reader.look()
    picture = reader.picture()
    return Link(replace(default, **values), picture, look, tuple(reader.problems))


def _door_of(query: Mapping[str, Any], default: RestoreForm) -> str:
    """Of a link that names none: settings are for experiments."""
    settings = {control.key for control in default.controls().values()}
    return "experiment" if settings & set(query) else default.door


def look_values(look: Look) -> dict[str, str]:
    """A look as the texts of a link, which look_of reads back; the viewer takes them as they are."""
    entries = {"view": look.mode}
    entries |= {key: value for key, value in (("a", look.a), ("b", look.b)) if value}
    for key, number in (("zoom", look.zoom), ("x", look.column), ("y", look.row)):
        if number is not None:
            entries[key] = f"{number:.4g}" if key == "zoom" else f"{number:.1f}"
    return entries


def look_of(values: object) -> Look:
    """What the page says its viewer shows: the same keys and texts as in a link; anything else is left out."""
    return _Reader(values if isinstance(values, Mapping) else {}).look()


class _Reader:
    """Takes one parameter after the other, and remembers what was wrong."""

    def __init__(self, query: Mapping[str, Any]) -> None:
        self._query = query
        self.problems: list[str] = []

    def word(self, key: str, allowed: tuple[str, ...], fallback: str) -> str:
        return self._checked(key, fallback, lambda text, what: one_of(text, allowed, what))

    def number(self, key: str, low: int, high: int, fallback: int) -> int:
        def check(text: str, what: str) -> int:
            return whole(
                int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else text, low, high, what
            )

        return self._checked(key, fallback, check)

    def decimal(self, key: str, low: float, high: float) -> float | None:
        def check(text: str, what: str) -> float:
            try:
                value = float(text)
            except ValueError:
                value = float("nan")
            if not low <= value <= high:
                raise InvalidSetting(
                    f"{what} is {clipped(text)}. Numbers from {low:g} to {high:g} are allowed. Correct the link."
                )
            return value

        return self._checked(key, None, check)

    def names(self, key: str, known: tuple[str, ...], fallback: tuple[str, ...]) -> tuple[str, ...]:
        text = self.text(key)
        if key not in self._query:
            return fallback
        asked = [name for name in text.split(",") if name]
        unknown = [name for name in asked if name not in known]
        if unknown:
            self.problems.append(
                f"The link asks for models that are not here: {clipped(', '.join(unknown))}. There are "
                f"{', '.join(known)}. The others were ticked."
            )
        return tuple(name for name in known if name in asked)

    def look(self) -> Look:
        return Look(
            mode=self.word("view", MODES, Look.mode),
            a=self.text("a"),
            b=self.text("b"),
            zoom=self.decimal("zoom", MIN_ZOOM, MAX_ZOOM),
            column=self.decimal("x", 0, LARGEST_PLACE),
            row=self.decimal("y", 0, LARGEST_PLACE),
        )

    def picture(self) -> str:
        return self._checked("picture", "", lambda text, _what: example(text).name)

    def text(self, key: str) -> str:
        value = self._query.get(key, "")
        return value[:LONGEST_VALUE] if isinstance(value, str) else ""

    def _checked(self, key: str, fallback: Any, check: Any) -> Any:
        if key not in self._query:
            return fallback
        try:
            return check(self.text(key), f'"{key}" in the link')
        except InvalidSetting as error:
            self.problems.append(str(error))
            return fallback

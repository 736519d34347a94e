"""Groups of settings that describe themselves: YAML in, sentences and form fields out.

A setting is one field of a class that @settings decorates: its type, default, meaning, unit and limits. The check, the
form in the studio and the reference of `python -m training.schema` are all made from it.
"""

import contextlib
import difflib
import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass as plain_dataclass
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, TypeVar, dataclass_transform

import yaml
from pydantic import BeforeValidator, ConfigDict, Field, Strict, StrictFloat, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from models.bounded_reading import read_at_most
from models.errors import InvalidSetting
from models.plain_values import quoted, without_tuples
from models.plain_yaml import load_plain_yaml

MAX_TEXT_BYTES = 64 * 1024
BASE = "base"
"""Key of a configuration file that names the file it builds on."""

KIND_WORDS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "string_type": "a text",
    "string_unicode": "a text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "dataclass_type": "a mapping",
}
"""What is needed where a value has the wrong type, by pydantic's name of the error."""

Group = TypeVar("Group")
Entry = TypeVar("Entry")


def _from_text(value: Any) -> Any:
    """YAML 1.1 reads 1e-3 as text."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return float(value)
    return value


FROM_TEXT = BeforeValidator(_from_text)
LISTED = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)

Number = Annotated[StrictFloat, FROM_TEXT, Field(allow_inf_nan=False)]
"""A finite number, whole ones and 1e-3 included."""

Share = Annotated[StrictFloat, Field(allow_inf_nan=False, ge=0, le=1), FROM_TEXT]
Weight = Annotated[StrictFloat, Field(allow_inf_nan=False, ge=0, le=1000), FROM_TEXT]

Entries = Annotated[tuple[Entry, ...], Strict(), LISTED]
"""A list of any length."""


def setting(default: Any, description: str, *, unit: str = "", **limits: Any) -> Any:
    """A field with a default, its meaning without unit and range, and pydantic's limits such as ge=0."""
    return Field(
        default, description=description, json_schema_extra={"unit": unit} if unit else None, **limits
    )


@dataclass_transform(frozen_default=True)
def settings(group: type[Group]) -> type[Group]:
    """Make a class a group of settings: a frozen dataclass that is checked when it is made.

    Whoever makes one by hand gets InvalidSetting with every problem in it.
    """
    checked: Any = dataclass(frozen=True, config=ConfigDict(extra="forbid"))(group)
    make = checked.__init__

    @functools.wraps(make)
    def __init__(self: Any, *values: Any, **named: Any) -> None:
        given = dict(zip(checked.__dataclass_fields__, values, strict=False)) | named
        try:
            make(self, *values[len(checked.__dataclass_fields__) :], **given)
        except ValidationError as error:
            raise InvalidSetting(
                f"{group.__name__} cannot be made: {'; '.join(problems_in(error, checked, given))}. "
                "python -m training.schema describes what is allowed. Correct the values named."
            ) from None

    checked.__init__ = __init__
    return checked


@plain_dataclass(frozen=True)
class ConfigField:
    """One setting.

    Attributes:
        path: its keys joined by dots, such as "optimizer.learning_rate".
        kind: "text", "choice", "integer", "number", "boolean", "texts", "integers", "numbers" (lists of them),
            "rows" (a list of lists) or "mapping".
        description: what it is.
        default: as it stands in YAML; None where there is none.
        required: it has no default and must be given.
        optional: null is allowed and means "none".
        unit: of the value, or "".
        choices: the allowed texts; empty where any is allowed.
        lowest, highest: the range, both included; None where there is no limit. Of a list, each entry.
        above, below: like them, but excluded.
        multiple_of: what the value must be a multiple of, or None.
        columns: length of each row of "rows", else 0.
        allowed: choices, range or pattern in words; "" where the kind says all.
    """

    path: str
    kind: str
    description: str
    default: Any
    required: bool
    optional: bool
    unit: str
    choices: tuple[str, ...]
    lowest: float | None
    highest: float | None
    above: float | None
    below: float | None
    multiple_of: int | None
    columns: int
    allowed: str

    @property
    def group(self) -> str:
        """The part of the path before the last dot, such as "optimizer"; "" at the top."""
        return self.path.rpartition(".")[0]


@functools.cache
def settings_of(group: type) -> tuple[ConfigField, ...]:
    """All settings of a group and the groups in it, in the order of their definition."""
    schema = TypeAdapter(group).json_schema()
    return tuple(_fields(schema, schema.get("$defs", {}), ""))


def _fields(schema: Mapping[str, Any], groups: Mapping[str, Any], prefix: str) -> Iterator[ConfigField]:
    for name, entry in schema["properties"].items():
        if "$ref" in entry:
            yield from _fields(groups[entry["$ref"].rpartition("/")[2]], groups, f"{prefix}{name}.")
        else:
            yield _field(prefix + name, entry, required=name in schema.get("required", ()))


def _field(path: str, entry: Mapping[str, Any], *, required: bool) -> ConfigField:
    """One property of a JSON schema as a setting."""
    value = entry.get("anyOf", [entry])[0]
    listed = value["type"] == "array"
    item = value["items"] if listed else value
    names = {"string": "text", "object": "mapping", "array": "row"}
    kind = names.get(item["type"], item["type"]) + "s" * listed
    return ConfigField(
        path=path,
        kind="choice" if "enum" in item else kind,
        description=entry["description"],
        default=entry.get("default"),
        required=required,
        optional="anyOf" in entry,
        unit=entry.get("unit", ""),
        choices=tuple(item.get("enum", ())),
        lowest=item.get("minimum"),
        highest=item.get("maximum"),
        above=item.get("exclusiveMinimum"),
        below=item.get("exclusiveMaximum"),
        multiple_of=item.get("multipleOf"),
        columns=len(item.get("prefixItems", ())),
        allowed=entry.get("allowed") or _allowed(item),
    )


def _allowed(item: Mapping[str, Any]) -> str:
    """What the limits of a JSON schema allow, in words; "" where the type says all."""
    if "enum" in item:
        return " or ".join(item["enum"])
    words = {
        "minimum": "{:,} or more",
        "exclusiveMinimum": "above {:,}",
        "exclusiveMaximum": "below {:,}",
        "maximum": "at most {:,}",
        "multipleOf": "multiples of {}",
    }
    parts = [words[limit].format(item[limit]) for limit in words if limit in item]
    if "minimum" in item and "maximum" in item:
        parts = [f"{item['minimum']:,} to {item['maximum']:,}", *parts[1:]]
        parts.remove(words["maximum"].format(item["maximum"]))
    return ", ".join(parts)


def problems_in(error: ValidationError, group: type, values: Any) -> list[str]:
    """Everything that pydantic found wrong, a sentence each, beginning with the path of its setting.

    Args:
        error: of making a group.
        group: the class.
        values: what it was to be made from.
    """
    known = {field.path: field for field in settings_of(group)}
    faults = error.errors(include_url=False)
    return list(dict.fromkeys(_problem(fault, known, values) for fault in faults))


def _problem(fault: Mapping[str, Any], known: Mapping[str, ConfigField], values: Any) -> str:
    kind, place, value = fault["type"], fault["loc"], fault["input"]
    if kind in ("unexpected_keyword_argument", "invalid_key"):
        prefix = "".join(f"{part}." for part in place[:-1])
        names = [path.removeprefix(prefix).partition(".")[0] for path in known if path.startswith(prefix)]
        key = value if kind == "invalid_key" else place[-1]
        return f"{prefix}{_short(key).strip(chr(39))}: unknown key; {nearest(str(key), dict.fromkeys(names))}"
    path = ".".join(takewhile(lambda part: isinstance(part, str), place))
    if kind == "value_error" and path not in known:  # of a group
        return f"{path or 'configuration'}: {fault['ctx']['error']}"
    if kind == "missing" and path == ".".join(map(str, place)):
        return f"{path}: missing; {known[path].description}"
    if kind in ("missing", "too_long"):  # of a row
        return f"{path}: {known[path].columns} values are needed, not {_short(value)}"
    if path not in known and kind not in KIND_WORDS:  # a bug of the caller's, such as too many arguments
        return f"{path or 'configuration'}: {fault['msg']}"
    whole = functools.reduce(lambda inner, key: inner[key], path.split("."), values) if path else values
    if place and place[-1] == "[key]":
        return f"{path}: a mapping is needed, not {_short(whole)}"
    needed = KIND_WORDS.get(kind, "")
    if not needed and not isinstance(value, str) and known[path].choices:
        needed = "a text"
    if isinstance(value, float) and not math.isfinite(value):
        needed = needed or "a number"  # limits are looked at first
    if needed:
        return f"{path or 'the top level'}: {needed} is needed, not {_short(value)}"
    field = known[path]
    sentence = f"{path}: {_short(whole)} is not allowed; allowed: {field.allowed}"
    return f"{sentence}; {nearest(str(value), field.choices)}" if field.choices else sentence


def nearest(key: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown key."""
    known = list(known)
    close = difflib.get_close_matches(key[:100], known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known here are {', '.join(known)}"


def _short(value: Any) -> str:
    return quoted(list(value) if isinstance(value, tuple) else value, 80)


def read_yaml(text: str, origin: str) -> Any:
    """Mappings, lists, texts, numbers and truth values of a YAML text.

    Args:
        text: at most 64 kB.
        origin: names the text in messages.

    Raises:
        InvalidSetting: too long, no YAML, nested too deeply, or with anchors or a key twice.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_TEXT_BYTES:
        raise InvalidSetting(
            f"{origin} is {size:,} bytes long. A configuration has at most {MAX_TEXT_BYTES:,}. "
            "Start from one in training/configs."
        )
    try:
        return load_plain_yaml(text)
    except ValueError as error:
        raise InvalidSetting(
            f"{origin} is no valid YAML: {str(error)[:600]}. Keys and values as in training/configs are allowed. "
            "Correct the line named and try again."
        ) from None


def read_file(path: Path, *, variants: tuple[Path, ...] = ()) -> Any:
    """The values of a configuration file over those of the file that it names as its base.

    A base is a path relative to the file and may have a base itself. Mappings are merged key by key; everything else
    is replaced.

    Args:
        path: the file.
        variants: files that build on it, whose base it must not have in turn.

    Raises:
        InvalidSetting: a file that cannot be read or is no YAML, or a base that leads back.
    """
    try:
        text = read_at_most(path, MAX_TEXT_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        for_whom = f", the base of {variants[-1]}," if variants else ""
        raise InvalidSetting(
            f"The configuration {path}{for_whom} cannot be read ({error}). A YAML text file is needed. "
            "Start from one in training/configs."
        ) from None
    values = read_yaml(text, str(path))
    if not isinstance(values, dict) or BASE not in values:
        return values
    name, chain = values.pop(BASE), (*variants, path)
    if not isinstance(name, str):
        raise InvalidSetting(
            f"The base of {path} is {_short(name)}. A path relative to that file is needed. Correct it, or take it out."
        )
    base = path.parent / name
    if base.resolve() in [variant.resolve() for variant in chain]:
        way = " on ".join(str(step) for step in (*chain, base))
        raise InvalidSetting(
            f"A configuration builds on itself: {way}. Each base must be another file. Take one of them out."
        )
    below = read_file(base, variants=chain)
    if not isinstance(below, dict):
        raise InvalidSetting(
            f"{base}, the base of {path}, holds {_short(below)}. A mapping is needed. Correct it."
        )
    return _merged(below, values)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: (below[key], above[key]) for key in below.keys() & above.keys()}
    inner = {
        key: _merged(*pair) for key, pair in both.items() if all(isinstance(value, dict) for value in pair)
    }
    return {**below, **above, **inner}


def dumped(values: Any) -> str:
    """YAML in the one form in which configurations are written here; tuples become lists."""
    return yaml.safe_dump(without_tuples(values), sort_keys=False, allow_unicode=True, width=110)

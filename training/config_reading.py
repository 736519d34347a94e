"""From YAML to dataclasses: safely, and with every problem named at once."""

import contextlib
import dataclasses
import difflib
import math
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from models.errors import InvalidSetting
from models.plain_values import quoted
from models.plain_yaml import load_plain_yaml
from training.setting import Setting, setting_of

LARGEST_TEXT_BYTES = 64 * 1024
KIND_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def read_yaml(text: str, origin: str) -> Any:
    """Mappings, lists, texts, numbers and truth values of a YAML text.

    Args:
        text: at most 64 kB.
        origin: names the text in messages.

    Raises:
        InvalidSetting: too long, no YAML, nested too deeply, or with anchors or a key twice.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > LARGEST_TEXT_BYTES:
        raise InvalidSetting(
            f"{origin} is {size:,} bytes long. A configuration has at most {LARGEST_TEXT_BYTES:,}. "
            "Start from one in training/configs."
        )
    try:
        return load_plain_yaml(text)
    except ValueError as error:
        raise InvalidSetting(
            f"{origin} is no valid YAML: {str(error)[:600]}. Keys and values as in training/configs are allowed. "
            "Correct the line named and try again."
        ) from None


def nearest(key: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown key."""
    known = list(known)
    close = difflib.get_close_matches(key[:100], known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known here are {', '.join(known)}"


def build(kind: type, values: Any, where: str, problems: list[str]) -> Any:
    """Make one dataclass from a mapping; append what is wrong to `problems` and return None.

    Args:
        kind: the dataclass.
        values: what YAML gave.
        where: path of the values, ending in a dot, or "".
        problems: filled.
    """
    if not isinstance(values, Mapping):
        problems.append(f"{where.rstrip('.') or 'the top level'}: a mapping is needed, not {_short(values)}")
        return None
    hints = typing.get_type_hints(kind)
    known = {item.name: item for item in dataclasses.fields(kind)}
    before = len(problems)
    for key in values:
        if key not in known:
            problems.append(f"{where}{_short(key).strip(chr(39))}: unknown key; {nearest(str(key), known)}")
    arguments = {}
    for name, item in known.items():
        has_default = not (
            item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        )
        if name in values:
            found = len(problems)
            arguments[name] = _convert(hints[name], values[name], f"{where}{name}", problems)
            if len(problems) == found and (problem := _range_problem(arguments[name], setting_of(item))):
                problems.append(f"{where}{name}: {problem}")
        elif not has_default:
            problems.append(f"{where}{name}: missing; {setting_of(item).description}")
    if len(problems) > before:
        return None
    try:
        return kind(**arguments)
    except (InvalidSetting, ValueError, TypeError) as error:
        problems.append(f"{where.rstrip('.') or 'configuration'}: {error}")
        return None


def _range_problem(value: Any, said: Setting) -> str:
    """What is wrong with a value of the right type, or ""."""
    if said.allows(value):
        return ""
    shown = _short(list(value) if isinstance(value, tuple) else value)
    sentence = f"{shown} is not allowed; allowed: {said.allowed}"
    return f"{sentence}; {nearest(value, said.known_choices)}" if said.known_choices else sentence


def _convert(hint: Any, value: Any, where: str, problems: list[str]) -> Any:
    """The value as the type of its field, or a problem."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return build(hint, value, where + ".", problems)
    if type(None) in parts:
        return None if value is None else _convert(parts[0], value, where, problems)
    if origin is tuple:
        return _convert_list(parts, value, where, problems)
    if origin is dict:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            problems.append(f"{where}: a mapping is needed, not {_short(value)}")
        return value
    if hint is float and isinstance(value, str):  # YAML 1.1 reads 1e-3 as text
        with contextlib.suppress(ValueError):
            value = float(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            value = float(value)
    wrong = not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool)
    if wrong or (isinstance(value, float) and not math.isfinite(value)):
        problems.append(f"{where}: {KIND_WORDS[hint]} is needed, not {_short(value)}")
    return value


def _convert_list(parts: tuple, value: Any, where: str, problems: list[str]) -> tuple:
    if not isinstance(value, list | tuple):
        problems.append(f"{where}: a list is needed, not {_short(value)}")
        return ()
    kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else parts
    if len(kinds) != len(value):
        problems.append(f"{where}: {len(kinds)} values are needed, not {_short(value)}")
        return ()
    return tuple(_convert(part, item, where, problems) for part, item in zip(kinds, value, strict=True))


def _short(value: Any) -> str:
    return quoted(value, 80)

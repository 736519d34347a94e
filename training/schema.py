"""The settings of a configuration as a flat list, for drawing a form or printing a reference.

python -m training.schema prints the reference.
"""

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any

from training.config import TrainConfig
from training.setting import Setting, setting_of

KINDS = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "mapping",
    (tuple, str): "texts",
    (tuple, int): "integers",
    (tuple, float): "numbers",
}
"""ConfigField.kind by type; lists of lists are "rows", texts with choices "choice"."""


@dataclass(frozen=True)
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
        pattern: regular expression that a whole text must match, or "".
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
    pattern: str
    allowed: str

    @property
    def group(self) -> str:
        """The part of the path before the last dot, such as "optimizer"; "" at the top."""
        return self.path.rpartition(".")[0]


def fields(config_type: type = TrainConfig, prefix: str = "") -> list[ConfigField]:
    """All settings below a configuration class, in the order of their definition.

    Args:
        config_type: a dataclass whose fields describe themselves; see training.setting.
        prefix: of every path.
    """
    found = []
    hints = typing.get_type_hints(config_type)
    for item in dataclasses.fields(config_type):
        hint, path = hints[item.name], prefix + item.name
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            found += fields(hint, path + ".")
        else:
            found.append(_field(item, hint, path, setting_of(item)))
    return found


def _field(item: dataclasses.Field, hint: Any, path: str, said: Setting) -> ConfigField:
    parts = typing.get_args(hint)
    optional = type(None) in parts
    if item.default_factory is not dataclasses.MISSING:
        default = item.default_factory()
    else:
        default = None if item.default is dataclasses.MISSING else item.default
    return ConfigField(
        path=path,
        kind="choice" if said.known_choices else _kind(parts[0] if optional else hint),
        description=said.description,
        default=_as_lists(default),
        required=item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING,
        optional=optional,
        unit=said.unit,
        choices=said.known_choices,
        lowest=said.lowest,
        highest=said.highest,
        above=said.above,
        below=said.below,
        multiple_of=said.multiple_of,
        pattern=said.pattern,
        allowed=said.allowed,
    )


def _kind(hint: Any) -> str:
    origin = typing.get_origin(hint) or hint
    if origin is not tuple:
        return KINDS[origin]
    entry = typing.get_args(hint)[0]
    return KINDS.get((tuple, entry), "rows")


def _as_lists(value: Any) -> Any:
    return [_as_lists(each) for each in value] if isinstance(value, tuple) else value


def reference() -> str:
    """Every setting with its kind, range, default and meaning, as text."""
    lines = []
    for each in fields():
        facts = [each.kind, each.allowed, each.unit, "null: none" if each.optional else ""]
        facts.append("required" if each.required else f"default {each.default!r}")
        lines += [each.path, f"    {each.description}", f"    {'; '.join(filter(None, facts))}"]
    return "\n".join(lines)


if __name__ == "__main__":
    print(reference())

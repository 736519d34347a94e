"""Settings that describe themselves: what a field of a configuration means, its unit and its range, said once.

The range check, the form in the studio and the reference in the documents are all made from what stands here.
"""

import copy
import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SETTING = "setting"
"""Key of a Setting in the metadata of a dataclass field."""


@dataclass(frozen=True)
class Setting:
    """What is said of one field.

    Attributes:
        description: what it is, without the unit and the range.
        unit: of its value, or "".
        lowest, highest: what is allowed, both included; None where there is no limit. Of a list, each entry.
        above, below: like them, but excluded.
        multiple_of: what the value must be a multiple of, or None.
        choices: the allowed texts, or a function that lists them; empty where any is allowed.
        pattern: regular expression that a whole text must match, or "".
        pattern_in_words: what the pattern allows.
    """

    description: str
    unit: str = ""
    lowest: float | None = None
    highest: float | None = None
    above: float | None = None
    below: float | None = None
    multiple_of: int | None = None
    choices: tuple[str, ...] | Callable[[], tuple[str, ...]] = ()
    pattern: str = ""
    pattern_in_words: str = ""

    @property
    def known_choices(self) -> tuple[str, ...]:
        """The allowed texts; empty where any is allowed."""
        return tuple(self.choices() if callable(self.choices) else self.choices)

    @property
    def allowed(self) -> str:
        """What is allowed, in words; "" where the type says all."""
        if self.known_choices:
            return " or ".join(self.known_choices)
        if self.pattern:
            return self.pattern_in_words
        parts = []
        if self.lowest is not None and self.highest is not None:
            parts.append(f"{self.lowest:,} to {self.highest:,}")
        elif self.lowest is not None:
            parts.append(f"{self.lowest:,} or more")
        if self.above is not None:
            parts.append(f"above {self.above:,}")
        if self.below is not None:
            parts.append(f"below {self.below:,}")
        if self.highest is not None and self.lowest is None:
            parts.append(f"at most {self.highest:,}")
        if self.multiple_of is not None:
            parts.append(f"multiples of {self.multiple_of}")
        return ", ".join(parts)

    def allows(self, value: Any) -> bool:
        """Whether a value of the right type, or every entry of a list, lies in the range; None always does."""
        if value is None:
            return True
        if isinstance(value, tuple):
            return all(self.allows(each) for each in value)
        if isinstance(value, str):
            fits = not self.pattern or re.fullmatch(self.pattern, value) is not None
            return fits and (not self.known_choices or value in self.known_choices)
        return (
            (self.lowest is None or value >= self.lowest)
            and (self.highest is None or value <= self.highest)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and (self.multiple_of is None or value % self.multiple_of == 0)
        )


def setting(default: Any, description: str, **limits: Any) -> Any:
    """A field of a dataclass with a default and what is said of it; `limits` are Setting's other attributes."""
    metadata = {SETTING: Setting(description, **limits)}
    if isinstance(default, dict | list):
        return dataclasses.field(default_factory=lambda: copy.copy(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def required(description: str, **limits: Any) -> Any:
    """Like setting(), for a field that has no default."""
    return dataclasses.field(metadata={SETTING: Setting(description, **limits)})


def setting_of(item: dataclasses.Field) -> Setting:
    """What is said of a dataclass field.

    Classes below training describe theirs with plain metadata of the same names (`description`, `lowest`, ...).
    """
    if SETTING in item.metadata:
        return item.metadata[SETTING]
    return Setting(**{"description": "", **item.metadata})

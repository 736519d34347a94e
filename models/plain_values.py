"""Values out of files that anybody may have written: which numbers are taken for numbers, and how values are quoted."""

import reprlib
from collections.abc import Mapping
from typing import Any, TypeGuard

LARGEST_NUMBER = 1e15
"""No fact of a model or a training is larger; whole numbers of any length can be written in YAML and JSON."""


def is_number(value: Any) -> TypeGuard[float]:
    """True for whole and other numbers that are finite and not absurdly large; truth values are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER


def quoted(value: Any, longest: int = 40) -> str:
    """A value as it may stand in a sentence, however long it is, deep, or wound up in itself.

    Args:
        value: anything that YAML or JSON can give.
        longest: characters, about; longer values are cut.
    """
    shortener = reprlib.Repr()
    shortener.maxstring = shortener.maxother = longest
    shortener.maxlong = 24
    try:
        words = shortener.repr(value)
    except ValueError:  # whole numbers of thousands of digits have no decimal form
        return "a number of thousands of digits"
    return words if len(words) <= 4 * longest else words[: 4 * longest - 3] + "..."


def without_tuples(value: Any) -> Any:
    """The same with lists for tuples, which YAML does not have."""
    if isinstance(value, Mapping):
        return {key: without_tuples(item) for key, item in value.items()}
    return [without_tuples(item) for item in value] if isinstance(value, list | tuple) else value

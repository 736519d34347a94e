"""A value made from files, kept until one of them changes: asking whether they have is far quicker."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from time import time_ns
from typing import Generic, NamedTuple, TypeVar

Value = TypeVar("Value")

FRESH_NS = 100_000_000
"""A file may change twice within one tick of its file system's clock, so a younger change is not relied on."""


class _Mark(NamedTuple):
    """Which file it is, its size, when it was written last, and when anything about it changed last."""

    number: int
    size: int
    written_ns: int
    changed_ns: int


class FileCache(Generic[Value]):
    """Reads when first called, and again after a change; safe to call from several threads."""

    def __init__(self, read: Callable[[], tuple[Value, Iterable[Path]]]) -> None:
        """Read nothing yet.

        Args:
            read: returns the value, and all files and folders that it depends on, missing ones among them.
        """
        self._read = read
        self._known: tuple[Value, tuple[str, ...], tuple[_Mark | None, ...]] | None = None

    def __call__(self) -> Value:
        """The value of the files as they are now."""
        known = self._known
        if known is not None and _marks(known[1]) == known[2]:
            return known[0]
        began = time_ns()
        value, paths = self._read()
        names = tuple(map(str, paths))
        marks = _marks(names)
        settled = all(mark is None or mark.changed_ns < began - FRESH_NS for mark in marks)
        self._known = (value, names, marks) if settled else None
        return value


def _marks(names: Iterable[str]) -> tuple[_Mark | None, ...]:
    return tuple(map(_mark, names))


def _mark(name: str) -> _Mark | None:
    """Of a file or folder; None where there is none."""
    try:
        facts = os.stat(name)
    except OSError:
        return None
    return _Mark(facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)

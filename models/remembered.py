"""What a look at some files has found, until one of them changes: asking whether they have is far quicker."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from time import time_ns
from typing import Generic, NamedTuple, TypeVar

Found = TypeVar("Found")

FRESH_NS = 100_000_000
"""A file may change twice within one tick of its file system's clock, so a younger change is not relied on."""


class _Mark(NamedTuple):
    """Which file it is, its size, when it was written last, and when anything about it changed last."""

    number: int
    size: int
    written_ns: int
    changed_ns: int


class Remembered(Generic[Found]):
    """Looks when first asked, and again after a change; safe to call from several threads."""

    def __init__(self, look: Callable[[], tuple[Found, Iterable[Path]]]) -> None:
        """Look at nothing yet.

        Args:
            look: returns what it found, and all files and folders that this depends on, missing ones among them.
        """
        self._look = look
        self._known: tuple[Found, tuple[str, ...], tuple[_Mark | None, ...]] | None = None

    def __call__(self) -> Found:
        """What a look finds now."""
        known = self._known
        if known is not None and _marks(known[1]) == known[2]:
            return known[0]
        began = time_ns()
        found, paths = self._look()
        names = tuple(map(str, paths))
        marks = _marks(names)
        settled = all(mark is None or mark.changed_ns < began - FRESH_NS for mark in marks)
        self._known = (found, names, marks) if settled else None
        return found


def _marks(names: Iterable[str]) -> tuple[_Mark | None, ...]:
    return tuple(map(_mark, names))


def _mark(name: str) -> _Mark | None:
    """Of a file or folder; None where there is none."""
    try:
        found = os.stat(name)
    except OSError:
        return None
    return _Mark(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

"""What a trainer prints: kept in a file that cannot grow, and read back as clean lines."""

import contextlib
import os
import re
from pathlib import Path
from types import TracebackType

from models.files import write_atomically

KEPT_BYTES = 256 * 1024
"""The file is cut back to this once it is twice as long."""

SHOWN_LINES = 200
SHOWN_BYTES = 64 * 1024
LONGEST_LINE = 400

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
UNPRINTABLE = re.compile(r"[^\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffc\U00010000-\U0010ffff]")


class BoundedLog:
    """A file that keeps the last of what is written to it; what a full disk refuses is lost."""

    def __init__(self, path: Path, kept_bytes: int = KEPT_BYTES) -> None:
        self._path, self._kept = path, kept_bytes
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - closed in __exit__
        self._size = self._file.tell()

    def write(self, data: bytes) -> None:
        """Append; at most 64 kB at a time."""
        with contextlib.suppress(OSError):
            self._size += self._file.write(data)
        if self._size > 2 * self._kept:
            with contextlib.suppress(OSError):
                self._cut()

    def _cut(self) -> None:
        """Readers see the whole old file or the whole new one."""
        rest = _last_bytes(self._path, self._kept)
        self._file.close()  # first: Windows replaces no open file
        try:
            write_atomically(self._path, lambda unfinished: unfinished.write_bytes(rest), lasting=False)
        finally:
            self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115
            self._size = self._file.tell()

    def __enter__(self) -> "BoundedLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def log_lines(path: Path, count: int = SHOWN_LINES) -> list[str]:
    """The last lines of a log, without colours, control characters and progress bars that were drawn over.

    Args:
        path: the file; it may be missing.
        count: how many lines at most.
    """
    try:
        text = _last_bytes(path, SHOWN_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    text = ESCAPES.sub("", text).replace("\r\n", "\n")
    lines = [_clean(line) for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines[-count:]


def _clean(line: str) -> str:
    """What a terminal would show of a line in the end."""
    drawn = [part for part in line.split("\r") if part.strip()]
    shown = UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", drawn[-1]).rstrip() if drawn else ""
    return shown if len(shown) <= LONGEST_LINE else shown[:LONGEST_LINE] + " …"


def _last_bytes(path: Path, count: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - count))
        return file.read(count)

"""TrainEvent and EventFile: what happened in a run, one JSON object per line."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.files import write_text_atomically
from models.operating_system import flush


@dataclass(frozen=True)
class TrainEvent:
    """One line of events.jsonl.

    Attributes:
        step: steps finished when it was written.
        kind: "start", "train", "validation", "preview", "saved", "error" or "end".
        values: numbers and short texts; see training.journal.
        time: seconds since the epoch.
    """

    step: int
    kind: str
    values: dict[str, Any] = field(default_factory=dict)
    time: float = 0.0


class EventFile:
    """Appended to by one process, read by any; steps never go back in it."""

    def __init__(self, path: Path) -> None:
        """The file may be missing."""
        self.path = path

    def write(self, step: int, kind: str, values: dict[str, Any]) -> TrainEvent:
        """Append an event: the whole line, or, where the disk is full, nothing."""
        event = TrainEvent(step, kind, values, round(time.time(), 3))
        line = (json.dumps(event.__dict__) + "\n").encode()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)  # Windows alone has texts
        handle = os.open(self.path, flags, 0o666)
        try:
            before = os.fstat(handle).st_size
            try:
                written = os.write(handle, line)
                if written < len(line):
                    os.write(handle, line[written:])  # raises, and says why the rest does not fit
            except OSError as error:
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, before)
                error.filename = error.filename or str(self.path)
                raise
        finally:
            os.close(handle)
        return event

    def read(self) -> Iterator[TrainEvent]:
        """All events so far; a line cut off by a crash is passed over."""
        if not self.path.exists():
            return
        with open(self.path, encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    yield TrainEvent(**json.loads(line))
                except (ValueError, TypeError):
                    continue

    def forget_after(self, step: int) -> None:
        """Drop events beyond a step, which the resumed run writes anew, and lines that were cut off."""
        kept = [json.dumps(event.__dict__) + "\n" for event in self.read() if event.step <= step]
        if self.path.exists():
            write_text_atomically(self.path, "".join(kept))

    def flush(self) -> None:
        """Have the disk keep what was written."""
        with contextlib.suppress(FileNotFoundError):
            flush(self.path)

"""What happened in a run: events, one JSON object per line of a file; who appends them, who follows them."""

import contextlib
import json
import math
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from models.files import write_text_atomically
from models.operating_system import flush
from models.plain_values import is_number

MAX_LINE_BYTES = 256 * 1024
MAX_EVENTS_BYTES = 2**30
"""What lies behind this is not read."""

CHUNK_BYTES = 4 * 2**20


@dataclass(frozen=True)
class TrainEvent:
    """One line of events.jsonl.

    Attributes:
        step: steps finished when it was written.
        kind: "activity", "start", "train", "validation", "preview", "saved", "error" or "end".
        values: numbers and short texts; see training.journal.
        time: seconds since the epoch.
    """

    step: int
    kind: str
    values: dict[str, Any] = field(default_factory=dict)
    time: float = 0.0

    @classmethod
    def read(cls, line: bytes) -> "TrainEvent | None":
        """From a line that anybody may have written; None where it is no event."""
        try:
            entries = json.loads(line)
            step, kind, values, when = (entries[name] for name in ("step", "kind", "values", "time"))
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        if not (is_number(step) and is_number(when) and isinstance(values, dict)) or type(step) is not int:
            return None
        return cls(step, str(kind), values, when)

    def line(self) -> str:
        """As JSON, with a line feed."""
        return json.dumps(asdict(self)) + "\n"


@dataclass
class History:
    """What the events so far say of how a run stands.

    Attributes:
        version: grows with every event.
        step, time: of the latest event; time in seconds since the epoch.
        started: time of the latest start.
        activity: what a trainer does that has not done a step yet, in words; "" once it has.
        activity_began: when it began to do that, in seconds since the epoch.
        kind: of the latest event that says how the run stands: "start", "error", "end" or "".
        finished: whether its end was that of its budget.
        ended_by: the budget that was used up; "" where that is not known.
        sentence: of the latest error.
        minutes: of training so far.
        first_db: the score before training; None where it is not known.
        nothing_db: the score of doing nothing, likewise.
        best_step, best_db: of the best validation; minus infinity before the first.
    """

    version: int = 0
    step: int = 0
    time: float = 0.0
    started: float = 0.0
    activity: str = ""
    activity_began: float = 0.0
    kind: str = ""
    finished: bool = False
    ended_by: str = ""
    sentence: str = ""
    minutes: float = 0.0
    first_db: float | None = None
    nothing_db: float | None = None
    best_step: int = 0
    best_db: float = -math.inf

    @classmethod
    def of(cls, events: Iterable[TrainEvent]) -> Self:
        """What all of these events say."""
        history = cls()
        for event in events:
            history.take(event)
        return history

    def take(self, event: TrainEvent) -> None:
        """Take the next event."""
        values = event.values
        self.version, self.step, self.time = self.version + 1, event.step, float(event.time)
        if event.kind == "activity":
            self._take_activity(values)
        elif event.kind in ("start", "error", "end"):
            self.kind = event.kind
        if event.kind in ("train", "validation", "error", "end"):
            self.activity = ""
        if event.kind in ("train", "end") and is_number(values.get("minutes")):
            self.minutes = float(values["minutes"])
        if event.kind == "start":
            self.started, self.activity = self.time, ""
            self.finished, self.ended_by, self.sentence = False, "", ""
            self._take_scores(values)
            self.first_db = _number(values, "score_db", None) if self.first_db is None else self.first_db
        elif event.kind == "validation":
            self._take_scores(values)
            score = _number(values, "score_db", None)
            if score is not None and score > self.best_db:
                self.best_step, self.best_db = event.step, score
        elif event.kind == "error":
            self.sentence = str(values.get("sentence", ""))[:2000]
        elif event.kind == "end":
            self.finished, self.ended_by = (
                values.get("finished") is True,
                str(values.get("ended_by", ""))[:20],
            )

    def _take_activity(self, values: dict[str, Any]) -> None:
        """A trainer is at work again: what an earlier one said last does not count any more."""
        self.kind, self.finished, self.ended_by, self.sentence = "start", False, "", ""
        before, self.activity = self.activity, activity_words(values)
        if self.activity.split(" ")[0] != before.split(" ")[0]:
            self.activity_began = self.time

    def _take_scores(self, values: dict[str, Any]) -> None:
        """Runs of earlier versions tell what doing nothing gives case by case."""
        cases = [
            float(value)
            for name, value in values.items()
            if name.endswith("_input_db") and name != "score_input_db" and is_number(value)
        ]
        mean = sum(cases) / len(cases) if cases else self.nothing_db
        self.nothing_db = _number(values, "score_input_db", mean)


def activity_words(values: dict[str, Any]) -> str:
    """What an "activity" event says, for people; "" once a step is done.

    Args:
        values: doing, which is "load", "measure", "first_step" or "training"; done and of, which count photographs.
    """
    done, of = (round(value) if is_number(value := values.get(name)) else 0 for name in ("done", "of"))
    if values.get("doing") == "load":
        return f"Loading {of:,} photograph{'s' * (of != 1)}"
    if values.get("doing") == "measure":
        return f"Measuring {done:,} of {of:,}"
    return "First step" if values.get("doing") == "first_step" else ""


def _number(values: dict[str, Any], name: str, otherwise: float | None) -> float | None:
    return float(values[name]) if is_number(values.get(name)) else otherwise


class EventReader:
    """Follows a file of events in bounded memory; lines that are no events, or cut off by a crash, are passed over."""

    def __init__(self, path: Path) -> None:
        """The file may be missing; `offset` is how many bytes of it have been read."""
        self._path = path
        self._inode = self.offset = 0

    def begins_anew(self) -> bool:
        """Whether the file is another one than was read before, or gone; it is read from its beginning then."""
        try:
            facts = self._path.stat()
        except OSError:
            facts = None
        if facts is not None and facts.st_ino == self._inode and facts.st_size >= self.offset:
            return False
        self._inode, self.offset = facts.st_ino if facts else 0, 0
        return True

    def read(self) -> Iterator[TrainEvent]:
        """What was written since the last call; half a line waits for its rest."""
        rest = b""
        with contextlib.suppress(FileNotFoundError), open(self._path, "rb") as file:
            file.seek(self.offset)
            while self.offset < MAX_EVENTS_BYTES and (data := file.read(CHUNK_BYTES)):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    event = TrainEvent.read(line) if len(line) <= MAX_LINE_BYTES else None
                    if event is not None:
                        yield event
                if len(rest) > MAX_LINE_BYTES:
                    rest = rest[: MAX_LINE_BYTES + 1]
                self.offset = file.tell()
            self.offset -= len(rest)


class EventFile:
    """Appended to by one process; steps never go back in it."""

    def __init__(self, path: Path) -> None:
        """The file may be missing."""
        self.path = path

    def write(self, step: int, kind: str, values: dict[str, Any]) -> TrainEvent:
        """Append an event: the whole line, or, where the disk is full, nothing."""
        event = TrainEvent(step, kind, values, round(time.time(), 3))
        line = event.line().encode()
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
        return EventReader(self.path).read()

    def forget_after(self, step: int) -> None:
        """Drop events beyond a step, which the resumed run writes anew, and lines that were cut off."""
        kept = [event.line() for event in self.read() if event.step <= step]
        if self.path.exists():
            write_text_atomically(self.path, "".join(kept))

    def flush(self) -> None:
        """Have the disk keep what was written."""
        with contextlib.suppress(FileNotFoundError):
            flush(self.path)

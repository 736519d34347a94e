"""RunRecord: what a training run has told so far, read from its events as they come, in memory that stays the same."""

import json
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from models.plain_values import is_number

CAPACITY = 500
"""A curve that reaches so many points is averaged in pairs; even."""

LONGEST_LINE_BYTES = 256 * 1024
CHUNK_BYTES = 4 * 2**20
KEPT_RECORDS = 64
MOST_NUMBERS, MOST_PICTURES, MOST_PREVIEWS = 100, 100, 5000
"""Of one event, of a run, and of one of its pictures; no trainer of ours tells more."""

LARGEST_EVENTS_BYTES = 2**30
"""What lies behind this is not read."""


class Curve:
    """Named numbers by step: fewer than CAPACITY points, each the mean of equally many reports."""

    def __init__(self) -> None:
        self.points: list[tuple[float, dict[str, float]]] = []
        self._stride = 1
        self._waiting: list[tuple[float, dict[str, float]]] = []

    def add(self, step: float, values: dict[str, float]) -> None:
        """Take one report."""
        self._waiting.append((step, values))
        if len(self._waiting) < self._stride:
            return
        self.points.append(_mean(self._waiting))
        self._waiting = []
        if len(self.points) == CAPACITY:
            self.points = [_mean(self.points[i : i + 2]) for i in range(0, CAPACITY, 2)]
            self._stride *= 2

    def forget_after(self, step: float) -> None:
        """A run went on from an earlier step: what came after it never happened."""
        self.points = [point for point in self.points if point[0] <= step]
        self._waiting = [point for point in self._waiting if point[0] <= step]

    def series(self, name: str) -> tuple[list[float], list[float]]:
        """Steps, and the values of one name at them."""
        found = [(step, values[name]) for step, values in self.points if name in values]
        return [step for step, _ in found], [value for _, value in found]


def _mean(points: list[tuple[float, dict[str, float]]]) -> tuple[float, dict[str, float]]:
    """One point for several: the last one's step, and the mean of every number."""
    names = dict.fromkeys(name for _, values in points for name in values)
    means = {}
    for name in names:
        known = [values[name] for _, values in points if name in values]
        means[name] = sum(known) / len(known)
    return points[-1][0], means


@dataclass(frozen=True)
class Preview:
    """One restored validation picture.

    Attributes:
        step: steps finished when it was restored.
        file: below the run's folder.
        psnr_db, input_db: of it and of the degraded picture, in dB.
    """

    step: int
    file: str
    psnr_db: float
    input_db: float


@dataclass
class RunRecord:
    """Everything the page shows of one run, but for its processes and its log.

    Attributes:
        version: grows with every event.
        step, time: of the latest event; time in seconds since the epoch.
        began: time of the first event; None before it.
        started: time of the latest start.
        kind: of the latest event that says how the run stands: "start", "error", "end" or "".
        finished: whether its end was that of its budget.
        sentence: of the latest error.
        latest: the newest training report.
        training, validation: curves.
        best_step, best_db: of the best validation.
        validated: the newest validation's numbers.
        previews: by name of the picture, in order of steps.
    """

    version: int = 0
    step: int = 0
    time: float = 0.0
    began: float | None = None
    started: float = 0.0
    kind: str = ""
    finished: bool = False
    sentence: str = ""
    latest: dict[str, Any] = field(default_factory=dict)
    training: Curve = field(default_factory=Curve)
    validation: Curve = field(default_factory=Curve)
    best_step: int = 0
    best_db: float = -math.inf
    validated: dict[str, float] = field(default_factory=dict)
    previews: dict[str, list[Preview]] = field(default_factory=dict)

    def take(self, line: bytes) -> None:
        """One line of events.jsonl; what is no event is passed over."""
        try:
            event = json.loads(line)
            step, kind, values, time = event["step"], event["kind"], event["values"], event["time"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if not (is_number(step) and is_number(time) and isinstance(values, dict)) or type(step) is not int:
            return
        handler = getattr(self, f"_take_{kind}", None) if kind in KINDS else None
        self.version, self.step, self.time = self.version + 1, step, float(time)
        self.began = self.time if self.began is None else self.began
        if handler is not None:
            handler(step, values)

    def _take_start(self, step: int, values: dict[str, Any]) -> None:
        self.kind, self.started, self.finished, self.sentence = "start", self.time, False, ""
        for curve in (self.training, self.validation):
            curve.forget_after(step)
        for name, shown in self.previews.items():
            self.previews[name] = [one for one in shown if one.step <= step]
        known = {name: value for name, value in _numbers(values).items() if name.startswith("score_")}
        if known and not self.validation.points:
            self.validation.add(step, known)

    def _take_train(self, step: int, values: dict[str, Any]) -> None:
        told = ((name, value) for name, value in values.items() if is_number(value) or not _is_numeric(value))
        self.latest = dict(islice(told, MOST_NUMBERS))
        self.training.add(step, _numbers(values))

    def _take_validation(self, step: int, values: dict[str, Any]) -> None:
        self.validated = _numbers(values)
        self.validation.add(step, self.validated)
        score = self.validated.get("score_db", -math.inf)
        if score > self.best_db:
            self.best_step, self.best_db = step, score

    def _take_preview(self, step: int, values: dict[str, Any]) -> None:
        name, file = values.get("name"), values.get("file")
        if isinstance(name, str) and isinstance(file, str):
            before = self.previews.get(name)
            if len(self.previews) >= MOST_PICTURES if before is None else len(before) >= MOST_PREVIEWS:
                return
            numbers = _numbers(values)
            shown = [one for one in self.previews.get(name, []) if one.step < step]
            preview = Preview(step, file, numbers.get("psnr_db", math.nan), numbers.get("input_db", math.nan))
            self.previews[name] = [*shown, preview]

    def _take_error(self, step: int, values: dict[str, Any]) -> None:
        self.kind, self.sentence = "error", str(values.get("sentence", ""))[:2000]

    def _take_end(self, step: int, values: dict[str, Any]) -> None:
        self.kind, self.finished = "end", values.get("finished") is True


KINDS = ("start", "train", "validation", "preview", "error", "end")


class _Reader:
    """Follows one file of events."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self.record, self._offset, self._inode, self._rest = RunRecord(), 0, 0, b""

    def read(self) -> RunRecord:
        """The record with everything that was written since the last call."""
        with self._lock:
            try:
                facts = self._path.stat()
            except OSError:
                self._forget()
                return self.record
            if facts.st_ino != self._inode or facts.st_size < self._offset:
                self._forget()
                self._inode = facts.st_ino
            if facts.st_size > self._offset:
                self._read_on()
            return self.record

    def _read_on(self) -> None:
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            while self._offset < LARGEST_EVENTS_BYTES and (data := file.read(CHUNK_BYTES)):
                self._offset += len(data)
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    if len(line) <= LONGEST_LINE_BYTES:
                        self.record.take(line)
                if len(self._rest) > LONGEST_LINE_BYTES:
                    self._rest = self._rest[: LONGEST_LINE_BYTES + 1]


class RunBook:
    """The records of many runs, read on from where they were left; shared by all visitors."""

    def __init__(self) -> None:
        self._readers: OrderedDict[Path, _Reader] = OrderedDict()
        self._lock = threading.Lock()

    def record(self, folder: Path) -> RunRecord:
        """What the run in a folder has told until now."""
        path = folder / "events.jsonl"
        with self._lock:
            reader = self._readers.setdefault(path, _Reader(path))
            self._readers.move_to_end(path)
            while len(self._readers) > KEPT_RECORDS:
                self._readers.popitem(last=False)
        return reader.read()


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    found = ((name, float(value)) for name, value in values.items() if is_number(value))
    return dict(islice(found, MOST_NUMBERS))


def _is_numeric(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

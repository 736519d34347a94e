"""RunRecord: what a training run has told so far, read from its events as they come, in memory that stays the same."""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from models.plain_values import is_number
from training.events import EventReader, History, TrainEvent
from training.run import RunFolder

CAPACITY = 500
"""A curve that reaches so many points is averaged in pairs; even."""

KEPT_RECORDS = 64
MOST_NUMBERS, MOST_PICTURES, MOST_PREVIEWS = 100, 100, 5000
"""Of one event, of a run, and of one of its pictures; no trainer of ours tells more."""


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
class RunRecord(History):
    """Everything the page shows of one run, but for its processes and its log.

    Attributes:
        began: time of the first event; None before it.
        latest: the newest training report.
        training, validation: curves.
        validated: the newest validation's numbers.
        previews: by name of the picture, in order of steps.
    """

    began: float | None = None
    latest: dict[str, Any] = field(default_factory=dict)
    training: Curve = field(default_factory=Curve)
    validation: Curve = field(default_factory=Curve)
    validated: dict[str, float] = field(default_factory=dict)
    previews: dict[str, list[Preview]] = field(default_factory=dict)

    def take(self, event: TrainEvent) -> None:
        """Take the next event."""
        super().take(event)
        self.began = self.time if self.began is None else self.began
        takers = {
            "start": self._take_start,
            "train": self._take_train,
            "validation": self._take_validation,
            "preview": self._take_preview,
        }
        if event.kind in takers:
            takers[event.kind](event.step, event.values)

    def _take_start(self, step: int, values: dict[str, Any]) -> None:
        for curve in (self.training, self.validation):
            curve.forget_after(step)
        for name, shown in self.previews.items():
            self.previews[name] = [preview for preview in shown if preview.step <= step]
        for name in ("progress", "seconds_left"):  # the budget may have become another one
            self.latest.pop(name, None)
        known = {name: value for name, value in _numbers(values).items() if name.startswith("score_")}
        if known and not self.validation.points:
            self.validation.add(step, known)

    def _take_train(self, step: int, values: dict[str, Any]) -> None:
        sound = (
            (name, value) for name, value in values.items() if is_number(value) or not _is_numeric(value)
        )
        self.latest = dict(islice(sound, MOST_NUMBERS))
        self.training.add(step, _numbers(values))

    def _take_validation(self, step: int, values: dict[str, Any]) -> None:
        self.validated = _numbers(values)
        self.validation.add(step, self.validated)

    def _take_preview(self, step: int, values: dict[str, Any]) -> None:
        name, file = values.get("name"), values.get("file")
        if isinstance(name, str) and isinstance(file, str):
            before = self.previews.get(name)
            if len(self.previews) >= MOST_PICTURES if before is None else len(before) >= MOST_PREVIEWS:
                return
            numbers = _numbers(values)
            shown = [preview for preview in before or [] if preview.step < step]
            preview = Preview(step, file, numbers.get("psnr_db", math.nan), numbers.get("input_db", math.nan))
            self.previews[name] = [*shown, preview]


class _Follower:
    """The record of one file of events, as far as it was read."""

    def __init__(self, path: Path) -> None:
        self._events, self._record, self._lock = EventReader(path), RunRecord(), threading.Lock()

    def record(self) -> RunRecord:
        """With everything that was written since the last call."""
        with self._lock:
            if self._events.begins_anew():
                self._record = RunRecord()
            for event in self._events.read():
                self._record.take(event)
            return self._record


class RunBook:
    """The records of many runs, read on from where they were left; shared by all visitors."""

    def __init__(self) -> None:
        self._followers: OrderedDict[Path, _Follower] = OrderedDict()
        self._lock = threading.Lock()

    def record(self, folder: Path) -> RunRecord:
        """What the run in a folder has told until now."""
        path = RunFolder(folder).events_path
        with self._lock:
            follower = self._followers.setdefault(path, _Follower(path))
            self._followers.move_to_end(path)
            while len(self._followers) > KEPT_RECORDS:
                self._followers.popitem(last=False)
        return follower.record()


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    found = ((name, float(value)) for name, value in values.items() if is_number(value))
    return dict(islice(found, MOST_NUMBERS))


def _is_numeric(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

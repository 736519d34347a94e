"""What one visitor has swept: the latest sweep of each kind, with its points so far. Frozen; handlers replace it."""

from dataclasses import dataclass, field, replace
from threading import Event
from typing import Literal

from studio.session.crop import SweptPicture
from studio.sweep.sweeper import Sweep, SweepFailure, SweepPoint


@dataclass(frozen=True, eq=False)
class SweepRun:
    """One sweep.

    Attributes:
        picture: what is measured.
        sweep: what was asked for.
        stop: set by whoever wants it to end; checked after every tile. Its own: it tells the run from all others.
        taken: set once it has come to the head of the line; a run that was refused a place in it never does.
        replaced: set once another sweep was started after it.
        points: in the order they came.
        failures: of models that gave up.
        state: "running", "finished" or "stopped".
    """

    picture: SweptPicture
    sweep: Sweep
    stop: Event = field(default_factory=Event)
    taken: Event = field(default_factory=Event)
    replaced: Event = field(default_factory=Event)
    points: tuple[SweepPoint, ...] = ()
    failures: tuple[SweepFailure, ...] = ()
    state: Literal["running", "finished", "stopped"] = "running"

    def with_item(self, item: SweepPoint | SweepFailure) -> "SweepRun":
        """The run and one more outcome."""
        if isinstance(item, SweepPoint):
            return replace(self, points=(*self.points, item))
        return replace(self, failures=(*self.failures, item))

    def measures(self, picture: SweptPicture, sweep: Sweep) -> bool:
        """True where it measured, or is measuring, just that."""
        return self.picture.key == picture.key and self.sweep == sweep

    def is_run(self, other: "SweepRun | None") -> bool:
        """True where the other one is this run, however far it was."""
        return other is not None and other.stop is self.stop


@dataclass(frozen=True, eq=False)
class SweepRecord:
    """Held in one gr.State.

    Attributes:
        runs: the latest of each kind of sweep; the one that was started last stands last.
    """

    runs: tuple[SweepRun, ...] = ()

    def begun(self, run: SweepRun) -> "SweepRecord":
        """The record with a new run in the place of the last one of its kind; the current one is stopped."""
        if self.current is not None:
            self.current.stop.set()
            self.current.replaced.set()
        others = (other for other in self.runs if other.sweep.kind != run.sweep.kind)
        ended = (replace(other, state="stopped") if other.state == "running" else other for other in others)
        return SweepRecord((*ended, run))

    def advanced(self, run: SweepRun) -> "SweepRecord":
        """The record with a run as far as it has come; it keeps its place."""
        return SweepRecord(tuple(run if run.is_run(other) else other for other in self.runs))

    def of(self, kind: str) -> SweepRun | None:
        """The latest run of a kind."""
        return next((run for run in self.runs if run.sweep.kind == kind), None)

    @property
    def current(self) -> SweepRun | None:
        """The run that was started last."""
        return self.runs[-1] if self.runs else None

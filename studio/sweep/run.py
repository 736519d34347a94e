"""What one visitor has swept: the latest sweep of each kind, with its points so far. Frozen; handlers replace it."""

from dataclasses import dataclass, replace
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
        stop: set by whoever wants it to end; checked after every tile.
        points: in the order they came.
        failures: of models that gave up.
        state: "running", "finished" or "stopped".
    """

    picture: SweptPicture
    sweep: Sweep
    stop: Event
    points: tuple[SweepPoint, ...] = ()
    failures: tuple[SweepFailure, ...] = ()
    state: Literal["running", "finished", "stopped"] = "running"

    def with_item(self, item: SweepPoint | SweepFailure) -> "SweepRun":
        """The run and one more outcome."""
        if isinstance(item, SweepPoint):
            return replace(self, points=(*self.points, item))
        return replace(self, failures=(*self.failures, item))

    def is_of(self, picture: SweptPicture, sweep: Sweep) -> bool:
        """True where it measured, or is measuring, just that."""
        return self.picture.key == picture.key and self.sweep == sweep


@dataclass(frozen=True, eq=False)
class SweepRecord:
    """Held in one gr.State.

    Attributes:
        runs: the latest of each kind of sweep; the one that was started last stands last.
    """

    runs: tuple[SweepRun, ...] = ()

    def with_run(self, run: SweepRun) -> "SweepRecord":
        """The record with a run in the place of the last one of its kind."""
        return SweepRecord((*(one for one in self.runs if one.sweep.kind != run.sweep.kind), run))

    def of(self, kind: str) -> SweepRun | None:
        """The latest run of a kind."""
        return next((run for run in self.runs if run.sweep.kind == kind), None)

    @property
    def current(self) -> SweepRun | None:
        """The run that was started last."""
        return self.runs[-1] if self.runs else None

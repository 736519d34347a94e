"""fit(): the training loop, from a configuration to a run folder with validated, averaged weights."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from models.errors import InvalidSetting, RestorationError
from models.memory import keep_freed_buffers
from training.clock import Clock, Throughput
from training.config import TrainConfig
from training.failures import GivenUp, in_words
from training.journal import Journal, OnEvent
from training.learner import Learner
from training.processes import Processes
from training.run import RunFolder

KEPT_BYTES = 2**31 - 1
"""Freed memory that stays with the process between steps."""

MOST_TOLD = 20
"""Events that the first validation tells of its photographs, about."""


def learning_rate(config: TrainConfig, step: int, progress: float) -> float:
    """Linear warm-up by steps, then a cosine by progress."""
    optimizer = config.optimizer
    cosine = 0.5 * (1 + math.cos(math.pi * progress))
    rate = optimizer.final_learning_rate + (optimizer.learning_rate - optimizer.final_learning_rate) * cosine
    return rate * min(1.0, (step + 1) / max(optimizer.warmup_steps, 1))


def fit(
    config: TrainConfig,
    run: RunFolder,
    *,
    data_root: Path,
    resume: bool = False,
    device: str | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    should_leave: Callable[[], bool] = lambda: False,
    on_event: OnEvent = lambda event: None,
) -> bool:
    """Train until a budget of steps, time or operations is used up.

    A run that was killed resumes from its last checkpoint, or begins anew where it had none. On a CPU, with a budget
    of steps or operations, it ends with the very weights that it would have had without the kill.

    Args:
        config: what to do; when resuming, the one the run began with.
        run: where everything is kept; its lock is held meanwhile.
        data_root: the folder that holds the picture folders.
        resume: go on from the run's last checkpoint.
        device: "cpu", "cuda", "cuda:1"; None chooses CUDA, then the CPU.
        should_stop: asked after every step; True saves and returns.
        should_leave: asked between pictures that are loaded, measured or previewed; True gives the rest of them up and
            returns. A validation that was given up comes first when the run goes on.
        on_event: told about every event, in the first process.

    Returns:
        True when the budget was used up, False when stopped before.

    Raises:
        RestorationError: whatever a person can do something about, such as missing pictures, a folder in use, a
            full disk or a loss that is no number. The run's events end with the same sentence.
    """
    if resume and not run.config_path.exists():
        raise InvalidSetting(
            f"There is nothing to resume in {run.folder}. A run that has begun is needed. "
            "Start without --resume, or name another folder with --run."
        )
    processes = Processes(device)
    with run.lock() if processes.first else contextlib.nullcontext():
        if processes.first and not (resume and (run.can_resume() or run.best_path.exists())):
            run.begin(config)
        try:
            sitting = _Sitting(config, run, processes, should_stop, should_leave, on_event)
            return sitting.train(data_root)
        except Exception as error:
            sentence = in_words(error)
            if processes.first:
                _note_failure(run, sentence or error, on_event)
            if sentence is None or sentence is error:
                raise
            raise sentence from error


@dataclass
class Position:
    """How far a run is.

    Attributes:
        step: steps done.
        phase: index into patch_sizes.
        best: best validation score in dB.
        owes_validation: the validation after this step was given up, and comes first when the run goes on.
    """

    step: int = 0
    phase: int = 0
    best: float = -math.inf
    owes_validation: bool = False


class _Sitting:
    """One process at work on a run, from loading photographs to the end of the run or until it is asked to stop."""

    learner: Learner

    def __init__(
        self,
        config: TrainConfig,
        run: RunFolder,
        processes: Processes,
        should_stop: Callable[[], bool],
        should_leave: Callable[[], bool],
        on_event: OnEvent,
    ) -> None:
        """Take what fit() was given."""
        self.config, self.run, self.processes = config, run, processes
        self.should_stop, self.should_leave = should_stop, should_leave
        self.journal = Journal(run, config, on_event, writes=processes.first)
        self.at, self.clock = Position(), Clock.of(config.optimizer)
        self.measured = -1

    def train(self, data_root: Path) -> bool:
        """Everything; see fit()."""
        keep_freed_buffers(KEPT_BYTES)
        begun = self.run.can_resume() or self.run.best_path.exists()
        found = self.run.load_latest() if self.processes.first and begun else (None, "")
        state, warning = self.processes.share(found)
        try:
            self._load(data_root, state)
            self._start(warning, fresh=state is None)
            finished = self._loop()
        except GivenUp:
            finished = False
        ended_by = {"ended_by": self.clock.nearest_budget(self.at.step)} if finished else {}
        minutes = round(self.clock.seconds / 60, 2)
        self.journal.event(self.at.step, "end", finished=finished, minutes=minutes, **ended_by)
        self.journal.close()
        self.processes.leave()
        return finished

    def _load(self, data_root: Path, state: dict[str, Any] | None) -> None:
        """Photographs, networks, and where an earlier sitting left them."""
        if state is not None:
            self._go_back_to(state)
        told = []

        def between(_done: int, of: int) -> bool:
            if of not in told:
                told.append(of)
                self.journal.event(self.at.step, "activity", doing="load", of=of)
            self.journal.beat()
            return (
                self.processes.count == 1 and self.should_leave()
            )  # the others would wait for this one in vain

        self.learner = Learner(
            self.config, data_root, self.processes, resumed=state is not None, between=between
        )
        self.clock.mac_per_pixel = self.learner.mac_per_pixel
        if state is not None:
            self.learner.load_state(state)
        self.journal.prepare_previews(self.learner)

    def _go_back_to(self, state: dict[str, Any]) -> None:
        """Undo of _state(); events of later steps are dropped, because they are going to happen again."""
        for one in fields(Position):
            setattr(self.at, one.name, state.get(one.name, one.default))
        self.clock.earlier_seconds, self.clock.pixels = state["seconds"], _pixels(state, self.run)
        if self.processes.first:
            self.run.forget_events_after(self.at.step)

    def _start(self, warning: str, *, fresh: bool) -> None:
        """Say where the run begins, or goes on."""
        before = {}
        if fresh:
            values = self.learner.validate(self._measuring)
            before = {name: values[name] for name in ("score_db", "score_input_db")}
        warnings = [*filter(None, [warning]), *self.learner.problems]
        self.journal.event(self.at.step, "start", resumed=not fresh, warnings=warnings, **before)
        if fresh:
            self.journal.preview(0, self.should_leave)
        elif self.at.owes_validation:
            self._validate()
        else:
            return
        self.journal.save(self._state())

    def _loop(self) -> bool:
        """Train; returns whether the budget was used up."""
        at, journal, learner, runtime = self.at, self.journal, self.learner, self.config.runtime
        throughput = Throughput(self.clock, at.step, self.processes.device)
        phases, batches, first = len(self.config.data.patch_sizes), None, at.step + 1
        stopped, progress = False, *self.processes.agree(self.clock.progress(at.step))
        if progress < 1:
            journal.event(at.step, "activity", doing="first_step")
        while not stopped and progress < 1:
            phase = max(at.phase, min(int(progress * phases), phases - 1))
            if phase != at.phase or batches is None:
                at.phase, batches = phase, learner.batches(phase, at.step)
            batch = throughput.wait_for(batches)
            rate = learning_rate(self.config, at.step, progress)
            squared = progress >= 1 - self.config.loss.squared_share
            terms = learner.step(batch, rate=rate, step=at.step, squared=squared)
            at.step += 1
            throughput.count(batch, self.processes.count)
            asked, progress = self.processes.agree(self.should_stop(), self.clock.progress(at.step))
            stopped, finished = bool(asked) and progress < 1, progress >= 1
            journal.beat()
            if at.step == first:
                journal.event(at.step, "activity", doing="training")
            if at.step % runtime.log_every == 0:
                values = {name: round(value.item(), 6) for name, value in terms.items()}
                values |= {"learning_rate": rate, "progress": round(progress, 5)}
                journal.event(at.step, "train", **values, **throughput.report(at.step))
            if at.step % runtime.validate_every == 0 or finished:
                try:
                    self._validate()
                except GivenUp:
                    stopped = True
            if (at.step % runtime.save_every == 0 and not learner.skipped) or stopped or finished:
                journal.save(self._state())
        return not stopped

    def _validate(self) -> None:
        """Measure the averaged weights, and keep them if they are the best so far.

        Raises:
            GivenUp: as asked; the run owes this validation then.
        """
        self.at.owes_validation = True
        values = self.learner.validate(self._leaving)
        self.at.owes_validation = False
        self.journal.event(self.at.step, "validation", **values)
        self.journal.preview(self.at.step, self.should_leave)
        if values["score_db"] > self.at.best:
            self.at.best = values["score_db"]
            self.journal.best(self.at.step, self.at.best, self.learner.averaged.state_dict())

    def _measuring(self, done: int, of: int) -> bool:
        """Between the photographs of the first validation, each of which comes once in every case."""
        if done != self.measured and (
            of <= MOST_TOLD or done * MOST_TOLD // of != self.measured * MOST_TOLD // of
        ):
            self.measured = done
            self.journal.event(self.at.step, "activity", doing="measure", done=done + 1, of=of)
        return self._leaving(done, of)

    def _leaving(self, _done: int, _of: int) -> bool:
        self.journal.beat()
        return self.should_leave()

    def _state(self) -> dict[str, Any]:
        """Everything that an exact continuation needs; every process must ask at the same time."""
        clock = {"seconds": self.clock.seconds, "pixels": self.clock.pixels}
        return {**asdict(self.at), **clock, **self.learner.state(self.at.step)}


def _pixels(state: dict[str, Any], run: RunFolder) -> int:
    """How much the run was trained on; checkpoints of earlier versions leave that to the events."""
    if "pixels" in state:
        return state["pixels"]
    seen = [event for event in run.events() if event.kind == "train" and event.step <= state["step"]]
    return round(seen[-1].values["megapixels"] * 1e6) if seen else 0


def _note_failure(run: RunFolder, error: Exception, on_event: OnEvent) -> None:
    """Leave a sentence in the run's events, if the disk still takes one."""
    sentence = str(error)
    if not isinstance(error, RestorationError):
        sentence = (
            f"The trainer failed unexpectedly ({type(error).__name__}: {sentence[:300]}). This is a fault of the "
            "program; the last whole checkpoint is kept. Please report it with the end of the log."
        )
    with contextlib.suppress(OSError):
        step = max((event.step for event in run.events()), default=0)
        on_event(run.write_event(step, "error", sentence=sentence))

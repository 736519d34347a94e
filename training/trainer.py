"""fit(): the training loop, from a configuration to a run folder with validated, averaged weights."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.errors import InvalidSetting, RestorationError
from models.memory import keep_freed_buffers
from training.clock import Clock, Throughput
from training.config import TrainConfig
from training.failures import in_words
from training.journal import Journal, OnEvent
from training.learner import Learner
from training.processes import Processes
from training.run import RunFolder

KEPT_BYTES = 2**31 - 1
"""Freed memory that stays with the process between steps."""


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
            return _train(config, run, data_root, processes, should_stop, on_event)
        except Exception as error:
            sentence = in_words(error)
            if processes.first:
                _note_failure(run, sentence or error, on_event)
            if sentence is None or sentence is error:
                raise
            raise sentence from error


@dataclass
class Position:
    """How far a run is: steps done, index into patch_sizes, best validation score in dB."""

    step: int = 0
    phase: int = 0
    best: float = -math.inf


def _train(
    config: TrainConfig,
    run: RunFolder,
    data_root: Path,
    processes: Processes,
    should_stop: Callable[[], bool],
    on_event: OnEvent,
) -> bool:
    """The loop; see fit()."""
    keep_freed_buffers(KEPT_BYTES)
    begun = run.can_resume() or run.best_path.exists()
    state, warning = processes.share(run.load_latest() if processes.first and begun else (None, ""))
    learner = Learner(config, data_root, processes, resumed=state is not None)
    journal = Journal(run, config, learner, on_event)
    clock = Clock.of(config.optimizer, learner.mac_per_pixel)
    at = Position()
    if state is not None:
        _go_back_to(state, at, learner, clock, run)
    warnings = [*filter(None, [warning]), *learner.problems]
    before = {} if state is not None else {"score_db": learner.validate(journal.beat)["score_db"]}
    journal.event(at.step, "start", resumed=state is not None, warnings=warnings, **before)
    if state is None:
        journal.preview(0)
        journal.save(_state(at, learner, clock))
    throughput = Throughput(clock, at.step, processes.device)
    phases, runtime, batches = len(config.data.patch_sizes), config.runtime, None
    stopped, progress = False, *processes.agree(clock.progress(at.step))
    while not stopped and progress < 1:
        phase = max(at.phase, min(int(progress * phases), phases - 1))
        if phase != at.phase or batches is None:
            at.phase, batches = phase, learner.batches(phase, at.step)
        batch = throughput.wait_for(batches)
        rate = learning_rate(config, at.step, progress)
        squared = progress >= 1 - config.loss.squared_share
        terms = learner.step(batch, rate=rate, step=at.step, squared=squared)
        at.step += 1
        throughput.count(batch, processes.count)
        asked, progress = processes.agree(should_stop(), clock.progress(at.step))
        stopped, finished = bool(asked) and progress < 1, progress >= 1
        journal.beat()
        if at.step % runtime.log_every == 0:
            values = {name: round(value.item(), 6) for name, value in terms.items()}
            values |= {"learning_rate": rate, "progress": round(progress, 5), **throughput.report(at.step)}
            journal.event(at.step, "train", **values)
        if at.step % runtime.validate_every == 0 or finished:
            values = learner.validate(journal.beat)
            journal.event(at.step, "validation", **values)
            journal.preview(at.step)
            if values["score_db"] > at.best:
                at.best = values["score_db"]
                journal.best(at.step, at.best)
        if (at.step % runtime.save_every == 0 and not learner.skipped) or stopped or finished:
            journal.save(_state(at, learner, clock))
    journal.event(at.step, "end", finished=not stopped, minutes=round(clock.seconds / 60, 2))
    journal.close()
    processes.leave()
    return not stopped


def _state(at: Position, learner: Learner, clock: Clock) -> dict[str, Any]:
    """Everything that an exact continuation needs; every process must ask at the same time."""
    return {**asdict(at), "seconds": clock.seconds, "pixels": clock.pixels, **learner.state(at.step)}


def _go_back_to(state: dict[str, Any], at: Position, learner: Learner, clock: Clock, run: RunFolder) -> None:
    """Undo of _state(); events of later steps are dropped, because they are going to happen again."""
    learner.load_state(state)
    at.step, at.phase, at.best = state["step"], state.get("phase", 0), state["best"]
    clock.earlier_seconds, clock.pixels = state["seconds"], _pixels(state, run)
    if learner.processes.first:
        run.forget_events_after(at.step)


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

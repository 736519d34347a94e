"""RunState: how a training run stands, worked out from its folder and this machine's processes alone."""

import math
import socket
from dataclasses import dataclass
from pathlib import Path

from models.operating_system import was_ended_by_force
from studio.server.ages import Ages
from studio.train.keeper import LOG_FILE, PROCESS_FILE
from studio.train.log import log_lines
from studio.train.process import ProcessFile, ProcessMark, read_json
from studio.train.record import RunRecord
from training.run_lock import SILENT_SECONDS

HOST = socket.gethostname()

LATE_SECONDS = 60
"""A trainer renews its heartbeat at least every ten seconds; one that is so late is called stalled."""

STARTING_SECONDS = 180
"""Until its first word a trainer may take so long before it is called stalled: it loads pictures first."""

ELSEWHERE_SECONDS = 180
"""Events so fresh, without a lock or any process of this machine behind them, are somebody else's."""

LAST_WORDS = 3

LIVE = ("starting", "running", "stalled", "stopping")
"""Kinds of a run whose trainer is there."""

_AGES = Ages()


@dataclass(frozen=True)
class RunFiles:
    """Where everything of one run lies."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def last(self) -> Path:
        return self.folder / "last.pt"

    @property
    def previous(self) -> Path:
        return self.folder / "previous.pt"

    @property
    def best(self) -> Path:
        return self.folder / "best.pt"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @property
    def heartbeat(self) -> Path:
        return self.folder / "heartbeat"

    @property
    def events(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def process(self) -> Path:
        return self.folder / PROCESS_FILE

    @property
    def stop(self) -> Path:
        """Written when Stop is pressed, removed when the run goes on."""
        return self.folder / "stop"

    @property
    def log(self) -> Path:
        return self.folder / LOG_FILE

    def can_resume(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return self.last.exists() or self.previous.exists()


@dataclass(frozen=True)
class RunState:
    """How a run stands.

    Attributes:
        kind: "new", "starting", "running", "stalled", "stopping", "stopped", "finished", "failed" or "elsewhere".
        sentence: what more there is to say, or "".
    """

    kind: str
    sentence: str = ""

    @property
    def is_live(self) -> bool:
        """Whether a trainer of this machine is at work on it."""
        return self.kind in LIVE


def trainer_of(files: RunFiles) -> ProcessMark | None:
    """The process that trains now, however it was started; the keeper's while it has not started one; None for none."""
    known, lock = ProcessFile.read(files.process), read_json(files.lock)
    held = ProcessMark.read(lock) if lock.get("host", HOST) == HOST else None
    for mark in (held, known.trainer):
        if mark is not None and mark.is_alive():
            return mark
    if known.keeper is None or known.trainer is not None or known.exit_code is not None:
        return None
    return known.keeper if known.keeper.is_alive() else None


def state_of(files: RunFiles, record: RunRecord) -> RunState:
    """How the run stands now.

    Args:
        files: of its folder.
        record: what its events said.
    """
    trainer = trainer_of(files)
    if trainer is not None:
        return _live_state(files, record, trainer)
    known = ProcessFile.read(files.process)
    wordless = known.keeper is not None and known.keeper.started > record.time
    if record.kind == "error" and not wordless:
        return RunState("failed", record.sentence)
    if record.kind == "end" and not wordless:
        return RunState("finished" if record.finished else "stopped")
    if _is_held_elsewhere(files):
        return RunState("elsewhere", "Another machine trains it.")
    if files.stop.exists():
        return RunState("stopped", _stopped_words(files, known))
    if known.keeper is not None or files.lock.exists():
        return RunState("failed", _ended_words(files, known))
    if not record.version:
        return RunState("new")
    if age_seconds(files.events) < ELSEWHERE_SECONDS:
        return RunState("elsewhere", "Its events are fresh, but no process of this machine holds it.")
    return RunState("failed", _ended_words(files, known))


def silent_seconds(files: RunFiles, trainer: ProcessMark) -> float:
    """How long ago a live trainer gave its last sign."""
    since_its_start = _AGES.seconds(trainer, int(trainer.started * 1e9))
    return min(age_seconds(files.heartbeat), age_seconds(files.events), since_its_start)


def age_seconds(path: Path) -> float:
    """How long ago a file last changed, however the clock was set since; infinite where it is missing."""
    try:
        return _AGES.seconds(path, path.stat().st_mtime_ns)
    except OSError:
        return math.inf


def _live_state(files: RunFiles, record: RunRecord, trainer: ProcessMark) -> RunState:
    if files.stop.exists():
        return RunState("stopping")
    silent = silent_seconds(files, trainer)
    spoken = record.started >= trainer.started - 1
    if silent > (LATE_SECONDS if spoken else STARTING_SECONDS):
        return RunState(
            "stalled",
            f"No sign of life for {silent:.0f} s, where one comes every 10 s. It may be compiling, the machine may "
            "be overloaded, or it hangs. Wait, or press Stop: its last checkpoint is kept.",
        )
    return RunState("running" if spoken else "starting")


def _is_held_elsewhere(files: RunFiles) -> bool:
    """Of a process on another machine that shares the folder, only the heartbeat can be seen."""
    host = read_json(files.lock).get("host", HOST)
    return host != HOST and age_seconds(files.heartbeat) < SILENT_SECONDS


def _stopped_words(files: RunFiles, known: ProcessFile) -> str:
    """Of a trainer that was asked to stop and did not say that it had."""
    how = (
        "did not answer and was ended"
        if was_ended_by_force(known.exit_code)
        else "ended before it could save"
    )
    kept = "Resume goes on from its last checkpoint." if files.can_resume() else "There is no checkpoint yet."
    return f"The trainer {how}. {kept}"


def _ended_words(files: RunFiles, known: ProcessFile) -> str:
    """What is known of a trainer that went without a word."""
    code = known.exit_code
    how = f" (signal {-code})" if code is not None and code < 0 else f" (exit code {code})" if code else ""
    words = " ".join(line for line in log_lines(files.log, LAST_WORDS) if line)
    said = f" Its last words: “{words[-600:]}”" if words else ""
    kept = (
        "Resume goes on from its last checkpoint."
        if files.can_resume()
        else "There is no checkpoint to go on from: correct the recipe and start it again."
    )
    return f"The trainer ended before the run did{how}.{said} {kept}"

"""How a training run stands, worked out from its folder and this machine's processes: for trainer and page alike."""

import contextlib
import json
import math
import os
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from models.ages import Ages
from models.bounded_reading import read_at_most
from models.files import write_text_atomically
from models.operating_system import was_ended_by_force
from models.plain_values import is_number
from training.events import History
from training.log import log_lines

if TYPE_CHECKING:
    from training.run import RunFolder

HOST = socket.gethostname()

SILENT_SECONDS = 120.0
"""Of another machine only signs of life can be seen; after so long without one, its process counts as gone."""

LATE_SECONDS = 60
"""A trainer renews its heartbeat at least every ten seconds; one that is so late is called stalled."""

STARTING_SECONDS = 180
"""Until its first word a trainer may take so long before it is called stalled: it loads pictures first."""

SAME_START_SECONDS = 2.0
"""Start times closer than this are the same process's; no number is given to two processes so quickly."""

LIVE = ("starting", "running", "stalled", "stopping")
"""Kinds of a run whose trainer is there."""

MAX_JSON_BYTES = 65_536
LAST_WORDS = 3

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_AGES = Ages()


@dataclass(frozen=True)
class ProcessMark:
    """One process, told from a later one that was given the same number.

    Attributes:
        pid: its number.
        started: when it was started, in seconds since the epoch, as psutil tells.
        host: the machine it runs on.
        command: its command line, where it noted itself.
        identity: see identity_of; "" in notes of earlier versions.
    """

    pid: int
    started: float
    host: str = HOST
    command: str = ""
    identity: str = ""

    @classmethod
    def of(cls, pid: int) -> "ProcessMark | None":
        """The process that has the number now; None where there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time(), identity=identity_of(pid))
        except (psutil.Error, ValueError, OverflowError):
            return None

    @classmethod
    def read(cls, entries: Any) -> "ProcessMark | None":
        """From what a file says; None where it says nothing sensible."""
        if not isinstance(entries, dict):
            return None
        pid, started = entries.get("pid"), entries.get("started")
        if type(pid) is not int or pid <= 0 or not is_number(started):
            return None
        texts = {
            name: entries[name]
            for name in ("host", "command", "identity")
            if isinstance(entries.get(name), str)
        }
        return cls(pid, float(started), **texts)

    def is_alive(self) -> bool:
        """Whether this very process runs on this machine; one that has ended and waits to be asked for does not."""
        if self.host != HOST:
            return False
        if self.identity:
            return identity_of(self.pid) == self.identity
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < SAME_START_SECONDS
            return same and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        except (psutil.Error, ValueError, TypeError, OverflowError):
            return False


def this_process() -> ProcessMark:
    """The process that asks."""
    pid, started = os.getpid(), psutil.Process().create_time()
    return ProcessMark(pid, started, HOST, " ".join(sys.argv), identity_of(pid))


def identity_of(pid: int) -> str:
    """Names the process that has a number now: the same however the clock is set, another for the next process.

    Linux tells starts relative to a boot time that moves with the clock, so they are counted in ticks since the boot
    there, of which every one has a name. Other systems note the time of a start once and for all.

    Returns:
        A text to be compared; "" where there is no such process, or where it has ended and only waits to be asked for.
    """
    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return ""
        if sys.platform != "linux":
            return f"{process.create_time():.3f}"
        after_the_name = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        )
        return f"{_BOOT.read_text(encoding='ascii').strip()} {after_the_name.split()[19]}"
    except (psutil.Error, OSError, ValueError, TypeError, IndexError, OverflowError):
        return ""


@dataclass(frozen=True)
class ProcessFile:
    """What the keeper of a run that the page started writes beside it.

    Attributes:
        keeper: the process that passes on the trainer's words.
        trainer: None until it was started.
        exit_code: of the trainer; negative for the signal that ended it; None while it runs.
    """

    keeper: ProcessMark | None = None
    trainer: ProcessMark | None = None
    exit_code: int | None = None

    @classmethod
    def read(cls, path: Path) -> "ProcessFile":
        """An empty one where there is no such file, or none that can be read."""
        entries = _read_json(path)
        code = entries.get("exit_code")
        return cls(
            ProcessMark.read(entries.get("keeper")),
            ProcessMark.read(entries.get("trainer")),
            code if type(code) is int else None,
        )

    def write(self, path: Path) -> None:
        """Put it in place in one step; a full disk keeps the earlier one."""
        with contextlib.suppress(OSError):
            write_text_atomically(path, json.dumps(asdict(self)))


def _read_json(path: Path) -> dict[str, Any]:
    """A small JSON object from a file; {} where it is missing, damaged or something else."""
    try:
        entries = json.loads(read_at_most(path, MAX_JSON_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return entries if isinstance(entries, dict) else {}


@dataclass(frozen=True)
class RunState:
    """How a run stands.

    Attributes:
        kind: "new", "starting", "running", "stalled", "stopping", "stopped", "finished", "failed" or "elsewhere"; it
            starts until the first step is done.
        sentence: what more there is to say, or "".
        since: when what a starting or stopping trainer does began, in seconds since the epoch.
    """

    kind: str
    sentence: str = ""
    since: float = 0.0

    @property
    def is_live(self) -> bool:
        """Whether a trainer of this machine is at work on it."""
        return self.kind in LIVE


def noted_holder(run: "RunFolder") -> ProcessMark | None:
    """Who the lock says is training, dead or alive; None where it says nothing sensible."""
    return ProcessMark.read(_read_json(run.lock_path))


def living_holder(run: "RunFolder") -> ProcessMark | None:
    """Who holds the lock, on any machine; None for nobody, or where the process or its machine's last sign is gone."""
    holder = noted_holder(run)
    if holder is None or holder.host == HOST:
        return holder if holder is not None and holder.is_alive() else None
    return holder if age_seconds(run.heartbeat_path) < SILENT_SECONDS else None


def trainer_of(run: "RunFolder") -> ProcessMark | None:
    """The process of this machine that trains, however it was started; the keeper's while it has not started one."""
    known = ProcessFile.read(run.process_path)
    for mark in (noted_holder(run), known.trainer):
        if mark is not None and mark.is_alive():
            return mark
    if known.keeper is None or known.trainer is not None or known.exit_code is not None:
        return None
    return known.keeper if known.keeper.is_alive() else None


def state_of(run: "RunFolder", history: History) -> RunState:
    """How the run stands now.

    Args:
        run: its folder.
        history: what its events said.
    """
    trainer = trainer_of(run)
    if trainer is not None:
        return _live_state(run, history, trainer)
    known = ProcessFile.read(run.process_path)
    wordless = known.keeper is not None and known.keeper.started > history.time
    if history.kind == "error" and not wordless:
        return RunState("failed", history.sentence)
    if history.kind == "end" and not wordless:
        return RunState("finished" if history.finished else "stopped")
    if living_holder(run) is not None:
        return RunState("elsewhere", "Another machine trains it.")
    if run.stop_path.exists():
        return RunState("stopped", _stopped_words(run, known))
    if known.keeper is not None or run.lock_path.exists():
        return RunState("failed", _ended_words(run, known))
    if not history.version:
        return RunState("new")
    if age_seconds(run.events_path) < SILENT_SECONDS:
        return RunState("elsewhere", "Its events are fresh, but no process of this machine holds it.")
    return RunState("failed", _ended_words(run, known))


def silent_seconds(run: "RunFolder", trainer: ProcessMark) -> float:
    """How long ago a live trainer gave its last sign."""
    since_its_start = _AGES.seconds(trainer, int(trainer.started * 1e9))
    return min(age_seconds(run.heartbeat_path), age_seconds(run.events_path), since_its_start)


def is_late(run: "RunFolder", trainer: ProcessMark) -> bool:
    """Whether a live trainer that has spoken seems to hang."""
    return silent_seconds(run, trainer) > LATE_SECONDS


def age_seconds(path: Path) -> float:
    """How long ago a file last changed, however the clock was set since; infinite where it is missing."""
    try:
        return _AGES.seconds(path, path.stat().st_mtime_ns)
    except OSError:
        return math.inf


def _live_state(run: "RunFolder", history: History, trainer: ProcessMark) -> RunState:
    with contextlib.suppress(FileNotFoundError):
        return RunState("stopping", since=run.stop_path.stat().st_mtime)
    silent = silent_seconds(run, trainer)
    begun = trainer.started - 1
    runs = history.started >= begun and not history.activity
    if silent > (LATE_SECONDS if runs else STARTING_SECONDS):
        return RunState(
            "stalled",
            f"No sign of life for {silent:.0f} s, where one comes every 10 s. It may be compiling, the machine may "
            "be overloaded, or it hangs. Wait, or press Stop: its last checkpoint is kept.",
        )
    if runs:
        return RunState("running")
    if history.activity and history.time >= begun:
        return RunState("starting", history.activity, history.activity_began)
    return RunState("starting", "Starting the trainer", trainer.started)


def _stopped_words(run: "RunFolder", known: ProcessFile) -> str:
    """Of a trainer that was asked to stop and did not say that it had."""
    by_force = was_ended_by_force(known.exit_code)
    how = "did not answer and was ended" if by_force else "ended before it could save"
    kept = "Resume goes on from its last checkpoint." if run.can_resume() else "There is no checkpoint yet."
    return f"The trainer {how}. {kept}"


def _ended_words(run: "RunFolder", known: ProcessFile) -> str:
    """What is known of a trainer that went without a word."""
    code = known.exit_code
    how = f" (signal {-code})" if code is not None and code < 0 else f" (exit code {code})" if code else ""
    words = " ".join(line for line in log_lines(run.log_path, LAST_WORDS) if line)
    said = f" Its last words: “{words[-600:]}”" if words else ""
    kept = (
        "Resume goes on from its last checkpoint."
        if run.can_resume()
        else "There is no checkpoint to go on from: correct the recipe and start it again."
    )
    return f"The trainer ended before the run did{how}.{said} {kept}"

"""ProcessMark: one process of this machine, told from a later one that was given the same number."""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from models.bounded_reading import read_at_most
from models.files import write_text_atomically
from models.plain_values import is_number
from training.process_identity import identity_of, is_alive


@dataclass(frozen=True)
class ProcessMark:
    """A process.

    Attributes:
        pid: its number.
        started: when it started, in seconds since the epoch.
        identity: see training.process_identity.
    """

    pid: int
    started: float
    identity: str = ""

    @classmethod
    def of(cls, pid: int) -> "ProcessMark | None":
        """The process that has the number now; None where there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time(), identity_of(pid))
        except (psutil.Error, ValueError, OverflowError):
            return None

    @classmethod
    def read(cls, entries: Any) -> "ProcessMark | None":
        """From what a file says; None where it says nothing sensible."""
        if not isinstance(entries, dict):
            return None
        pid, started, identity = (entries.get(name) for name in ("pid", "started", "identity"))
        if type(pid) is not int or pid <= 0 or not is_number(started):
            return None
        return cls(pid, float(started), identity if isinstance(identity, str) else "")

    def is_alive(self) -> bool:
        """Whether this very process still runs; one that has ended and only waits to be asked for does not."""
        return is_alive(self.pid, self.identity, self.started)


@dataclass(frozen=True)
class ProcessFile:
    """What the keeper of a run writes beside it.

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
        entries = read_json(path)
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


def read_json(path: Path) -> dict[str, Any]:
    """A small JSON object from a file; {} where it is missing, damaged or something else."""
    try:
        entries = json.loads(read_at_most(path, 65_536))
    except (OSError, ValueError, RecursionError):
        return {}
    return entries if isinstance(entries, dict) else {}

"""Who is training in a run's folder: a lock that a crash cannot leave behind, and a sign of life."""

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from filelock import FileLock

from models.atomic_files import write_text_atomically
from models.errors import InvalidSetting

SAME_START_SECONDS = 2.0
"""Start times closer than this are the same process's; no number is given to two processes so quickly."""

SILENT_SECONDS = 120.0
"""On another machine only the heartbeat can be seen; after so long without one, its process counts as gone."""


@dataclass(frozen=True)
class LockHolder:
    """The process that trains.

    Attributes:
        pid: its number.
        started: when it was started, in seconds since the epoch, as psutil tells.
        host: the machine it runs on.
        command: its command line.
    """

    pid: int
    started: float
    host: str
    command: str


def this_process() -> LockHolder:
    """The process that asks."""
    return LockHolder(os.getpid(), psutil.Process().create_time(), socket.gethostname(), " ".join(sys.argv))


def living_holder(lock: Path, heartbeat: Path) -> LockHolder | None:
    """Who holds a lock; None where nobody does, or where the process is gone or its number belongs to another.

    Args:
        lock: the file with the holder in it; it may be missing.
        heartbeat: the file whose time of change the holder renews.
    """
    try:
        found = LockHolder(**json.loads(lock.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    if found.host != socket.gethostname():
        return found if _age_seconds(heartbeat) < SILENT_SECONDS else None
    try:
        process = psutil.Process(found.pid)
        same = abs(process.create_time() - found.started) < SAME_START_SECONDS
        return found if same and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD) else None
    except (psutil.Error, ValueError, TypeError, OverflowError):
        return None


@contextlib.contextmanager
def held(lock: Path, heartbeat: Path) -> Iterator[None]:
    """Hold a folder's lock.

    Args:
        lock: the file to write the holder into; its folder must exist.
        heartbeat: renewed at once, so that the process counts as alive from the beginning.

    Raises:
        InvalidSetting: a living process holds it.
    """
    me = this_process()
    with FileLock(lock.with_name(".lock.guard"), timeout=60):
        other = living_holder(lock, heartbeat)
        if other is not None:
            raise InvalidSetting(
                f"{lock.parent} is in use: process {other.pid} on {other.host} is training there ({other.command}). "
                "One folder is trained by one process. Wait for it, stop it, or give another folder with --run."
            )
        heartbeat.touch()
        write_text_atomically(lock, json.dumps(asdict(me)))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if living_holder(lock, heartbeat) == me:
                lock.unlink(missing_ok=True)


class Heartbeat:
    """A file whose time of change says that the training loop still turns."""

    def __init__(self, path: Path, *, every_seconds: float = 2.0) -> None:
        """Nothing is written yet."""
        self.path, self.every_seconds, self.last = path, every_seconds, float("-inf")

    def beat(self) -> None:
        """Renew the file, unless that was done just now; a full disk is left to those who write more."""
        now = time.monotonic()
        if now - self.last >= self.every_seconds:
            self.last = now
            with contextlib.suppress(OSError):
                self.path.touch()


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")

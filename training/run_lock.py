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

from models.bounded_reading import read_at_most
from models.errors import InvalidSetting
from models.files import write_text_atomically
from training.process_identity import identity_of, is_alive

SILENT_SECONDS = 120.0
"""On another machine only the heartbeat can be seen; after so long without one, its process counts as gone."""

LARGEST_LOCK_BYTES = 65_536

WATCH_SECONDS = 15.0
"""Clocks of two machines may disagree: before a run is taken from another one, its heartbeat is watched for so long."""


@dataclass(frozen=True)
class LockHolder:
    """The process that trains.

    Attributes:
        pid: its number.
        started: when it was started, in seconds since the epoch, as psutil tells.
        host: the machine it runs on.
        command: its command line.
        identity: see training.process_identity.
    """

    pid: int
    started: float
    host: str
    command: str
    identity: str = ""


def this_process() -> LockHolder:
    """The process that asks."""
    pid, started = os.getpid(), psutil.Process().create_time()
    return LockHolder(pid, started, socket.gethostname(), " ".join(sys.argv), identity_of(pid))


def living_holder(lock: Path, heartbeat: Path) -> LockHolder | None:
    """Who holds a lock; None where nobody does, or where the process is gone or its number belongs to another.

    Args:
        lock: the file with the holder in it; it may be missing.
        heartbeat: the file whose time of change the holder renews.
    """
    found = _noted_holder(lock)
    if found is None:
        return None
    if found.host != socket.gethostname():
        return found if _age_seconds(heartbeat) < SILENT_SECONDS else None
    return found if is_alive(found.pid, found.identity, found.started) else None


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
        other = _noted_holder(lock)
        if other is not None and not _holds_on(other, heartbeat):
            other = None
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


def _noted_holder(lock: Path) -> LockHolder | None:
    try:
        return LockHolder(**json.loads(read_at_most(lock, LARGEST_LOCK_BYTES)))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _holds_on(holder: LockHolder, heartbeat: Path) -> bool:
    """Whether a holder lives; of one on another machine whose last sign is old, or lies ahead, the next is awaited."""
    if holder.host == socket.gethostname():
        return is_alive(holder.pid, holder.identity, holder.started)
    if 0 <= _age_seconds(heartbeat) < SILENT_SECONDS:
        return True
    before, limit = _changed_ns(heartbeat), time.monotonic() + WATCH_SECONDS
    while before is not None and time.monotonic() < limit:
        time.sleep(0.1)
        if _changed_ns(heartbeat) != before:
            return True
    return False


def _changed_ns(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")

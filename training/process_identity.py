"""Which process a number stood for: what stays the same however the clock is set, and differs for the next process."""

import sys
from pathlib import Path

import psutil

SAME_START_SECONDS = 2.0
"""Start times closer than this are the same process's; no number is given to two processes so quickly."""

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def identity_of(pid: int) -> str:
    """Names the process that has a number now.

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


def is_alive(pid: int, identity: str, started: float) -> bool:
    """Whether a process that was noted still runs.

    Args:
        pid: its number.
        identity: what identity_of said then; "" in notes of earlier versions.
        started: its start in seconds since the epoch, for want of an identity.
    """
    if identity:
        return identity_of(pid) == identity
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < SAME_START_SECONDS
        return same and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except (psutil.Error, ValueError, TypeError, OverflowError):
        return False

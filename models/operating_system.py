"""What differs between operating systems: memory, processes, and how they are asked to end."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

_ENDED_BY_FORCE = signal.SIGTERM if sys.platform == "win32" else -getattr(signal, "SIGKILL", 9)
"""The exit code that psutil's kill() leaves behind; Windows has no signals, and psutil gives SIGTERM as the code."""


def of_its_own() -> dict[str, Any]:
    """Arguments of subprocess.Popen for a process that hears no terminal and outlives this one."""
    if sys.platform != "win32":
        return {"start_new_session": True}
    names = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW")
    return {"creationflags": sum(getattr(subprocess, name, 0) for name in names)}


def ask_firmly(process: psutil.Process) -> None:
    """Send SIGTERM, which a program may answer in its own way; nothing on Windows, where it would end at once."""
    if sys.platform != "win32":
        process.send_signal(signal.SIGTERM)


def was_ended_by_force(exit_code: int | None) -> bool:
    """Whether this exit code is that of a process which psutil killed."""
    return exit_code == _ENDED_BY_FORCE


def forget_peak_memory() -> None:
    """Begin peak_memory_bytes() anew; where the system cannot, it stays that of the whole run."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_bytes() -> int:
    """The most memory that this process has had."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        memory = psutil.Process().memory_info()
    if peak := getattr(memory, "peak_wset", None):
        return peak
    try:
        import resource
    except ImportError:
        return memory.rss
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def flush(path: Path) -> None:
    """Have the disk keep a file; Windows does that only for files that are open for writing."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Make renames in a folder last; not every system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

"""Ctrl-C and its kin: a program of ours ends with 130 (SIGTERM: 143), at once and without a traceback.

Nothing but the standard library is imported here, so that programs can ask for it before all else.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def end_at_signals(clean_up: Callable[[], object] = lambda: None) -> None:
    """From now on both signals end this process.

    Threads may be in the middle of anything, also where an interpreter that is taken down around them would abort;
    so nothing is waited for.

    Args:
        clean_up: is called first; it must not wait for another thread.
    """

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)  # whoever presses twice must not cut the cleaning short
        try:
            clean_up()
        finally:
            leave_at_once(128 + number)

    for each in SIGNALS:
        signal.signal(each, end)


def interrupt_at_signals() -> None:
    """From now on Ctrl-C is a KeyboardInterrupt, for work that tells what is done before it ends; see leave."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def leave(exit_code: int) -> NoReturn:
    """End the process; threads that are still at work, inside PyTorch mostly, are not waited for."""
    if any(thread is not threading.main_thread() for thread in threading.enumerate()):
        leave_at_once(exit_code)
    sys.exit(exit_code)


def leave_at_once(exit_code: int) -> NoReturn:
    """End the process with what was printed so far, and nothing else."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(
            OSError, ValueError, AttributeError, RuntimeError
        ):  # closed, or being written to
            stream.flush()
    os._exit(exit_code)

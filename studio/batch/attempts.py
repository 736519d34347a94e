"""A picture that ends its process, for lack of memory or by a library's fault: tried twice, then reported and left.

What was tried is remembered beside the results, so that a repeated command and Ray's workers know it, too.
"""

import contextlib
import ctypes
import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from studio.batch.files import BatchPicture

TRIES = 2
_BEGUN, _OVER, _ENDED = b"b", b"o", b"e"
"""What a watched process tells the one that watches it: a picture begins, it is over, all is."""
_PR_SET_PDEATHSIG = 1
_SI_USER = 0

_watcher: int | None = None
"""The pipe to whoever watches this process."""


class Attempt:
    """One try at one picture."""

    def __init__(self, output: Path, picture: BatchPicture, settings: Any) -> None:
        """Nothing is written yet; `settings` are anything for JSON: with others, or another file, tries begin anew."""
        name = hashlib.sha256(picture.stem.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self.path = output / f".{name}.trying"
        try:
            found = picture.source.stat()
            of = [str(picture.source.resolve()), found.st_size, found.st_mtime_ns, settings]
        except OSError:
            of = [str(picture.source), settings]
        self._of = hashlib.sha256(json.dumps(of).encode()).hexdigest()
        self.tries = self._tries()

    @property
    def is_hopeless(self) -> bool:
        """True where each try allowed has ended its process."""
        return self.tries >= TRIES

    @property
    def sentence(self) -> str:
        """For people, where it is hopeless."""
        return (
            f"Restoring it ended the whole process {self.tries} times, as too little memory or a fault in a library "
            "does; it is passed over, others are not affected. Try it alone on a machine with more memory, or delete "
            f"{self.path} to have it tried again."
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """While the picture is worked on; the mark stays only where this process ends meanwhile."""
        _tell(_BEGUN)
        with contextlib.suppress(OSError):  # the result will have no place either, and says so
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps({"of": self._of, "tries": self.tries + 1}), encoding="utf-8")
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                self.path.unlink()
            _tell(_OVER)

    def _tries(self) -> int:
        try:
            mark = json.loads(self.path.read_text(encoding="utf-8"))
            return int(mark["tries"]) if mark["of"] == self._of else 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0


def watched(work: Callable[[], int]) -> int:
    """Do the work in a process of its own, and again for as long as single pictures end it.

    Only on Linux; elsewhere it is done here, and a command that is repeated twice passes such a picture over.

    Args:
        work: gives an exit code; finds out by itself what is done.

    Returns:
        The exit code; 128 plus the signal's number where something else than a picture ended it.
    """
    if sys.platform != "linux":  # Windows cannot fork, and what macOS draws with must not be forked
        return work()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    while True:
        code, told = _once(work)
        if told[-1:] != _BEGUN:
            return code if code >= 0 else 128 - code


def _once(work: Callable[[], int]) -> tuple[int, bytes]:
    """(exit code, what was told) of one process; signals to this one reach it."""
    reading, writing = os.pipe()
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    parent, child = os.getpid(), os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(reading)
        _work_watched(work, parent, writing)
    os.close(writing)
    try:
        status = _wait(child, signals)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    with os.fdopen(reading, "rb") as pipe:
        return os.waitstatus_to_exitcode(status), pipe.read()


def _work_watched(work: Callable[[], int], parent: int, pipe: int) -> None:
    """The child's whole life."""
    global _watcher
    _watcher = pipe
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # it ends with its parent
    if os.getppid() != parent:
        os._exit(1)
    code = 1
    try:
        code = work()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException as problem:
        sys.excepthook(type(problem), problem, problem.__traceback__)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        _tell(_ENDED)
        os._exit(code)


def _wait(child: int, signals: set[signal.Signals]) -> int:
    """How the child ended; until then it is told of what this process is told."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        heard = signal.sigwaitinfo(signals)
        if (
            heard.si_signo != signal.SIGCHLD and heard.si_code == _SI_USER
        ):  # a terminal tells the child by itself
            os.kill(child, heard.si_signo)


def _tell(what: bytes) -> None:
    if _watcher is not None:
        os.write(_watcher, what)

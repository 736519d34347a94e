"""The studio in public mode as a process of its own, watched from outside: memory, threads, descriptors, files."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.paths import REPOSITORY

START_SECONDS = 240


@dataclass(frozen=True)
class Server:
    """A running studio.

    Attributes:
        address: where it answers, without a slash at the end.
        pid: its process.
        folder: where its files are.
        log: what it has said.
        start_seconds: from starting the process to the first whole page.
    """

    address: str
    pid: int
    folder: Path
    log: Path
    start_seconds: float

    def memory_mb(self) -> float:
        """Of the process and its decoders, each page of memory counted once."""
        return sum(_proportional_mb(pid) for pid in (self.pid, *children_of(self.pid)))

    def processor_seconds(self) -> float:
        """Used so far by the process and its decoders."""
        return sum(_processor_seconds(pid) for pid in (self.pid, *children_of(self.pid)))

    def threads(self) -> int:
        """How many the process has."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def descriptors(self) -> int:
        """How many files and connections are open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def files(self) -> list[Path]:
        """Everything in its folder but the mark that it is its own, and the page's own small pictures."""
        found = [Path(place) / name for place, _, names in os.walk(self.folder) for name in names]
        return [path for path in found if path.name not in _own_names()]


@contextlib.contextmanager
def served(
    *arguments: str, environment: dict[str, str] | None = None, program: tuple[str, ...] = ("app.py",)
) -> Iterator[Server]:
    """Start `python app.py ARGUMENTS` on a free port; ended afterwards.

    Args:
        arguments: for the program, such as "--public".
        environment: added to this process's.
        program: what Python runs; it takes app.py's arguments.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place, log = Path(folder) / "files", Path(folder) / "studio.log"
        values = {**os.environ, "GRADIO_TEMP_DIR": str(place), "JPEG_STUDIO_LOAD": "", **(environment or {})}
        values.setdefault("OMP_NUM_THREADS", "2")
        command = [sys.executable, *program, "--port", str(port), "--device", "cpu", *arguments]
        with log.open("w") as stream:
            began = time.monotonic()
            process = subprocess.Popen(command, cwd=REPOSITORY, env=values, stdout=stream, stderr=stream)
        try:
            _wait_until_served(f"http://127.0.0.1:{port}/", process, log)
            yield Server(f"http://127.0.0.1:{port}", process.pid, place, log, time.monotonic() - began)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def children_of(pid: int) -> list[int]:
    """Processes that a process has started."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _proportional_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _own_names() -> set[str]:
    from studio.server.temporary_folder import MARK
    from studio.session.examples import EXAMPLES

    return {MARK, *(f"{example.name}.webp" for example in EXAMPLES)}


def _wait_until_served(url: str, process: subprocess.Popen, log: Path) -> None:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise RuntimeError(log.read_text())
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                answer.read()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"no page in {START_SECONDS} s: {log.read_text()}")

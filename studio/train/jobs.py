"""Jobs: starts, stops, resumes and finds training runs, one at a time on a machine; a run is its folder.

A trainer is started by a keeper (studio.train.keeper) in a session of its own, so it goes on when this server ends, and
a server started later finds it by the folder. Keepers are started from one thread that lives as long as the server:
systems that end a child with the thread that made it must find that thread alive.
"""

import contextlib
import itertools
import logging
import os
import queue
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from models.errors import InvalidSetting
from models.files import write_text_atomically
from models.operating_system import of_its_own
from studio.train import stopping
from studio.train.record import RunBook, RunRecord
from training.config import NAME_IN_WORDS, NAME_PATTERN, TrainConfig
from training.run import RunFolder
from training.run_state import (
    ProcessFile,
    RunState,
    trainer_of,
)

logger = logging.getLogger(__name__)

DATA = "../shared/data"
"""As training.train has it, below the project."""

REPOSITORY = Path(__file__).resolve().parents[2]
TRAINER = (sys.executable, "-m", "training.train")
START_SECONDS = 60
MOST_RUNS = 100
PUBLISHED = "published"
"""A folder beside those of the runs, so that no run can be called so."""


class Jobs:
    """The runs below one folder."""

    def __init__(
        self,
        root: Path,
        data_root: Path | None = None,
        *,
        trainer: Sequence[str] = TRAINER,
        patience_seconds: tuple[float, float] = stopping.PATIENCE_SECONDS,
    ) -> None:
        """Look at no run yet.

        Args:
            root: holds one folder per run; it may be missing.
            data_root: the folder above the picture folders; None for where the command line looks.
            trainer: what is started, before its arguments.
            patience_seconds: until a run that was asked to stop is asked firmly, and then ended by force.
        """
        self.root = Path(root).resolve()
        self.data_root = (REPOSITORY / (data_root or os.environ.get("JPEG_STUDIO_DATA", DATA))).resolve()
        self._trainer, self._patience = tuple(trainer), patience_seconds
        self._book = RunBook()
        self._keepers: dict[str, subprocess.Popen] = {}
        self._asked: dict[str, int] = {}  # by run that shall stop: how firmly it was told
        self._work: queue.Queue[tuple[Callable[[], Any], Future]] = queue.Queue()
        threading.Thread(target=self._supervise, name="jobs", daemon=True).start()

    @property
    def published(self) -> Path:
        """Where checkpoints that were trained here lie."""
        return self.root / PUBLISHED

    # What there is

    def names(self) -> list[str]:
        """The runs, the one that changed last first."""
        found = []
        with contextlib.suppress(OSError):
            for path in self.root.iterdir():
                run = RunFolder(path)
                if _is_name(path.name) and not path.is_symlink() and run.config_path.is_file():
                    found.append((_changed(run), path.name))
        return [name for _, name in sorted(found, reverse=True)[:MOST_RUNS]]

    def free_name(self, wanted: str) -> str:
        """The name, or the first of name-2, name-3, ... that no run has."""
        stem = re.sub(r"-\d{1,4}$", "", wanted)[:58]
        names = itertools.chain([wanted], (f"{stem}-{number}" for number in itertools.count(2)))
        return next(name for name in names if not self.exists(name))

    def exists(self, name: str) -> bool:
        """Whether a run of that name has been trained."""
        return _is_name(name) and self._begun(self.files(name))

    def files(self, name: str) -> RunFolder:
        """The folder of a run, which may be missing yet.

        Raises:
            InvalidSetting: a name that is none.
        """
        if not _is_name(name):
            raise InvalidSetting(
                f"The run is called {str(name)[:80]!r}. Names of {NAME_IN_WORDS} are allowed. Choose another name."
            )
        folder = self.root / name
        if folder.is_symlink():
            raise InvalidSetting(
                f"{name} is a link to another place. A run is a folder of its own. Choose another name."
            )
        return RunFolder(folder)

    def record(self, name: str) -> RunRecord:
        """What a run has told so far."""
        return self._book.record(self.files(name).folder)

    def state(self, name: str) -> RunState:
        """How a run stands."""
        return self.files(name).state(self.record(name))

    def live(self) -> str | None:
        """The run that is being trained on this machine; None for none."""
        for name in self.names():
            if trainer_of(self.files(name)) is not None:
                return name
        return None

    # Commands

    def command(self, name: str, *, resume: bool = False) -> list[str]:
        """What is started, argument by argument; the same in a terminal."""
        folder = _short(self.files(name).folder)
        options = ["--resume"] if resume else []
        return [*self._trainer, "--run", folder, "--data", _short(self.data_root), *options]

    def command_line(self, name: str) -> str:
        """The same as a line for a POSIX shell, from any folder."""
        return f"cd {shlex.quote(str(REPOSITORY))} && {shlex.join(self.command(name))}"

    # What is done

    def write_recipe(self, config: TrainConfig) -> RunFolder:
        """Put a configuration where its command finds it.

        Raises:
            InvalidSetting: a run of that name is there, or the folder cannot be written.
        """
        run = self.files(config.name)
        if self._begun(run):
            raise InvalidSetting(
                f"There is a run called {config.name} already. One folder holds one run. "
                "Choose another name, or resume it."
            )
        try:
            run.folder.mkdir(parents=True, exist_ok=True)
            write_text_atomically(run.config_path, config.to_yaml())
        except OSError as error:
            raise _cannot_keep(run.folder, error) from None
        return run

    def start(self, config: TrainConfig) -> None:
        """Begin a new run; returns once its keeper is there.

        Raises:
            InvalidSetting: another run is live, the name is taken, or the folder cannot be written.
        """
        self._supervised(lambda: self._start(config))

    def resume(self, name: str, *, more_minutes: float = 0.0) -> None:
        """Go on with a run; returns once its keeper is there.

        Args:
            name: of the run.
            more_minutes: what its budget of minutes has beyond those it was trained for; 0 leaves it as it is.

        Raises:
            RestorationError: another run is live, there is nothing to go on from, or its configuration cannot be read
                or written.
        """
        self._supervised(lambda: self._resume(name, more_minutes))

    def stop(self, name: str) -> None:
        """Ask a run to save and stop, then firmly, in the end by force; returns at once.

        Raises:
            InvalidSetting: it does not run.
        """
        run = self.files(name)
        if trainer_of(run) is None:
            raise InvalidSetting(
                f"{name} does not run any more. Only a running training can be stopped. Nothing is left to do."
            )
        if not run.stop_path.exists():
            run.stop_path.touch()
        self._supervised(lambda: self._ask_to_stop(name))

    def delete(self, name: str) -> None:
        """Remove a run with everything in its folder.

        Raises:
            InvalidSetting: it runs, or is none.
        """
        run = self.files(name)
        if not run.config_path.is_file():
            raise InvalidSetting(
                f"There is no run called {name}. Runs in the list can be deleted. Nothing was done."
            )
        if self.state(name).kind in ("starting", "running", "stalled", "stopping", "elsewhere"):
            raise InvalidSetting(
                f"{name} is being trained. Runs that stand still can be deleted. Stop it first."
            )
        try:
            shutil.rmtree(run.folder)
        except OSError as error:
            raise InvalidSetting(
                f"{name} cannot be deleted whole ({error}). Its folder must be writable. Remove {run.folder} by hand."
            ) from None

    # The supervisor's thread

    def _supervise(self) -> None:
        for name in self.names():
            with contextlib.suppress(Exception):  # a folder of somebody else's may hold anything
                if self.state(name).kind == "stopping":
                    self._asked[name] = 0
        while True:
            with contextlib.suppress(queue.Empty):
                work, answer = self._work.get(timeout=self._watch())
                try:
                    answer.set_result(work())
                except BaseException as error:
                    answer.set_exception(error)

    def _supervised(self, work: Callable[[], Any]) -> Any:
        answer: Future = Future()
        self._work.put((work, answer))
        return answer.result(START_SECONDS + 10)

    def _watch(self) -> float | None:
        """Look after what runs; returns how long to wait until the next look, None while there is nothing."""
        for keeper in self._keepers.values():
            keeper.poll()  # takes leave of one that has ended
        for name in list(self._asked):
            try:
                self._ask_to_stop(name)
            except Exception:
                logger.exception("stopping %s failed", name)
                del self._asked[name]
        if self._asked:
            return 0.25
        return 2.0 if any(keeper.returncode is None for keeper in self._keepers.values()) else None

    def _start(self, config: TrainConfig) -> None:
        with self._alone():
            run = self.write_recipe(config)
            self._spawn(config.name, run, resume=False)

    def _resume(self, name: str, more_minutes: float) -> None:
        with self._alone():
            run = self.files(name)
            if not run.can_resume():
                raise InvalidSetting(
                    f"{name} has no checkpoint yet. A run that has saved once can be resumed. Start it anew."
                )
            if more_minutes:
                self._give(run, self.record(name).minutes + more_minutes)
            self._spawn(name, run, resume=True)

    @staticmethod
    def _give(run: RunFolder, minutes: float) -> None:
        """Change a run's budget of minutes."""
        config = run.config
        config = replace(config, optimizer=replace(config.optimizer, minutes=round(minutes, 1)))
        try:
            write_text_atomically(run.config_path, config.to_yaml())
        except OSError as error:
            raise _cannot_keep(run.folder, error) from None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else starts a run meanwhile, and none is live."""
        turnstile = FileLock(self.root / ".starting", timeout=0)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            turnstile.acquire()
        except OSError as error:
            if not isinstance(error, Timeout):
                raise _cannot_keep(self.root, error) from None
            raise InvalidSetting(
                "Another run is just being started. One run at a time is trained on a machine. Look again in a moment."
            ) from None
        try:
            live = self.live()
            if live is not None:
                raise InvalidSetting(
                    f"{live} is being trained. One run at a time is trained on a machine. "
                    "Stop it first, or wait for its end."
                )
            yield
        finally:
            turnstile.release()

    def _spawn(self, name: str, run: RunFolder, *, resume: bool) -> None:
        """Start a keeper and wait until it has left its mark."""
        for leftover in (run.stop_path, run.process_path, run.log_path):
            leftover.unlink(missing_ok=True)
        self._asked.pop(name, None)  # what its last trainer was asked, this one was not
        command = self.command(name, resume=resume)
        arguments = [sys.executable, "-m", "studio.train.keeper", str(run.folder), *command]
        keeper = subprocess.Popen(
            arguments,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **of_its_own(),
        )
        self._keepers[name] = keeper
        limit = time.monotonic() + START_SECONDS
        while not run.process_path.exists() and keeper.poll() is None and time.monotonic() < limit:
            time.sleep(0.02)
        if not run.process_path.exists():
            raise InvalidSetting(
                f"The trainer of {name} could not be started (its keeper ended with {keeper.poll()}). The run's folder "
                "must be writable. Make room on the disk and press Start again."
            )

    def _ask_to_stop(self, name: str) -> None:
        """Send what is due by now; called again until the trainer is gone."""
        run = self.files(name)
        mark = trainer_of(run)
        if mark is None:
            self._asked.pop(name, None)
            return
        if not run.stop_path.exists():
            run.stop_path.touch()  # the request itself; a trainer that begins takes an earlier one away
        sent = self._asked.setdefault(name, 0)
        due = stopping.due(run, mark, self.record(name), self._patience)
        if due <= sent:
            return
        known = ProcessFile.read(run.process_path)
        if mark == known.keeper:  # no trainer yet: once more in a moment
            return
        self._asked[name] = due
        stopping.send(mark, due)

    @staticmethod
    def _begun(run: RunFolder) -> bool:
        """Whether a folder holds more than a recipe and an attempt that came to nothing."""
        return run.can_resume() or run.best_path.exists() or trainer_of(run) is not None


def _cannot_keep(folder: Path, error: OSError) -> InvalidSetting:
    return InvalidSetting(
        f"The run cannot be kept in {folder} ({error.strerror}). A folder with free space that may be written is "
        "needed. Make room, or start the studio with another --runs."
    )


def _is_name(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(NAME_PATTERN, name) is not None and name != PUBLISHED


def _changed(run: RunFolder) -> float:
    return max(_modified(path) for path in (run.events_path, run.process_path, run.config_path))


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _short(path: Path) -> str:
    """Relative to the project where it lies inside."""
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)

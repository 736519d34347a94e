"""RunFolder: the folder of one training run, its lock, events, checkpoints, state and publication."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from filelock import FileLock

from models import files
from models.card import ModelCard, TrainingFacts
from models.errors import BrokenCheckpoint, InvalidSetting
from models.files import remove_unfinished, write_text_atomically
from training.config import TrainConfig
from training.config_text import dumped
from training.events import EventFile, History, TrainEvent
from training.outcome import outcome_of
from training.run_state import (
    HOST,
    SILENT_SECONDS,
    ProcessMark,
    RunState,
    living_holder,
    noted_holder,
    state_of,
    this_process,
)

if TYPE_CHECKING:  # the page needs no torch to look at a run
    import torch

    from models.networks.base import Network

WATCH_SECONDS = 15.0
"""Clocks of two machines may disagree: before a run is taken from another one, its heartbeat is watched for so long."""


class RunFolder:
    """A folder with everything about one run.

    config.yaml (what to do), events.jsonl (what happened), last.pt and previous.pt (for resuming), best.pt
    (averaged weights of the best validation), previews/ (pictures), lock and heartbeat (who is training), stop
    (somebody asks the trainer to save and end), process.json and log.txt (of a trainer that the page started).
    """

    def __init__(self, folder: Path) -> None:
        """Look at no file yet."""
        self.folder = Path(folder)
        self.config_path = self.folder / "config.yaml"
        self.events_path = self.folder / "events.jsonl"
        self.last_path = self.folder / "last.pt"
        self.previous_path = self.folder / "previous.pt"
        self.best_path = self.folder / "best.pt"
        self.lock_path = self.folder / "lock"
        self.heartbeat_path = self.folder / "heartbeat"
        self.stop_path = self.folder / "stop"
        self.process_path = self.folder / "process.json"
        self.log_path = self.folder / "log.txt"
        self.previews = self.folder / "previews"
        self._events = EventFile(self.events_path)

    @property
    def config(self) -> TrainConfig:
        """The configuration that the folder holds.

        Raises:
            InvalidSetting: there is none, or it has problems.
        """
        return TrainConfig.from_yaml(self.config_path)

    def can_resume(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return self.last_path.exists() or self.previous_path.exists()

    def state(self, history: History | None = None) -> RunState:
        """How the run stands now.

        Args:
            history: what its events said; None reads them all.
        """
        if history is None:
            history = History.of(self.events())
        return state_of(self, history)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Make the folder if need be and hold its lock; leftovers of a killed process are removed.

        Raises:
            InvalidSetting: a living process trains here.
            RunStopped: the folder cannot be made or written to.
        """
        me = this_process()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._take_lock(me)
        except OSError as error:
            raise self._in_words(error) from error
        try:
            try:
                if self.can_resume() or (self.config_path.exists() and not self._has_foreign_configuration()):
                    remove_unfinished(self.folder)
                    self.stop_path.unlink(missing_ok=True)  # of an earlier trainer
            except OSError as error:
                raise self._in_words(error) from error
            yield
        finally:
            with contextlib.suppress(OSError):
                if living_holder(self) == me:
                    self.lock_path.unlink(missing_ok=True)

    def _in_words(self, error: OSError) -> Exception:
        from training.failures import in_words

        error.filename = error.filename or str(self.folder)
        return in_words(error) or error

    def _take_lock(self, me: ProcessMark) -> None:
        with FileLock(self.folder / ".lock.guard", timeout=60):
            other = noted_holder(self)
            if other is not None and self._is_held_by(other):
                raise InvalidSetting(
                    f"{self.folder} is in use: process {other.pid} on {other.host} is training there "
                    f"({other.command}). One folder is trained by one process. Wait for it, stop it, or give another "
                    "folder with --run."
                )
            self.heartbeat_path.touch()  # so that the process counts as alive from the beginning
            write_text_atomically(self.lock_path, json.dumps(asdict(me)))

    def _is_held_by(self, holder: ProcessMark) -> bool:
        """Whether a holder lives; of one elsewhere whose last sign is old, or lies ahead, the next is awaited."""
        if holder.host == HOST:
            return holder.is_alive()
        before = _changed_ns(self.heartbeat_path)
        if before is not None and 0 <= time.time() - before / 1e9 < SILENT_SECONDS:
            return True
        limit = time.monotonic() + WATCH_SECONDS
        while before is not None and time.monotonic() < limit:
            time.sleep(0.1)
            if _changed_ns(self.heartbeat_path) != before:
                return True
        return False

    def begin(self, config: TrainConfig) -> None:
        """Make the folder and write the configuration; what an attempt without a checkpoint left is forgotten.

        Raises:
            InvalidSetting: a run is there already, so nothing is trained twice by accident; or a configuration that
                people wrote, which would be lost.
        """
        if self.can_resume() or self.best_path.exists():
            raise InvalidSetting(
                f"There is a run in {self.folder} already. One folder holds one run. "
                "Continue it with --resume, or give another folder with --run."
            )
        if self._has_foreign_configuration():
            raise InvalidSetting(
                f"{self.config_path} is there already and was not written by a run. A run keeps its own configuration "
                "under that name. Give another folder with --run."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self.events_path.unlink(missing_ok=True)
        write_text_atomically(self.config_path, config.to_yaml())

    def _has_foreign_configuration(self) -> bool:
        """True where it was written by people: not in the form in which runs write theirs."""
        try:
            text = self.config_path.read_text(encoding="utf-8")
            return text != dumped(yaml.safe_load(text))
        except FileNotFoundError:
            return False
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            return True

    def write_event(self, step: int, kind: str, **values: Any) -> TrainEvent:
        """Append an event; a line is written in one piece."""
        return self._events.write(step, kind, values)

    def events(self) -> Iterator[TrainEvent]:
        """All events so far; a line cut off by a crash is passed over."""
        return self._events.read()

    def forget_events_after(self, step: int) -> None:
        """Drop the events of steps that a resumed run will do again, so that none is told twice."""
        self._events.forget_after(step)

    def save(self, state: dict[str, Any]) -> None:
        """Keep everything that resuming needs; what was kept before becomes previous.pt."""
        from training.checkpoint_files import save_state

        self._events.flush()
        save_state(state, self.last_path, keep=self.previous_path)

    def load_latest(self) -> tuple[dict[str, Any], str]:
        """What save() kept, and a sentence where the newest file could not be used, else "".

        A damaged last.pt is replaced by previous.pt, so that the next save keeps a sound pair.

        Raises:
            InvalidSetting: nothing is there to resume.
            BrokenCheckpoint: neither file can be read.
        """
        from training.checkpoint_files import load_state

        if not self.can_resume():
            raise InvalidSetting(
                f"There is nothing to resume in {self.folder}. A run that has saved last.pt is needed. "
                "Start without --resume, or name another folder with --run."
            )
        if not self.last_path.exists():
            return load_state(self.previous_path), ""
        try:
            return load_state(self.last_path), ""
        except BrokenCheckpoint as error:
            if not self.previous_path.exists():
                raise
            state = load_state(self.previous_path)
            files.replace(self.previous_path, self.last_path)
            return state, (
                f"{error} previous.pt is whole and was taken instead: the run goes on from step {state['step']}."
            )

    def save_best(self, weights: "dict[str, torch.Tensor]", step: int, score: float) -> None:
        """Keep the averaged weights of the best validation so far."""
        from training.checkpoint_files import save_state

        save_state({"weights": weights, "step": step, "score": score}, self.best_path)

    def publish(self, checkpoints: Path) -> Path:
        """Write the best weights as checkpoints/<name>/ with a card, which says so where nothing was learned.

        Returns:
            That folder.

        Raises:
            InvalidSetting: the run has not validated yet.
        """
        from models.zoo import save_checkpoint
        from training.network_of import network_of

        best, config = self._load_best(), self.config
        network = network_of(config)
        network.load_state_dict(best["weights"])
        folder = checkpoints / config.name
        card = card_of(config, network, self._facts(config, best))
        outcome = outcome_of(History.of(self.events()))
        if outcome.learned is False:
            card = replace(card, summary=f"{card.summary} {outcome.sentence}")
        save_checkpoint(folder, network, card)
        return folder

    def _load_best(self) -> dict[str, Any]:
        from training.checkpoint_files import load_state

        if not self.best_path.exists():
            raise InvalidSetting(
                f"{self.folder} has no best.pt yet. It is written at the first validation. Train longer, then publish."
            )
        return load_state(self.best_path)

    def _facts(self, config: TrainConfig, best: dict[str, Any]) -> TrainingFacts | None:
        """Totals of the last training event before the best weights; None where no event tells them."""
        logged = [event for event in self.events() if event.kind == "train"]
        before = [event.values for event in logged if event.step <= best["step"]]
        if not before or "petaflop" not in before[-1]:
            return None
        return TrainingFacts(
            config=config.name,
            steps=best["step"],
            megapixels=before[-1]["megapixels"],
            petaflop=before[-1]["petaflop"],
            minutes=before[-1]["minutes"],
            run_petaflop=logged[-1].values["petaflop"],
            machines=tuple(dict.fromkeys(values["machine"] for values in before)),
            validation_db=best["score"],
        )


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


def card_of(config: TrainConfig, network: "Network", facts: TrainingFacts | None = None) -> ModelCard:
    """What a network trained by a configuration is.

    Args:
        config: of the run.
        network: of config.architecture.
        facts: how it was trained, where that is known.
    """
    unsaid = {"title": config.name, "summary": f"Trained here from {config.name}.yaml.", "paper": ""}
    return ModelCard(
        name=config.name,
        architecture=config.architecture,
        hyperparameters=dict(config.hyperparameters),
        color=network.color.value,
        stage_names=network.stage_names,
        steerable=network.steerable,
        uses_tables=network.uses_tables,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        mmac_per_pixel=round(network.mmac_per_pixel(), 4),
        trained=facts,
        **{**unsaid, **config.card},
    )


def _changed_ns(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None

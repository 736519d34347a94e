"""TrainRun: the folder of one training run, its events, checkpoints and publication."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.card import ModelCard, TrainingFacts
from models.errors import BrokenCheckpoint, InvalidSetting
from models.zoo import ARCHITECTURES, color_of, save_checkpoint
from training.config import TrainConfig


@dataclass(frozen=True)
class TrainEvent:
    """One line of events.jsonl.

    Attributes:
        step: steps finished when it was written.
        kind: "start", "train", "validation", "saved" or "end".
        values: numbers and short texts.
        time: seconds since the epoch.
    """

    step: int
    kind: str
    values: dict[str, Any] = field(default_factory=dict)
    time: float = 0.0


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a temporary file beside `path`, flush it to disk, then put it in place in one step."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        write(Path(name))
        with open(name, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class TrainRun:
    """A folder with config.yaml, events.jsonl, last.pt (for resuming) and best.pt (averaged weights)."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.config_path = self.folder / "config.yaml"
        self.events_path = self.folder / "events.jsonl"
        self.last_path = self.folder / "last.pt"
        self.best_path = self.folder / "best.pt"

    def begin(self, config: TrainConfig) -> None:
        """Make the folder and write the configuration.

        Raises:
            InvalidSetting: a run is there already, so nothing is trained twice by accident.
        """
        if self.last_path.exists():
            raise InvalidSetting(
                f"There is a run in {self.folder} already. One folder holds one run. "
                "Continue it with --resume, or give another folder with --run."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.config_path, lambda path: path.write_text(config.to_yaml(), encoding="utf-8"))

    def write_event(self, step: int, kind: str, **values: Any) -> TrainEvent:
        """Append an event; a line is written in one piece."""
        event = TrainEvent(step, kind, values, round(time.time(), 3))
        line = json.dumps(event.__dict__) + "\n"
        with open(self.events_path, "a", encoding="utf-8") as file:
            file.write(line)
        return event

    def events(self) -> Iterator[TrainEvent]:
        """All events so far; a line cut off by a crash is passed over."""
        if not self.events_path.exists():
            return
        with open(self.events_path, encoding="utf-8") as file:
            for line in file:
                try:
                    yield TrainEvent(**json.loads(line))
                except (json.JSONDecodeError, TypeError):
                    continue

    def save_last(self, state: dict[str, Any]) -> None:
        """Keep everything that resuming needs."""
        write_atomically(self.last_path, lambda path: torch.save(state, path))

    def load_last(self) -> dict[str, Any]:
        """What save_last kept.

        Raises:
            InvalidSetting: nothing is there to resume.
            BrokenCheckpoint: the file cannot be read.
        """
        if not self.last_path.exists():
            raise InvalidSetting(
                f"There is nothing to resume in {self.folder}. A run that has saved last.pt is needed. "
                "Start without --resume, or name another folder with --run."
            )
        try:
            return torch.load(self.last_path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise BrokenCheckpoint(
                f"{self.last_path} cannot be read ({error}). A file this trainer saved is needed. "
                "Start the run again in another folder."
            ) from error

    def save_best(self, weights: dict[str, torch.Tensor], step: int, score: float) -> None:
        """Keep the averaged weights of the best validation so far."""
        state = {"weights": weights, "step": step, "score": score}
        write_atomically(self.best_path, lambda path: torch.save(state, path))

    def publish(self, checkpoints: Path) -> Path:
        """Write the best weights as checkpoints/<name>/ with a card; returns that folder.

        Raises:
            InvalidSetting: the run has not validated yet.
        """
        best = self._load_best()
        config = TrainConfig.from_yaml(self.config_path)
        network = ARCHITECTURES[config.architecture](**config.hyperparameters)
        network.load_state_dict(best["weights"])
        folder = checkpoints / config.name
        save_checkpoint(folder, network, self._card(config, network, best))
        return folder

    def _load_best(self) -> dict[str, Any]:
        if not self.best_path.exists():
            raise InvalidSetting(
                f"{self.folder} has no best.pt yet. It is written at the first validation. Train longer, then publish."
            )
        return torch.load(self.best_path, map_location="cpu", weights_only=True)

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

    def _card(self, config: TrainConfig, network: nn.Module, best: dict[str, Any]) -> ModelCard:
        return ModelCard(
            name=config.name,
            architecture=config.architecture,
            hyperparameters=dict(config.hyperparameters),
            color=color_of(config.architecture),
            stage_names=tuple(getattr(network, "stage_names", ())),
            steerable=hasattr(network, "condition"),
            uses_tables=hasattr(network, "condition"),
            parameters=sum(parameter.numel() for parameter in network.parameters()),
            mmac_per_pixel=round(network.mmac_per_pixel(), 4),
            trained=self._facts(config, best),
            **config.card,
        )

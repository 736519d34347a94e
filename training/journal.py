"""Journal: what a run writes into its folder while it trains, and the sign of life it gives.

Events and their values:
- activity: doing, done, of, while a trainer starts; see training.events.activity_words.
- start: resumed, warnings (sentences about photographs or checkpoints), score_db and score_input_db (before training;
  new runs only).
- train: loss and its terms, gradient_norm, learning_rate, progress, and what training.clock.Throughput reports.
- validation: <case>_input_db and <case>_db, score_input_db and score_db; see Learner.validate.
- preview: name, file, psnr_db, input_db; see Previews.
- saved: minutes. error: sentence. end: finished, minutes, ended_by (the budget that was used up; finished runs only).

Beside each preview previews/<name>-<step>.png lie <name>-original.png and <name>-degraded.png, written once.
"""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from models.errors import MissingExtra
from models.files import write_atomically
from models.images import RgbImage
from models.jpeg import Degradation, Save, degrade
from models.network_restorer import NetworkRestorer
from models.networks.base import Network
from models.png_files import write_png
from training.config import TrainConfig
from training.data import central_crop
from training.evaluation.metrics import psnr_db
from training.events import TrainEvent
from training.learner import Learner
from training.pictures import Photographs
from training.run import Heartbeat, RunFolder, card_of

MOST_PREVIEWS = 4
LONGEST_SIDE = 256
DEGRADATION = Degradation((Save(10),))
"""How previewed pictures are broken."""


class Previews:
    """Crops of the first validation photographs, broken once and restored again and again."""

    def __init__(
        self, config: TrainConfig, network: Network, device: torch.device, photographs: Photographs
    ) -> None:
        """Break the crops.

        Args:
            config: of the run.
            network: the averaged weights; restored with as they are at each writing.
            device: where they are.
            photographs: for validation.
        """
        self.restorer = NetworkRestorer(network=network, card=card_of(config, network), device=device)
        side = min(LONGEST_SIDE, config.data.validation_size)
        self.broken = {}
        for name, image in zip(photographs.names[:MOST_PREVIEWS], photographs.images, strict=False):
            self.broken[_file_name(name)] = degrade(central_crop(image, side), DEGRADATION)

    def write(self, step: int, folder: Path) -> Iterator[dict[str, Any]]:
        """Restore every crop and write it losslessly.

        Args:
            step: of the training so far.
            folder: previews/ in the run's folder.

        Returns:
            The values of a "preview" event each: name, file (relative to the run's folder), PSNR in dB of the
            restored crop and of its input, both in RGB.
        """
        folder.mkdir(exist_ok=True)
        for name, degraded in self.broken.items():
            once = {"original": degraded.reference, "degraded": degraded.image.pixels}
            for kind, pixels in once.items():
                if not (path := folder / f"{name}-{kind}.png").exists():
                    _write_picture(pixels, path)
            restored = self.restorer.restore(degraded.image).pixels
            path = folder / f"{name}-{step}.png"
            _write_picture(restored, path)
            yield {
                "name": name,
                "file": f"{folder.name}/{path.name}",
                "psnr_db": round(psnr_db(restored, degraded.reference), 3),
                "input_db": round(psnr_db(degraded.image.pixels, degraded.reference), 3),
            }


def _write_picture(pixels: RgbImage, path: Path) -> None:
    write_atomically(path, lambda temporary: write_png(pixels, temporary))


def _file_name(name: str) -> str:
    """A name that is safe in a path and a link."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:60] or "picture"


OnEvent = Callable[[TrainEvent], None]
"""Told about every event that was written."""


class Journal:
    """Writes for the first process; for the others every method does nothing."""

    def __init__(self, run: RunFolder, config: TrainConfig, on_event: OnEvent, *, writes: bool) -> None:
        """Prepare TensorBoard, if asked for.

        Raises:
            MissingExtra: TensorBoard is asked for and not installed.
        """
        self.run, self.config, self.on_event, self.writes = run, config, on_event, writes
        self.heartbeat = Heartbeat(run.heartbeat_path)
        self.board = _board(run) if writes and config.runtime.tensorboard else None
        self.previews: Previews | None = None

    def prepare_previews(self, learner: Learner) -> None:
        """Break the pictures that preview() restores with the learner's averaged weights."""
        if self.writes:
            photographs = learner.validation_photographs
            self.previews = Previews(self.config, learner.averaged, learner.device, photographs)

    def beat(self) -> None:
        """Show that the loop still turns."""
        if self.writes:
            self.heartbeat.beat()

    def event(self, step: int, kind: str, **values: Any) -> None:
        """Write an event; numbers that are none become null."""
        if not self.writes:
            return
        values = {name: _plain(value) for name, value in values.items()}
        event = self.run.write_event(step, kind, **values)
        if self.board is not None and kind in ("train", "validation"):
            for name, value in values.items():
                if isinstance(value, int | float):
                    self.board.add_scalar(f"{kind}/{name}", value, step)
        self.on_event(event)
        self.beat()

    def preview(self, step: int, should_leave: Callable[[], bool]) -> None:
        """Write the preview pictures of the averaged weights, until it is asked to leave the rest."""
        pictures = self.previews.write(step, self.run.previews) if self.previews is not None else iter(())
        while not should_leave() and (values := next(pictures, None)) is not None:
            self.event(step, "preview", **values)

    def best(self, step: int, score: float, weights: dict[str, torch.Tensor]) -> None:
        """Keep the averaged weights as the best so far."""
        if self.writes:
            self.run.save_best(weights, step, score)

    def save(self, state: dict[str, Any]) -> None:
        """Keep everything that an exact continuation needs."""
        if self.writes:
            self.run.save(state)
            self.event(state["step"], "saved", minutes=round(state["seconds"] / 60, 2))

    def close(self) -> None:
        """Write what is still in memory."""
        if self.board is not None:
            self.board.close()


def _board(run: RunFolder) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtra(
            f"runtime.tensorboard is true, and the package tensorboard is missing ({error}). The run's own events need "
            "nothing. Install it with pip install -r requirements-scale.txt, or set runtime.tensorboard to false."
        ) from error
    return SummaryWriter(run.folder / "tensorboard")


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value

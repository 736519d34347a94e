"""Journal: what a run writes into its folder while it trains, and the sign of life it gives.

Events and their values:
- start: resumed, warnings (sentences about photographs or checkpoints), score_db (before training; new runs only).
- train: loss and its terms, gradient_norm, learning_rate, progress, and what training.clock.Throughput reports.
- validation: <case>_input_db and <case>_db, score_input_db and score_db; see Learner.validate.
- preview: name, file, psnr_db, input_db; see training.previews.
- saved: minutes. error: sentence. end: finished, minutes.
"""

import math
from collections.abc import Callable
from typing import Any

from models.errors import MissingExtra
from training.config import TrainConfig
from training.events import TrainEvent
from training.learner import Learner
from training.previews import Previews
from training.run import TrainRun
from training.run_lock import Heartbeat

OnEvent = Callable[[TrainEvent], None]
"""Told about every event that was written."""


class Journal:
    """Writes for the first process; for the others every method does nothing."""

    def __init__(self, run: TrainRun, config: TrainConfig, learner: Learner, on_event: OnEvent) -> None:
        """Prepare the previews and, if asked for, TensorBoard.

        Raises:
            MissingExtra: TensorBoard is asked for and not installed.
        """
        self.run, self.learner, self.on_event = run, learner, on_event
        self.writes = learner.processes.first
        self.heartbeat = Heartbeat(run.heartbeat_path)
        self.board = self.previews = None
        if self.writes:
            self.board = _board(run) if config.runtime.tensorboard else None
            self.previews = Previews(config, learner.averaged, learner.device, learner.validation_photographs)

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

    def preview(self, step: int) -> None:
        """Write the preview pictures of the averaged weights."""
        if self.previews is not None:
            for values in self.previews.write(step, self.run.previews):
                self.event(step, "preview", **values)

    def best(self, step: int, score: float) -> None:
        """Keep the averaged weights as the best so far."""
        if self.writes:
            self.run.save_best(self.learner.averaged.state_dict(), step, score)

    def save(self, state: dict[str, Any]) -> None:
        """Keep everything that an exact continuation needs."""
        if self.writes:
            self.run.save_last(state)
            self.event(state["step"], "saved", minutes=round(state["seconds"] / 60, 2))

    def close(self) -> None:
        """Write what is still in memory."""
        if self.board is not None:
            self.board.close()


def _board(run: TrainRun) -> Any:
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

"""Clock and Throughput: how much of its budgets a training run has used up, and how fast it goes."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import torch

from training.config import OptimizerConfig
from training.data import Batch

OPERATIONS_PER_MAC = 6
"""A multiply and an add, once forward and twice backward."""


@dataclass
class Clock:
    """How far a run is, by steps, minutes or operations, whichever is furthest; earlier sittings count.

    Attributes:
        steps, minutes, petaflop: the budgets, as in OptimizerConfig.
        mac_per_pixel: multiply-accumulates of the network per trained pixel.
        earlier_seconds: of training before this sitting.
        pixels: trained on so far, earlier sittings included.
    """

    steps: int
    minutes: float | None
    earlier_seconds: float = 0.0
    petaflop: float | None = None
    mac_per_pixel: float = 0.0
    pixels: int = 0

    def __post_init__(self) -> None:
        self.started = time.monotonic()

    @classmethod
    def of(cls, budget: OptimizerConfig, mac_per_pixel: float) -> "Clock":
        """The clock of a run that begins now."""
        return cls(budget.steps, budget.minutes, petaflop=budget.petaflop, mac_per_pixel=mac_per_pixel)

    @property
    def seconds(self) -> float:
        """Seconds of training so far."""
        return self.earlier_seconds + time.monotonic() - self.started

    @property
    def petaflop_used(self) -> float:
        """Training operations so far, in units of 1e15."""
        return OPERATIONS_PER_MAC * self.mac_per_pixel * self.pixels / 1e15

    def progress(self, step: int) -> float:
        """0 at the start, 1 at the end."""
        by_time = self.seconds / (60 * self.minutes) if self.minutes else 0.0
        by_operations = self.petaflop_used / self.petaflop if self.petaflop else 0.0
        return min(1.0, max(step / self.steps, by_time, by_operations))


class Throughput:
    """How fast a run is, for its log."""

    def __init__(self, clock: Clock, step: int, device: torch.device) -> None:
        """Begin to measure at this step."""
        self.clock, self.waited, self.images = clock, 0.0, 0
        self.began = (clock.seconds, clock.progress(step))
        self.logged = (step, clock.pixels, clock.seconds)
        self.device = device if device.type == "cuda" else None
        threads = torch.get_num_threads()
        processor = f"{threads} CPU thread{'s' * (threads > 1)}"
        self.machine = torch.cuda.get_device_name(device) if self.device else processor

    def wait_for(self, batches: Iterator[Batch]) -> Batch:
        """The next batch; the time it takes is waiting for data."""
        asked = time.monotonic()
        batch = next(batches)
        self.waited += time.monotonic() - asked
        return batch

    def count(self, batch: Batch, processes: int) -> None:
        """Note what a step was trained on: as much as `batch` in each of the processes."""
        self.images += len(batch.clean) * processes
        self.clock.pixels += batch.clean[:, 0].numel() * processes

    def report(self, step: int) -> dict[str, float | str]:
        """Totals, and rates since the last report; waiting_share is of this process's time, 0..1."""
        seconds, pixels = self.clock.seconds, self.clock.pixels
        earlier_step, earlier_pixels, earlier_seconds = self.logged
        spent, waited, images = max(seconds - earlier_seconds, 1e-6), self.waited, self.images
        self.logged, self.waited, self.images = (step, pixels, seconds), 0.0, 0
        return {
            "megapixels": round(pixels / 1e6, 3),
            "petaflop": round(self.clock.petaflop_used, 6),
            "images_per_second": round(images / spent, 3),
            "megapixels_per_second": round((pixels - earlier_pixels) / 1e6 / spent, 4),
            "steps_per_second": round((step - earlier_step) / spent, 4),
            "waiting_share": round(min(waited / spent, 1.0), 4),
            "seconds_left": round(self._seconds_left(step), 1),
            "memory_mb": round(_memory_bytes() / 1e6, 1),
            **(
                {"gpu_memory_mb": round(torch.cuda.max_memory_allocated(self.device) / 1e6, 1)}
                if self.device
                else {}
            ),
            "minutes": round(seconds / 60, 2),
            "machine": self.machine,
        }

    def _seconds_left(self, step: int) -> float:
        """At the pace of this sitting."""
        progress, (began, progress_then) = self.clock.progress(step), self.began
        gained = max(progress - progress_then, 1e-9)
        return (1 - progress) * (self.clock.seconds - began) / gained


def _memory_bytes() -> int:
    """Resident memory of this process and of those that prepare its data, shared pages counted in each."""
    process, total = psutil.Process(), 0
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            total += each.memory_info().rss
    return total

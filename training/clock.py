"""Clock and Throughput: how much of its budgets a training run has used up, and how fast it goes."""

import contextlib
import math
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

    Its minutes begin when the first step of a sitting is done: loading photographs, measuring where a run starts from
    and compiling, which is part of that step, take none of them.

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
        self.started: float | None = None

    @classmethod
    def of(cls, budget: OptimizerConfig) -> "Clock":
        """The clock of a run that has not begun."""
        return cls(budget.steps, budget.minutes, petaflop=budget.petaflop)

    def begin(self) -> None:
        """The first step of this sitting is done; later calls change nothing."""
        if self.started is None:
            self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of training so far."""
        return self.earlier_seconds + (time.monotonic() - self.started if self.started is not None else 0.0)

    @property
    def petaflop_used(self) -> float:
        """Training operations so far, in units of 1e15."""
        return OPERATIONS_PER_MAC * self.mac_per_pixel * self.pixels / 1e15

    def progress(self, step: int) -> float:
        """0 at the start, 1 at the end."""
        return min(1.0, max(self._shares(step).values()))

    def nearest_budget(self, step: int) -> str:
        """Which budget is used up first: "steps", "minutes" or "petaflop"."""
        shares = self._shares(step)
        return max(shares, key=lambda name: shares[name])

    def _shares(self, step: int) -> dict[str, float]:
        """How much of each budget is used up."""
        shares = {"steps": step / self.steps}
        if self.minutes:
            shares["minutes"] = self.seconds / (60 * self.minutes)
        if self.petaflop:
            shares["petaflop"] = self.petaflop_used / self.petaflop
        return shares


class Throughput:
    """How fast a run is, for its log."""

    def __init__(self, clock: Clock, step: int, device: torch.device) -> None:
        """Begin to measure at this step."""
        self.clock, self.waited, self.images = clock, 0.0, 0
        self.steps, self.logged = step, (step, clock.pixels, time.monotonic())
        self.paced_from = self.first = self.logged
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
        """Note what a step was trained on: as much as `batch` in each of the processes. The first begins the clock."""
        self.images += len(batch.clean) * processes
        self.clock.pixels += batch.clean[:, 0].numel() * processes
        self.steps += 1
        if self.clock.started is None:
            self.clock.begin()
            self.first = (self.steps, self.clock.pixels, time.monotonic())
        else:
            self.paced_from = self.first  # the first step, which may compile, says little of the others

    def report(self, step: int) -> dict[str, float | str]:
        """Totals, and rates since the last report; waiting_share is of this process's time, 0..1."""
        pixels, now = self.clock.pixels, time.monotonic()
        earlier_step, earlier_pixels, earlier = self.logged
        spent, waited, images = max(now - earlier, 1e-6), self.waited, self.images
        self.logged, self.waited, self.images = (step, pixels, now), 0.0, 0
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
            "minutes": round(self.clock.seconds / 60, 2),
            "machine": self.machine,
        }

    def _seconds_left(self, step: int) -> float:
        """Until the first budget is used up, at the pace of this sitting."""
        clock, (first_step, first_pixels, began) = self.clock, self.paced_from
        spent, pixels = time.monotonic() - began, clock.pixels - first_pixels
        left = [(clock.steps - step) * spent / max(step - first_step, 1)]
        if clock.minutes:
            left.append(60 * clock.minutes - clock.seconds)
        if clock.petaflop and pixels:
            used = clock.petaflop_used * pixels / clock.pixels
            left.append((clock.petaflop - clock.petaflop_used) * spent / used if used else math.inf)
        return max(min(left), 0.0)


def _memory_bytes() -> int:
    """Resident memory of this process and of those that prepare its data, shared pages counted in each."""
    process, total = psutil.Process(), 0
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            total += each.memory_info().rss
    return total

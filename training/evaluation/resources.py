"""What restoring takes, and where: operations, parameters, memory, and the machine in words."""

import platform
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from models.jpeg import Save, encode
from models.network_restorer import NetworkRestorer, bfloat16_is_fast
from models.networks.layers import mac_per_pixel
from models.operating_system import forget_peak_memory, peak_memory_bytes
from models.restorer import RestoreOptions, Restorer

COUNTING_SIDE = 256
"""Rows and columns of the picture on which multiply-accumulates are counted: whole blocks, a single tile."""


@dataclass(frozen=True)
class Cost:
    """What a restorer costs, whatever the picture."""

    mmac_per_pixel: float = 0.0
    parameters: int = 0


def cost_of(restorer: Restorer, options: RestoreOptions) -> Cost:
    """Count what a restorer does on a small picture, which also warms it up before anything is timed.

    Raises:
        RestorationError: options that the restorer refuses.
    """
    ramp = np.add.outer(np.arange(COUNTING_SIDE), np.arange(COUNTING_SIDE)) // 2
    image = encode(np.repeat(ramp.astype(np.uint8)[..., None], 3, axis=2), Save(50))

    restorer.restore(image, options)
    if not isinstance(restorer, NetworkRestorer):
        return Cost()
    layered = replace(restorer, runtimes=None)  # other runtimes show no layers that could be counted

    def run() -> int:
        layered.restore(image, options)
        return COUNTING_SIDE**2

    parameters = sum(parameter.numel() for parameter in restorer.network.parameters())
    return Cost(mac_per_pixel(restorer.network, run) / 1e6, parameters)


@dataclass(frozen=True)
class Resources:
    """Peak memory from a moment on.

    Attributes:
        device: the GPU that is watched, None for the process itself.
    """

    device: torch.device | None

    @classmethod
    def watch(cls, restorer: Restorer | None) -> "Resources":
        """Forget earlier peaks; on systems that cannot, the peak is that of the whole run."""
        if isinstance(restorer, NetworkRestorer) and restorer.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(restorer.device)
            return cls(restorer.device)
        forget_peak_memory()
        return cls(None)

    def peak_mb(self) -> float:
        """1e6 bytes."""
        if self.device is not None:
            return torch.cuda.max_memory_allocated(self.device) / 1e6
        return peak_memory_bytes() / 1e6


def machine_of(restorer: Restorer | None) -> str:
    """Where a restorer, or plain decoding, runs, for people: device, threads, version of torch."""
    torch_version = f"torch {torch.__version__}"
    if isinstance(restorer, NetworkRestorer) and restorer.device.type == "cuda":
        return f"{torch.cuda.get_device_name(restorer.device)}, {torch_version}"
    if isinstance(restorer, NetworkRestorer) and restorer.runtimes is not None:
        torch_version += f", runtime {restorer.runtimes.wanted}"
    threads = torch.get_num_threads()
    units = ", bfloat16 units" * bfloat16_is_fast(torch.device("cpu"))
    return f"{_processor()}, {threads} thread{'s' * (threads > 1)}{units}, {torch_version}"


def _processor() -> str:
    """The processor's name as Linux tells it, else as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()

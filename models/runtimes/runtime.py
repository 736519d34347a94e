"""Runtime: what carries out a network's arithmetic on one tile, and PyTorch as the one that is always there."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from models.networks.base import Network


class Runtime(Protocol):
    """Runs a network on tiles; from any thread."""

    @property
    def words(self) -> str:
        """Name and precision for people, such as "OpenVINO, float32"."""
        ...

    def run(self, inputs: Tensor, condition: Tensor, stages: int | None) -> Sequence[Tensor]:
        """What models.networks.base.Network.forward returns.

        Args:
            inputs: a batch of one.
            condition: of the whole picture.
            stages: stop after that many; None runs all.
        """
        ...


@dataclass(frozen=True, eq=False)
class PyTorch:
    """The network itself, on any device.

    Attributes:
        network: on `device`, in evaluation mode.
        device: where it runs.
        reduced: convolutions run in bfloat16.
    """

    network: Network
    device: torch.device
    reduced: bool

    @property
    def words(self) -> str:
        """See Runtime."""
        return f"PyTorch, {precision_words(self.reduced)}"

    def run(self, inputs: Tensor, condition: Tensor, stages: int | None) -> list[Tensor]:
        """See Runtime."""
        reduced = torch.autocast(self.device.type, dtype=torch.bfloat16)
        with reduced if self.reduced else contextlib.nullcontext():
            return self.network(inputs, condition, stages)


def precision_words(reduced: bool) -> str:
    """Of convolutions."""
    return "bfloat16" if reduced else "float32"

"""Models of the community (FBCNN, SwinIR, SCUNet, DRUNet, ...) through spandrel: an optional extra, imported late.

spandrel finds the architecture in the weights and keeps its networks plain modules; see requirements-spandrel.txt.
FBCNN: J. Jiang, K. Zhang, R. Timofte, "Towards Flexible Blind JPEG Artifacts Removal", ICCV 2021.
"""

import importlib
import math
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from models.card import ModelCard
from models.errors import BrokenCheckpoint, MissingExtra
from models.network_restorer import NetworkRestorer
from models.networks.base import ColorRule, Network

COMMUNITY = "spandrel"
"""ModelCard.architecture of all of them."""

OVERLAP = 64
"""Pixels around a tile; nobody says how far these networks look, and some look at all they are given."""


class CommunityNetwork(Network):
    """Any picture-to-picture network of spandrel's that keeps the size of a picture.

    It is called through spandrel's descriptor, which pads to the sizes the network needs and clamps to 0..1.
    """

    overlap = OVERLAP
    full_resolution = True
    full_precision = True

    def __init__(self, descriptor: Any) -> None:
        """descriptor: of spandrel, with 3 channels or 1."""
        super().__init__()
        self.channels = descriptor.input_channels
        self.color = ColorRule.RGB if self.channels == 3 else ColorRule.PLANES
        self.multiple = math.lcm(8, descriptor.size_requirements.multiple_of)
        self._descriptor = descriptor
        self.network = descriptor.model

    def forward(
        self, pixels: Tensor, /, condition: Tensor | None = None, stages: int | None = None
    ) -> list[Tensor]:
        """See Network.forward; a batch of one."""
        return [self._descriptor(pixels)]


class CommunityFbcnn(CommunityNetwork):
    """FBCNN with its quality control: it sees the quality factor of the whole picture, and can be told another.

    FBCNN looks at blocks of 8x8 pixels and averages what it sees; here, the average is of the whole picture, so that
    all tiles share one estimate. It calls a quality factor Q 1 - Q/100.
    """

    steerable = True

    def __init__(self, descriptor: Any) -> None:
        """descriptor: of spandrel's FBCNN for 3 channels."""
        super().__init__(descriptor)
        self.multiple = 8
        layers = list(self.network.qf_pred)
        mean = next(index for index, layer in enumerate(layers) if isinstance(layer, nn.AdaptiveAvgPool2d))
        self._seeing, self._judging = nn.Sequential(*layers[:mean]), nn.Sequential(*layers[mean + 2 :])

    def summarize(self, pixels: Tensor) -> Tensor:
        """(batch, 3, rows, columns), multiples of 8 -> (batch, channels), what it sees of the blocks, averaged."""
        net = self.network
        features = net.m_down3(net.m_down2(net.m_down1(net.m_head(pixels))))
        return self._seeing(net.m_body_encoder(features)).mean((2, 3))

    def predicted_quality_factor(self, summary: Tensor) -> Tensor:
        """(batch, channels) -> (batch,), 0..100."""
        return 100 * (1 - self._judging(summary)[:, 0])

    def condition(
        self, summary: Tensor, *, quality_factor: Tensor | None = None, tables: Tensor | None = None
    ) -> Tensor:
        """See Network.condition, (batch, 1); tables mean nothing to FBCNN."""
        chosen = self.predicted_quality_factor(summary) if quality_factor is None else quality_factor
        return 1 - chosen[:, None] / 100

    def forward(
        self, pixels: Tensor, /, condition: Tensor | None = None, stages: int | None = None
    ) -> list[Tensor]:
        """See Network.forward."""
        if condition is None:
            condition = self.condition(self.summarize(pixels))
        restored, _ = self.network(pixels, condition)
        return [restored]


def community_restorer(weights: dict[str, Tensor], card: ModelCard, device: torch.device) -> NetworkRestorer:
    """A restorer around whatever network of spandrel's these weights belong to.

    Args:
        weights: from a safetensors file; spandrel opens none itself, so that no pickle is ever read.
        card: its architecture is COMMUNITY; its color must be "rgb" for three channels and "planes" for one.
        device: where the network will run.

    Raises:
        MissingExtra: spandrel is not installed, or does not run here.
        BrokenCheckpoint: weights that spandrel does not know, or a network for something else.
    """
    spandrel = _spandrel()
    try:
        descriptor = spandrel.ModelLoader(device=device).load_from_state_dict(weights)
    except (spandrel.UnsupportedModelError, KeyError, ValueError, RuntimeError) as problem:
        raise BrokenCheckpoint(
            f"spandrel does not know the network of {card.name!r} ({_first_line(problem)}). It knows FBCNN, SwinIR, "
            "SCUNet, DRUNet and some fifty more by the names of their tensors. Take the weights as their authors "
            "published them, converted to safetensors and not changed otherwise."
        ) from problem
    _check(descriptor, card)
    steered = descriptor.architecture.id == "FBCNN" and card.color == "rgb"
    if card.steerable and not steered:
        raise BrokenCheckpoint(
            f"The card of {card.name!r} says that it can be steered, but {descriptor.architecture.id} for "
            f"{descriptor.input_channels} channels has no quality control here. Colour FBCNN has. Set steerable to "
            "false."
        )
    network = (CommunityFbcnn if steered else CommunityNetwork)(descriptor)
    network.requires_grad_(False).eval().to(device)
    return NetworkRestorer(network=network, card=card, device=device)


def _check(descriptor: Any, card: ModelCard) -> None:
    """Refuse networks that do not turn pictures into pictures of the same size and kind."""
    channels = getattr(descriptor, "input_channels", 0), getattr(descriptor, "output_channels", 0)
    scale = getattr(descriptor, "scale", "?")
    if scale != 1 or channels not in ((3, 3), (1, 1)):
        raise BrokenCheckpoint(
            f"{card.name!r} is a {descriptor.architecture.id} that makes {channels[1]} channels of {channels[0]} and "
            f"scales by {scale}. Networks that keep a picture's size, in colour or in gray, can restore JPEG files. "
            "Choose weights for JPEG artifacts or noise."
        )
    color = "rgb" if channels == (3, 3) else "planes"
    if card.color != color or card.uses_tables or card.stage_names:
        raise BrokenCheckpoint(
            f"The card of {card.name!r} does not fit its {descriptor.architecture.id} of {channels[0]} channels: color "
            f"is {card.color}, uses_tables {str(card.uses_tables).lower()}, and it names {len(card.stage_names)} "
            f"stages. Allowed is color: {color}, uses_tables: false and no stages. Correct the card."
        )


def _spandrel() -> ModuleType:
    try:
        return importlib.import_module("spandrel")
    except (
        ImportError,
        RuntimeError,
        OSError,
    ) as problem:  # torchvision of another torch raises the latter two
        raise MissingExtra(
            f"Models of the community need spandrel, which cannot be imported ({_first_line(problem)}). It is an "
            "optional extra, and needs a torchvision that fits this torch. Install both with: pip install -r "
            "requirements-spandrel.txt, or take the model's folder out of the checkpoints."
        ) from problem


def _first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]

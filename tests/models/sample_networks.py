"""Small networks of every architecture with weights that do something, and pictures to run them on."""

from dataclasses import replace

import numpy as np
import skimage.data
import torch
from torch import Tensor, nn

from models.card import ModelCard
from models.images import RgbImage
from models.network_restorer import NetworkRestorer
from models.steering import whole_picture_summary
from models.zoo import ARCHITECTURES, color_of

SMALL = {
    "cascade": {"widths": [16, 24, 32], "blocks": [1, 1, 2], "embedding": 16, "periods": 4, "summary": 32},
    "dncnn": {"layers": 8, "width": 16},
    "edsr": {"width": 16, "blocks": 3},
    "qcn": {"width": 16, "blocks": 3},
    "qgcn": {"width": 16, "blocks": 3, "global_hidden": 24},
    "luma_chroma": {
        "channels": 8,
        "hidden": 12,
        "growth": 8,
        "dense_blocks": 1,
        "luma_blocks": 1,
        "chroma_blocks": 1,
    },
}
"""Hyperparameters that make an architecture fast enough for tests; others run as they are by default."""


def sample_card(architecture: str) -> ModelCard:
    """A card for an architecture, worked out from its network as a training run does."""
    hyperparameters = SMALL.get(architecture, {})
    network = ARCHITECTURES[architecture](**hyperparameters)
    steered = hasattr(network, "condition")
    return ModelCard(
        name=architecture,
        title=architecture.title(),
        architecture=architecture,
        summary="For tests.",
        paper="None.",
        color=color_of(architecture),
        stage_names=tuple(getattr(network, "stage_names", ())),
        steerable=steered,
        uses_tables=steered,
        hyperparameters=hyperparameters,
    )


CARDS = {architecture: sample_card(architecture) for architecture in ARCHITECTURES}


def lively_network(card: ModelCard) -> nn.Module:
    """An untrained network whose weights, those that begin at zero too, all have an effect."""
    torch.manual_seed(1)
    network = ARCHITECTURES[card.architecture](**card.hyperparameters)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return network.eval()


def sample_inputs(card: ModelCard, network: nn.Module, rows: int, columns: int) -> tuple[Tensor, ...]:
    """Two random inputs for a network, with their condition where it takes one; rows, columns: multiples of 8."""
    generator = torch.Generator().manual_seed(3)
    if card.color == "coefficients":
        return (torch.randn(2, 64, rows // 8, columns // 8, generator=generator) * 40,)
    pixels = torch.rand(2, 1 if card.color == "planes" else 3, rows, columns, generator=generator)
    if not hasattr(network, "condition"):
        return (pixels,)
    tables = torch.randint(1, 99, (2, 128), generator=generator).float()
    summary = whole_picture_summary(network, pixels)
    if hasattr(network, "predicted_quality_factor"):
        return pixels, network.condition(summary, torch.tensor([10.0, 60.0]), tables)
    return pixels, network.condition(summary, tables)


def pictures_of(network: nn.Module, inputs: tuple[Tensor, ...]) -> list[Tensor]:
    """One per stage, also of a network that returns a single picture."""
    outputs = network(*inputs)
    return outputs if isinstance(outputs, list) else [outputs]


def lively_restorer(architecture: str, **settings: object) -> NetworkRestorer:
    """A NetworkRestorer of lively_network on the processor, in full precision, unguarded, but for the settings."""
    card = CARDS[architecture]
    plain = NetworkRestorer(
        lively_network(card), card, torch.device("cpu"), reduced_precision=False, guarded=False
    )
    return replace(plain, **settings)


def photograph(rows: int, columns: int) -> RgbImage:
    """(rows, columns, 3) uint8: part of scikit-image's cat, repeated where it is too small."""
    cat = skimage.data.chelsea()
    repeats = -(-rows // cat.shape[0]), -(-columns // cat.shape[1]), 1
    return np.ascontiguousarray(np.tile(cat, repeats)[:rows, :columns])

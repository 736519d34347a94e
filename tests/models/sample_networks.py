"""Small networks of every architecture with weights that do something, and pictures to run them on."""

from dataclasses import replace

import numpy as np
import skimage.data
import torch
from torch import nn

from models.card import ModelCard
from models.images import RgbImage
from models.network_restorer import NetworkRestorer
from models.zoo import ARCHITECTURES

SMALL = {
    "cascade": {"widths": [16, 24, 32], "blocks": [1, 1, 2], "embedding": 16, "periods": 4, "summary": 32}
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
        color="rgb" if steered else "planes",
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


def lively_restorer(architecture: str, **settings: object) -> NetworkRestorer:
    """A NetworkRestorer of lively_network on the processor in full precision, unless settings say otherwise."""
    card = CARDS[architecture]
    plain = NetworkRestorer(lively_network(card), card, torch.device("cpu"), reduced_precision=False)
    return replace(plain, **settings)


def photograph(rows: int, columns: int) -> RgbImage:
    """(rows, columns, 3) uint8: part of scikit-image's cat, repeated where it is too small."""
    cat = skimage.data.chelsea()
    repeats = -(-rows // cat.shape[0]), -(-columns // cat.shape[1]), 1
    return np.ascontiguousarray(np.tile(cat, repeats)[:rows, :columns])

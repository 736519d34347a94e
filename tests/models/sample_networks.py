"""Small networks of every architecture with weights that do something, and pictures to run them on."""

from dataclasses import replace

import numpy as np
import skimage.data
import torch
from torch import Tensor

from models.card import ModelCard
from models.images import RgbImage
from models.network_restorer import NetworkRestorer
from models.networks.base import ColorRule, Network
from models.zoo import ARCHITECTURES, Zoo

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
    return ModelCard(
        name=architecture,
        title=architecture.title(),
        architecture=architecture,
        summary="For tests.",
        paper="None.",
        color=network.color.value,
        stage_names=network.stage_names,
        steerable=network.steerable,
        uses_tables=network.uses_tables,
        hyperparameters=hyperparameters,
    )


CARDS = {architecture: sample_card(architecture) for architecture in ARCHITECTURES}


def lively_network(card: ModelCard) -> Network:
    """An untrained network whose weights, those that begin at zero too, all have an effect."""
    torch.manual_seed(1)
    network = ARCHITECTURES[card.architecture](**card.hyperparameters)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return network.eval()


def sample_inputs(network: Network, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Two random inputs for a network, with their condition; rows, columns: multiples of 8."""
    generator = torch.Generator().manual_seed(3)
    if network.color is ColorRule.COEFFICIENTS:
        inputs = torch.randn(2, network.channels, rows // 8, columns // 8, generator=generator) * 40
    else:
        inputs = torch.rand(2, network.channels, rows, columns, generator=generator)
    tables = torch.randint(1, 99, (2, 128), generator=generator).float()
    factors = torch.tensor([10.0, 60.0])
    return inputs, network.condition(network.summarize(inputs), quality_factor=factors, tables=tables)


def lively_restorer(architecture: str, **settings: object) -> NetworkRestorer:
    """A NetworkRestorer of lively_network on the processor, in full precision, unguarded, but for the settings."""
    card = CARDS[architecture]
    plain = NetworkRestorer(
        lively_network(card), card, torch.device("cpu"), reduced_precision=False, guarded=False
    )
    return replace(plain, **settings)


def loaded(zoo: Zoo, name: str) -> NetworkRestorer:
    """The restorer of a checkpoint."""
    restorer = zoo.load(name)
    assert isinstance(restorer, NetworkRestorer)
    return restorer


def photograph(rows: int, columns: int) -> RgbImage:
    """(rows, columns, 3) uint8: part of scikit-image's cat, repeated where it is too small."""
    cat = skimage.data.chelsea()
    repeats = -(-rows // cat.shape[0]), -(-columns // cat.shape[1]), 1
    return np.ascontiguousarray(np.tile(cat, repeats)[:rows, :columns])

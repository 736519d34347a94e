"""Whether a GPU computes what the processor computes: a small network restores a fixed picture on both."""

from functools import cache

import numpy as np
import torch

from models.card import ModelCard
from models.images import RgbImage
from models.jpeg import Save, encode
from models.network_restorer import NetworkRestorer
from models.networks.cascade import Cascade
from models.tensors import placed

LEVELS_APART = 1
"""Of 255: different orders of summing up may round one sample to either side, and no more."""

_CARD = ModelCard(
    name="check",
    title="Check of the device",
    architecture="cascade",
    summary="Random weights.",
    paper="None.",
    stage_names=("stage 1", "stage 2", "stage 3"),
    steerable=True,
    uses_tables=True,
)
_SMALL = {"widths": [16, 16, 16], "blocks": [1, 1, 1], "embedding": 8, "periods": 2, "summary": 8}


@cache
def device_problem(device: torch.device) -> str:
    """What is wrong with a device, in a few words; "" where it can be used.

    Args:
        device: other than the processor.
    """
    try:
        found = restored_on(device)
    except (RuntimeError, NotImplementedError) as problem:
        return f"it fails ({str(problem).splitlines()[0]})"
    difference = np.abs(found.astype(int) - restored_on(torch.device("cpu"))).max()
    return f"its results differ by {difference} levels of 255" if difference > LEVELS_APART else ""


def restored_on(device: torch.device) -> RgbImage:
    """The fixed picture, restored there; (72, 104, 3) uint8."""
    network = Cascade(**_SMALL)
    numbers = np.random.default_rng(26)  # the same everywhere, whatever torch's own would give
    weights = network.state_dict()
    for name, tensor in weights.items():
        if tensor.is_floating_point():
            spread = 0.5 / np.sqrt(max(tensor[0].numel() if tensor.dim() > 1 else 1, 1))
            weights[name] = torch.from_numpy(numbers.normal(0, spread, tuple(tensor.shape))).to(tensor.dtype)
    network.load_state_dict(weights)
    placed(network.requires_grad_(False).eval(), device)
    restorer = NetworkRestorer(network=network, card=_CARD, device=device, reduced_precision=False)
    return restorer.restore(encode(_picture(), Save(30))).pixels


def _picture() -> RgbImage:
    rows, columns = np.mgrid[:72, :104]
    waves = [127 + 90 * np.sin(rows / pace) * np.cos(columns / (pace + 2)) for pace in (5, 9, 13)]
    return np.stack(waves, axis=2).astype(np.uint8)

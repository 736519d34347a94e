"""Weights to begin with, from a checkpoint: safetensors only, and only those of the very same network."""

from pathlib import Path

import torch
from torch import Tensor, nn

from models.errors import BrokenCheckpoint, InvalidSetting
from models.zoo import mismatches, read_weights

REPOSITORY = Path(__file__).resolve().parent.parent


def weights_to_start_from(path: str, network: nn.Module) -> dict[str, Tensor]:
    """The tensors of a file, in single precision.

    Args:
        path: of a .safetensors file; where it is relative and not found here, it is looked for beside the code.
        network: that will take them.

    Raises:
        InvalidSetting: a file of another kind.
        BrokenCheckpoint: missing, damaged, not finite, or of another network.
    """
    if Path(path).suffix != ".safetensors":
        raise InvalidSetting(
            f"start_from is {path!r}. Only .safetensors files are read, because others can run code. Name a "
            "checkpoint's weights.safetensors; python -m training.train --run FOLDER --publish makes one of a run."
        )
    weights = read_weights(here_or_beside_the_code(path))
    problems = mismatches(network.state_dict(), weights)
    if problems:
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise BrokenCheckpoint(
            f"The weights in {path} are not those of this network: {'; '.join(problems[:3])}{more}. Names and sizes "
            "of all tensors must agree. Take architecture and hyperparameters from the card beside the weights."
        )
    expected = network.state_dict()
    return {
        name: tensor.to(torch.float32) if expected[name].is_floating_point() else tensor
        for name, tensor in weights.items()
    }


def here_or_beside_the_code(path: str) -> Path:
    """The path itself, or, where nothing is there, the one of that name below the repository."""
    return Path(path) if Path(path).exists() else REPOSITORY / path

"""What earlier trainings give to a new one: weights to begin with, and a teacher's restorations to be trained towards.

Weights are read from safetensors only, and those of the very same network, except for parts that are said to begin
anew.

G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network", 2015, carried over to regression: a
teacher's picture lacks what nobody can know from the broken one, so that gradients towards it are less noisy than
towards the photograph.
"""

from pathlib import Path

import torch
from torch import Tensor

from models.card import read_card
from models.errors import BrokenCheckpoint, InvalidSetting
from models.networks.base import Network
from models.zoo import ARCHITECTURES, CARD_FILE, load_checkpoint, mismatches, read_weights

REPOSITORY = Path(__file__).resolve().parent.parent


def weights_to_start_from(path: str, network: Network, *, anew: tuple[str, ...] = ()) -> dict[str, Tensor]:
    """The tensors of a file, in single precision, and the network's own for what begins anew.

    Args:
        path: of a .safetensors file; where it is relative and not found here, it is looked for beside the code.
        network: that will take them.
        anew: beginnings of the names of tensors that the network keeps as they are.

    Raises:
        InvalidSetting: a file of another kind.
        BrokenCheckpoint: missing, damaged, not finite, or of another network.
    """
    if Path(path).suffix != ".safetensors":
        raise InvalidSetting(
            f"start_from is {path!r}. Only .safetensors files are read, because others can run code. Name a "
            "checkpoint's weights.safetensors; python -m training.train --run FOLDER --publish makes one of a run."
        )
    expected = network.state_dict()
    kept = {name: tensor for name, tensor in expected.items() if name.startswith(anew)}
    for part in anew:
        if not any(name.startswith(part) for name in kept):
            raise InvalidSetting(
                f"start_anew names {part!r}, and no tensor of this network begins so. Its parts are "
                f"{', '.join(sorted({name.partition('.')[0] for name in expected}))}. Correct start_anew."
            )
    read = read_weights(here_or_beside_the_code(path))
    weights = {name: tensor for name, tensor in read.items() if not name.startswith(anew)} | kept
    problems = mismatches(expected, weights)
    if problems:
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise BrokenCheckpoint(
            f"The weights in {path} are not those of this network: {'; '.join(problems[:3])}{more}. Names and sizes "
            "of all tensors must agree. Take architecture and hyperparameters from the card beside the weights."
        )
    return {
        name: tensor.to(torch.float32) if expected[name].is_floating_point() else tensor
        for name, tensor in weights.items()
    }


def here_or_beside_the_code(path: str) -> Path:
    """The path itself, or, where nothing is there, the one of that name below the repository."""
    return Path(path) if Path(path).exists() else REPOSITORY / path


def load_teacher(path: str, device: torch.device, *, planes: bool) -> Network:
    """The network of a checkpoint, in evaluation mode; it is not trained.

    Args:
        path: its folder; where it is relative and not found here, it is looked for beside the code.
        device: where it will run.
        planes: the patches are single planes.

    Raises:
        InvalidSetting: no checkpoint of this zoo, or one of the other kind of patches.
        BrokenCheckpoint: its weights cannot be used.
    """
    folder = here_or_beside_the_code(path)
    try:
        card = read_card(folder / CARD_FILE)
    except BrokenCheckpoint as error:
        raise InvalidSetting(
            f"loss.teacher is {path!r}, and there is no checkpoint to learn from ({error}). A folder with card.yaml "
            "and weights.safetensors is needed, such as checkpoints/cascade. Correct loss.teacher, or leave it empty."
        ) from error
    architecture = ARCHITECTURES.get(card.architecture)
    if architecture is None or architecture.color.plane_by_plane != planes:
        needed = "single planes" if planes else "whole pictures"
        raise InvalidSetting(
            f"loss.teacher is {path!r}, {card.title}, which cannot teach this network. A network of {needed} by an "
            "architecture of this zoo is needed. Choose another checkpoint, or leave loss.teacher empty."
        )
    return load_checkpoint(folder, card, device).network

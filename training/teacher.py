"""Teacher: a trained network whose restorations are part of what another one is trained towards.

G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network", 2015, carried over to regression: a
teacher's picture lacks what nobody can know from the broken one, so that gradients towards it are less noisy than
towards the photograph.
"""

from dataclasses import dataclass

import torch
from torch import nn

from models.card import read_card
from models.errors import BrokenCheckpoint, InvalidSetting
from models.zoo import ARCHITECTURES, CARD_FILE, load_checkpoint
from training.start_from import here_or_beside_the_code


@dataclass(frozen=True, eq=False)
class Teacher:
    """A network that is not trained.

    Attributes:
        network: in evaluation mode.
        color: how it treats colour, as on its card.
    """

    network: nn.Module
    color: str


def load_teacher(path: str, device: torch.device, *, planes: bool) -> Teacher:
    """The network of a checkpoint.

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
    restores_planes = card.color in ("planes", "coefficients")
    if card.architecture not in ARCHITECTURES or restores_planes != planes:
        needed = "single planes" if planes else "whole pictures"
        raise InvalidSetting(
            f"loss.teacher is {path!r}, {card.title}, which cannot teach this network. A network of {needed} by an "
            "architecture of this zoo is needed. Choose another checkpoint, or leave loss.teacher empty."
        )
    return Teacher(load_checkpoint(folder, card, device).network, card.color)

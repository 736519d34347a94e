"""The eight ways in which a picture can lie, and turning tensors of pixels or DCT coefficients between them."""

from itertools import product

import torch
from torch import Tensor

BLOCK = 8

Orientation = tuple[int, bool]
"""Quarter turns, and whether the picture was flipped left to right before them."""

UPRIGHT: Orientation = (0, False)
ORIENTATIONS: tuple[Orientation, ...] = tuple(product(range(4), (False, True)))


def turn(picture: Tensor, orientation: Orientation) -> Tensor:
    """Flip (batch, channels, rows, columns) left to right if asked, then turn it by quarter turns."""
    turns, flipped = orientation
    return torch.rot90(picture.flip(3) if flipped else picture, turns, (2, 3))


def turn_back(picture: Tensor, orientation: Orientation) -> Tensor:
    """Undo turn()."""
    turns, flipped = orientation
    turned = torch.rot90(picture, -turns, (2, 3))
    return turned.flip(3) if flipped else turned


def turn_coefficients(coefficients: Tensor, orientation: Orientation) -> Tensor:
    """The coefficients of the picture that turn() makes of a plane.

    Flipping a block changes the sign of its odd frequencies; transposing it exchanges the two frequencies.

    Args:
        coefficients: (batch, 64, block rows, block columns), channel 8 * vertical + horizontal frequency.
        orientation: as in turn().
    """
    turns, flipped = orientation
    signs = torch.tensor([1.0, -1.0], device=coefficients.device).repeat(BLOCK // 2)[:, None, None]
    blocks = coefficients.unflatten(
        1, (BLOCK, BLOCK)
    )  # (batch, vertical, horizontal, block rows, block columns)
    if flipped:
        blocks = blocks.flip(4) * signs
    for _ in range(turns):
        blocks = (blocks.flip(4) * signs).transpose(1, 2).transpose(3, 4)
    return blocks.flatten(1, 2)

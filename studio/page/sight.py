"""Which part of a picture somebody looks at: what the page says of it, and where looking tells most."""

import cv2
import numpy as np

from models.images import RgbImage
from models.jpeg.dct import BLOCK
from models.restorer import Box

WINDOW = 64
"""Blocks in both directions of the part that is judged as one: what a screen shows at 1:1."""


def box_of(value: object) -> Box | None:
    """What the page says: top, left, bottom and right in shares; None for anything else."""
    if (
        not isinstance(value, list)
        or len(value) != 4
        or not all(isinstance(item, int | float) for item in value)
    ):
        return None
    top, left, bottom, right = (min(max(float(item), 0.0), 1.0) for item in value)
    return Box(top, left, bottom, right) if top < bottom and left < right else None


def telling_spot(pixels: RgbImage) -> tuple[int, int]:
    """Where steps across the 8x8 grid stand out most from the detail beside them.

    Args:
        pixels: (rows, columns, 3) uint8, upright; a grid that begins elsewhere than in the corner shows less.

    Returns:
        Column and row; the middle where the picture is too small to have such places.
    """
    rows, columns = pixels.shape[:2]
    middle = columns // 2, rows // 2
    if min(rows, columns) < 4 * BLOCK:
        return middle
    green = pixels[..., 1]
    excess = _steps(green)[: rows // BLOCK - 1, : columns // BLOCK - 1]
    excess = excess + _steps(green.T).T[: rows // BLOCK - 1, : columns // BLOCK - 1]
    size = tuple(min(WINDOW, length) for length in excess.shape[::-1])
    means = cv2.boxFilter(excess, cv2.CV_32F, size, borderType=cv2.BORDER_REPLICATE)
    row, column = np.unravel_index(int(means.argmax()), means.shape)
    return (int(column) + 1) * BLOCK, (int(row) + 1) * BLOCK


def _steps(plane: np.ndarray) -> np.ndarray:
    """By how much each block's step to its right neighbor exceeds those beside it: means over its rows, float32."""
    rows = len(plane) // BLOCK * BLOCK
    far, near, beyond, farther = (plane[:rows, first::BLOCK].astype(np.int16) for first in range(6, 10))
    count = min(beyond.shape[1], farther.shape[1])
    far, near, beyond, farther = far[:, :count], near[:, :count], beyond[:, :count], farther[:, :count]
    excess = 2 * np.abs(beyond - near) - np.abs(near - far) - np.abs(farther - beyond)
    return excess.reshape(rows // BLOCK, BLOCK, count).mean(1, dtype=np.float32)

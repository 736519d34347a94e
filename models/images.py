"""The picture type used everywhere, and its luma."""

import numpy as np
from numpy.typing import NDArray

RgbImage = NDArray[np.uint8]
"""(rows, columns, 3), uint8 0..255, sRGB, exactly as decoded."""

Levels = NDArray[np.uint8 | np.floating]
"""(rows, columns, 3), 0..255, rounded or not."""


def luma(pixels: RgbImage) -> NDArray[np.float64]:
    """Full-range BT.601 luma, as in JFIF.

    Args:
        pixels: (rows, columns, 3) uint8.

    Returns:
        (rows, columns) float64, 0..255, not rounded.
    """
    return pixels @ np.array([0.299, 0.587, 0.114], np.float64)

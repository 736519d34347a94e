"""The picture type used everywhere, its luma, and lossless PNG writing."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RgbImage = NDArray[np.uint8]
"""(rows, columns, 3), uint8 0..255, sRGB, exactly as decoded."""


def luma(pixels: RgbImage) -> NDArray[np.float64]:
    """Full-range BT.601 luma, as in JFIF.

    Args:
        pixels: (rows, columns, 3) uint8.

    Returns:
        (rows, columns) float64, 0..255, not rounded.
    """
    return pixels @ np.array([0.299, 0.587, 0.114])


def write_png(pixels: RgbImage, path: Path, *, compress_level: int = 1) -> Path:
    """Write pixels losslessly; level 1 is three times faster than 6 and a tenth larger.

    Args:
        pixels: (rows, columns, 3) uint8, or (rows, columns) uint8 for gray.
        path: where to write; parents must exist.

    Returns:
        The path.
    """
    Image.fromarray(pixels).save(path, format="PNG", compress_level=compress_level)
    return path

"""Writing PNG files. Apart from models.images, which the decoders of strangers' files import: they need no OpenCV."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.images import RgbImage
from models.jpeg.density import Density, png_with_density


def write_png(pixels: RgbImage, path: Path, density: Density | None = None) -> Path:
    """Write pixels losslessly and quickly, as OpenCV does unless told otherwise: one filter, runs of equal bytes.

    Half as long as Pillow's quickest, and as large.

    Args:
        pixels: (rows, columns, 3) uint8, or (rows, columns) uint8 for gray.
        density: how large the picture is printed, None says nothing of it.
        path: where to write, whatever its suffix; parents must exist.

    Returns:
        The path.
    """
    path.write_bytes(png_with_density(encode_png(pixels), density))
    return path


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """The bytes of a PNG file, see write_png; (rows, columns, 4) uint8 holds transparency, too."""
    orders = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    blue_first = cv2.cvtColor(pixels, orders[pixels.shape[2]]) if pixels.ndim == 3 else pixels
    _, encoded = cv2.imencode(".png", blue_first)
    return encoded.tobytes()

"""Writing PNG files. Apart from models.images, which the decoders of strangers' files import: they need no OpenCV."""

from pathlib import Path

import cv2

from models.images import RgbImage


def write_png(pixels: RgbImage, path: Path) -> Path:
    """Write pixels losslessly and quickly, as OpenCV does unless told otherwise: one filter, runs of equal bytes.

    Half as long as Pillow's quickest, and as large.

    Args:
        pixels: (rows, columns, 3) uint8, or (rows, columns) uint8 for gray.
        path: where to write, whatever its suffix; parents must exist.

    Returns:
        The path.
    """
    blue_first = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    _, encoded = cv2.imencode(".png", blue_first)
    path.write_bytes(encoded)
    return path

"""Pictures that tell whose they are: every visitor has a colour of his own, and noise that nothing compresses away."""

from io import BytesIO
from itertools import product

import numpy as np
from PIL import Image

TINTS = np.array([*product((40, 120, 215), repeat=3)][:24], np.int16)
"""(24, 3): 75 grey levels apart from each other, in one channel at least."""

NOISE = 12


def tinted(number: int, picture: int, rows: int = 480, columns: int = 640) -> bytes:
    """A PNG file in a visitor's colour.

    Args:
        number: of the visitor, 0..23.
        picture: which of his; no two are the same.
        rows, columns: its size.
    """
    random = np.random.default_rng((number, picture))
    gray = random.integers(-NOISE, NOISE + 1, (rows // 8 + 1, columns // 8 + 1, 1))
    noise = np.kron(gray, np.ones((8, 8, 1), np.int16))[:rows, :columns]
    pixels = np.clip(TINTS[number] + noise, 0, 255).astype(np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def foreign_pixels(pixels: np.ndarray, number: int) -> int:
    """How many pixels are nearer to somebody else's colour than to this visitor's.

    Args:
        pixels: (rows, columns, 3) uint8, restored from tinted().
        number: of the visitor.
    """
    flat = pixels.reshape(-1, 3).astype(np.int32)
    distances = ((flat[:, None] - TINTS[None].astype(np.int32)) ** 2).sum(2)  # (pixels, tints)
    return int((distances.argmin(1) != number).sum())

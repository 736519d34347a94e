"""The samples a JPEG encoder transforms: whole-numbered Y, Cb and Cr, chroma averaged and edges filled as libjpeg does.

Their cosine transform, divided by the table and rounded, is what libjpeg writes, so that it answers two questions:
what was in a block before it was quantized, and which integers a picture would be saved to.
"""

import numpy as np
from numpy.typing import NDArray

from models.images import RgbImage
from models.jpeg.color import split_ycbcr
from models.jpeg.dct import BLOCK, forward_dct, plane_to_blocks
from models.jpeg.header import JpegHeader


def sampling_factors(header: JpegHeader, number: int) -> tuple[int, int]:
    """How many picture rows and columns one sample of a component covers; whole numbers in every usual file.

    Args:
        header: of the file.
        number: of the component, 0 for the first.
    """
    part = header.components[number]
    tallest = max(one.vertical for one in header.components)
    widest = max(one.horizontal for one in header.components)
    return tallest // part.vertical, widest // part.horizontal


def has_whole_factors(header: JpegHeader) -> bool:
    """True where every sample of every component covers whole pixels, as in every usual file."""
    parts = header.components
    tallest, widest = max(one.vertical for one in parts), max(one.horizontal for one in parts)
    return all(tallest % one.vertical == 0 and widest % one.horizontal == 0 for one in parts)


def encoder_plane(
    pixels: RgbImage, number: int, vertical: int = 1, horizontal: int = 1
) -> NDArray[np.float32]:
    """One component's samples, filled up to whole blocks.

    Args:
        pixels: (rows, columns, 3) uint8 RGB in the file's own grid.
        number: 0 for Y, 1 for Cb, 2 for Cr.
        vertical, horizontal: picture rows and columns per sample, 1..4.

    Returns:
        (rows, columns) float32 whole numbers 0..255, both sides multiples of 8.
    """
    plane = np.floor(split_ycbcr(pixels)[number] + 0.5)
    rows, columns = plane.shape
    padded = np.pad(plane, ((0, -rows % vertical), (0, -columns % (BLOCK * horizontal))), mode="edge")
    if (vertical, horizontal) != (1, 1):
        cells = padded.reshape(padded.shape[0] // vertical, vertical, -1, horizontal).sum(axis=(1, 3))
        padded = np.floor((cells + _bias(vertical, horizontal, cells.shape[1])) / (vertical * horizontal))
    padded = np.clip(padded, 0, 255)
    return np.pad(padded, ((0, -padded.shape[0] % BLOCK), (0, 0)), mode="edge").astype(np.float32)


def encoder_coefficients(
    pixels: RgbImage, number: int, vertical: int = 1, horizontal: int = 1
) -> NDArray[np.float32]:
    """The coefficients of one component before quantization; arguments as in encoder_plane.

    Returns:
        (block rows, block columns, 8, 8) float32; within 0.2 of what libjpeg computes with whole numbers.
    """
    return forward_dct(plane_to_blocks(encoder_plane(pixels, number, vertical, horizontal) - 128))


def _bias(vertical: int, horizontal: int, columns: int) -> NDArray[np.float32] | float:
    """What libjpeg adds before it divides: alternately less and more for the usual factors, so that nothing drifts."""
    alternating = (np.arange(columns) % 2).astype(np.float32)
    if (vertical, horizontal) == (2, 2):
        return 1 + alternating
    if (vertical, horizontal) == (1, 2):
        return alternating
    return vertical * horizontal // 2

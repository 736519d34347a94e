"""Y, Cb and Cr at their own resolution, and back to a picture: for networks that work plane by plane."""

import numpy as np
from numpy.typing import NDArray

from models.images import RgbImage
from models.jpeg.coefficients import JpegComponent
from models.jpeg.color import downsample_chroma, split_ycbcr, upsample_chroma, ycbcr_to_rgb
from models.jpeg.dct import BLOCK, blocks_to_plane, inverse_dct
from models.jpeg.image import JpegImage

_AVERAGED_CELLS = {"4:2:0": (2, 2), "4:2:2": (1, 2)}
_STRIP_BLOCK_ROWS = 32
_STRIP_ROWS = 256
_ROUND_HALF_UP = 0.5001
"""Flat blocks often lie exactly between two levels, where libjpeg rounds up; the rest is for float error."""


def planes(image: JpegImage) -> tuple[NDArray[np.float32], ...]:
    """The picture's planes in the file's own grid, chroma as coarse as the file stores it.

    From coefficients x tables through the inverse DCT where the file is a gray or YCbCr JPEG; otherwise
    converted from decoded_pixels, with chroma averaged where the header says that it is subsampled.

    Args:
        image: any opened picture.

    Returns:
        (Y,) for gray, else (Y, Cb, Cr): (rows, columns) float32 each, 0..255, clipped, not rounded.
    """
    header = image.header
    if header and header.color_model in ("gray", "YCbCr") and image.coefficients_from == "bitstream":
        return tuple(component_plane(component) for component in image.components)
    luma, *chroma = split_ycbcr(image.decoded_pixels)
    if image.is_gray:
        return (luma,)
    vertical, horizontal = _AVERAGED_CELLS.get(image.subsampling or "", (1, 1))
    return luma, *(downsample_chroma(plane, vertical, horizontal) for plane in chroma)


def component_plane(component: JpegComponent) -> NDArray[np.float32]:
    """Decode one component up to its samples: dequantize, inverse DCT, level shift.

    Args:
        component: of a JPEG image.

    Returns:
        (component.rows, component.columns) float32, clipped to 0..255, not rounded.
    """
    table = component.quantization_table.astype(np.float32)
    plane = np.empty((component.rows, component.columns), np.float32)
    for start in range(0, len(component.coefficients), _STRIP_BLOCK_ROWS):
        strip = plane[start * BLOCK : (start + _STRIP_BLOCK_ROWS) * BLOCK]
        samples = inverse_dct(component.coefficients[start : start + _STRIP_BLOCK_ROWS] * table) + 128
        np.clip(blocks_to_plane(samples, *strip.shape), 0, 255, out=strip)
    return plane


def picture_from_planes(planes: tuple[NDArray, ...], rows: int, columns: int) -> RgbImage:
    """Put planes together to a picture as libjpeg does: round, bring chroma to full size, convert to RGB.

    Args:
        planes: (Y,) or (Y, Cb, Cr) as planes() gives them, 0..255.
        rows, columns: size of the picture.

    Returns:
        (rows, columns, 3) uint8 RGB. From planes() it differs from libjpeg's own decoding by at most 1 level
        for gray; for colour by at most 2, in photographs by 3 for fewer than one sample in ten thousand.
    """
    full = []
    for plane in planes:
        whole = np.clip(np.floor(plane + _ROUND_HALF_UP), 0, 255)
        full.append(upsample_chroma(whole, rows, columns, rounded=True).astype(np.uint8))
    if len(full) == 1:
        return np.repeat(full[0][..., None], 3, axis=2)
    pixels = np.empty((rows, columns, 3), np.uint8)
    for top in range(0, rows, _STRIP_ROWS):
        strip = slice(top, top + _STRIP_ROWS)
        rgb = ycbcr_to_rgb(np.stack([plane[strip] for plane in full], axis=-1))
        pixels[strip] = np.clip(np.rint(rgb), 0, 255)
    return pixels

"""RGB and full-range YCbCr (JFIF, BT.601), and chroma made coarser and brought back as libjpeg does."""

import numpy as np
from numpy.typing import NDArray

_TO_YCBCR = np.array(
    [[0.299, 0.587, 0.114], [-0.168735892, -0.331264108, 0.5], [0.5, -0.418687589, -0.081312411]], np.float32
)
_OFFSET = np.array([0, 128, 128], np.float32)
_STRIP_ROWS = 256


def rgb_to_ycbcr(pixels: NDArray) -> NDArray[np.float32]:
    """Full-range YCbCr of RGB.

    Args:
        pixels: (..., 3), 0..255.

    Returns:
        (..., 3) float32: Y, Cb, Cr, 0..255 with gray at 128, not rounded.
    """
    return pixels.astype(np.float32) @ _TO_YCBCR.T + _OFFSET


def split_ycbcr(pixels: NDArray) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The planes Y, Cb and Cr of a whole picture, converted strip by strip to save memory.

    Args:
        pixels: (rows, columns, 3), 0..255.

    Returns:
        Three contiguous (rows, columns) float32 planes as in rgb_to_ycbcr.
    """
    planes = np.empty((3, *pixels.shape[:2]), np.float32)
    for top in range(0, len(pixels), _STRIP_ROWS):
        strip = slice(top, top + _STRIP_ROWS)
        planes[:, strip] = np.moveaxis(rgb_to_ycbcr(pixels[strip]), -1, 0)
    return planes[0], planes[1], planes[2]


def ycbcr_to_rgb(ycbcr: NDArray) -> NDArray[np.float32]:
    """RGB of full-range YCbCr, neither rounded nor clipped.

    Args:
        ycbcr: (..., 3), Y, Cb, Cr, 0..255.

    Returns:
        (..., 3) float32; may leave 0..255 a little.
    """
    luma, blue, red = (np.asarray(ycbcr[..., channel], np.float32) for channel in range(3))
    blue, red = blue - 128, red - 128
    green = luma - 0.344136286 * blue - 0.714136286 * red
    return np.stack([luma + 1.402 * red, green, luma + 1.772 * blue], axis=-1, dtype=np.float32)


def downsample_chroma(plane: NDArray, vertical: int, horizontal: int) -> NDArray[np.float32]:
    """Average a plane over cells of vertical x horizontal samples, the last row and column repeated.

    Args:
        plane: (rows, columns).
        vertical, horizontal: 1..4 each.

    Returns:
        (ceil(rows / vertical), ceil(columns / horizontal)) float32, not rounded.
    """
    rows, columns = plane.shape
    padded = np.pad(plane, ((0, -rows % vertical), (0, -columns % horizontal)), mode="edge")
    cells = padded.reshape(padded.shape[0] // vertical, vertical, padded.shape[1] // horizontal, horizontal)
    return cells.mean(axis=(1, 3), dtype=np.float32)


def upsample_chroma(plane: NDArray, rows: int, columns: int, *, rounded: bool = False) -> NDArray[np.float32]:
    """Bring a plane to the size of the picture as libjpeg does: triangle filter for factors of two.

    Args:
        plane: (ceil(rows / v), ceil(columns / h)) for whole factors v and h up to 4; other factors than two
            repeat samples.
        rows, columns: size wanted.
        rounded: round as libjpeg does; the plane must hold whole numbers then.

    Returns:
        (rows, columns) float32.

    Raises:
        ValueError: where no whole factors lead from one size to the other.
    """
    vertical, horizontal = _factor(plane.shape[0], rows), _factor(plane.shape[1], columns)
    samples = np.asarray(plane, np.float32)
    # libjpeg filters 2x1, 1x2 and 2x2 only, and gives up on planes at most two samples wide.
    smooth = {vertical, horizontal} <= {1, 2} and (horizontal == 1 or plane.shape[1] > 2)
    for axis, factor in ((0, vertical), (1, horizontal)):
        if factor == 2 and smooth:
            samples = _double_with_triangle(samples, axis)
        elif factor > 1:
            samples = np.repeat(samples, factor, axis=axis)
    if rounded and smooth:
        _round_alternating(samples, vertical, horizontal)
    return samples[:rows, :columns]


def _round_alternating(samples: NDArray[np.float32], vertical: int, horizontal: int) -> None:
    """Round filtered samples in place, the halves alternately up and down, so that no drift remains."""
    if horizontal == 2:
        biases = (8 / 16, 7 / 16) if vertical == 2 else (1 / 4, 2 / 4)
        samples[:, 0::2] += biases[0]
        samples[:, 1::2] += biases[1]
    elif vertical == 2:
        samples[0::2] += 1 / 4
        samples[1::2] += 2 / 4
    np.floor(samples, out=samples)


def _factor(small: int, large: int) -> int:
    for factor in range(1, 5):
        if -(-large // factor) == small:
            return factor
    raise ValueError(f"no whole factor up to 4 leads from {small} to {large} samples")


def _double_with_triangle(samples: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Every sample becomes two, each three quarters of it and a quarter of its neighbour on that side."""
    lines = samples.swapaxes(0, axis)
    doubled = np.empty((2 * len(lines), *lines.shape[1:]), np.float32)
    doubled[0::2] = doubled[1::2] = lines * 0.75
    doubled[2::2] += lines[:-1] * 0.25
    doubled[1:-1:2] += lines[1:] * 0.25
    doubled[0] += lines[0] * 0.25
    doubled[-1] += lines[-1] * 0.25
    return doubled.swapaxes(0, axis)

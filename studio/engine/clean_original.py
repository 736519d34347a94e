"""A clean picture that somebody adds to a photograph, to measure the repair: is it the same scene, in its place?"""

from dataclasses import dataclass

import cv2
import numpy as np

from models.errors import InvalidSetting
from models.images import RgbImage, luma
from models.jpeg import Degradation

LONGEST_SIDE = 1024
"""Of the middle part by which a shift is found."""
SMALL_SIDE = 64
"""Of the reduced pictures by which the scenes are compared."""
MIN_CORRELATION = 0.8
"""Of those. Photographs correlate with themselves saved at quality 5 by 0.98 and more, with others by 0.7 at most
(LIVE1 and the examples)."""
SHIFTED_ERROR = 0.8
"""A shift is real where it takes the squared error below this share."""
FLAT_LEVELS = 1.0
"""Standard deviation below which a picture shows nothing to compare by."""


@dataclass(frozen=True, eq=False)
class CleanOriginal:
    """The clean picture of what was photographed.

    Attributes:
        name: of its file, shown to people.
        key: identifies the file's bytes; part of cache keys.
        pixels: (rows, columns, 3) uint8, upright and sRGB, as large as the photograph.
    """

    name: str
    key: str
    pixels: RgbImage

    def trimmed(self, degradation: Degradation) -> RgbImage:
        """What a photograph that is damaged further is measured against: the same pixels, at the same size."""
        return np.ascontiguousarray(degradation.reference(self.pixels))


def checked_original(original: CleanOriginal, photograph: RgbImage) -> CleanOriginal:
    """The original, where it can be one of this photograph.

    Args:
        original: what was added.
        photograph: (rows, columns, 3) uint8, upright and sRGB.

    Raises:
        InvalidSetting: another size, the very same picture, a shifted one, or one of something else.
    """
    name, pixels = original.name, original.pixels
    if pixels.shape != photograph.shape:
        raise InvalidSetting(
            f"{name} is {_size(pixels)}, the photograph {_size(photograph)}. A clean original has the same size, "
            "once both are upright. Choose the picture that this photograph was saved from, neither scaled nor cut."
        )
    if np.array_equal(pixels, photograph):
        raise InvalidSetting(
            f"{name} is the very picture that is open, pixel by pixel. A clean original is from before the damage. "
            "Choose an earlier file."
        )
    ours, theirs = (luma(picture).astype(np.float32) for picture in (pixels, photograph))
    rows, columns = shift_between(ours, theirs)
    if (rows, columns) != (0, 0):
        raise InvalidSetting(
            f"{name} shows the same, but is shifted by {_count(columns, 'column')} and {_count(rows, 'row')}. A clean "
            "original lies exactly on the photograph. Cut both alike, then add it again."
        )
    if not is_same_scene(ours, theirs):
        raise InvalidSetting(
            f"{name} shows another picture, or one that was edited a lot. A clean original shows the same in the same "
            "place. Choose the picture that this photograph was saved from."
        )
    return original


def shift_between(one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """By how many rows and columns two pictures of a size lie apart; (0, 0) where no shift makes them more alike.

    Args:
        one, other: (rows, columns) float32.
    """
    one, other = _middle(one), _middle(other)
    window = cv2.createHanningWindow((one.shape[1], one.shape[0]), cv2.CV_32F) if min(one.shape) > 1 else None
    if window is None:
        return 0, 0
    (right, down), _ = cv2.phaseCorrelate(one, other, window)
    rows, columns = round(down), round(right)
    if (rows, columns) == (0, 0) or 2 * abs(rows) >= one.shape[0] or 2 * abs(columns) >= one.shape[1]:
        return 0, 0
    near = [
        (rows + i, columns + j) for i in (-1, 0, 1) for j in (-1, 0, 1)
    ]  # the peak is right to about a pixel
    errors = {shift: _error(one, other, shift, shift) for shift in near}
    best = min(errors, key=lambda shift: errors[shift])
    return best if errors[best] < SHIFTED_ERROR * _error(one, other, (0, 0), best) else (0, 0)


def _error(one: np.ndarray, other: np.ndarray, moved: tuple[int, int], shift: tuple[int, int]) -> float:
    """Mean squared difference of two pictures, one of which is moved, where they overlap after a shift."""
    fixed = _overlap(other, *shift)
    ours = _overlap(one, -shift[0], -shift[1]) if moved != (0, 0) else _overlap(one, *shift)
    return float(np.mean((ours - fixed) ** 2))


def is_same_scene(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two pictures of a size, (rows, columns) float32, show the same when they are looked at from afar."""
    small = [
        cv2.resize(picture, _small_size(picture), interpolation=cv2.INTER_AREA).ravel()
        for picture in (one, other)
    ]
    spreads = [float(picture.std()) for picture in small]
    if min(spreads) < FLAT_LEVELS:
        return max(spreads) < 2 * FLAT_LEVELS and abs(float(small[0].mean() - small[1].mean())) < 16
    return float(np.corrcoef(small[0], small[1])[0, 1]) >= MIN_CORRELATION


def _small_size(picture: np.ndarray) -> tuple[int, int]:
    return min(SMALL_SIDE, picture.shape[1]), min(SMALL_SIDE, picture.shape[0])


def _middle(picture: np.ndarray) -> np.ndarray:
    top, left = (max(0, side - LONGEST_SIDE) // 2 for side in picture.shape)
    return np.ascontiguousarray(picture[top : top + LONGEST_SIDE, left : left + LONGEST_SIDE])


def _overlap(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """What remains of a picture whose first (or, where negative, last) rows and columns are cut off."""
    picture = picture[rows:] if rows >= 0 else picture[:rows]
    return picture[:, columns:] if columns >= 0 else picture[:, :columns]


def _size(pixels: RgbImage) -> str:
    return f"{pixels.shape[1]} × {pixels.shape[0]}"


def _count(number: int, noun: str) -> str:
    return f"{abs(number)} {noun}" + ("" if abs(number) == 1 else "s")

"""The picture a sweep measures: the opened photograph, whole or a crop from its middle."""

import math
from dataclasses import dataclass
from typing import Literal

from models.images import RgbImage
from studio.engine.file_facts import opaque_notes
from studio.session.visitor import Photograph

Extent = Literal["crop", "whole"]

CROP_PIXELS = 400_000
CROP_GRID = 16
"""Rows and columns of the largest unit that JPEG codes at once, so that a JPEG's own blocks stay where they are."""


@dataclass(frozen=True, eq=False)
class SweptPicture:
    """The clean picture that is broken again at every setting.

    Attributes:
        name: of the photograph, safe in file names.
        key: identifies the pixels; part of every cache key.
        pixels: (rows, columns, 3) uint8, upright and sRGB.
        is_gray: saved as gray JPEG.
        top, left: where the crop begins in the photograph.
        whole_rows, whole_columns: size of the photograph.
        was_jpeg: the photograph is a JPEG itself, so that its own artifacts count as original.
        notes: on its file.
    """

    name: str
    key: str
    pixels: RgbImage
    is_gray: bool
    top: int
    left: int
    whole_rows: int
    whole_columns: int
    was_jpeg: bool
    notes: tuple[str, ...] = ()

    @property
    def megapixels(self) -> float:
        """Of what is measured."""
        return self.pixels.shape[0] * self.pixels.shape[1] / 1e6

    @property
    def is_whole(self) -> bool:
        """True where nothing was cropped."""
        return self.pixels.shape[:2] == (self.whole_rows, self.whole_columns)


def swept_picture(photograph: Photograph, extent: Extent) -> SweptPicture:
    """What a sweep of an opened photograph measures.

    Args:
        photograph: what is open.
        extent: "crop" takes CROP_PIXELS from the middle of a larger picture, in its own proportions.
    """
    image = photograph.image
    pixels = image.pixels
    rows, columns = kept_rows, kept_columns = pixels.shape[:2]
    if extent == "crop" and rows * columns > CROP_PIXELS:
        kept_rows, kept_columns = _crop_size(rows, columns)
    top, left = _middle(rows, kept_rows), _middle(columns, kept_columns)
    if (kept_rows, kept_columns) != (rows, columns):
        # A copy, so that a sweep does not keep all of a large photograph in memory.
        pixels = pixels[top : top + kept_rows, left : left + kept_columns].copy()
    return SweptPicture(
        name=photograph.name,
        key=f"{photograph.key} {top}+{kept_rows} {left}+{kept_columns}",
        pixels=pixels,
        is_gray=image.is_gray,
        top=top,
        left=left,
        whole_rows=rows,
        whole_columns=columns,
        was_jpeg=image.saved_as_jpeg,
        notes=tuple(opaque_notes(image)),
    )


def _crop_size(rows: int, columns: int) -> tuple[int, int]:
    """Multiples of CROP_GRID with at most CROP_PIXELS, the shorter side first cut to proportion."""
    shorter, longer = sorted((rows, columns))
    side = max(CROP_GRID, _on_grid(math.sqrt(CROP_PIXELS * shorter / longer)))
    side = min(side, shorter)  # a picture narrower than the grid keeps its width
    other = min(_on_grid(CROP_PIXELS / side), _on_grid(longer))
    return (side, other) if rows <= columns else (other, side)


def _on_grid(length: float) -> int:
    return int(length // CROP_GRID) * CROP_GRID


def _middle(length: int, kept: int) -> int:
    """Where the kept part begins so that it lies in the middle, on the grid."""
    return _on_grid((length - kept) / 2 + CROP_GRID / 2) if kept < length else 0

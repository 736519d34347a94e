"""Cutting a picture into tiles on its block grid, each seen with as much surroundings as a restorer needs."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

SMALL_PART = 4
"""A box gets a tile of its own where it is at most one in so many pixels."""


@dataclass(frozen=True)
class Span:
    """One tile along one axis; all values are pixels of the whole picture.

    Attributes:
        start, stop: the part that the tile contributes; stop never lies outside the picture.
        seen_start, seen_stop: what is looked at; may reach beyond the picture by less than `multiple`.
    """

    start: int
    stop: int
    seen_start: int
    seen_stop: int

    @property
    def size(self) -> int:
        """Pixels that the tile contributes."""
        return self.stop - self.start

    @property
    def kept(self) -> slice:
        """Where the tile goes in the whole picture."""
        return slice(self.start, self.stop)

    @property
    def inner(self) -> slice:
        """The contributed part within what was seen."""
        return slice(self.start - self.seen_start, self.stop - self.seen_start)


@dataclass(frozen=True)
class Tile:
    """A rectangle of the picture and the surroundings that are seen with it."""

    rows: Span
    columns: Span

    def cut(self, picture: NDArray) -> NDArray:
        """What is seen of (rows, columns, ...), its last row and column repeated beyond the picture."""
        seen = picture[
            self.rows.seen_start : self.rows.seen_stop, self.columns.seen_start : self.columns.seen_stop
        ]
        missing_rows = self.rows.seen_stop - self.rows.seen_start - seen.shape[0]
        missing_columns = self.columns.seen_stop - self.columns.seen_start - seen.shape[1]
        if missing_rows == 0 and missing_columns == 0:
            return seen
        padding = [(0, missing_rows), (0, missing_columns)] + [(0, 0)] * (picture.ndim - 2)
        return np.pad(seen, padding, mode="edge")


def cut_into_tiles(
    shape: tuple[int, ...], *, longest: int, overlap: int, multiple: int, grid: int = 1
) -> list[Tile]:
    """Tiles of nearly equal size that cover a picture exactly once.

    Args:
        shape: rows and columns of the picture first; further axes are ignored.
        longest: no tile sees more rows or columns than this; at least 2 * overlap and the
            least common multiple of `multiple` and `grid`.
        overlap: pixels seen around each tile, rounded up to `multiple`.
        multiple: tiles start on, and what is seen measures, multiples of this.
        grid: tiles start on multiples of this, too.

    Raises:
        ValueError: if `longest` leaves nothing between two overlaps.
    """
    overlap = math.ceil(overlap / multiple) * multiple
    starts = math.lcm(multiple, grid)
    rows, columns = (list(_spans(size, longest, overlap, multiple, starts)) for size in shape[:2])
    return [Tile(*pair) for pair in product(rows, columns)]


def tiles_from(
    box: tuple[float, float, float, float],
    tiles: list[tuple[int, Tile]],
    shapes: Sequence[tuple[int, ...]],
    *,
    longest: int,
    overlap: int,
    multiple: int,
) -> list[tuple[int, Tile]]:
    """The same tiles, those nearest to the middle of a box first.

    Where the box lies in several tiles of a picture of one part, and is small, a tile of its own comes before them.

    Args:
        box: top, left, bottom and right, in shares of the picture's height and width.
        tiles: with the number of the part that each is of.
        shapes: rows and columns of every part first.
        longest, overlap, multiple: see cut_into_tiles.
    """
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2

    def distance(item: tuple[int, Tile]) -> float:
        part, tile = item
        spans = zip((tile.rows, tile.columns), shapes[part][:2], middle, strict=True)
        return sum(((span.start + span.stop) / 2 - share * size) ** 2 for span, size, share in spans)

    ordered = sorted(tiles, key=distance)
    top, left, bottom, right = box
    if len(shapes) > 1 or len(tiles) == 1 or (bottom - top) * (right - left) * SMALL_PART > 1:
        return ordered
    overlap = math.ceil(overlap / multiple) * multiple
    limits = longest, overlap, multiple
    rows, columns = shapes[0][:2]
    first = Tile(_span(top, bottom, rows, *limits), _span(left, right, columns, *limits))
    return [(0, first), *ordered]


def _span(low: float, high: float, size: int, longest: int, overlap: int, multiple: int) -> Span:
    """From one share of an axis to another, or as much of the middle of that as a tile may contribute."""
    most = (longest - 2 * overlap) // multiple * multiple
    start, stop = low * size, high * size
    excess = max(0.0, stop - start - most) / 2
    start = min(int((start + excess) // multiple) * multiple, (size - 1) // multiple * multiple)
    stop = min(max(math.ceil(stop - excess), start + 1), start + most, size)
    padded = math.ceil(size / multiple) * multiple
    seen_stop = start + math.ceil((stop - start) / multiple) * multiple + overlap
    return Span(start, stop, max(0, start - overlap), min(padded, seen_stop))


def _spans(size: int, longest: int, overlap: int, multiple: int, starts: int) -> Iterator[Span]:
    padded = math.ceil(size / multiple) * multiple
    if padded <= longest:
        yield Span(0, size, 0, padded)
        return
    largest_step = (longest - 2 * overlap) // starts * starts
    if largest_step <= 0:
        raise ValueError(f"Tiles of {longest} pixels leave no room between overlaps of {overlap}.")
    count = math.ceil(padded / largest_step)
    step = math.ceil(padded / count / starts) * starts
    for start in range(0, size, step):
        stop = min(start + step, size)
        yield Span(start, stop, max(0, start - overlap), min(padded, start + step + overlap))

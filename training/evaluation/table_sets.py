"""Quantization tables that are no quality factor's, made here after the kinds that occur, and saving with them."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from models.errors import InvalidSetting
from models.images import RgbImage
from models.jpeg import JpegImage, read
from models.jpeg.tables import QuantizationTable


@dataclass(frozen=True, eq=False)
class TableSet:
    """Tables for luma and chroma, as some program or device writes them.

    Attributes:
        name: in one word, for command lines.
        where: in which files such tables occur, for people.
        subsampling: the chroma subsampling that comes with them.
        luma, chroma: (8, 8) int, 1..255, rows are vertical frequencies.
    """

    name: str
    where: str
    subsampling: str
    luma: QuantizationTable
    chroma: QuantizationTable

    @property
    def label(self) -> str:
        """For people, as the name of a condition."""
        return f"tables: {self.name}, {self.subsampling}"


FLAT = TableSet(
    "flat",
    "one step for all frequencies, as mozjpeg saves with its flat tables",
    "4:2:0",
    np.full((8, 8), 8),
    np.full((8, 8), 8),
)
EDITOR = TableSet(
    "editor",
    "steps of 1 to 3 that rise along the diagonals, as photo editors save at their best quality",
    "4:4:4",
    np.array(
        [
            [1, 1, 1, 1, 1, 1, 2, 2],
            [1, 1, 1, 1, 1, 2, 2, 2],
            [1, 1, 1, 1, 2, 2, 2, 3],
            [1, 1, 1, 2, 2, 2, 3, 3],
            [1, 1, 2, 2, 2, 3, 3, 3],
            [1, 2, 2, 2, 3, 3, 3, 3],
            [2, 2, 2, 3, 3, 3, 3, 3],
            [2, 2, 3, 3, 3, 3, 3, 3],
        ]
    ),
    np.array(
        [
            [1, 1, 1, 2, 3, 3, 3, 3],
            [1, 1, 2, 3, 3, 3, 3, 3],
            [1, 2, 3, 3, 3, 3, 3, 3],
            [2, 3, 3, 3, 3, 3, 3, 3],
            [3, 3, 3, 3, 3, 3, 3, 3],
            [3, 3, 3, 3, 3, 3, 3, 3],
            [3, 3, 3, 3, 3, 3, 3, 3],
            [3, 3, 3, 3, 3, 3, 3, 3],
        ]
    ),
)
PHONE = TableSet(
    "phone",
    "steps that rise evenly with frequency, luma finer than chroma, as phones tune their own tables",
    "4:2:0",
    np.array(
        [
            [2, 2, 3, 4, 5, 6, 8, 9],
            [2, 3, 4, 5, 6, 8, 9, 10],
            [3, 4, 5, 6, 8, 9, 10, 12],
            [4, 5, 6, 8, 9, 10, 12, 14],
            [5, 6, 8, 9, 10, 12, 14, 16],
            [6, 8, 9, 10, 12, 14, 16, 18],
            [8, 9, 10, 12, 14, 16, 18, 20],
            [9, 10, 12, 14, 16, 18, 20, 22],
        ]
    ),
    np.array(
        [
            [3, 4, 6, 9, 13, 17, 20, 22],
            [4, 6, 9, 13, 17, 20, 22, 24],
            [6, 9, 13, 17, 20, 22, 24, 24],
            [9, 13, 17, 20, 22, 24, 24, 24],
            [13, 17, 20, 22, 24, 24, 24, 24],
            [17, 20, 22, 24, 24, 24, 24, 24],
            [20, 22, 24, 24, 24, 24, 24, 24],
            [22, 24, 24, 24, 24, 24, 24, 24],
        ]
    ),
)
CAMERA = TableSet(
    "camera",
    "chroma finer than luma, and coarser across than down, as some cameras save their 4:2:2 files",
    "4:2:2",
    np.array(
        [
            [4, 4, 5, 7, 9, 12, 15, 18],
            [3, 4, 5, 7, 10, 13, 16, 19],
            [4, 5, 6, 8, 11, 14, 17, 20],
            [5, 6, 7, 9, 12, 15, 18, 22],
            [7, 8, 9, 11, 14, 17, 20, 24],
            [9, 10, 11, 13, 16, 19, 22, 26],
            [11, 12, 13, 15, 18, 21, 24, 28],
            [13, 14, 15, 17, 20, 23, 26, 30],
        ]
    ),
    np.array(
        [
            [2, 2, 3, 4, 5, 6, 8, 10],
            [2, 2, 3, 4, 5, 7, 8, 10],
            [2, 3, 3, 4, 6, 7, 9, 11],
            [3, 3, 4, 5, 6, 8, 9, 11],
            [4, 4, 5, 6, 7, 8, 10, 12],
            [5, 5, 6, 7, 8, 9, 11, 13],
            [6, 6, 7, 8, 9, 10, 12, 14],
            [7, 7, 8, 9, 10, 11, 13, 15],
        ]
    ),
)
TABLE_SETS = {each.name: each for each in (FLAT, EDITOR, PHONE, CAMERA)}
"""All of them by name."""


def table_set(name: str) -> TableSet:
    """The tables of that name.

    Raises:
        InvalidSetting: there are none.
    """
    if name not in TABLE_SETS:
        raise InvalidSetting(
            f"There are no quantization tables called {name!r}. There are {', '.join(TABLE_SETS)}. Name one of them."
        )
    return TABLE_SETS[name]


def encode_with(pixels: RgbImage, tables: TableSet, *, gray: bool = False) -> JpegImage:
    """Save pixels as JPEG with these tables and open the result.

    Args:
        pixels: (rows, columns, 3) uint8, or (rows, columns) uint8 for gray.
        tables: their luma table alone serves a gray JPEG.
        gray: save the first of three equal channels as a gray JPEG.
    """
    plane = pixels[..., 0] if gray and pixels.ndim == 3 else pixels
    picture = Image.fromarray(np.ascontiguousarray(plane))
    both = [table.ravel().tolist() for table in (tables.luma, tables.chroma)]
    colors = {"qtables": both, "subsampling": tables.subsampling}
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", **(colors if picture.mode == "RGB" else {"qtables": both[:1]}))
    return read(buffer.getvalue())

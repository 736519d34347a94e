"""The quantization cells of a file: what its integers say of the picture that was saved, and keeping to it.

A file that stores the integer k at a place whose step is q says that the coefficient lay between (k - 1/2) q and
(k + 1/2) q. A restoration outside that cell is wrong by at least the distance to it, and one barely inside is
probably too far out, so coefficients are moved to the nearest place at least MARGIN steps inside (after S. H. Park and
D. S. Kim, "Theory of projection onto the narrow quantization constraint set and its application", IEEE Transactions on
Image Processing 8, 1999).

That holds for pictures saved once. After a coarser save before, the original itself lies outside many cells of the
last one, and moving it there does harm. Such files show: a good restoration of them lands far outside many cells.
"""

import math

import numpy as np
from numpy.typing import NDArray

from models.jpeg import JpegComponent, JpegImage
from models.jpeg.color import downsample_chroma, rgb_to_ycbcr, ycbcr_to_rgb
from models.jpeg.dct import BLOCK, blocks_to_plane, forward_dct, inverse_dct, plane_to_blocks
from models.jpeg.encoder_planes import has_whole_factors, sampling_factors

MARGIN = 0.1
"""Steps. Of 0, 0.03, 0.06, 0.07, 0.1, 0.12, 0.15, 0.2 and 0.25, tried on sixteen validation photographs at twelve
quality factors, 0.1 and 0.12 served best."""

FAR_STEPS, FAR = 0.7, 0.2
"""A coefficient is far outside where it is further from the middle of its cell than FAR_STEPS steps and FAR besides."""

LARGEST_FAR_SHARE = 0.25
"""Of luma coefficients that are far outside, times the mean step: single saves stay below, see docs/results.md."""


def cells_of(image: JpegImage) -> "QuantizationCells | None":
    """The cells of a file, where its integers are those of a picture's own Y, or Y, Cb and Cr, saved once.

    Args:
        image: any opened picture.

    Returns:
        None for files that are no such JPEG, or whose pixels prove a coarser save before.
    """
    header = image.header
    if header is None or header.color_model not in ("gray", "YCbCr") or not has_whole_factors(header):
        return None
    if sampling_factors(header, 0) != (1, 1) or image.coefficients_from != "bitstream" or image.coarser_save:
        return None
    components = image.components
    return QuantizationCells(components, [sampling_factors(header, i) for i in range(len(components))])


class QuantizationCells:
    """Moves a restored picture into the cells of its file, tile by tile, and judges whether they are its own.

    Attributes:
        grid: tiles must start on multiples of this many rows and columns.
        moved: (rows, columns, 3) uint8, the tiles that were put, moved into their cells.
    """

    def __init__(self, components: tuple[JpegComponent, ...], factors: list[tuple[int, int]]) -> None:
        """Nothing is restored yet.

        Args:
            components: of the file, luma first, at the picture's own size.
            factors: how many picture rows and columns one sample of each covers.
        """
        self._components, self._factors = components, factors
        self.grid = BLOCK * math.lcm(*(factor for pair in factors for factor in pair))
        luma = components[0]
        self.moved = np.empty((luma.rows, luma.columns, 3), np.uint8)
        self._far = np.zeros(luma.coefficients.shape[:2], np.uint8)  # coefficients far outside, by block

    def put(self, picture: NDArray[np.float32], rows: slice, columns: slice) -> None:
        """Take one tile of the restored picture; a place may be put again.

        Args:
            picture: (rows, columns, 3) RGB, 0..255, not rounded.
            rows, columns: its place in the whole, beginning on the grid, and ending on it or at the picture's edge.
        """
        planes = np.moveaxis(rgb_to_ycbcr(picture), -1, 0)
        corrections = np.zeros((*picture.shape[:2], 3), np.float32)  # of Y, Cb, Cr
        for number, (vertical, horizontal) in enumerate(self._factors):
            plane = planes[number]
            if (vertical, horizontal) != (1, 1):
                plane = downsample_chroma(plane, vertical, horizontal)
            block_row, block_column = rows.start // vertical // BLOCK, columns.start // horizontal // BLOCK
            moves = self._moves(number, plane, block_row, block_column)
            moves = moves.repeat(vertical, axis=0).repeat(horizontal, axis=1)
            corrections[..., number] = moves[: picture.shape[0], : picture.shape[1]]
        corrections[..., 1:] += 128
        # The conversion is linear, so the picture itself need not go there and back.
        result = ycbcr_to_rgb(corrections)
        result += picture
        self.moved[rows, columns] = np.clip(np.rint(result, out=result), 0, 255, out=result)

    def _moves(self, number: int, plane: NDArray[np.float32], top: int, left: int) -> NDArray[np.float32]:
        """What must be added to a part of one plane, whose first block is in that block row and column."""
        coefficients = forward_dct(plane_to_blocks(plane - 128))
        tall, wide = coefficients.shape[:2]
        blocks = slice(top, top + tall), slice(left, left + wide)
        component = self._components[number]
        steps = component.quantization_table.astype(np.float32)
        off_center = coefficients - component.coefficients[blocks] * steps
        if number == 0:
            far = np.abs(off_center) > FAR_STEPS * steps + FAR
            self._far[blocks] = np.add.reduce(far.reshape(tall, wide, BLOCK**2), axis=2, dtype=np.uint8)
        reach = (0.5 - MARGIN) * steps
        return blocks_to_plane(inverse_dct(np.clip(off_center, -reach, reach) - off_center), *plane.shape)

    def are_the_pictures_own(self) -> bool:
        """Whether few enough coefficients were far outside; asked when the whole picture was put."""
        luma = self._components[0]
        tall, wide = -(-luma.rows // BLOCK), -(-luma.columns // BLOCK)
        share = self._far[:tall, :wide].mean() / BLOCK**2
        return bool(share * luma.quantization_table.mean() < LARGEST_FAR_SHARE)

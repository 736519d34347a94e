"""What is inside a degraded file: its blocks before and after quantization and restoration, and where its bits are.

Nothing here knows the page. Blocks are counted in the file's own grid, like JpegImage.decoded_pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.images import RgbImage
from models.jpeg import JpegComponent, JpegImage
from models.jpeg.anatomy import FileAnatomy, anatomy_of
from models.jpeg.dct import BLOCK, blocks_to_plane, forward_dct, inverse_dct, plane_to_blocks
from models.jpeg.double import EarlierSave, Evidence
from models.jpeg.encoder_planes import encoder_coefficients, has_whole_factors, sampling_factors
from models.jpeg.entropy import BlockBits, bits_per_block
from models.jpeg.metadata import upright
from studio.engine.outputs import StageOutputs

_TURNED_BACK = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
"""The EXIF orientation that undoes each orientation."""

CELL_TOLERANCE = 0.2
"""How far libjpeg's whole-numbered transform strays from the exact one, in units of a coefficient."""

MOST_HISTOGRAM_BLOCKS = 65536


@dataclass(frozen=True, eq=False)
class TakenApart:
    """A JPEG file and what was counted in it.

    Attributes:
        image: the file.
        anatomy: its markers and scans.
        bits: what each block costs; None where the file's integers cannot be read.
    """

    image: JpegImage
    anatomy: FileAnatomy
    bits: BlockBits | None

    @property
    def known_bits(self) -> BlockBits:
        """The bits of a file whose integers were read."""
        assert self.bits is not None
        return self.bits


@dataclass(frozen=True, eq=False)
class BlockPart:
    """One component's part of a place in the picture.

    Attributes:
        name: "Y", "Cb", ...
        number: of the component.
        row, column: of its block.
        rows, columns: how many blocks it has.
        factors: picture rows and columns per sample.
        table: (8, 8) int64.
        integers: (8, 8) int16, as the file holds them.
        bits: the block's.
        original: (8, 8) float32 coefficients before this save, None where no original is known.
        previous_dc: DC before quantization of the block to the left (0 at the left edge), of the original where it
            is known, else of the file.
        restored: (8, 8) float32 coefficients by model name.
    """

    name: str
    number: int
    row: int
    column: int
    rows: int
    columns: int
    factors: tuple[int, int]
    table: NDArray[np.int64]
    integers: NDArray[np.int16]
    bits: int
    original: NDArray[np.float32] | None
    previous_dc: float
    restored: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class CellShare:
    """How much of one picture lies inside the quantization cells of the file.

    Attributes:
        name: "original", "degraded" or a model's name.
        share: of all luma coefficients, 0..1.
        kept_share: of those that are not zero in the file, 0..1; NaN where all are.
        by_frequency: (8, 8) float64, 0..1.
    """

    name: str
    share: float
    kept_share: float
    by_frequency: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often the coefficients of one frequency have each value.

    Attributes:
        values: (bars,) float64, in units of a coefficient.
        counts: (bars,) int64.
        width: distance of the bars, the table's step or 1.
        zeros: how many are 0 (or nearest to it); the bar at 0 usually towers over all others.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    width: float
    zeros: int


def take_apart(image: JpegImage) -> TakenApart:
    """List what a file holds and count its bits.

    Args:
        image: saved as JPEG.
    """
    anatomy = anatomy_of(image.data)
    if image.coefficients_from != "bitstream":
        return TakenApart(image, anatomy, None)
    return TakenApart(image, anatomy, bits_per_block(image.components, image.jpeg_header, anatomy))


def earlier_save(image: JpegImage) -> tuple[Evidence, EarlierSave | None] | None:
    """Evidence of an earlier save, and the save if it is evident; None where there is too little to examine.

    Args:
        image: saved as JPEG.
    """
    if image.coefficients_from != "bitstream" or not knows_planes(image):
        return None
    evidence = image.judgement.evidence
    return None if evidence is None else (evidence, image.judgement.earlier_save)


def knows_planes(image: JpegImage) -> bool:
    """True where the file's components are the Y, Cb and Cr of an RGB picture, so that pictures can be compared."""
    header = image.header
    return header is not None and header.color_model in ("gray", "YCbCr") and has_whole_factors(header)


def in_file_grid(image: JpegImage, pixels: RgbImage) -> RgbImage | None:
    """A picture as people see it, turned back into the file's own grid.

    Args:
        image: the file.
        pixels: what image.present(...) made.

    Returns:
        (rows, columns, 3) uint8 like image.decoded_pixels; None where a colour profile was applied, which cannot
        be undone exactly, or where the file stores no Y, Cb and Cr.
    """
    if image.profile_applies or not knows_planes(image):
        return None
    return upright(pixels, _TURNED_BACK[image.orientation])


def busiest_block(taken: TakenApart) -> tuple[int, int]:
    """The 8x8 block of the picture (row, column) whose first component takes the most bits."""
    bits = taken.known_bits.components[0]
    row, column = np.unravel_index(bits.argmax(), bits.shape)
    vertical, horizontal = sampling_factors(taken.image.jpeg_header, 0)
    return int(row) * vertical, int(column) * horizontal


def extent(image: JpegImage) -> tuple[int, int]:
    """How many 8x8 blocks cover the picture, rows and columns, those cut off by its edge included."""
    return -(-image.jpeg_header.rows // BLOCK), -(-image.jpeg_header.columns // BLOCK)


def block_parts(taken: TakenApart, outputs: StageOutputs, row: int, column: int) -> tuple[BlockPart, ...]:
    """Every component's block at one place.

    Args:
        taken: of outputs.degraded, with bits.
        outputs: the original and the restorations.
        row, column: of an 8x8 block of the picture, inside extent().
    """
    image = taken.image
    parts = []
    for number, component in enumerate(image.components):
        factors = sampling_factors(image.jpeg_header, number)
        place = _place(component, row // factors[0], column // factors[1])
        table = component.quantization_table
        integers = component.coefficients[place]
        original = _block_of(image, outputs.original, number, place)
        restored = {
            name: _block_of(image, restoration.pixels, number, place)
            for name, restoration in outputs.restorations.items()
        }
        previous = 0.0
        if place[1] > 0:
            left = place[0], place[1] - 1
            known = _block_of(image, outputs.original, number, left)
            previous = float(
                component.coefficients[left][0, 0] * table[0, 0] if known is None else known[0, 0]
            )
        rows, columns = component.coefficients.shape[:2]
        part = BlockPart(
            component.name,
            number,
            place[0],
            place[1],
            rows,
            columns,
            factors,
            table,
            integers,
            int(taken.known_bits.components[number][place]),
            original,
            previous,
            {name: block for name, block in restored.items() if block is not None},
        )
        parts.append(part)
    return tuple(parts)


def _place(component: JpegComponent, row: int, column: int) -> tuple[int, int]:
    rows, columns = component.coefficients.shape[:2]
    return min(row, rows - 1), min(column, columns - 1)


def _block_of(
    image: JpegImage, pixels: RgbImage | None, number: int, place: tuple[int, int]
) -> NDArray[np.float32] | None:
    """(8, 8) coefficients of one block of a picture people see; None where they cannot be told."""
    turned = None if pixels is None else in_file_grid(image, pixels)
    if turned is None:
        return None
    vertical, horizontal = sampling_factors(image.jpeg_header, number)
    top, left = place[0] * BLOCK * vertical, place[1] * BLOCK * horizontal
    crop = turned[top : top + BLOCK * vertical, left : left + BLOCK * horizontal]
    return encoder_coefficients(np.ascontiguousarray(crop), number, vertical, horizontal)[0, 0]


def cell_share(image: JpegImage, name: str, pixels: RgbImage) -> CellShare | None:
    """The share of a picture's luma coefficients that the file's table would round to the file's integers.

    Args:
        image: the file.
        name: for the result.
        pixels: (rows, columns, 3) uint8, upright and in sRGB like image.pixels.

    Returns:
        None where the picture cannot be turned back into the file's grid.
    """
    turned = in_file_grid(image, pixels)
    if turned is None or image.coefficients_from != "bitstream":
        return None
    luma = image.components[0]
    tall, wide = luma.coefficients.shape[:2]
    coefficients = encoder_coefficients(turned, 0, *sampling_factors(image.jpeg_header, 0))[:tall, :wide]
    distance = np.abs(coefficients - luma.coefficients * luma.quantization_table.astype(np.float32))
    inside = distance <= luma.quantization_table / 2 + CELL_TOLERANCE
    kept = luma.coefficients != 0
    kept_share = float(inside[kept].mean()) if kept.any() else float("nan")
    return CellShare(name, float(inside.mean()), kept_share, inside.mean(axis=(0, 1)))


def file_histogram(component: JpegComponent, row: int, column: int) -> Histogram:
    """The file's own integers at one frequency, times the table's step.

    Args:
        component: of the file.
        row, column: of the frequency, 0..7.
    """
    integers = component.coefficients[..., row, column].ravel().astype(np.int64)
    return _histogram(integers, int(component.quantization_table[row, column]))


def shifted_histogram(component: JpegComponent, shift: tuple[int, int], row: int, column: int) -> Histogram:
    """The decoded component's coefficients at one frequency on the grid of an earlier save, in bars of one unit.

    Args:
        component: of the file.
        shift: rows and columns trimmed between the saves, as EarlierSave.grid_shift.
        row, column: of the frequency, 0..7.
    """
    wide = component.coefficients.shape[1]
    strip = component.coefficients[: max(2, MOST_HISTOGRAM_BLOCKS // wide)]
    samples = inverse_dct(strip * component.quantization_table.astype(np.float32))
    plane = np.clip(blocks_to_plane(samples, len(strip) * BLOCK, wide * BLOCK), -128, 127)
    plane = plane[-shift[0] % BLOCK :, -shift[1] % BLOCK :]
    plane = plane[: plane.shape[0] // BLOCK * BLOCK, : plane.shape[1] // BLOCK * BLOCK]
    coefficients = forward_dct(plane_to_blocks(plane))[..., row, column]
    return _histogram(np.rint(coefficients).astype(np.int64).ravel(), 1)


def _histogram(integers: NDArray[np.int64], width: int) -> Histogram:
    reach = int(np.quantile(np.abs(integers), 0.998)) + 1 if len(integers) else 0
    reach = min(max(reach, 4), 512)
    counts = np.bincount(np.clip(integers, -reach, reach) + reach, minlength=2 * reach + 1)
    counts[[0, -1]] = 0  # everything beyond was gathered there
    values = np.arange(-reach, reach + 1, dtype=np.float64) * float(width)
    return Histogram(values, counts, width, int((integers == 0).sum()))

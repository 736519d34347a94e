"""Restorers without a network, to compare with: two ways of decoding, and deblocking by re-application of JPEG."""

import io
import time
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.card import ModelCard
from models.guard import Guard
from models.images import RgbImage
from models.jpeg import JpegComponent, JpegImage, quantization_tables
from models.jpeg.color import ycbcr_to_rgb
from models.jpeg.dct import blocks_to_plane, inverse_dct
from models.jpeg.encoder_planes import has_whole_factors
from models.jpeg.image import MODELS_WITH_LUMA
from models.restorer import AUTOMATIC, OnTile, Restoration, RestoreOptions, Restorer
from models.tiles import cut_into_tiles

LONGEST_TILE = 4096
LARGEST_MCU = 16
"""Rows and columns of the largest unit that JPEG codes at once, with 4:2:0."""

SHIFTS = tuple(
    (row + 8 * ((row + column) % 2), column + 8 * ((row + column) // 2 % 2))
    for row, column in product(range(8), repeat=2)
)
"""Every position of the luma grid once, spread over the positions of the 4:2:0 chroma grid."""

PILLOW_SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")


PLAIN = "plain"
"""Name of plain decoding, which every other result is compared with."""


@dataclass(frozen=True, eq=False)
class PlainDecoding:
    """Hands the decoded picture on as it is."""

    card: ModelCard = field(
        default=ModelCard(
            name=PLAIN,
            title="Plain decoding",
            architecture="",
            summary="What every viewer shows: the JPEG decoded, nothing repaired; gains are counted from it.",
            paper="ITU-T Recommendation T.81, 1992.",
        )
    )

    def restore(
        self, image: JpegImage, options: RestoreOptions = AUTOMATIC, on_tile: OnTile | None = None
    ) -> Restoration:
        """See models.restorer.Restorer.restore; nothing steers it."""
        start = time.perf_counter()
        pixels = image.pixels
        if on_tile is not None:
            on_tile(1, 1)
        return Restoration(pixels=pixels, seconds=time.perf_counter() - start)


@dataclass(frozen=True, eq=False)
class Reapplication:
    """Classical deblocking: save the picture again at 64 shifts of the block grid and average the results.

    Each shifted save removes what the first save would not have let through, and puts its own block edges
    elsewhere. Tables and chroma subsampling are the file's own. A quality factor set by hand replaces
    the tables. Where a file has no tables, or they are to be ignored, and none is set, the picture is handed
    on as it is.
    """

    card: ModelCard = field(
        default=ModelCard(
            name="reapply",
            title="Re-application of JPEG",
            architecture="",
            summary="Classical deblocking without a network: the average of the picture saved again with the "
            "file's own tables at 64 positions of the block grid.",
            paper='A. Nosratinia, "Enhancement of JPEG-Compressed Images by Re-application of JPEG", Journal '
            "of VLSI Signal Processing 27, 2001.",
            steerable=True,
            uses_tables=True,
        )
    )

    def restore(
        self, image: JpegImage, options: RestoreOptions = AUTOMATIC, on_tile: OnTile | None = None
    ) -> Restoration:
        """See models.restorer.Restorer.restore; on_tile is called after every shift."""
        start = time.perf_counter()
        quality_factor = options.steering_factor(image)
        if quality_factor is not None:
            tables = quantization_tables(quality_factor)
            sentence = f"quality factor {quality_factor} set by hand"
        elif image.luma_table is not None and not options.blind:
            second = image.luma_table if image.chroma_table is None else image.chroma_table
            tables = (image.luma_table, second)
            sentence = "the file's quantization tables"
        else:
            if on_tile is not None:
                on_tile(1, 1)
            sentence = "no quantization tables, so the picture is as it was"
            return Restoration(image.pixels, seconds=time.perf_counter() - start, steered_by=sentence)
        subsampling = image.subsampling if image.subsampling in PILLOW_SUBSAMPLINGS else "4:2:0"
        save = _Save(tables, subsampling, image.is_gray)
        averaged = _average_of_saves(image.decoded_pixels, save, on_tile)
        held = averaged
        if quality_factor is None:  # by the file's own tables, so its own cells count, whatever was before
            held = Guard(image, None).hold(image.decoded_pixels, averaged)
        return Restoration(
            pixels=image.present(held),
            unguarded=image.present(averaged),
            applied_quality_factor=None if quality_factor is None else float(quality_factor),
            seconds=time.perf_counter() - start,
            steered_by=sentence,
        )


@dataclass(frozen=True, eq=False)
class CenteredDequantization:
    """Plain decoding, but from where coefficients probably were in their cells instead of from the cells' middles.

    Coefficients of one frequency are spread about 0 like a Laplacian, so within a cell those nearer to 0 are more
    frequent. How fast they get rarer is estimated from the file's own integers. Files whose integers are not those of
    luma and chroma are handed on as they are.
    """

    card: ModelCard = field(
        default=ModelCard(
            name="centered",
            title="Centered dequantization",
            architecture="",
            summary="Decoding without a network, from where coefficients probably were in their quantization cells; as "
            "quick as plain decoding, and a little closer to the original.",
            paper='J. R. Price, M. Rabbani, "Biased Reconstruction for JPEG Decoding", IEEE Signal Processing Letters '
            "6, 1999.",
            uses_tables=True,
        )
    )

    def restore(
        self, image: JpegImage, options: RestoreOptions = AUTOMATIC, on_tile: OnTile | None = None
    ) -> Restoration:
        """See models.restorer.Restorer.restore; nothing steers it."""
        start = time.perf_counter()
        if on_tile is not None:
            on_tile(1, 1)
        header = image.header
        readable = header is not None and header.color_model in MODELS_WITH_LUMA and has_whole_factors(header)
        if options.blind or not readable or image.coefficients_from != "bitstream":
            return Restoration(image.pixels, seconds=time.perf_counter() - start)
        rows, columns = image.decoded_pixels.shape[:2]
        moves = np.zeros((rows, columns, 3), np.float32)
        for number, part in enumerate(image.components):
            if (part.rows, part.columns) == (
                rows,
                columns,
            ):  # coarser chroma is spoiled by the filter that enlarges it
                moves[..., number] = blocks_to_plane(inverse_dct(_towards_zero(part)), rows, columns)
        moves[..., 1:] += 128  # of a conversion that is linear but for this
        levels = np.clip(image.decoded_pixels + ycbcr_to_rgb(moves), 0, 255)
        held = Guard(image, image.judgement.coarser_save).hold(image.decoded_pixels, levels)
        return Restoration(
            pixels=image.present(held),
            unguarded=image.present(np.rint(levels).astype(np.uint8)),
            seconds=time.perf_counter() - start,
            steered_by="the file's quantization tables and coefficients",
        )


def _towards_zero(part: JpegComponent) -> NDArray[np.float32]:
    """What to add to dequantized coefficients, like part.coefficients; DC stays.

    The integers beyond 0 of a Laplacian fall off geometrically, by a factor that one minus their share of the sum of
    magnitudes estimates; the mean of a cell of it lies (coth(a / 2) / 2 - 1 / a) steps nearer to 0 than the middle, a
    being minus the logarithm of that factor.
    """
    magnitudes = np.abs(part.coefficients.astype(np.int32))
    beyond, total = np.count_nonzero(magnitudes, axis=(0, 1)), magnitudes.sum(axis=(0, 1))
    factor = np.clip(1 - beyond / np.maximum(total, 1), 1e-3, 1 - 1e-3)
    fall = -np.log(factor)
    nearer = part.quantization_table * (0.5 / np.tanh(fall / 2) - 1 / fall)
    nearer[0, 0] = 0
    return (-np.sign(part.coefficients) * nearer).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Save:
    """Saving as JPEG with given tables, and opening again.

    Attributes:
        tables: (8, 8) luma and chroma steps.
        subsampling: one that Pillow knows.
        gray: save one channel only.
    """

    tables: tuple[NDArray[np.integer], NDArray[np.integer]]
    subsampling: str
    gray: bool

    def __call__(self, pixels: RgbImage) -> RgbImage:
        """(rows, columns, 3) uint8 -> the same after one save."""
        tables = [table.ravel().tolist() for table in self.tables]
        buffer = io.BytesIO()
        if self.gray:
            Image.fromarray(pixels[..., 0]).save(buffer, "JPEG", qtables=tables[:1])
            return np.asarray(Image.open(buffer))[..., None]
        Image.fromarray(pixels).save(buffer, "JPEG", qtables=tables, subsampling=self.subsampling)
        return np.asarray(Image.open(buffer))


def _average_of_saves(pixels: RgbImage, save: _Save, on_tile: OnTile | None) -> RgbImage:
    """Mean over all SHIFTS of the picture saved on a shifted grid, (rows, columns, 3) uint8."""
    tiles = cut_into_tiles(pixels.shape, longest=LONGEST_TILE, overlap=2 * LARGEST_MCU, multiple=LARGEST_MCU)
    averaged = np.empty_like(pixels)
    for done, tile in enumerate(tiles):
        total = np.zeros((tile.rows.size, tile.columns.size, 3), np.uint16)
        seen = tile.cut(pixels)
        for index, (row, column) in enumerate(SHIFTS, start=1):
            shifted = np.pad(seen, ((row, 0), (column, 0), (0, 0)), mode="edge")
            total += save(shifted)[row:, column:][tile.rows.inner, tile.columns.inner]
            if on_tile is not None:
                on_tile(done * len(SHIFTS) + index, len(tiles) * len(SHIFTS))
        averaged[tile.rows.kept, tile.columns.kept] = (total + len(SHIFTS) // 2) // len(SHIFTS)
    return averaged


BASELINES: dict[str, Restorer] = {
    each.card.name: each for each in (PlainDecoding(), CenteredDequantization(), Reapplication())
}
"""The restorers that are always there, by name."""

"""Evidence of an earlier save in a JPEG file: was the picture saved before, with what quality, on which grid?

A save leaves every coefficient at a multiple of its table's step. Where the picture was saved again, two traces of
the first save can remain, and both are looked for in the fifteen lowest frequencies of luma:

- On the same grid the integers of the file have gaps and peaks. For each quality factor the histogram that two saves
  would leave is predicted and compared with the histogram that one save would leave; both predictions start from the
  picture's own coefficients on other grids, where no comb is (after J. Lukáš and J. Fridrich, "Estimation of primary
  quantization matrix in double compressed JPEG images", DFRWS 2003).
- On a shifted grid the coefficients of the decoded picture gather around multiples of the first table's steps,
  blurred by the second save. All 63 other grids are tried, and each is compared with its mirror images, on which a
  picture saved once looks the same (after T. Bianchi and A. Piva, "Detection of nonaligned double JPEG compression
  based on integer periodicity maps", IEEE Transactions on Information Forensics and Security, 2012).

What was measured, and with which pictures, is in docs/anatomy.md; `python -m models.jpeg.double_rates` repeats it.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.images import RgbImage
from models.jpeg.coefficients import JpegComponent
from models.jpeg.color import split_ycbcr
from models.jpeg.dct import BLOCK, blocks_to_plane, inverse_dct
from models.jpeg.tables import QuantizationTable, quantization_tables

FREQUENCIES = tuple((row, column) for row in range(5) for column in range(5) if row + column < 5)
FEWEST_BLOCKS, MOST_BLOCKS = 256, 12288
"""Fewer prove nothing; of larger pictures the centre is examined."""

MOST_BLOCKS_IN_PASSING = 6144
"""By gather_shifted, which is to take a tenth of a second beside a restoration."""

LEAST_GAIN, LEAST_GAIN_PER_COEFFICIENT = 200.0, 0.012
LEAST_COMB, LEAST_LEAD = 10.0, 2.0
"""What the evidence must reach, see judge(); chosen on pictures that docs/anatomy.md does not measure."""

STRONG_COMB, LEAST_LEAD_OF_STRONG, NOTICEABLY = 15.0, 1.4, 1.1
"""What it must reach for judge_coarser(): the third is how many times coarser the earlier table is than the file's.
Of 896 single saves of training photographs none reached them; of 634 double saves with a coarser first one 93 % did."""

_BIN, _BINS = 0.5, 2048
_ROUNDING_NOISE = 0.4
"""Standard deviation that rounding to whole RGB levels between two saves adds to a luma coefficient."""
_LEAST_WEIGHT, _HARMONICS = 0.3, 4
_INNER_GRIDS = [8 * row + column for row in range(2, 7) for column in range(2, 7)]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was found, before anything is concluded from it.

    Attributes:
        blocks: how many blocks were examined.
        coefficients: how many nonzero low-frequency AC coefficients they hold.
        aligned_gain: (100,) float64; by quality factor 1..100 of an earlier save on the same grid, by how many nats
            two saves explain the file's integers better than one; no more than that of the integers beyond ±1 where
            this is negative.
        shifted_comb: (100, 8, 8) float64; by quality factor and grid offset (row, column of an earlier block
            corner in this picture), how far the comb of that save exceeds its mirror images, in standard
            deviations of chance; 0 at offset (0, 0), and where the second save would have wiped the comb out.
    """

    blocks: int
    coefficients: int
    aligned_gain: NDArray[np.float64]
    shifted_comb: NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """What the evidence carries.

    Attributes:
        kind: "aligned" or "shifted" where an earlier save is evident, else "none".
        quality_factor: of the earlier save, as if it used libjpeg's tables; None for "none".
        grid_shift: rows and columns trimmed between the saves, modulo 8, as in JpegEncoding; None for "none".
    """

    kind: Literal["aligned", "shifted", "none"]
    quality_factor: int | None = None
    grid_shift: tuple[int, int] | None = None


def gather(component: JpegComponent) -> Evidence | None:
    """Examine a luma component for traces of an earlier save.

    Args:
        component: the first one of a gray or YCbCr file, its coefficients from the bitstream.

    Returns:
        The evidence, or None where fewer than FEWEST_BLOCKS whole blocks are there, or only one row of them.
    """
    rows, columns = _centre(component.rows // BLOCK, component.columns // BLOCK, MOST_BLOCKS)
    integers = component.coefficients[rows, columns]
    if _proves_nothing(integers.shape[:2]):
        return None
    table = component.quantization_table
    plane = _decoded(integers, table)
    histograms, count = grid_histograms(plane, FREQUENCIES)
    gain, coefficients = _aligned_gain(integers, table, histograms)
    comb = _shifted_comb(histograms, count, table)
    return Evidence(integers.shape[0] * integers.shape[1], coefficients, gain, comb)


def gather_shifted(pixels: RgbImage, table: QuantizationTable) -> Evidence | None:
    """Examine a decoded picture for traces of an earlier save on a shifted grid, and for no others.

    Quicker than gather(), and needs no coefficients: luma is worked out from the pixels, at most
    MOST_BLOCKS_IN_PASSING blocks of it.

    Args:
        pixels: (rows, columns, 3) uint8, in the file's own grid.
        table: the file's luma table.

    Returns:
        The evidence, its aligned_gain zero; None as of gather().
    """
    shape = pixels.shape[0] // BLOCK, pixels.shape[1] // BLOCK
    rows, columns = _centre(*shape, MOST_BLOCKS_IN_PASSING)
    blocks = rows.stop - rows.start, columns.stop - columns.start
    if _proves_nothing(blocks):
        return None
    seen = (slice(span.start * BLOCK, span.stop * BLOCK) for span in (rows, columns))
    luma, _, _ = split_ycbcr(pixels[tuple(seen)])
    histograms, count = grid_histograms(luma - 128, FREQUENCIES)
    comb = _shifted_comb(histograms, count, table)
    return Evidence(blocks[0] * blocks[1], 0, np.zeros(len(comb)), comb)


def judge(evidence: Evidence) -> Verdict:
    """Conclude no more than the evidence carries.

    An earlier save on the same grid is evident where it explains the integers better by LEAST_GAIN nats in all and
    by LEAST_GAIN_PER_COEFFICIENT for each, and this is more convincing than any comb on another grid. One on a
    shifted grid is evident where its comb is LEAST_COMB standard deviations strong and LEAST_LEAD times as strong as
    on all grids that are no neighbours of it.
    """
    aligned = float(evidence.aligned_gain.max()) / needed_gain(evidence)
    comb, offset, lead = strongest_comb(evidence)
    if aligned >= max(1.0, comb / LEAST_COMB):
        return Verdict("aligned", int(evidence.aligned_gain.argmax()) + 1, (0, 0))
    if comb >= LEAST_COMB and lead >= LEAST_LEAD:
        return _on_grid(evidence, offset)
    return Verdict("none")


def judge_coarser(evidence: Evidence, table: QuantizationTable) -> Verdict:
    """Look only for an earlier save on a shifted grid that is noticeably coarser than the file's own.

    Wrong verdicts of judge() nearly always name the quality the file itself was saved with, on a grid that shares
    rows or columns with its own. With those out of the way a smaller lead of a strong comb is evidence enough.

    Args:
        evidence: of gather_shifted().
        table: the file's luma table.

    Returns:
        A verdict of the kind "shifted" or "none".
    """
    comb, offset, lead = strongest_comb(evidence)
    verdict = _on_grid(evidence, offset)
    coarser = coarseness(verdict.quality_factor, table) >= NOTICEABLY
    evident = comb >= STRONG_COMB and lead >= LEAST_LEAD_OF_STRONG
    return verdict if coarser and evident else Verdict("none")


def coarseness(quality_factor: int, table: QuantizationTable) -> float:
    """How many times larger libjpeg's luma steps of a quality factor are than a table's, at FREQUENCIES together.

    Those at higher frequencies are cut off at 255 where quality is low, and would say less than they should.
    """
    rows, columns = zip(*FREQUENCIES, strict=True)
    earlier, _ = quantization_tables(quality_factor)
    return float(earlier[rows, columns].sum() / table[rows, columns].sum())


def needed_gain(evidence: Evidence) -> float:
    """How many nats an earlier save on the same grid must gain to be evident."""
    return max(LEAST_GAIN, LEAST_GAIN_PER_COEFFICIENT * evidence.coefficients)


def strongest_comb(evidence: Evidence) -> tuple[float, tuple[int, int], float]:
    """The strongest comb, the offset of its grid, and how many times it exceeds all that are no neighbours of it."""
    by_grid = evidence.shifted_comb.max(axis=0)
    row, column = np.unravel_index(by_grid.argmax(), by_grid.shape)
    distance = np.abs(np.arange(BLOCK)[:, None] - [row, column])  # (8, 2)
    distance = np.minimum(distance, BLOCK - distance)
    others = by_grid[np.maximum(distance[:, :1], distance[:, 1]) > 1]
    strongest = float(by_grid[row, column])
    return strongest, (int(row), int(column)), strongest / max(float(others.max()), 1.0)


def _on_grid(evidence: Evidence, offset: tuple[int, int]) -> Verdict:
    """The verdict for a comb on the grid with that offset."""
    row, column = offset
    quality_factor = int(evidence.shifted_comb[:, row, column].argmax()) + 1
    return Verdict("shifted", quality_factor, (-row % BLOCK, -column % BLOCK))


def grid_histograms(
    plane: NDArray[np.float32], frequencies: tuple[tuple[int, int], ...]
) -> tuple[dict[tuple[int, int], NDArray[np.float64]], int]:
    """How large the coefficients of a picture are on each of the 64 grids.

    Args:
        plane: (rows, columns) of at least 15 each, samples with 128 subtracted.
        frequencies: (row, column) of the frequencies wanted, 0..7 each.

    Returns:
        By frequency (64, bins): counts of magnitudes by grid offset (8 x row + column), in bins of half a unit
        around 0, 0.5, 1, ...; and the number of blocks on each grid.
    """
    tall, wide = ((side - BLOCK + 1) // BLOCK * BLOCK for side in plane.shape)
    offsets = (np.arange(tall) % BLOCK * BLOCK)[:, None] + np.arange(wide) % BLOCK
    cosines = _cosines()
    histograms, filtered = {}, {}
    for row, column in frequencies:
        if row not in filtered:
            filtered[row] = sum(cosines[row, i] * plane[i : i + tall] for i in range(BLOCK))
        coefficients = sum(cosines[column, i] * filtered[row][:, i : i + wide] for i in range(BLOCK))
        bins = np.minimum((np.abs(coefficients) / _BIN + 0.5).astype(np.int32), _BINS - 1)
        counts = np.bincount((offsets * _BINS + bins).ravel(), minlength=64 * _BINS)
        histograms[row, column] = counts.reshape(64, _BINS).astype(np.float64)
    return histograms, tall * wide // BLOCK**2


def _centre(tall: int, wide: int, most: int) -> tuple[slice, slice]:
    """The block rows and columns in the middle of a picture of so many, at most `most` blocks."""
    rows = min(tall, max(1, int((most * tall / max(wide, 1)) ** 0.5)))
    columns = min(wide, most // max(rows, 1))
    top, left = (tall - rows) // 2, (wide - columns) // 2
    return slice(top, top + rows), slice(left, left + columns)


def _proves_nothing(blocks: tuple[int, int]) -> bool:
    """Whether so many rows and columns of blocks are too few."""
    return blocks[0] * blocks[1] < FEWEST_BLOCKS or min(blocks) < 2


def _decoded(integers: NDArray[np.int16], table: QuantizationTable) -> NDArray[np.float32]:
    """(rows, columns) float32 samples as a decoder clips them, less 128."""
    samples = inverse_dct(integers * table.astype(np.float32))
    rows, columns = integers.shape[:2]
    return np.clip(blocks_to_plane(samples, rows * BLOCK, columns * BLOCK), -128, 127)


@lru_cache(maxsize=1)
def _cosines() -> NDArray[np.float32]:
    """(8, 8) float32: frequency, position."""
    frequency, position = np.mgrid[:BLOCK, :BLOCK]
    cosines = np.cos((2 * position + 1) * frequency * np.pi / 16) / 2
    cosines[0] /= np.sqrt(2)
    return cosines.astype(np.float32)


@lru_cache(maxsize=1)
def _luma_steps() -> NDArray[np.int64]:
    """(100, 8, 8): libjpeg's luma tables of quality factors 1..100."""
    return np.stack([quantization_tables(quality_factor)[0] for quality_factor in range(1, 101)])


# An earlier save on the same grid


def _aligned_gain(
    integers: NDArray[np.int16], table: QuantizationTable, histograms: dict[tuple[int, int], NDArray]
) -> tuple[NDArray[np.float64], int]:
    """Evidence.aligned_gain and Evidence.coefficients."""
    gains, total = np.zeros((2, 100)), 0  # of all integers but 0, and of those beyond ±1
    for row, column in FREQUENCIES[1:]:
        step = int(table[row, column])
        magnitudes = np.abs(integers[..., row, column].astype(np.int64)).ravel()
        density = _smooth_density(histograms[row, column][_INNER_GRIDS].sum(axis=0), step)
        once = _cells(density, step)
        counts = np.bincount(magnitudes[magnitudes < len(once)], minlength=len(once))
        total += int(counts[1:].sum())
        steps = _luma_steps()[:, row, column]
        for earlier in np.unique(steps):
            twice = _cells(_requantized(density, int(earlier)), step)
            for i, least in enumerate((1, 2)):
                gains[i, steps == earlier] += _gain(counts[least:], once[least:], twice[least:])
    # Some encoders widen the gap around 0 by themselves; what only that explains is no trace of a save.
    return np.where(gains[1] > 0, gains[0], np.minimum(*gains)), total


def _gain(counts: NDArray[np.int64], once: NDArray[np.float64], twice: NDArray[np.float64]) -> float:
    """By how many nats two saves explain counts better than one, given the masses of both."""
    once, twice = once / max(once.sum(), 1e-12), twice / max(twice.sum(), 1e-12)
    likely = 0.95 * twice + 0.05 * once  # some were clipped or edited: nothing is impossible
    return float(counts @ np.log((likely + 1e-9) / (once + 1e-9)))


def _smooth_density(counts: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """What the magnitudes were before this save: the other grids' histogram, smoothed, with a thin tail; sums to 1.

    Args:
        counts: (bins,).
        step: of this save, because its own traces must be smoothed away.
    """
    width = max(1, int(step / 2 / _BIN))
    both_signs = np.concatenate([counts[:0:-1], counts])
    both_signs[_BINS - 1] *= 2  # of the bin at zero only half is on each side
    smooth = np.convolve(both_signs, np.full(width, 1 / width), "same")[_BINS - 1 :]
    smooth[0] /= 2
    smooth += 1e-3 * counts.sum() * np.exp(-np.arange(_BINS) * _BIN / 30) / 60
    return smooth / smooth.sum()


def _cells(density: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """How much of a density of magnitudes each cell of a quantizer takes; (cells,), cell 0 reaches to step / 2."""
    edges = (np.arange(int(_BINS * _BIN / step) + 2) + 0.5) * step
    below = np.interp(edges, (np.arange(_BINS) + 0.5) * _BIN, np.cumsum(density))
    return np.diff(below, prepend=0.0)


def _requantized(density: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """The density after a save with that step: spikes at its multiples, blurred by rounding to pixels."""
    masses = _cells(density, step)
    places = np.arange(len(masses)) * step / _BIN
    spikes = np.zeros(_BINS)
    inside = places < _BINS
    spikes[places[inside].astype(int)] = masses[inside]
    reach = np.arange(-3, 4)
    kernel = np.exp(-0.5 * (reach * _BIN / _ROUNDING_NOISE) ** 2)
    both_signs = np.concatenate([spikes[:0:-1] / 2, spikes[:1], spikes[1:] / 2])
    blurred = np.convolve(both_signs, kernel / kernel.sum(), "same")
    return np.concatenate([blurred[_BINS - 1 : _BINS], 2 * blurred[_BINS:]])


# An earlier save on a shifted grid


def _shifted_comb(
    histograms: dict[tuple[int, int], NDArray], count: int, table: QuantizationTable
) -> NDArray[np.float64]:
    """Evidence.shifted_comb."""
    mirrors = _mirror_means()
    excess, squares = np.zeros((100, 64)), np.zeros((100, 64))
    for row, column in FREQUENCIES:
        steps, which = np.unique(_luma_steps()[:, row, column], return_inverse=True)
        counts = histograms[row, column].T.astype(np.float32)  # (bins, 64)
        noise = table[row, column] ** 2 / 12 + 0.1  # variance that the second save and its rounding add
        for harmonic in range(
            1, _HARMONICS + 1
        ):  # without them twice the quality, half the step, fits as well
            combs = _waves(harmonic)[steps - 1] @ counts / count  # (steps, 64): 1 where all lie on the comb
            usual = combs @ mirrors
            survives = np.exp(-2 * np.pi**2 * noise * (harmonic / steps) ** 2)[:, None]
            expected = survives * (1 - np.clip(usual, 0, 1))
            excess += (expected * (combs - usual))[which]
            squares += (expected**2)[which]
    weight = np.sqrt(squares)
    deviations = np.where(weight < _LEAST_WEIGHT, 0, np.sqrt(2 * count) * excess / np.maximum(weight, 1e-9))
    deviations[:, 0] = 0
    return deviations.reshape(100, BLOCK, BLOCK)


@lru_cache(maxsize=_HARMONICS)
def _waves(harmonic: int) -> NDArray[np.float32]:
    """(255, bins): the cosine that has so many cycles in each step 1..255, at each bin."""
    steps = np.arange(1, 256)[:, None]
    return np.cos(2 * np.pi * harmonic * np.arange(_BINS) * _BIN / steps).astype(np.float32)


@lru_cache(maxsize=1)
def _mirror_means() -> NDArray[np.float64]:
    """(64, 64): column p averages the grids that look like grid p in a picture saved once.

    Those are its mirror images. An offset of 4 is its own mirror image; a parabola through its neighbours stands in.
    """
    means = np.zeros((64, 64))
    for grid in range(64):
        rows, columns = _alike(grid // BLOCK), _alike(grid % BLOCK)
        for row, column in product(rows, columns):
            means[BLOCK * row + column, grid] += rows[row] * columns[column]
        means[grid, grid] = 0
        means[:, grid] /= means[:, grid].sum() or 1
    means[0, 0] = 1
    return means


def _alike(offset: int) -> dict[int, float]:
    """Offsets that stand for one offset, with their weights."""
    if offset == 4:
        return {3: 2 / 3, 5: 2 / 3, 2: -1 / 6, 6: -1 / 6}
    mirrored = {offset, -offset % BLOCK}
    return dict.fromkeys(mirrored, 1 / len(mirrored))

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

import cv2
import numpy as np
from numpy.typing import NDArray

from models.jpeg.coefficients import JpegComponent
from models.jpeg.dct import BLOCK, blocks_to_plane, forward_dct, inverse_dct, plane_to_blocks
from models.jpeg.tables import QuantizationTable, quantization_tables

FREQUENCIES = tuple((row, column) for row in range(5) for column in range(5) if row + column < 5)
FEWEST_BLOCKS, MOST_BLOCKS = 256, 6144
"""Fewer prove nothing; of larger pictures the center is examined, which takes a twentieth of a second."""

LEAST_GAIN, LEAST_GAIN_PER_COEFFICIENT = 600.0, 0.036
LEAST_COMB, LEAST_LEAD, LEAST_LEAD_OF_MIDDLES, FEWEST_DIFFERENT_INTEGERS = 17.0, 1.9, 2.05, 50
LARGEST_RESIDUE, FEWEST_COUNTED, LEAST_COMB_OF_RESIDUE, LEAST_LEAD_OF_RESIDUE = 0.55, 400, 10.0, 1.15
LIKE_THE_FILE = 0.93, 1.07
"""What the evidence must reach, see judge(); `python -m models.jpeg.double_rates` measures what comes of it."""

_SUSPECTS, _SAMPLED_BLOCKS = 3, 1024
_LEAST_STEP, _LEAST_COARSENING, _FEWEST_FREQUENCIES = 3, 1.8, 8
_BIN, _BINS = 0.5, 1024
_COMB_BINS = 512
"""Of half a unit; an earlier save's comb fades in long tails, so that fewer will do for it."""
_ROUNDING_NOISE = 0.4
"""Standard deviation that rounding to whole RGB levels between two saves adds to a luma coefficient."""
_LEAST_WEIGHT, _HARMONICS = 0.3, 4
_PLACES = tuple(np.array(FREQUENCIES).T)
_INNER_GRIDS = [8 * row + column for row in range(2, 7) for column in range(2, 7)]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was found, before anything is concluded from it.

    Attributes:
        table: (8, 8) int64, luma steps of the file, ones where it is no JPEG.
        blocks: how many blocks were examined.
        coefficients: how many nonzero low-frequency AC coefficients they hold.
        different_integers: how many different magnitudes those have, summed over the frequencies; few in patterns.
        aligned_gain: (100,) float64; by quality factor 1..100 of an earlier save on the same grid, by how many nats
            two saves explain the file's integers better than one; no more than that of the integers beyond ±1 where
            this is negative.
        shifted_comb: (100, 8, 8) float64; by quality factor and grid offset (row, column of an earlier block
            corner in this picture), how far the comb of that save exceeds its mirror images, in standard
            deviations of chance; 0 at offset (0, 0), and where the second save would have wiped the comb out.
        residue: (100, 8, 8) float64; by quality factor, at the offsets with the strongest combs, the mean square
            distance of coefficients from multiples of that save's steps, in units of what chance gives; of different
            blocks only, so that a repeated pattern counts once. Infinity where too little can be counted.
    """

    table: QuantizationTable
    blocks: int
    coefficients: int
    different_integers: int
    aligned_gain: NDArray[np.float64]
    shifted_comb: NDArray[np.float64]
    residue: NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """What the evidence carries.

    Attributes:
        kind: "aligned" or "shifted" where an earlier save is evident, else "none".
        quality_factor: of the earlier save, as if it used libjpeg's tables; None for "none".
        grid_shift: rows and columns trimmed between the saves, modulo 8, as in JpegEncoding; None for "none".
        coarseness: how many times larger the earlier save's luma steps are than the file's own; 0 for "none".
    """

    kind: Literal["aligned", "shifted", "none"]
    quality_factor: int | None = None
    grid_shift: tuple[int, int] | None = None
    coarseness: float = 0.0


def gather(component: JpegComponent) -> Evidence | None:
    """Examine a luma component for traces of an earlier save.

    Args:
        component: the first one of a gray or YCbCr file, or of components_from_pixels() for other pictures.

    Returns:
        The evidence, or None where fewer than FEWEST_BLOCKS whole blocks are there, or only one row of them.
    """
    rows, columns = _center(component.rows // BLOCK, component.columns // BLOCK)
    integers = component.coefficients[rows, columns]
    blocks = integers.shape[0] * integers.shape[1]
    if blocks < FEWEST_BLOCKS or min(integers.shape[:2]) < 2:
        return None
    table = component.quantization_table
    plane = _decoded(integers, table)
    histograms, count = grid_histograms(plane, FREQUENCIES)
    gain, coefficients, different = _aligned_gain(integers, table, histograms)
    comb = _shifted_comb(histograms, count, table)
    residue = _residue(plane, comb.max(axis=0), table)
    return Evidence(table, blocks, coefficients, different, gain, comb, residue)


def judge(evidence: Evidence) -> Verdict:
    """Conclude no more than the evidence carries.

    The periods of a drawing are not those of a save. So integers must take many values, a pattern counts once however
    often it is repeated, and a comb must be strong on one grid and on no other, even more so half a block from the
    file's own grid, where drawings on the block grid have theirs.

    - Shifted: a comb of LEAST_COMB standard deviations, LEAST_LEAD times as strong as on grids that are no neighbors.
    - Aligned: two saves explain the integers better by LEAST_GAIN nats in all and LEAST_GAIN_PER_COEFFICIENT each.
    - Shifted: a residue below LARGEST_RESIDUE on the grid with the strongest comb, or where that stands out a little.
    """
    if evidence.different_integers < FEWEST_DIFFERENT_INTEGERS:
        return Verdict("none")
    comb, offset, lead = strongest_comb(evidence)
    needed = LEAST_LEAD_OF_MIDDLES if set(offset) <= {0, BLOCK // 2} else LEAST_LEAD
    if comb >= LEAST_COMB and lead >= needed:
        return _verdict(evidence, int(evidence.shifted_comb[:, *offset].argmax()) + 1, offset)
    if evidence.aligned_gain.max() >= needed_gain(evidence):
        found = _verdict(evidence, int(evidence.aligned_gain.argmax()) + 1, (0, 0))
        if not LIKE_THE_FILE[0] < found.coarseness < LIKE_THE_FILE[1]:  # the file's own save explains itself
            return found
    quality, *place = (
        int(index) for index in np.unravel_index(evidence.residue.argmin(), evidence.residue.shape)
    )
    alone = tuple(place) == offset or lead >= LEAST_LEAD_OF_RESIDUE
    if evidence.residue.min() < LARGEST_RESIDUE and comb >= LEAST_COMB_OF_RESIDUE and alone:
        return _verdict(evidence, quality + 1, tuple(place))
    return Verdict("none")


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
    """The strongest comb, the offset of its grid, and how many times it exceeds all that are no neighbors of it."""
    by_grid = evidence.shifted_comb.max(axis=0)
    row, column = np.unravel_index(by_grid.argmax(), by_grid.shape)
    distance = np.abs(np.arange(BLOCK)[:, None] - [row, column])  # (8, 2)
    distance = np.minimum(distance, BLOCK - distance)
    others = by_grid[np.maximum(distance[:, :1], distance[:, 1]) > 1]
    strongest = float(by_grid[row, column])
    return strongest, (int(row), int(column)), strongest / max(float(others.max()), 1.0)


def _verdict(evidence: Evidence, quality_factor: int, offset: tuple[int, int]) -> Verdict:
    """For a save with blocks that begin at that offset; (0, 0) is the file's own grid."""
    row, column = offset
    kind = "shifted" if row or column else "aligned"
    coarser = coarseness(quality_factor, evidence.table)
    return Verdict(kind, quality_factor, (-row % BLOCK, -column % BLOCK), coarser)


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
    firsts = ((np.arange(tall) % BLOCK * BLOCK)[:, None] + np.arange(wide) % BLOCK) * _BINS
    cosines = _cosines()
    histograms = {}
    for row, column in frequencies:
        coefficients = cv2.sepFilter2D(
            plane, cv2.CV_32F, cosines[column], cosines[row], anchor=(0, 0), borderType=cv2.BORDER_REPLICATE
        )[:tall, :wide]
        bins = np.minimum((np.abs(coefficients) / _BIN + 0.5).astype(np.int32), _BINS - 1)
        counts = np.bincount((firsts + bins).ravel(), minlength=64 * _BINS)
        histograms[row, column] = counts.reshape(64, _BINS).astype(np.float64)
    return histograms, tall * wide // BLOCK**2


def _center(tall: int, wide: int) -> tuple[slice, slice]:
    """The block rows and columns in the middle of a picture of so many, at most MOST_BLOCKS blocks."""
    rows = min(tall, max(1, int((MOST_BLOCKS * tall / max(wide, 1)) ** 0.5)))
    columns = min(wide, MOST_BLOCKS // max(rows, 1))
    top, left = (tall - rows) // 2, (wide - columns) // 2
    return slice(top, top + rows), slice(left, left + columns)


def _decoded(integers: NDArray[np.int16], table: QuantizationTable) -> NDArray[np.float32]:
    """(rows, columns) float32 samples as a decoder clips them, less 128."""
    samples = inverse_dct(integers * table.astype(np.float32))
    rows, columns = integers.shape[:2]
    return np.clip(blocks_to_plane(samples, rows * BLOCK, columns * BLOCK), -128, 127)


def _different(blocks: NDArray) -> NDArray:
    """The rows that differ from each other, so that a pattern counts once however often it is repeated."""
    blocks = np.ascontiguousarray(blocks)
    return np.stack(list({block.tobytes(): block for block in blocks}.values()))


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
) -> tuple[NDArray[np.float64], int, int]:
    """Evidence.aligned_gain, coefficients and different_integers."""
    seen = _different(integers[..., *_PLACES].reshape(-1, len(FREQUENCIES)))
    gains, total, different = np.zeros((2, 100)), 0, 0  # of all integers but 0, and of those beyond ±1
    for row, column in FREQUENCIES[1:]:
        step = int(table[row, column])
        magnitudes = np.abs(seen[:, FREQUENCIES.index((row, column))].astype(np.int64))
        density = _smooth_density(histograms[row, column][_INNER_GRIDS].sum(axis=0), step)
        below = np.cumsum(density)
        once = _cells(below, step)
        counts = np.bincount(magnitudes[magnitudes < len(once)], minlength=len(once))
        total += int(counts[1:].sum())
        different += int((counts[1:] > 0).sum())
        spikes, which = _spikes(row, column)
        twice = _cells(np.cumsum(spikes.filled(below), axis=1), step)
        for i, least in enumerate((1, 2)):
            gains[i] += _gain(counts[least:], once[least:], twice[:, least:])[which]
    # Some encoders widen the gap around 0 by themselves; what only that explains is no trace of a save.
    return np.where(gains[1] > 0, gains[0], np.minimum(*gains)), total, different


def _gain(
    counts: NDArray[np.int64], once: NDArray[np.float64], twice: NDArray[np.float64]
) -> NDArray[np.float64]:
    """By how many nats two saves explain counts better than one, given the masses of one and, by row, of others."""
    seen = np.flatnonzero(counts)
    once, total = once[seen] / max(once.sum(), 1e-12), np.maximum(twice.sum(axis=1, keepdims=True), 1e-12)
    likely = 0.95 * twice[:, seen] / total + 0.05 * once  # some were clipped or edited: nothing is impossible
    return np.log((likely + 1e-9) / (once + 1e-9)) @ counts[seen]


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


def _cells(below: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """How much of densities of magnitudes each cell of a quantizer takes.

    Args:
        below: (..., bins), cumulative.
        step: of the quantizer.

    Returns:
        (..., cells); cell 0 reaches to step / 2.
    """
    edges = (np.arange(int(_BINS * _BIN / step) + 2) + 0.5) * step
    return np.diff(_at(below, edges), prepend=0.0)


def _at(below: NDArray[np.float64], magnitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., bins) cumulative densities at magnitudes, linear between the bins' upper ends."""
    places = np.clip(magnitudes / _BIN - 0.5, 0, _BINS - 1)
    low = np.minimum(places.astype(int), _BINS - 2)
    return below[..., low] + (places - low) * (below[..., low + 1] - below[..., low])


@dataclass(frozen=True, eq=False)
class _Spikes:
    """Where saves with different steps gather magnitudes.

    Attributes:
        steps: how many different steps.
        edges: (cells of all steps,) upper ends of their cells, one step after the other.
        first: (cells,) True for the first cell of each step.
        places: (cells,) where each cell's magnitudes go, in an array of (steps, bins); beyond it in a bin more.
    """

    steps: int
    edges: NDArray[np.float64]
    first: NDArray[np.bool_]
    places: NDArray[np.int64]

    def filled(self, below: NDArray[np.float64]) -> NDArray[np.float64]:
        """Densities after those saves, (steps, bins), of a cumulative one before, blurred by rounding to pixels."""
        upper = _at(below, self.edges)
        spikes = np.zeros((self.steps, _BINS + 1))
        spikes.ravel()[self.places] = np.diff(upper, prepend=0.0) * ~self.first + upper * self.first
        reach = np.arange(-3, 4)
        kernel = np.exp(-0.5 * (reach * _BIN / _ROUNDING_NOISE) ** 2)[None]
        return cv2.filter2D(spikes[:, :_BINS], cv2.CV_64F, kernel / kernel.sum())


@lru_cache(maxsize=len(FREQUENCIES))
def _spikes(row: int, column: int) -> tuple[_Spikes, NDArray[np.int64]]:
    """Of libjpeg's luma steps at a frequency, and by quality factor which of the different steps is its own."""
    steps, which = np.unique(_luma_steps()[:, row, column], return_inverse=True)
    counts = _BINS * _BIN // steps + 2
    owners = np.repeat(np.arange(len(steps)), counts.astype(int))
    multiples = np.concatenate([np.arange(count) for count in counts])
    bins = np.minimum((multiples * steps[owners] / _BIN).astype(int), _BINS)
    first = multiples == 0
    return _Spikes(len(steps), (multiples + 0.5) * steps[owners], first, owners * (_BINS + 1) + bins), which


# An earlier save on a shifted grid


def _shifted_comb(
    histograms: dict[tuple[int, int], NDArray], count: int, table: QuantizationTable
) -> NDArray[np.float64]:
    """Evidence.shifted_comb."""
    mirrors = _mirror_means()
    excess, squares = np.zeros((100, 64)), np.zeros((100, 64))
    for row, column in FREQUENCIES:
        steps, which = np.unique(_luma_steps()[:, row, column], return_inverse=True)
        counts = histograms[row, column][:, :_COMB_BINS].T.astype(np.float32)  # (bins, 64)
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


def _residue(
    plane: NDArray[np.float32], combs: NDArray[np.float64], table: QuantizationTable
) -> NDArray[np.float64]:
    """Evidence.residue, at the _SUSPECTS offsets with the strongest combs.

    Counted are nonzero multiples of steps that are at least _LEAST_STEP and _LEAST_COARSENING times the file's own.
    """
    residue = np.full((100, 64), np.inf)
    places = tuple(np.array(FREQUENCIES[1:]).T)
    steps = _luma_steps()[:, *places].astype(np.float32)  # (100, frequencies)
    usable = steps >= np.maximum(_LEAST_STEP, _LEAST_COARSENING * table[places])
    enough_steps = usable.sum(axis=1) >= _FEWEST_FREQUENCIES
    for offset in np.argsort(combs.ravel())[-_SUSPECTS:]:
        row, column = divmod(int(offset), BLOCK)
        tall, wide = (
            (side - start) // BLOCK * BLOCK for side, start in zip(plane.shape, (row, column), strict=True)
        )
        blocks = forward_dct(plane_to_blocks(plane[row : row + tall, column : column + wide]))
        rounded = _different(np.rint(2 * blocks[..., *places]).reshape(-1, len(places[0]))) / 2
        rounded = rounded[:: max(1, len(rounded) // _SAMPLED_BLOCKS)]
        squares, counted = np.zeros(100), np.zeros(100)
        for number, values in enumerate(rounded.T.astype(np.float32)):
            different, which = np.unique(steps[:, number], return_inverse=True)
            multiples = values / different[:, None]
            distances = multiples - np.rint(multiples)
            beyond = np.abs(multiples) > 0.5
            squares += np.where(usable[:, number], (distances**2 * beyond).sum(1)[which], 0)
            counted += np.where(usable[:, number], beyond.sum(1)[which], 0)
        enough = enough_steps & (counted >= FEWEST_COUNTED)
        residue[enough, offset] = 12 * squares[enough] / counted[enough]
    return residue.reshape(100, BLOCK, BLOCK)


@lru_cache(maxsize=_HARMONICS)
def _waves(harmonic: int) -> NDArray[np.float32]:
    """(255, bins): the cosine that has so many cycles in each step 1..255, at each bin."""
    steps = np.arange(1, 256)[:, None]
    return np.cos(2 * np.pi * harmonic * np.arange(_COMB_BINS) * _BIN / steps).astype(np.float32)


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

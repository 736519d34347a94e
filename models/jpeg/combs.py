"""What saves leave in the low frequencies of luma, measured: histograms on every grid, gains, combs and residues.

See models.jpeg.double, which draws the conclusions.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from models.jpeg.dct import BLOCK, forward_dct, plane_to_blocks
from models.jpeg.tables import QuantizationTable, quantization_tables

FREQUENCIES = tuple((row, column) for row in range(5) for column in range(5) if row + column < 5)
"""Vertical and horizontal, the fifteen lowest."""

FEWEST_COUNTED = 400
"""Coefficients on which a residue must rest."""

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
    import cv2  # late: who only opens files needs none of it

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


def aligned_gain(
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


def _at(below: NDArray[np.float64], magnitudes: NDArray[np.floating]) -> NDArray[np.float64]:
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
        import cv2  # late, as above

        upper = _at(below, self.edges)
        spikes = np.zeros((self.steps, _BINS + 1))
        spikes.ravel()[self.places] = np.diff(upper, prepend=0.0) * ~self.first + upper * self.first
        reach = np.arange(-3, 4)
        kernel = np.exp(-0.5 * (reach * _BIN / _ROUNDING_NOISE) ** 2)[None]
        return np.asarray(cv2.filter2D(spikes[:, :_BINS], cv2.CV_64F, kernel / kernel.sum()), np.float64)


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


def shifted_comb(
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


def residues(
    plane: NDArray[np.float32], combs: NDArray[np.float64], table: QuantizationTable
) -> NDArray[np.float64]:
    """Evidence.residue, at the _SUSPECTS offsets with the strongest combs.

    Counted are nonzero multiples of steps that are at least _LEAST_STEP and _LEAST_COARSENING times the file's own.
    """
    found = np.full((100, 64), np.inf)
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
        found[enough, offset] = 12 * squares[enough] / counted[enough]
    return found.reshape(100, BLOCK, BLOCK)


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

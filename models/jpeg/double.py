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

What was measured, and with which pictures, is in docs/anatomy.md; `python -m training.experiments.double_rates`
repeats it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.jpeg.coefficients import JpegComponent
from models.jpeg.combs import FREQUENCIES, aligned_gain, grid_histograms, residues, shifted_comb
from models.jpeg.dct import BLOCK, blocks_to_plane, inverse_dct
from models.jpeg.tables import QuantizationTable, quantization_tables

FEWEST_BLOCKS, MOST_BLOCKS = 256, 6144
"""Fewer prove nothing; of larger pictures the center is examined, which takes a twentieth of a second."""

LEAST_GAIN, LEAST_GAIN_PER_COEFFICIENT = 600.0, 0.036
LEAST_COMB, LEAST_LEAD, LEAST_LEAD_OF_MIDDLES, FEWEST_DIFFERENT_INTEGERS = 17.0, 1.9, 2.05, 50
RESIDUES, LEADS, LEAST_COMB_OF_RESIDUE, MANY_BLOCKS = (0.12, 0.55), (1.15, 1.5), 10.0, 1600
LIKE_THE_FILE = 0.93, 1.07
"""What the evidence must reach, see judge(); `python -m training.experiments.double_rates` measures it."""


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
class EarlierSave:
    """A save before the file's own, as far as the evidence tells.

    Attributes:
        kind: on the file's own grid, or on another.
        quality_factor: 1..100, as if it used libjpeg's tables.
        grid_shift: rows and columns trimmed between the saves, modulo 8, as in Save.
        coarseness: how many times larger its luma steps are than the file's own.
    """

    kind: Literal["aligned", "shifted"]
    quality_factor: int
    grid_shift: tuple[int, int]
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
    gain, coefficients, different = aligned_gain(integers, table, histograms)
    comb = shifted_comb(histograms, count, table)
    residue = residues(plane, comb.max(axis=0), table)
    return Evidence(table, blocks, coefficients, different, gain, comb, residue)


def judge(evidence: Evidence) -> EarlierSave | None:
    """Conclude no more than the evidence carries.

    The periods of a drawing are not those of a save. So integers must take many values, a pattern counts once however
    often it is repeated, and a comb must be strong on one grid and on no other, even more so half a block from the
    file's own grid, where drawings on the block grid have theirs.

    - Shifted: a comb of LEAST_COMB standard deviations, LEAST_LEAD times as strong as on grids that are no neighbors.
    - Aligned: two saves explain the integers better by LEAST_GAIN nats in all and LEAST_GAIN_PER_COEFFICIENT each.
    - Shifted: a residue within RESIDUES: hardly any where no grid stands out, more as the lead grows over LEADS, and
      from MANY_BLOCKS on, where fine structures no longer look like a save by chance.
    """
    if evidence.different_integers < FEWEST_DIFFERENT_INTEGERS:
        return None
    comb, offset, lead = strongest_comb(evidence)
    needed = LEAST_LEAD_OF_MIDDLES if set(offset) <= {0, BLOCK // 2} else LEAST_LEAD
    if comb >= LEAST_COMB and lead >= needed:
        return _save(evidence, int(evidence.shifted_comb[:, *offset].argmax()) + 1, offset)
    if evidence.aligned_gain.max() >= needed_gain(evidence):
        found = _save(evidence, int(evidence.aligned_gain.argmax()) + 1, (0, 0))
        if not LIKE_THE_FILE[0] < found.coarseness < LIKE_THE_FILE[1]:  # the file's own save explains itself
            return found
    quality, row, column = (
        int(index) for index in np.unravel_index(evidence.residue.argmin(), evidence.residue.shape)
    )
    allowed = np.interp(lead, LEADS, RESIDUES)
    if evidence.blocks >= MANY_BLOCKS and ((row, column) == offset or lead >= LEADS[0]):
        allowed = RESIDUES[1]
    if comb >= LEAST_COMB_OF_RESIDUE and evidence.residue.min() < allowed:
        return _save(evidence, quality + 1, (row, column))
    return None


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


def _save(evidence: Evidence, quality_factor: int, offset: tuple[int, int]) -> EarlierSave:
    """A save with blocks that begin at that offset; (0, 0) is the file's own grid."""
    row, column = offset
    kind = "shifted" if row or column else "aligned"
    coarser = coarseness(quality_factor, evidence.table)
    return EarlierSave(kind, quality_factor, (-row % BLOCK, -column % BLOCK), coarser)


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

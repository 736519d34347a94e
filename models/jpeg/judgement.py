"""One judgement of what a file is, for steering, guard, Anatomy and page alike.

It rests on what the file itself proves: its tables, its integers, and the traces of an earlier save in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.images import RgbImage
from models.jpeg.coefficients import JpegComponent
from models.jpeg.dct import BLOCK
from models.jpeg.double import EarlierSave, Evidence, gather, judge

COARSER = 1.1
"""How many times coarser than the file an earlier save must be to say more of the picture than the file does."""

MUCH_COARSER = 6.0
"""Where it is so many times as coarse, what the file's own save added does not matter: of twelve pairs of qualities on
seven validation photographs, those beyond were restored best on the earlier save's grid, told its quality alone."""

FEWEST_DIFFERENT_BLOCKS, SAMPLED_BLOCKS, FEWEST_SAMPLED = 0.03, 1024, 64
"""Share of blocks with detail that must differ from each other, of how many looked at, and what is too few to tell.
Photographs have 20 % and more; in gratings and checkerboards errors are all alike and cannot average out."""

LARGEST_JUMP = 10.5
"""In first AC steps, between blocks that hold a DC only: a ramp without AC in three blocks rises by 3.5 at most."""

FEWEST_JUMPS, LEAST_SHARE_OF_JUMPS, LEAST_SOLID_SHARE = 8, 0.1, 0.3
"""How many blocks among such jump by more, and how large a share of them, and they of the picture, must be for the
picture to be drawn on the block grid."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a file proves about its picture.

    Attributes:
        evidence: traces of an earlier save; None where there is too little to examine, or no luma.
        earlier_save: the one that is evident; None where none is.
        neutral: nothing in the file has a color.
        repeats: the picture is made of very few different blocks.
        drawn_on_grid: its areas of one level begin and end with blocks, as enlarged pixel art's do.
    """

    evidence: Evidence | None
    earlier_save: EarlierSave | None
    neutral: bool
    repeats: bool
    drawn_on_grid: bool

    @property
    def coarser_save(self) -> EarlierSave | None:
        """The earlier save, where it did more harm than the file's own."""
        earlier = self.earlier_save
        return earlier if earlier is not None and earlier.coarseness >= COARSER else None


def judge_picture(components: Sequence[JpegComponent], pixels: RgbImage, *, has_luma: bool) -> Judgement:
    """Judge a file.

    Args:
        components: of the file, or components_from_pixels() where it is no JPEG.
        pixels: (rows, columns, 3) uint8, decoded.
        has_luma: the first component is luma.
    """
    luma = components[0]
    evidence = gather(luma) if has_luma else None
    return Judgement(
        evidence,
        judge(evidence) if evidence else None,
        neutral=_is_neutral(components, pixels, has_luma=has_luma),
        repeats=has_luma and _repeats(luma.coefficients),
        drawn_on_grid=has_luma and _drawn_on_grid(luma),
    )


def _is_neutral(components: Sequence[JpegComponent], pixels: RgbImage, *, has_luma: bool) -> bool:
    from_file = has_luma and components[0].coefficients_from == "bitstream"
    colored = any(part.coefficients.any() for part in components[1:]) if from_file else True
    return not colored or bool((pixels == pixels[..., :1]).all())


def _repeats(integers: NDArray[np.int16]) -> bool:
    blocks = integers.reshape(-1, BLOCK**2)[:, 1:]
    blocks = blocks[blocks.any(axis=1)]
    blocks = np.ascontiguousarray(blocks[:: max(1, len(blocks) // SAMPLED_BLOCKS)])
    if len(blocks) < FEWEST_SAMPLED:
        return False
    return len({block.tobytes() for block in blocks}) < FEWEST_DIFFERENT_BLOCKS * len(blocks)


def _drawn_on_grid(luma: JpegComponent) -> bool:
    integers, steps = luma.coefficients, luma.quantization_table
    around = (slice(None, -2), slice(1, -1), slice(2, None))
    flat = np.count_nonzero(integers.reshape(*integers.shape[:2], BLOCK**2)[..., 1:], axis=2) == 0
    level = integers[..., 0, 0].astype(np.int32) * steps[0, 0]
    solid = np.logical_and.reduce([flat[rows, columns] for rows in around for columns in around])
    levels = [level[rows, columns] for rows in around for columns in around]
    jumps = np.maximum.reduce(levels) - np.minimum.reduce(levels) > LARGEST_JUMP * max(
        steps[0, 1], steps[1, 0]
    )
    count = int((solid & jumps).sum())
    drawn = solid.sum() >= LEAST_SOLID_SHARE * solid.size
    return bool(drawn and count >= max(FEWEST_JUMPS, LEAST_SHARE_OF_JUMPS * solid.sum()))

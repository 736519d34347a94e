"""The guard after every network: what comes back is never worse than what was brought.

A file that stores the integer k at a place whose step is q says that the coefficient lay between (k - 1/2) q and
(k + 1/2) q: its cell. How far from the middle it lay is known on average, since errors of photographs and drawings
hang on little else than the integers around (EXPECTED). So a network that changes a block by much more than there is to
repair, or far beyond its cells, is wrong there and is believed less, or not at all, there alone. Block by block, over
the 3 x 3 blocks around:

    ratio    what the network changes, over what there is to repair          trust falls from 1 to 0 over RATIO
    density  where hardly any integer is 0, the file says all there is       ... and does so earlier, see DENSE
    refused  the share of it that lies beyond REACH of the cells' middles    ... over REFUSED
    fade     fine steps leave little that can be told from noise             trust grows over FADE
    flat     blocks that hold a DC only are what they seem, in fine steps    see _keep_flat()

The result lies between plain decoding and the network's picture, both moved into REACH, by that trust, linearly from
one block's center to the next, so that no edge is added. (Where chroma is subsampled, plain decoding does not give back
the file's coefficients; elsewhere it does, and stays.) Where a coarser earlier save is proven, its cells are the ones
that count (after S. H. Park and D. S. Kim, "Theory of projection onto the narrow quantization constraint set and its
application", IEEE Transactions on Image Processing 8, 1999, who move a picture into its cells).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.images import Levels, RgbImage
from models.jpeg import JpegImage, estimated_quality_factor, quantization_tables
from models.jpeg.dct import BLOCK
from models.jpeg.double import EarlierSave
from models.jpeg.judgement import LARGEST_JUMP
from models.quantization_cells import (
    MIDDLE_LEVEL,
    Cells,
    cells_of_file,
    cells_of_pixels,
    column,
    has_cells,
    inverse,
    rise,
)

RATIO, REFUSED, FADE = (0.8, 2.0), (0.2, 0.4), (1.0, 5.0)
"""See above; FADE is in mean luma steps."""

FINE, RATIO_SHARE_IF_FINE = (2.0, 10.0), 0.4
"""Mean steps of a component over which RATIO grows from that share of itself to the whole: the finer the steps, the
earlier a large change is a wrong one."""

RATIO_IF_DENSE, DENSITY = (0.3, 1.2), (30.0, 45.0)
DENSE, DENSE_IF_CAUTIOUS = ((44.0, 60.0), 0.6), ((34.0, 47.0), 0.0)
"""Integers of 64 that are not 0: over DENSITY the second end of RATIO moves to that of RATIO_IF_DENSE. Over the numbers
of DENSE the first end does, and trust falls to the share that stands last."""

FAMILIAR, APART, TRUST_IF_UNFAMILIAR = (0.45, 0.8), (5.0, 20.0), 0.45
"""How like libjpeg's the luma table must be, see QualityEstimate.confidence, and from how many quality factors away the
chroma table may come, for networks to know what they mean; trust, or that in chroma, moves to that share of itself over
them."""

FLAT_STEPS, SOLID_STEPS = (4.0, 8.0), (8.0, 16.0)
"""DC steps over which trust grows in blocks that hold a DC only, and in those whose neighbors are such, too."""

MEAN_STEPS, LEVEL_STEP = (8.0, 16.0), 32.0
"""DC steps over which the mean of the picture comes free, and up to which blocks keep a level that all around share."""

SMALLEST_SIDE = 4 * BLOCK
"""Rows or columns below which a picture stays as it was decoded: networks see mostly what is made up around it."""

FAR_OUT = 150.0
"""Levels beyond 0..255: no picture can be in such a cell, the file is damaged there."""

Dense = tuple[tuple[float, float], float]
STRIP_ROWS = 512
_TO_YCBCR = torch.tensor(
    [[0.299, 0.587, 0.114], [-0.168735892, -0.331264108, 0.5], [0.5, -0.418687589, -0.081312411]]
)
_TO_RGB = torch.tensor([[1, 0, 1.402], [1, -0.344136286, -0.714136286], [1, 1.772, 0]])


class Guard:
    """Holds a network's picture to what a file proves; see the module's text."""

    def __init__(self, image: JpegImage, earlier: EarlierSave | None, *, cautious: bool = False) -> None:
        """Read the cells.

        Args:
            image: saved as JPEG, or with a proven earlier save.
            earlier: that save, where its cells are to count and not the file's own.
            cautious: for networks that do not judge from pixels how much there is to repair: trust falls earlier
                where hardly any integer is 0.
        """
        self._dense = DENSE_IF_CAUTIOUS if cautious else DENSE
        model = image.header.color_model if image.header else ""
        self._neutral = image.judgement.neutral
        self._trusted = 0.0 if image.judgement.repeats else 1.0
        self._chroma_share = 1 - _distance_of_chroma(image) * (1 - TRUST_IF_UNFAMILIAR)
        fading = image.luma_table if earlier is None else quantization_tables(earlier.quality_factor)[0]
        assert fading is not None  # as of every JPEG
        if earlier is None:
            likeness = estimated_quality_factor(fading).confidence
            unfamiliar = 1 - float(rise(torch.tensor(likeness), FAMILIAR))
            self._trusted *= 1 - unfamiliar * (1 - TRUST_IF_UNFAMILIAR)
        self._on_grid = image.judgement.drawn_on_grid
        self._to_planes, self._to_rgb = (
            (torch.eye(3), torch.eye(3)) if model == "RGB" else (_TO_YCBCR, _TO_RGB)
        )
        self._shift = earlier.grid_shift if earlier else None
        if earlier is None and model in ("gray", "YCbCr", "RGB") and has_cells(image):
            self._luma_only = False
            self._cells = cells_of_file(image)
        else:
            self._luma_only = True
            self._cells = [cells_of_pixels(image, column(fading), self._shift or (0, 0))]
        self._fade = float(rise(torch.tensor(float(fading.mean())), FADE))
        self._brighter = torch.zeros(3)
        self._keeps_mean = 1 - float(rise(torch.tensor(float(fading[0, 0])), MEAN_STEPS))

    def hold(self, decoded: RgbImage, levels: Levels) -> RgbImage:
        """Keep of a network's picture what can be believed.

        Args:
            decoded: (rows, columns, 3) uint8, the file's own picture.
            levels: (rows, columns, 3), what the network made of it, 0..255, not rounded where that is possible.

        Returns:
            (rows, columns, 3) uint8.
        """
        if min(decoded.shape[:2]) < SMALLEST_SIDE:
            return decoded
        if self._keeps_mean:
            self._brighter = self._keeps_mean * _mean_change(decoded, levels)
        top, left = self._shift or (0, 0)
        rows, columns = decoded.shape[:2]
        tall, wide = (BLOCK * max(cells.factors[axis] for cells in self._cells) for axis in (0, 1))
        padding = ((top, -(top + rows) % tall), (left, -(left + columns) % wide), (0, 0))
        if any(padding[0]) or any(padding[1]):
            decoded = np.pad(decoded, padding, mode="edge")
            levels = np.pad(levels, padding, mode="edge")
        held = np.empty_like(decoded)
        halo, step = 2 * tall, -(-STRIP_ROWS // tall) * tall
        for start in range(0, len(decoded), step):
            stop = min(start + step, len(decoded))
            first = max(0, start - halo)
            seen = slice(first, stop + halo)
            strip = self._strip(decoded[seen], levels[seen], first)
            held[start:stop] = strip[start - first : stop - first]
        return np.ascontiguousarray(held[top : top + rows, left : left + columns])

    def compared(self, decoded: RgbImage, levels: Levels, first: int = 0) -> list["Blocks"]:
        """What the network changed, for every component: rows of whole units, beginning with row `first`."""
        pixels = torch.from_numpy(np.ascontiguousarray(decoded)).float()
        change = torch.from_numpy(np.ascontiguousarray(levels)).float() - pixels - self._brighter
        plain, change = self._planes(pixels - MIDDLE_LEVEL), self._planes(change)
        return [Blocks.of(cells, plain, change, first) for cells in self._cells]

    def _strip(self, decoded: RgbImage, levels: Levels, first: int) -> RgbImage:
        """Rows of whole units, the first of which is row `first` of the picture."""
        every = self.compared(decoded, levels, first)
        size = decoded.shape[:2]
        possible = torch.stack([_spread(blocks.possible.float(), size) for blocks in every]).amin(0) == 1
        corrections, subsampled = torch.zeros(3, *size), any(blocks.cells.subsampled for blocks in every)
        for blocks in every:
            cells, change = blocks.cells, blocks.change
            if self._neutral and cells.plane:
                continue
            share = _spread(self._trust(blocks, every[0].flat), size) * possible
            target = change[cells.plane] + cells.samples(cells.into_reach(blocks.off))
            if self._luma_only:  # of colors that are stored in another way nothing is known
                corrections = share * change * (self._shift is not None)
                corrections[0] = share * target
                break
            middle = cells.samples(blocks.own_move) * possible if subsampled else 0
            corrections[cells.plane] = middle + share * (target - middle)
        if self._neutral and self._to_planes is _TO_YCBCR:
            corrections[1:] = 0
        moves = self._to_rgb @ corrections.flatten(1)
        result = torch.from_numpy(np.ascontiguousarray(decoded)) + moves.T.reshape(decoded.shape)
        return result.round_().clamp_(0, 255).to(torch.uint8).numpy()

    def _trust(self, blocks: "Blocks", luma_flat: Tensor) -> Tensor:
        """How far each block is believed, 0..1."""
        steps, flat = blocks.cells.steps, blocks.flat
        trust = blocks.trust(self._dense) * self._trusted * (self._chroma_share if blocks.cells.plane else 1)
        if blocks.cells.subsampled:  # what it lacks is no matter of quality, and luma tells what is flat
            flat = flat & _all_under(luma_flat, flat.shape)
        else:
            trust = trust * self._fade
        trust = _keep_flat(trust, flat, blocks.integers[0], steps)
        if self._on_grid:  # in fine steps, what its few levels lost is next to nothing
            fine_share = 1.0 if blocks.cells.subsampled else rise(steps[0], FLAT_STEPS)
            trust = torch.where(flat, 0.0, trust * fine_share)
        return trust

    def _planes(self, pixels: Tensor) -> Tensor:
        """(rows, columns, 3) -> (1, 3, rows, columns)."""
        planes = self._to_planes @ pixels.reshape(-1, 3).T
        return planes.reshape(1, 3, *pixels.shape[:2])


@dataclass(frozen=True, eq=False)
class Blocks:
    """What a network changed in the blocks of one component.

    Attributes:
        cells: the component's.
        change: (3, rows, columns), what it changed in all planes.
        integers: (64, block rows, block columns), the file's; so are:
        off, own_off: its coefficients, and plain decoding's, less the middles of their cells.
        ratio: (block rows, block columns), what it changes over what there is to repair; over 3 x 3 blocks, as are:
        refused: the share of it that lies out of reach.
        density: how many of the 64 integers are not 0.
    """

    cells: Cells
    change: Tensor
    integers: Tensor
    off: Tensor
    own_off: Tensor
    ratio: Tensor
    refused: Tensor
    density: Tensor

    @classmethod
    def of(cls, cells: Cells, plain: Tensor, change: Tensor, first: int) -> "Blocks":
        """Compare two pictures, (1, 3, rows, columns) planes that begin at row `first`, with the cells."""
        coefficients = cells.coefficients(plain)
        integers = cells.integers_of(first // cells.factors[0] // BLOCK, *coefficients.shape[1:])
        own_off = coefficients - integers * cells.steps
        off = own_off + cells.coefficients(change)
        refused, expected = cells.into_reach(off).square().sum(0), cells.expected(integers)
        if cells.subsampled:
            refused = (refused - cells.into_reach(own_off).square().sum(0)).clamp(min=0)
            expected = expected + own_off.square().sum(0)
        sums = [off.square().sum(0), expected, refused, (integers != 0).float().sum(0)]
        changed, expected, refused, density = _around(torch.stack(sums))
        refused = refused / changed.clamp(min=1e-3)
        return cls(cells, change[0], integers, off, own_off, changed / expected, refused, density)

    @cached_property
    def flat(self) -> Tensor:
        """Which blocks hold a DC only."""
        return (self.integers[1:] == 0).all(0)

    @property
    def possible(self) -> Tensor:
        """Which cells a picture of 0..255 can be in."""
        samples = inverse(self.integers * self.cells.steps)
        return functional.max_pool2d(samples.abs(), BLOCK)[0] < MIDDLE_LEVEL + FAR_OUT

    @property
    def own_move(self) -> Tensor:
        """What moves plain decoding to within reach, in subsampled components but for what rounding explains."""
        move = self.cells.into_reach(self.own_off)
        if not self.cells.subsampled:
            return move
        own = _around(self.own_off.square().sum(0)[None])[0].clamp(min=1e-3)
        return move * (1 - self.cells.noise.sum() / own).clamp(0, 1)

    def trust(self, dense: Dense) -> Tensor:
        """How far blocks are believed by ratio, density and refused share, 0..1: (block rows, block columns)."""
        span, least_trust = dense
        fully = rise(self.density, span)
        low = RATIO[0] + fully * (RATIO_IF_DENSE[0] - RATIO[0])
        high = RATIO[1] + rise(self.density, DENSITY) * (RATIO_IF_DENSE[1] - RATIO[1])
        fine = RATIO_SHARE_IF_FINE + (1 - RATIO_SHARE_IF_FINE) * rise(self.cells.steps.mean(), FINE)
        by_ratio = 1 - rise(self.ratio, (fine * low, fine * high))
        return by_ratio * (1 - rise(self.refused, REFUSED)) * (1 - fully * (1 - least_trust))


def _distance_of_chroma(image: JpegImage) -> float:
    """How far apart luma and chroma of a file were saved, 0..1; networks know pairs of one quality factor."""
    if image.luma_table is None:
        return 0.0
    both = estimated_quality_factor(image.luma_table, image.chroma_table)
    if both.quality_factor is None or both.chroma_quality_factor is None:
        return 0.0
    apart = abs(both.quality_factor - both.chroma_quality_factor)
    return float(rise(torch.tensor(float(apart)), APART))


def _mean_change(decoded: RgbImage, levels: Levels) -> Tensor:
    """(3,): by how much a network's picture is brighter on the whole, which fine quantization cannot have caused."""
    total = torch.zeros(3)
    for start in range(0, len(decoded), STRIP_ROWS):
        strip = slice(start, start + STRIP_ROWS)
        pair = (
            torch.from_numpy(np.ascontiguousarray(picture[strip])).float() for picture in (levels, decoded)
        )
        total += torch.sub(*pair).mean((0, 1)) * len(decoded[strip])
    return total / len(decoded)


def _around(values: Tensor) -> Tensor:
    """Means over 3 x 3 blocks, those at the edge repeated: (n, block rows, block columns)."""
    return functional.avg_pool2d(functional.pad(values[None], (1, 1, 1, 1), mode="replicate"), 3, 1)[0]


def _largest_around(values: Tensor) -> Tensor:
    """The largest of 3 x 3 blocks: (block rows, block columns)."""
    return functional.max_pool2d(values[None, None], 3, 1, 1)[0, 0]


def _keep_flat(trust: Tensor, flat: Tensor, dc: Tensor, steps: Tensor) -> Tensor:
    """Less trust in blocks that hold a DC only; none where levels jump between such: there the grid is the drawing's.

    Args:
        trust: (block rows, block columns).
        flat: which blocks hold a DC only.
        dc: their integers.
        steps: (64, 1, 1).
    """
    solid = _largest_around(1 - flat.float()) == 0
    jump = (_largest_around(dc) + _largest_around(-dc)) * steps[0]
    stepped = solid & (jump > LARGEST_JUMP * torch.maximum(steps[1], steps[BLOCK]))
    flat_share, solid_share = rise(steps[0], FLAT_STEPS), rise(steps[0], SOLID_STEPS)
    kept = torch.where(solid, solid_share, torch.where(flat, flat_share, torch.ones_like(trust)))
    return trust * torch.where(stepped | (solid & (jump == 0) & (steps[0] <= LEVEL_STEP)), 0.0, kept)


def _all_under(flat: Tensor, shape: torch.Size) -> Tensor:
    """Whether all luma blocks under each chroma block are flat."""
    factors = flat.shape[0] // shape[0], flat.shape[1] // shape[1]
    return functional.max_pool2d(1 - flat[None, None].float(), factors)[0, 0] == 0


def _spread(trust: Tensor, shape: tuple[int, int]) -> Tensor:
    """From blocks to (rows, columns), linear between the blocks' centers."""
    return functional.interpolate(trust[None, None], size=tuple(shape), mode="bilinear")[0, 0]

"""The quantization cells of a file: where its integers say that the coefficients of the original were.

A file that stores the integer k at a place whose step is q says that the coefficient lay between (k - 1/2) q and
(k + 1/2) q. How far from the middle it lay is known on average, since errors of photographs and drawings hang on little
else than the integers around it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.jpeg import JpegImage
from models.jpeg.color import split_ycbcr
from models.jpeg.dct import BLOCK, forward_dct, plane_to_blocks
from models.jpeg.encoder_planes import has_whole_factors, sampling_factors
from models.tensors import dct_kernels

EXPECTED = torch.tensor(
    (
        (
            (0.0067, 0.025, 0.034, 0.047, 0.056),
            (0.036, 0.053, 0.062, 0.071, 0.08),
            (0.05, 0.063, 0.071, 0.079, 0.085),
            (0.062, 0.072, 0.078, 0.084, 0.091),
            (0.072, 0.078, 0.082, 0.086, 0.094),
            (0.076, 0.08, 0.084, 0.088, 0.096),
            (0.077, 0.081, 0.084, 0.087, 0.091),
            (0.081, 0.084, 0.084, 0.089, 0.093),
            (0.076, 0.083, 0.089, 0.092, 0.095),
        ),
        (
            (0.185, 0.17, 0.152, 0.135, 0.113),
            (0.16, 0.143, 0.129, 0.117, 0.106),
            (0.14, 0.128, 0.118, 0.111, 0.11),
            (0.123, 0.114, 0.109, 0.107, 0.111),
            (0.11, 0.104, 0.102, 0.104, 0.111),
            (0.095, 0.096, 0.096, 0.1, 0.113),
            (0.09, 0.092, 0.094, 0.096, 0.103),
            (0.087, 0.088, 0.091, 0.096, 0.104),
            (0.083, 0.089, 0.09, 0.1, 0.111),
        ),
        (
            (0.152, 0.137, 0.147, 0.138, 0.096),
            (0.123, 0.12, 0.126, 0.121, 0.124),
            (0.121, 0.123, 0.118, 0.118, 0.141),
            (0.11, 0.11, 0.11, 0.112, 0.136),
            (0.106, 0.105, 0.107, 0.114, 0.13),
            (0.102, 0.099, 0.102, 0.112, 0.135),
            (0.097, 0.098, 0.097, 0.102, 0.109),
            (0.091, 0.093, 0.095, 0.102, 0.113),
            (0.086, 0.092, 0.096, 0.107, 0.125),
        ),
    )
)
"""(3, 9, 5): mean square distance of an original's coefficient from the middle of its cell, in steps, by the size of
the integer (0, 1, 2 and more; DC as 2), by how many of its 8 neighbors in the block are not 0, and by how many of those
at its place in the 4 neighboring blocks are not."""

ROUNDING = 0.1
"""What rounding to pixels adds to that, in squared levels."""

REACH, REACH_IF_COARSE, COARSE = 0.35, 0.4, (12.0, 30.0)
"""Steps from the middle of a cell, up to the first mean step of COARSE and from the second."""

MIDDLE_LEVEL = 128.0
_NEIGHBORS = torch.tensor(
    [
        [float(0 < max(abs(a // 8 - b // 8), abs(a % 8 - b % 8)) < 2) for b in range(BLOCK**2)]
        for a in range(BLOCK**2)
    ]
)


_EXPECTED_BY_CONTEXT = EXPECTED.flatten().numpy()


@dataclass(frozen=True, eq=False)
class Cells:
    """The quantization cells of one component.

    Attributes:
        plane: of Y, Cb, Cr, or of R, G, B.
        factors: picture rows and columns that one sample covers.
        integers: (block rows, block columns, 8, 8) int16.
        steps: (64, 1, 1).
        noise: what else a coefficient differs by from the original's, mean square, (64, 1, 1).
        reach: (64, 1, 1), how far from the middle a result may lie.
    """

    plane: int
    factors: tuple[int, int]
    integers: NDArray[np.int16]
    steps: Tensor
    noise: Tensor
    reach: Tensor

    @property
    def subsampled(self) -> bool:
        """Whether samples cover more than one pixel, so that decoding does not give back the file's coefficients."""
        return self.factors != (1, 1)

    def coefficients(self, planes: Tensor) -> Tensor:
        """(1, 3, rows, columns) planes of whole units -> (64, block rows, block columns)."""
        plane = planes[:, self.plane : self.plane + 1]
        if self.subsampled:
            plane = functional.avg_pool2d(plane, self.factors)
        return functional.conv2d(plane, dct_kernels(), stride=BLOCK)[0]

    def samples(self, coefficients: Tensor) -> Tensor:
        """(64, block rows, block columns) -> (rows, columns) of the picture."""
        plane = inverse(coefficients)
        if self.subsampled:
            plane = functional.interpolate(
                plane[None], scale_factor=[float(factor) for factor in self.factors]
            )[0]
        return plane[0]

    def integers_of(self, top: int, tall: int, wide: int) -> Tensor:
        """(64, tall, wide) float32 from block row `top` on, the last ones repeated where the file has no more."""
        part = self.integers[top : top + tall, :wide]
        missing = [(0, tall - part.shape[0]), (0, wide - part.shape[1]), (0, 0), (0, 0)]
        if any(after for _, after in missing):
            part = np.pad(part, missing, mode="edge")
        return torch.from_numpy(part.reshape(tall, wide, BLOCK**2).astype(np.float32)).permute(2, 0, 1)

    def into_reach(self, off: Tensor) -> Tensor:
        """What brings coefficients that are `off` the middles of their cells to within reach of them."""
        return torch.minimum(torch.maximum(off, -self.reach), self.reach) - off

    def expected(self, integers: Tensor) -> Tensor:
        """(block rows, block columns): how far the original should be from the middles, sum of squares."""
        squares = torch.from_numpy(_EXPECTED_BY_CONTEXT[contexts(integers)]).permute(2, 0, 1)
        return (squares * self.steps.square() + self.noise).sum(0)


def contexts(integers: Tensor) -> NDArray[np.uint8]:
    """Where in EXPECTED, flattened, the error of each coefficient stands: (block rows, block columns, 64).

    Args:
        integers: (64, block rows, block columns), whole.
    """
    magnitudes = np.ascontiguousarray(integers.abs().clamp_(max=2).permute(1, 2, 0).numpy()).astype(np.uint8)
    present = (magnitudes > 0).astype(np.uint8)
    inside = (present.astype(np.float32).reshape(-1, BLOCK**2) @ _NEIGHBORS.numpy()).astype(np.uint8)
    padded = np.pad(present, ((1, 1), (1, 1), (0, 0)), mode="edge")
    beside = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    magnitudes[..., 0] = 2
    return (magnitudes * EXPECTED.shape[1] + inside.reshape(present.shape)) * EXPECTED.shape[2] + beside


def has_cells(image: JpegImage) -> bool:
    """Whether the file's own integers are known, and every sample covers whole pixels."""
    header = image.header
    return header is not None and has_whole_factors(header) and image.coefficients_from == "bitstream"


def cells_of_file(image: JpegImage) -> list[Cells]:
    """Of every component, see has_cells()."""
    found = []
    for number, part in enumerate(image.components):
        steps = column(part.quantization_table)
        factors = sampling_factors(image.jpeg_header, number)
        noise = torch.full_like(steps, ROUNDING)
        found.append(Cells(number, factors, part.coefficients, steps, noise, _reach(steps)))
    return found


def cells_of_pixels(image: JpegImage, steps: Tensor, shift: tuple[int, int]) -> Cells:
    """Of luma as it was saved with those steps on a grid that begins so many rows and columns before the picture."""
    last = torch.ones_like(steps) if image.luma_table is None else column(image.luma_table)
    noise = last.square() / 12  # by the file's own save, on whatever frequency it fell
    noise = noise.mean().expand_as(noise) if any(shift) else noise * (steps > last)
    plane = split_ycbcr(image.decoded_pixels)[0] - MIDDLE_LEVEL
    plane = np.pad(plane, ((shift[0], 0), (shift[1], 0)), mode="edge")
    coefficients = forward_dct(plane_to_blocks(plane))
    integers = np.rint(coefficients / steps.reshape(BLOCK, BLOCK).numpy()).astype(np.int16)
    return Cells(0, (1, 1), integers, steps, noise + ROUNDING, _reach(steps) + (noise + ROUNDING).sqrt())


def _reach(steps: Tensor) -> Tensor:
    return (REACH + (REACH_IF_COARSE - REACH) * rise(steps.mean(), COARSE)) * steps


def column(table: NDArray[np.integer]) -> Tensor:
    """(8, 8) steps -> (64, 1, 1) float32."""
    return torch.from_numpy(table.astype(np.float32)).reshape(BLOCK**2, 1, 1)


def inverse(coefficients: Tensor) -> Tensor:
    """(64, block rows, block columns) -> (1, rows, columns) samples."""
    samples = dct_kernels().reshape(BLOCK**2, BLOCK**2).T @ coefficients.flatten(1)
    return functional.pixel_shuffle(samples.reshape(coefficients.shape), BLOCK)


def rise(value: Tensor, span: tuple[float | Tensor, float | Tensor]) -> Tensor:
    """0 up to the first end of the span, 1 from the second."""
    return ((value - span[0]) / (span[1] - span[0])).clamp(0, 1)

"""Quantization cells: what an original's coefficients may differ by, looked up by the integers around them."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.jpeg import Save, encode
from models.jpeg.dct import BLOCK
from models.quantization_cells import EXPECTED, cells_of_file, contexts
from tests.models.sample_networks import photograph


def contexts_in_floats(integers: Tensor) -> Tensor:
    """The same definition, worked out in another way: (64, block rows, block columns)."""
    present = (integers != 0).float()
    grid = present.reshape(1, BLOCK, BLOCK, *integers.shape[1:]).permute(3, 4, 0, 1, 2).flatten(0, 1)
    kernel = torch.ones(1, 1, 3, 3)
    kernel[..., 1, 1] = 0
    inside = functional.conv2d(grid, kernel, padding=1).reshape(*integers.shape[1:], -1).permute(2, 0, 1)
    padded = functional.pad(present[None], (1, 1, 1, 1), mode="replicate")[0]
    beside = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
    size = integers.abs().clamp(max=2)
    size[0] = 2
    return ((size * EXPECTED.shape[1] + inside) * EXPECTED.shape[2] + beside).round().long()


@pytest.mark.parametrize(("quality_factor", "subsampling"), [(10, "4:2:0"), (50, "4:4:4"), (95, "4:2:2")])
def test_expected_errors_are_those_of_the_table_to_the_last_bit(
    quality_factor: int, subsampling: str
) -> None:
    for cells in cells_of_file(encode(photograph(120, 200), Save(quality_factor, subsampling))):
        integers = cells.integers_of(0, *cells.integers.shape[:2])
        places = contexts_in_floats(integers)
        np.testing.assert_array_equal(contexts(integers), places.permute(1, 2, 0).numpy())
        table = EXPECTED.flatten()[contexts_in_floats(integers).permute(1, 2, 0)].permute(2, 0, 1)
        expected = (table * cells.steps.square() + cells.noise).sum(0)
        assert torch.equal(cells.expected(integers), expected)

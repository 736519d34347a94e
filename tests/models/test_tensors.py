"""The crossing between pictures and tensors loses nothing."""

import numpy as np
import torch

from models.tensors import (
    pixels_to_tensor,
    plane_to_tensor,
    table_to_tensor,
    tensor_to_pixels,
    tensor_to_plane,
)


def test_every_grey_level_survives_the_way_there_and_back() -> None:
    pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    tensor = pixels_to_tensor(pixels)
    assert tensor.shape == (1, 3, 16, 16)
    assert tensor.dtype == torch.float32
    assert (tensor.min(), tensor.max()) == (0, 1)
    np.testing.assert_array_equal(tensor_to_pixels(tensor), pixels)


def test_channels_rows_and_columns_keep_their_places() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    tensor = pixels_to_tensor(pixels)
    assert tensor[0, 2, 4, 6] == pixels[4, 6, 2] / np.float32(255)
    np.testing.assert_array_equal(tensor_to_pixels(tensor), pixels)


def test_what_lies_outside_is_clamped_and_halves_are_rounded() -> None:
    levels = torch.tensor([-1.0, -0.001, 99.4 / 255, 99.6 / 255, 1.2]).reshape(1, 1, 1, 5).expand(1, 3, 1, 5)
    assert tensor_to_pixels(levels)[0, :, 0].tolist() == [0, 0, 99, 100, 255]


def test_planes_are_not_rounded() -> None:
    plane = np.array([[0.25, 254.75], [-3, 300]])
    np.testing.assert_allclose(tensor_to_plane(plane_to_tensor(plane)), [[0.25, 254.75], [0, 255]], atol=1e-4)


def test_tables_come_luma_first_in_row_order() -> None:
    luma, chroma = np.arange(1, 65).reshape(8, 8), np.arange(101, 165).reshape(8, 8)
    assert table_to_tensor(luma, chroma).tolist() == [[*range(1, 65), *range(101, 165)]]
    assert table_to_tensor(luma, None)[0, 64:].tolist() == [0] * 64
    assert table_to_tensor(luma, chroma, sideways=True)[0, :3].tolist() == [1, 9, 17]

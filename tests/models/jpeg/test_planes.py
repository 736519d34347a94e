"""Coefficients x tables -> inverse DCT -> planes -> picture against libjpeg; DCT and colour on their own."""

import io
from typing import Any

import numpy as np
import pytest
import scipy.fft
import skimage.data
from PIL import Image

from models.jpeg import Save, encode, picture_from_planes, planes, read
from models.jpeg.color import downsample_chroma, rgb_to_ycbcr, split_ycbcr, upsample_chroma, ycbcr_to_rgb
from models.jpeg.dct import blocks_to_plane, forward_dct, inverse_dct, plane_to_blocks

ASTRONAUT = skimage.data.astronaut()
SIZES = [(96, 128), (61, 83), (17, 33), (8, 9), (3, 5), (1, 1)]


@pytest.mark.parametrize("quality_factor", [5, 30, 75, 100])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_colour_agrees_with_libjpeg(subsampling, size, quality_factor):
    rows, columns = size
    image = encode(ASTRONAUT[90 : 90 + rows, 180 : 180 + columns], Save(quality_factor, subsampling))
    assert image.coefficients_from == "bitstream"
    ours = picture_from_planes(planes(image), rows, columns)
    difference = np.abs(ours.astype(int) - image.decoded_pixels)
    assert difference.max() <= 3
    # Roundings that add up are rare, but a few samples of a tiny picture may be among them.
    assert (difference > 2).sum() <= 1 + 1e-4 * difference.size
    assert (difference > 1).sum() <= 4 + 1e-2 * difference.size


@pytest.mark.parametrize("quality_factor", [5, 30, 75, 100])
@pytest.mark.parametrize("size", SIZES)
def test_gray_agrees_with_libjpeg_to_one_level(size, quality_factor):
    rows, columns = size
    image = encode(ASTRONAUT[90 : 90 + rows, 180 : 180 + columns, 0], Save(quality_factor))
    (plane,) = planes(image)
    assert np.abs(plane - image.decoded_pixels[..., 0]).max() < 0.7
    ours = picture_from_planes((plane,), rows, columns)
    assert np.abs(ours.astype(int) - image.decoded_pixels).max() <= 1


def test_planes_equal_libjpeg_before_colour_conversion():
    image = encode(ASTRONAUT[:120, :200], Save(40, "4:4:4"))
    picture = Image.open(io.BytesIO(image.data))
    picture.draft("YCbCr", None)
    assert picture.mode == "YCbCr"
    assert np.abs(np.stack(planes(image), axis=-1) - np.asarray(picture)).max() < 0.7


def test_planes_have_the_size_the_file_stores():
    image = encode(ASTRONAUT[:61, :83], Save(40, "4:2:0"))
    assert [plane.shape for plane in planes(image)] == [(61, 83), (31, 42), (31, 42)]
    image = encode(ASTRONAUT[:61, :83], Save(40, "4:2:2"))
    assert [plane.shape for plane in planes(image)] == [(61, 83), (61, 42), (61, 42)]


def test_planes_of_a_png_come_from_its_pixels():
    buffer = io.BytesIO()
    Image.fromarray(ASTRONAUT[:40, :50]).save(buffer, "PNG")
    image = read(buffer.getvalue())
    assert image.coefficients_from == "pixels"
    assert np.allclose(np.stack(planes(image), axis=-1), rgb_to_ycbcr(ASTRONAUT[:40, :50]), atol=1e-3)
    again = picture_from_planes(planes(image), 40, 50)
    assert np.abs(again.astype(int) - ASTRONAUT[:40, :50]).max() <= 2


def test_recomputed_coefficients_decode_to_the_pixels():
    buffer = io.BytesIO()
    Image.fromarray(ASTRONAUT[:41, :50]).save(buffer, "PNG")
    image = read(buffer.getvalue())
    for component, plane in zip(image.components, split_ycbcr(image.decoded_pixels), strict=True):
        assert (component.quantization_table == 1).all()
        decoded = blocks_to_plane(inverse_dct(component.coefficients), 41, 50) + 128
        assert np.abs(decoded - plane).max() < 2.5  # up to 64 roundings of half a level each, rarely in phase
        assert np.abs(decoded - plane).mean() < 0.4


def test_dct_equals_scipy():
    blocks = np.random.default_rng(0).normal(0, 60, (5, 7, 8, 8))
    expected: Any = scipy.fft.dctn(blocks, axes=(-2, -1), norm="ortho")
    assert np.allclose(forward_dct(blocks), expected, atol=1e-3)
    assert np.allclose(inverse_dct(expected), blocks, atol=1e-3)
    assert forward_dct(np.full((1, 8, 8), 10.0))[0, 0, 0] == pytest.approx(80)


@pytest.mark.parametrize("size", [(16, 24), (13, 21), (1, 1)])
def test_blocks_and_planes_are_inverse(size):
    plane = np.random.default_rng(0).integers(0, 256, size)
    blocks = plane_to_blocks(plane)
    assert blocks.shape == (-(-size[0] // 8), -(-size[1] // 8), 8, 8)
    assert np.array_equal(blocks_to_plane(blocks, *size), plane)
    assert blocks[-1, -1, 7, 7] == plane[-1, -1]


def test_colour_equals_pillow():
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(16, 256, 3)
    by_pillow = np.asarray(Image.fromarray(colors).convert("YCbCr"))
    assert np.abs(rgb_to_ycbcr(colors) - by_pillow).max() < 1.1  # Pillow cuts off where it should round
    assert np.abs(ycbcr_to_rgb(rgb_to_ycbcr(colors)) - colors).max() < 1e-2


def test_upsampling_keeps_flat_planes_and_ramps():
    assert np.array_equal(upsample_chroma(np.full((5, 6), 77.0), 10, 11), np.full((10, 11), 77.0))
    ramp = np.tile(np.arange(10.0), (4, 1))
    doubled = upsample_chroma(ramp, 4, 20)
    assert np.allclose(doubled[:, 1:-1], np.tile(np.arange(0.25, 9, 0.5), (4, 1)))


def test_downsampling_averages_cells():
    plane = np.array([[0, 4, 8], [4, 8, 12]])
    assert np.array_equal(downsample_chroma(plane, 2, 2), [[4, 10]])
    assert downsample_chroma(plane, 1, 1).shape == (2, 3)


def test_upsampling_refuses_sizes_that_do_not_belong_together():
    with pytest.raises(ValueError, match="factor"):
        upsample_chroma(np.zeros((3, 3)), 40, 40)

"""Coefficients before quantization: divided by the table and rounded they are libjpeg's own integers."""

import numpy as np
import pytest

from models.jpeg import Save, encode, read
from models.jpeg.encoder_planes import encoder_coefficients, encoder_plane, sampling_factors
from studio.session.examples import example

CAT = read(example("chelsea").read_bytes()).pixels
SIZES = [(96, 128), (97, 131), (90, 143)]


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("quality_factor", [15, 75, 96])
def test_rounding_gives_the_file(quality_factor, subsampling, size, gray):
    pixels = np.ascontiguousarray(CAT[40 : 40 + size[0], 60 : 60 + size[1]])
    if gray:
        pixels = np.repeat(pixels[..., :1], 3, axis=2)
    image = encode(pixels, Save(quality_factor, subsampling), gray=gray)
    for number, component in enumerate(image.components):
        factors = sampling_factors(image.jpeg_header, number)
        exact = encoder_coefficients(pixels, number, *factors) / component.quantization_table
        tall, wide = component.coefficients.shape[:2]
        exact = exact[:tall, :wide]
        distance = np.abs(exact - component.coefficients)
        step = component.quantization_table
        assert (distance - 0.5 <= 0.2 / step).all()  # only near ties may go the other way
        assert (np.rint(exact) == component.coefficients).mean() > (0.95 if quality_factor > 90 else 0.99)


def test_planes_are_whole_and_filled():
    plane = encoder_plane(CAT[:17, :19], 1, 2, 2)
    assert plane.shape == (16, 16)
    np.testing.assert_array_equal(plane, np.floor(plane))
    np.testing.assert_array_equal(plane[9:], np.repeat(plane[8:9], 7, axis=0))


def test_factors_of_a_file():
    header = encode(CAT[:40, :40], Save(50, "4:2:0")).jpeg_header
    assert [sampling_factors(header, number) for number in range(3)] == [(1, 1), (2, 2), (2, 2)]
    header = encode(CAT[:40, :40], Save(50, "4:2:2")).jpeg_header
    assert [sampling_factors(header, number) for number in range(3)] == [(1, 1), (1, 2), (1, 2)]

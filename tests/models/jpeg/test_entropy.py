"""Bits per block: their sum is the scan's data to the last bit, for every kind of Huffman file."""

import io

import numpy as np
import pytest
from PIL import Image

from models.errors import RestorationError
from models.jpeg import read
from models.jpeg.anatomy import anatomy_of
from models.jpeg.entropy import ac_cost, bit_lengths, bits_per_block, dc_cost, standard_lengths
from studio.session.examples import example
from tests.paths import SHARED, needs_shared_data

CAT = read(example("chelsea").read_bytes()).pixels[:141, :203]


def saved(pixels, **settings) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **settings)
    return buffer.getvalue()


def counted(data: bytes):
    image = read(data)
    assert image.coefficients_from == "bitstream"
    return image, bits_per_block(image.components, image.jpeg_header, anatomy_of(data))


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize(
    "settings",
    [
        {"quality": 1},
        {"quality": 10},
        {"quality": 50, "subsampling": "4:2:2"},
        {"quality": 75, "subsampling": "4:4:4"},
        {"quality": 90, "optimize": True},
        {"quality": 75, "restart_marker_blocks": 7},
        {"quality": 30, "restart_marker_rows": 1},
        {"quality": 100, "subsampling": "4:4:4"},
    ],
    ids=str,
)
def test_the_count_is_the_scan(settings, gray):
    image, bits = counted(saved(CAT[..., 0] if gray else CAT, **settings))
    assert bits.from_file
    assert bits.accounted
    assert bits.data_bits - bits.total - bits.filler <= bits.padding
    assert all(
        one.shape == part.coefficients.shape[:2]
        for one, part in zip(bits.components, image.components, strict=True)
    )
    assert min(int(one.min()) for one in bits.components) >= 4  # a DC code and an end of block, 2 bits each


def test_progressive_files_are_priced_as_baseline():
    _, progressive = counted(saved(CAT, quality=40, progressive=True))
    _, baseline = counted(saved(CAT, quality=40))
    assert not progressive.from_file
    assert not progressive.accounted
    for one, other in zip(progressive.components, baseline.components, strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_changed_bit_of_the_data_is_noticed():
    data = bytearray(saved(CAT, quality=40))
    _, sound = counted(bytes(data))
    del data[-60:-2]  # the end marker stays: decoders invent the rest
    _, cut = counted(bytes(data))
    assert sound.accounted
    assert not cut.accounted


def test_standard_tables_are_those_libjpeg_writes():
    (scan,) = anatomy_of(saved(CAT, quality=50)).scans
    for number in (0, 1):
        np.testing.assert_array_equal(scan.dc_lengths[number], standard_lengths("DC", number))
        np.testing.assert_array_equal(scan.ac_lengths[number], standard_lengths("AC", number))


def test_a_block_by_hand():
    block = np.zeros((1, 8, 8), np.int16)
    block[0, 0, 1], block[0, 2, 0], block[0, 7, 7] = 5, -1, 2
    lengths = np.arange(256).astype(np.uint8)  # every code is as long as its symbol's number
    run, size = [0, 1, 59 - 48], [3, 1, 2]
    symbols = sum(16 * r + s for r, s in zip(run, size, strict=True))
    assert (
        ac_cost(block, lengths) == symbols + sum(size) + 3 * 0xF0
    )  # no end of block: the last place is taken
    block[0, 7, 7] = 0
    assert ac_cost(block, lengths) == 3 + 3 + 17 + 1 + 16  # symbol 0, the end of block, has no code: 16 bits
    assert dc_cost(np.array([0, -1, 255]), lengths).tolist() == [16, 1 + 1, 8 + 8]
    assert bit_lengths(np.array([0, 1, -1, 2, 3, -4, 1023, 1024])).tolist() == [0, 1, 1, 2, 2, 3, 10, 11]


@needs_shared_data
def test_sound_files_of_many_encoders():
    """CMYK, 4:1:0, restarts, missing Huffman tables, rotated camera files: all to the last bit."""
    exact = 0
    for path in sorted((SHARED / "hostile").glob("0[1-8]*/*.jpg")):
        data = path.read_bytes()
        try:
            image = read(data)
        except RestorationError:
            continue
        if image.coefficients_from == "bitstream" and image.jpeg_header.coding in (
            "baseline",
            "extended sequential",
        ):
            assert bits_per_block(image.components, image.jpeg_header, anatomy_of(data)).accounted, path.name
            exact += 1
    assert exact >= 40


@needs_shared_data
def test_damaged_files_are_counted_without_complaint():
    for path in sorted((SHARED / "hostile").glob("1[014]*/*")):
        data = path.read_bytes()
        try:
            image = read(data)
        except RestorationError:
            continue
        if image.coefficients_from == "bitstream":
            bits = bits_per_block(image.components, image.jpeg_header, anatomy_of(data))
            assert bits.total > 0

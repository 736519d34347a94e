"""Damaged files: read at least as libjpeg reads them, with a note that says what is missing, and nothing printed."""

import io
import re
import struct

import numpy as np
import pytest
import skimage.data
from PIL import Image

from models.errors import UnreadableImage
from models.jpeg import Save, encode, read
from models.jpeg.anatomy import anatomy_of
from models.jpeg.entropy import bits_per_block
from tests.present import present

PIXELS = np.ascontiguousarray(skimage.data.astronaut()[40:232, 60:260])  # 192 x 200
WHOLE = encode(PIXELS, Save(55))
SCAN = WHOLE.data.index(b"\xff\xda") + 14


def _file(**options):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "JPEG", quality=55, **options)
    return buffer.getvalue()


def _at(share):
    return SCAN + int((len(WHOLE.data) - SCAN) * share)


def _same_rows(image, count):
    return np.array_equal(image.pixels[:count], WHOLE.pixels[:count])


@pytest.mark.parametrize("share", [0.15, 0.5, 0.93])
def test_data_that_end_before_the_end_marker_are_told_with_their_rows(share):
    image = read(WHOLE.data[: _at(share)] + b"\xff\xd9")
    (note,) = image.notes
    said = re.fullmatch(
        r"picture data end early: (\d+) of 192 rows are there, the missing part is gray", note
    )
    rows = int(present(said)[1])
    assert rows % 16 == 0
    assert 192 * share - 64 < rows < 192
    assert _same_rows(image, rows - 1)


def test_a_height_that_is_too_large_is_told():
    frame = WHOLE.data.index(b"\xff\xc0")
    taller = WHOLE.data[: frame + 5] + struct.pack(">H", 400) + WHOLE.data[frame + 7 :]
    image = read(taller)
    assert image.pixels.shape[0] == 400
    assert image.notes == ("picture data end early: 192 of 400 rows are there, the missing part is gray",)


def test_only_the_end_marker_is_missing():
    image = read(WHOLE.data[:-2])
    assert image.notes == ("the end marker is missing, the picture is whole",)
    assert np.array_equal(image.pixels, WHOLE.pixels)
    progressive = _file(progressive=True)
    assert read(progressive[:-2]).notes == ("the end marker is missing, the picture is whole",)
    last_scan = progressive.rindex(b"\xff\xda")
    for end in (b"", b"\xff\xd9"):
        (note,) = read(progressive[:last_scan] + end).notes
        assert "its finest detail may be missing" in note


def test_damaged_data_are_told_and_nothing_is_printed(capfd):
    rng = np.random.default_rng(4)
    told = 0
    for share in (0.1, 0.3, 0.5, 0.7):
        damaged = bytearray(WHOLE.data)
        place = _at(share)
        damaged[place : place + 40] = bytes(rng.integers(1, 255, 40).astype(np.uint8))
        image = read(bytes(damaged))
        assert image.components
        told += bool(image.notes)
        zeroed = bytearray(WHOLE.data)
        zeroed[place : place + 200] = bytes(200)
        assert read(bytes(zeroed)).notes
    assert told >= 2  # libjpeg finds nothing wrong with the other two
    assert read(WHOLE.data[:-2] + bytes(9) + b"\xff\xd9").components
    assert capfd.readouterr().err == ""


LOOK_ALIKES = [
    b"\xff\xc5",
    b"\xff\xc0\x00\x11",
    b"\xff\xdb\x00\x43",
    b"\xff\xc4\x00\x20",
    b"\xff\xda\x00\x0c",
    b"\xff\xe1\x00\x20",
    b"\xff\xe0\xff\xf0",
    b"\xff\xfe\x00\x01",
    b"\xff\x10",
    b"\xff\xdd\x00\x09",
]


@pytest.mark.parametrize("bogus", LOOK_ALIKES, ids=bytes.hex)
def test_damage_that_looks_like_a_marker_ends_the_picture_there_and_refuses_nothing(bogus):
    place = _at(0.5)
    image = read(WHOLE.data[:place] + bogus + WHOLE.data[place + len(bogus) :])
    (note,) = image.notes
    rows = int(present(re.search(r"(\d+) of 192 rows are there", note))[1])
    assert rows >= 48
    assert _same_rows(image, rows - 1)
    assert image.coefficients_from == "bitstream"


@pytest.mark.parametrize("bogus", LOOK_ALIKES, ids=bytes.hex)
def test_with_restart_markers_only_one_interval_is_lost(bogus):
    data = _file(restart_marker_rows=1)
    restarts = [found.start() for found in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    place = (restarts[4] + restarts[5]) // 2
    image = read(data[:place] + bogus + data[place + len(bogus) :])
    assert image.notes
    assert np.array_equal(image.pixels[:78], WHOLE.pixels[:78])
    assert np.array_equal(image.pixels[98:], WHOLE.pixels[98:])
    assert image.coefficients_from == "bitstream"


@pytest.mark.parametrize(
    "segment",
    [b"\xff\xe0\0\x07JFIF\0", b"\xff\xe0\0\x02", b"\xff\xe0\0\x08JFIF\0\1", b"\xff\xe0\0\x09JFXX\0\1\2"],
    ids=bytes.hex,
)
def test_a_short_application_segment_is_passed_over(segment):
    own = WHOLE.data.index(b"\xff\xe0")
    rest = own + 2 + int.from_bytes(WHOLE.data[own + 2 : own + 4], "big")
    image = read(WHOLE.data[:own] + segment + WHOLE.data[rest:])
    assert np.array_equal(image.pixels, WHOLE.pixels)
    assert image.notes == ()


@pytest.mark.parametrize("length", [0, 1])
@pytest.mark.parametrize("marker", [0xE0, 0xE1, 0xED, 0xFE])
def test_a_segment_of_no_length_is_passed_over_with_a_note(marker, length):
    inserted = bytes([0xFF, marker, 0, length]) + b"JFIF\0\1\1\0\0\1\0\1\0\0"
    image = read(WHOLE.data[:2] + inserted + WHOLE.data[2:])
    assert np.array_equal(image.pixels, WHOLE.pixels)
    assert image.notes == ("14 stray bytes in the header were passed over",)


@pytest.mark.parametrize("numbers", [(1, 1, 1), (1, 1, 2), (7, 7, 7), (0, 1, 2), (3, 2, 1), (2, 1, 1)])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_components_are_told_apart_by_position(numbers, subsampling):
    whole = encode(PIXELS, Save(35, subsampling))
    data = bytearray(whole.data)
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    for place, number in enumerate(numbers):
        data[frame + 10 + 3 * place] = data[scan + 5 + 2 * place] = number
    image = read(bytes(data))
    assert np.array_equal(image.pixels, whole.pixels)
    estimate = present(image.estimated_quality_factor)
    assert estimate.standard
    assert estimate.quality_factor == 35
    for part, same in zip(image.components, whole.components, strict=True):
        np.testing.assert_array_equal(part.coefficients, same.coefficients)
        np.testing.assert_array_equal(part.quantization_table, same.quantization_table)
    counted = bits_per_block(image.components, image.jpeg_header, anatomy_of(image.data))
    assert counted.accounted


def test_a_height_that_comes_later_is_named():
    frame = WHOLE.data.index(b"\xff\xc0")
    with pytest.raises(UnreadableImage, match="DNL"):
        read(WHOLE.data[: frame + 5] + b"\0\0" + WHOLE.data[frame + 7 :])

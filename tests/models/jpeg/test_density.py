"""Orientation of any integer type, and print resolution or pixel shape, whatever file they come in."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from models.jpeg import read
from models.jpeg.density import Density, density_of, png_with_density
from models.jpeg.metadata import exif_orientation

PIXELS = np.random.default_rng(2).integers(0, 256, (16, 24, 3), np.uint8)
PER_METER = {300: 11811, 72: 2835, 150: 5906}


def _exif(order, *entries):
    """A TIFF structure with (tag, type, count, packed value) entries; longer values lie behind the directory."""
    body, rest = b"", b""
    behind = 8 + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        inside = value if len(value) <= 4 else struct.pack(order + "I", behind + len(rest))
        rest += value if len(value) > 4 else b""
        body += struct.pack(order + "HHI", tag, kind, count) + inside.ljust(4, b"\0")
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    return mark + struct.pack(order + "IH", 8, len(entries)) + body + bytes(4) + rest


def _jpeg(exif=None, **options):
    buffer = io.BytesIO()
    if exif:
        options["exif"] = b"Exif\0\0" + exif
    Image.fromarray(PIXELS).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "code"), [(1, "B"), (3, "H"), (4, "I"), (6, "b"), (8, "h"), (9, "i")])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_orientation_is_read_from_any_integer_type_and_count(order, kind, code, count):
    values = struct.pack(order + code * count, *[6, 1, 8, 1, 1, 1, 1, 1][:count])
    exif = _exif(order, (0x010F, 2, 3, b"ab\0"), (0x0112, kind, count, values))
    assert exif_orientation(exif) == 6
    image = read(_jpeg(exif))
    assert image.pixels.shape == (24, 16, 3)
    assert image.notes == ("EXIF rotation applied",)


@pytest.mark.parametrize(
    "entry",
    [
        (0x0112, 3, 1, struct.pack("<H", 9)),
        (0x0112, 4, 1, struct.pack("<I", 0)),
        (0x0112, 9, 1, struct.pack("<i", -6)),
        (0x0112, 2, 2, b"6\0"),
        (0x0112, 3, 0, b""),
        (0x0112, 5, 1, struct.pack("<II", 6, 0)),
        (0x0112, 4, 2_000_000_000, b""),
    ],
)
def test_other_orientations_turn_nothing(entry):
    assert exif_orientation(_exif("<", entry)) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("source", ["jfif", "exif", "centimeters"])
def test_resolution_is_that_of_the_upright_picture(orientation, source):
    entries = [(0x0112, 3, 1, struct.pack("<H", orientation))]
    options = {}
    if source == "jfif":
        options = {"dpi": (300, 150)}
    else:
        pair = ((300, 1), (150, 1)) if source == "exif" else ((118110, 1000), (59055, 1000))
        entries += [(tag, 5, 1, struct.pack("<II", *pair[tag - 0x011A])) for tag in (0x011A, 0x011B)]
        entries.append((0x0128, 3, 1, struct.pack("<H", 2 if source == "exif" else 3)))
    image = read(_jpeg(_exif("<", *entries), **options))
    sides = (11811, 5906) if orientation < 5 else (5906, 11811)
    assert image.density is not None and image.density.in_meters
    assert (image.density.across, image.density.down) == pytest.approx(sides, abs=1)


def test_an_aspect_ratio_stays_one():
    data = bytearray(_jpeg())
    data[13:18] = b"\0\0\2\0\1"
    assert read(bytes(data)).density == Density(2, 1, False)
    data[13:18] = b"\0\0\1\0\1"
    assert read(bytes(data)).density is None


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_other_formats_say_it_too(kind):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, kind, dpi=(300, 72))
    density = read(buffer.getvalue()).density
    assert density is not None
    assert (density.across, density.down) == pytest.approx((PER_METER[300], PER_METER[72]), abs=1)


def test_a_tiff_that_lies_on_its_side_has_its_axes_swapped():
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "TIFF", dpi=(300, 72), tiffinfo={0x0112: 6})
    image = read(buffer.getvalue())
    assert image.pixels.shape == (24, 16, 3)
    assert image.density is not None
    assert (image.density.across, image.density.down) == pytest.approx((2835, 11811), abs=1)


@pytest.mark.parametrize("wrong", [(0, 0, 1), (300, 0, 2), (float("inf"), 1, 0), (1e12, 1e12, 2), (-3, 4, 0)])
def test_nonsense_says_nothing(wrong):
    assert density_of(*wrong) is None


def test_a_png_says_it():
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG")
    with Image.open(io.BytesIO(png_with_density(buffer.getvalue(), Density(11811, 5906, True)))) as picture:
        assert picture.info["dpi"] == pytest.approx((300, 150), abs=0.1)
        np.testing.assert_array_equal(np.asarray(picture), PIXELS)
    with Image.open(io.BytesIO(png_with_density(buffer.getvalue(), Density(2, 1, False)))) as picture:
        assert picture.info["aspect"] == (2, 1)
    with pytest.raises(ValueError, match="no.* PNG|not a PNG"):
        png_with_density(b"GIF", Density(1, 1, True))

"""Files of which Pillow and libjpeg could see different sizes never get to be decoded.

Before version 13, the JPEG decoder of Pillow makes its line of pixels as long as Pillow reads the header itself, and
libjpeg writes as many as its reading says. So every file must have one frame header, seen in the same way by both.
"""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile

from models.errors import RestorationError
from models.jpeg import Save, encode, read

PIXELS = np.random.default_rng(4).integers(0, 256, (32, 48, 3), np.uint8)
JPEG = encode(PIXELS, Save(60, "4:4:4")).data
GRAY = encode(PIXELS[..., :1].repeat(3, 2), Save(60), gray=True).data
FRAME, SCAN = JPEG.index(b"\xff\xc0"), JPEG.index(b"\xff\xda")
AFTER_FRAME = FRAME + 2 + int.from_bytes(JPEG[FRAME + 2 : FRAME + 4], "big")


def frame(columns=48, rows=32, marker=0xC0, components=3):
    """A frame header of another width, height, kind or number of components."""
    parts = b"".join(bytes((number + 1, 0x11, 0)) for number in range(components))
    body = struct.pack(">BHHB", 8, rows, columns, components) + parts
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


NARROW, WIDE, FLAT = frame(8), frame(4000), frame(components=1)
OTHERS = {"narrow": NARROW, "wide": WIDE, "gray": FLAT, "CMYK": frame(components=4), "low": frame(rows=8)}
OTHERS |= {f"{kind:x}": frame(4000, marker=kind) for kind in (0xC1, 0xC2, 0xC9, 0xCA)}
BETWEEN = {
    "nothing": b"", "fill": b"\xff" * 5, "zeros": bytes(9), "stuffing": b"\xff\0" * 9, "end": b"\xff\xd9",
    "start": b"\xff\xd8", "end and start": b"\xff\xd9\xff\xd8", "restart": b"\xff\xd0", "TEM": b"\xff\x01",
    "empty": b"\xff\xe0\0\2", "short": b"\xff\xe1\0\0", "shorter": b"\xff\xfe\0\1", "JPG": b"\xff\xf3",
    "JPG8": b"\xff\xc8", "DNL": b"\xff\xdc\0\4\0\x20", "DHP": b"\xff\xde" + WIDE[2:],
    "EXP": b"\xff\xdf\0\3\x11", "RES": b"\xff\x20",
}  # fmt: skip


@pytest.fixture
def decoded(monkeypatch):
    """What Pillow is about to decode: its own reading of the size, and the bytes that libjpeg would read."""
    seen = []
    load = ImageFile.ImageFile.load

    def spy(self):
        if self.format == "JPEG" and self.tile:
            self.fp.seek(0)
            seen.append((self.tile[0], self.mode, self.fp.read()))
        return load(self)

    monkeypatch.setattr(ImageFile.ImageFile, "load", spy)
    return seen


def libjpegs_reading(stream):
    """Columns and channels as libjpeg itself, which OpenCV asks, sees them; None where it does not decode a stream."""
    picture = cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_UNCHANGED)
    return None if picture is None else (picture.shape[1], picture.ndim)


def check(data, decoded):
    """A picture that both read in the same way, or a sentence; True for the picture."""
    try:
        image = read(data)
    except RestorationError:
        image = None
    for tile, mode, stream in decoded:
        assert libjpegs_reading(stream) in (None, (tile[1][2], 2 if mode == "L" else 3))
    decoded.clear()
    return image is not None


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("other", OTHERS)
def test_two_frames_before_a_scan_are_refused(decoded, other, between):
    second, gap = OTHERS[other], BETWEEN[between]
    for data in (
        JPEG[:FRAME] + second + gap + JPEG[FRAME:],
        JPEG[:AFTER_FRAME] + gap + second + JPEG[AFTER_FRAME:],
        JPEG[:SCAN] + gap + second + JPEG[SCAN:],
        JPEG[:2] + second + gap + JPEG[2:],
    ):
        assert not check(data, decoded)
        assert not check(b"".join((data[:2], b"\xff\xe0\0\4ab", data[2:])), decoded)


@pytest.mark.parametrize("other", OTHERS)
def test_frames_that_are_no_frames_change_nothing(decoded, other):
    hidden = OTHERS[other]
    for data in (
        JPEG[:2] + b"\xff\xe5" + struct.pack(">H", len(hidden) + 2) + hidden + JPEG[2:],
        JPEG[:SCAN] + b"\xff\xfe" + struct.pack(">H", len(hidden) + 2) + hidden + JPEG[SCAN:],
        JPEG + hidden + JPEG[SCAN:],
        JPEG + JPEG[:FRAME] + hidden + JPEG[AFTER_FRAME:],
    ):
        assert check(data, decoded)
        assert np.array_equal(read(data).pixels, read(JPEG).pixels)
        decoded.clear()


@pytest.mark.parametrize("other", OTHERS)
def test_frames_behind_a_scan_never_count(decoded, other):
    middle = (SCAN + len(JPEG)) // 2
    for data in (JPEG[:middle] + OTHERS[other] + JPEG[middle:], JPEG[:-2] + OTHERS[other] + JPEG[SCAN:]):
        check(data, decoded)


def test_any_bytes_before_the_scan(decoded):
    """Whatever stands in the header: the sizes agree, or nothing is decoded."""
    rng = np.random.default_rng(12)
    markers = [bytes((0xFF, kind)) for kind in range(256)] + [
        NARROW,
        WIDE,
        FLAT,
        b"\xff",
        b"\0",
        b"\0\2",
        b"\0\0",
        b"\0\3a",
    ]
    pictures = 0
    for source in (JPEG, GRAY):
        scan = source.index(b"\xff\xda")
        for _ in range(1500):
            data = source
            for _ in range(rng.integers(1, 4)):
                at = int(rng.integers(2, scan))
                data = data[:at] + markers[rng.integers(len(markers))] + data[at:]
            pictures += check(data, decoded)
    assert pictures > 20


@pytest.mark.parametrize("compression", [6, 7])
@pytest.mark.parametrize("columns", [8, 47, 49, 4000, 65535])
def test_a_tiff_whose_strips_are_wider_than_it_says(compression, columns):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "TIFF", compression="jpeg", quality=90)
    data = bytearray(buffer.getvalue())
    at = data.rindex(b"\xff\xc0")
    data[at + 7 : at + 9] = struct.pack(">H", columns)
    entry = data.index(struct.pack("<HHIH", 259, 3, 1, 7))
    data[entry + 8 : entry + 10] = struct.pack("<H", compression)
    try:
        assert read(bytes(data)).pixels.shape == PIXELS.shape
    except RestorationError as refusal:
        assert "damaged" in str(refusal)


@pytest.mark.parametrize(
    "start",
    [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"BLP1", b"BLP2", b"icns", b"8BPS", b"DDS ", b"\x8aMNG\r\n\x1a\n"],
)
def test_other_wrappings_of_jpeg_are_no_pictures_here(start, monkeypatch):
    """FlashPix and others give the decoder a size of their own."""
    monkeypatch.setattr(Image, "open", None)
    with pytest.raises(RestorationError, match="supported"):
        read(start + bytes(600) + JPEG)

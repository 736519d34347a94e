"""Refusals: made-up headers, limits and files of other kinds, each with a message in three parts."""

import io
import re
import struct
import time

import numpy as np
import pytest
from PIL import Image

from models.errors import ImageTooLarge, RestorationError, UnreadableImage, UnsupportedImage
from models.jpeg import Save, encode, probe, read
from models.jpeg.limits import MAX_ARITHMETIC_BYTES, MAX_BYTES, MAX_SEGMENTS
from tests.present import present

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
JPEG = encode(PIXELS, Save(50)).data
FRAME = JPEG.index(b"\xff\xc0")


def _with_frame(marker: int = 0xC0, bits: int = 8, rows: int = 24, columns: int = 40) -> bytes:
    """The sound JPEG with another frame header."""
    header = bytes([0xFF, marker]) + JPEG[FRAME + 2 : FRAME + 4] + struct.pack(">BHH", bits, rows, columns)
    return JPEG[:FRAME] + header + JPEG[FRAME + 9 :]


def _with_scans(count: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    present = data.count(b"\xff\xda")
    return data[:-2] + data[last:-2] * (count - present) + data[-2:]


def _png(columns: int, rows: int, extra: bytes = b"") -> bytes:
    header = struct.pack(">I4sIIBBBBBI", 13, b"IHDR", columns, rows, 8, 2, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + header + extra


def _gif(columns: int, rows: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", columns, rows, 0, 0, 0)


def _tiff(*entries: tuple[int, int, int, int]) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)


def _sentences(message: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", message)


def test_the_sound_file_is_taken():
    assert read(_with_frame()).pixels.shape == (24, 40, 3)
    assert present(probe(_with_scans(100)).jpeg).scans == 100


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", UnreadableImage, "empty, 0 bytes"),
        (b"hello world", UnreadableImage, "68 65 6c 6c"),
        (b"\xff\xd8", UnreadableImage, "no size"),
        (b"\xff\xd8\xff\xd9", UnreadableImage, "no size"),
        (JPEG[: JPEG.index(b"\xff\xda")], UnreadableImage, "no picture data"),
        (JPEG[:FRAME] + JPEG[JPEG.index(b"\xff\xda") :], UnreadableImage, "before its size"),
        (JPEG.replace(b"\xff\xdb", b"\xff\xe5"), UnreadableImage, "quantization table 0 is missing"),
        (_with_frame(rows=0), UnreadableImage, "40 x 0"),
        (_with_frame(rows=6400, columns=6400), ImageTooLarge, "6400 x 6400 pixels, 41 megapixels"),
        (_with_frame(rows=65535, columns=65535), ImageTooLarge, "65535 x 65535"),
        (_with_frame(bits=12), UnsupportedImage, "12 bits"),
        (_with_frame(marker=0xC3), UnsupportedImage, "lossless"),
        (_with_frame(marker=0xC5), UnsupportedImage, "hierarchical"),
        (_with_frame(marker=0xCB), UnsupportedImage, "lossless"),
        (_with_scans(101), ImageTooLarge, "more than 100 scans"),
        (JPEG[:2] + b"\xff\xe5\0\2" * (MAX_SEGMENTS + 1) + JPEG[2:], UnreadableImage, "segments"),
        (bytes(MAX_BYTES + 1), ImageTooLarge, "100 MB"),
        (
            _with_frame(marker=0xC9) + bytes(MAX_ARITHMETIC_BYTES),
            ImageTooLarge,
            "arithmetic coding has 24.0 MB",
        ),
        (_png(100_000, 100_000), ImageTooLarge, "10000 megapixels"),
        (_png(0, 5), UnreadableImage, "0 x 5"),
        (_png(5, 5)[:20], UnreadableImage, "header"),
        (_png(5, 5, struct.pack(">I4sI", 0, b"teSt", 0) * 100_001), UnreadableImage, "header"),
        (_gif(9, 9) + b"!\xfe" + b"\1a" * 1_100_000, UnreadableImage, "header"),
        (_gif(9, 9), UnreadableImage, "header"),
        (_gif(60000, 60000) + b"," + bytes(9) + b"\2\0;", ImageTooLarge, "60000 x 60000"),
        (_gif(9, 9) + b"," + struct.pack("<HHHHB", 0, 0, 60000, 60000, 0), ImageTooLarge, "60000 x 60000"),
        (_tiff((256, 4, 1, 70000), (257, 4, 1, 70000)), ImageTooLarge, "70000 x 70000"),
        (_tiff((256, 4, 1, 7), (257, 4, 1, 7), (273, 4, 50_000_000, 8)), UnreadableImage, "header"),
        (
            _tiff((256, 4, 1, 7), (257, 4, 1, 7), *[(700 + n, 4, 9000, 8) for n in range(200)]),
            UnreadableImage,
            "header",
        ),
        (_tiff((256, 4, 1, 7)), UnreadableImage, "header"),
        (_tiff((256, 4, 1, 7), (257, 4, 1, 7)), UnreadableImage, "damaged"),
        (b"BM" + bytes(12) + struct.pack("<Iii", 40, 50000, -50000), ImageTooLarge, "50000 x 50000"),
        (b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + b"\xff\xff\xff\xff\xff\xff", ImageTooLarge, "16777216"),
        (b"\0\0\0\x20ftypavif", UnsupportedImage, "AVIF"),
        (b"\0\0\0\x20ftypheic", UnsupportedImage, "HEIF"),
        (b"%PDF-1.7", UnsupportedImage, "PDF"),
        (b"<?xml version='1.0'?><svg/>", UnsupportedImage, "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", UnsupportedImage, "PostScript"),
    ],
)
def test_refusals_name_the_value_and_say_what_to_do(data, error, words):
    started = time.perf_counter()
    with pytest.raises(error) as refusal:
        read(data)
    assert time.perf_counter() - started < 5
    assert words in str(refusal.value)
    assert len(_sentences(str(refusal.value))) >= 3


def test_large_pictures_may_have_fewer_scans():
    many = bytearray(_with_scans(60))
    frame = many.index(b"\xff\xc2")
    many[frame + 5 : frame + 9] = struct.pack(">HH", 6000, 6600)
    with pytest.raises(ImageTooLarge, match="6600 x 6000 pixels has more than 30 scans"):
        probe(bytes(many))


def test_random_damage_never_raises_anything_else():
    rng = np.random.default_rng(1)
    sources = [JPEG, _with_scans(12)]
    for kind in ("PNG", "GIF", "WEBP", "TIFF", "BMP"):
        buffer = io.BytesIO()
        Image.fromarray(PIXELS).save(buffer, kind)
        sources.append(buffer.getvalue())
    outcomes = {"picture": 0, "refusal": 0}
    for source in sources:
        for _ in range(60):
            damaged = bytearray(source)
            for place in rng.integers(2, min(len(source), 700), 4):
                damaged[place] = rng.integers(256)
            try:
                image = read(bytes(damaged[: rng.integers(20, len(source) + 1)]))
                assert image.pixels.dtype == np.uint8
                assert image.components
                outcomes["picture"] += 1
            except RestorationError as refusal:
                assert len(_sentences(str(refusal))) >= 3
                outcomes["refusal"] += 1
    assert min(outcomes.values()) > 20

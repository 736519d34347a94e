"""Walking a file's bytes takes time in proportion to their number, whatever they are."""

import contextlib
import io
import struct
import time

import numpy as np
import pytest
from PIL import Image

from models.errors import RestorationError
from models.jpeg import Save, encode, probe
from models.jpeg.anatomy import anatomy_of
from models.jpeg.header import decodable_stream, read_header
from models.jpeg.kept_exif import kept_exif

JPEG = encode(np.random.default_rng(3).integers(0, 256, (40, 56, 3), np.uint8), Save(60)).data
SCAN = JPEG.index(b"\xff\xda")
MIDDLE = SCAN + 60
SHORT, LONG = 2_000_000, 4_000_000
FACTOR = 3.0
"""Twice the bytes may take so many times as long; quadratic work takes four times."""


def _jpeg_with(run: bytes, place: str) -> bytes:
    start = {"header": 2, "between segments": SCAN, "scan": MIDDLE, "end": len(JPEG) - 2}[place]
    return JPEG[:start] + run + (b"" if place == "end" else JPEG[start:])


def _seconds(walk, data: bytes) -> float:
    """The shortest of three tries, in processor time."""
    times = []
    for _ in range(3):
        began = time.thread_time()
        with contextlib.suppress(RestorationError):
            walk(data)
        times.append(time.thread_time() - began)
    return min(times)


TRIES = 3
"""Other processes may slow one of the two walks; one that is not linear is slow every time."""


def _is_linear(walk, make) -> bool:
    for _ in range(TRIES):
        short, long = (_seconds(walk, make(count)) for count in (SHORT, LONG))
        if long < 0.02 or long < FACTOR * short:
            return True
    return False


RUNS = {
    "ff, then 00": (b"\xff", b"\x00"),
    "ff, then nothing": (b"\xff", b""),
    "ff, then a restart": (b"\xff", b"\xd3"),
    "ff 00": (b"\xff\x00", b""),
    "zeros": (b"\x00", b""),
    "ff ff 00": (b"\xff\xff\x00", b""),
    "restarts": (b"\xff\xd0", b""),
}


@pytest.mark.parametrize("place", ["header", "between segments", "scan", "end"])
@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("walk", [read_header, anatomy_of, probe], ids=lambda walk: walk.__name__)
def test_jpeg_walks(walk, run, place):
    piece, tail = RUNS[run]
    assert _is_linear(walk, lambda count: _jpeg_with(piece * (count // len(piece)) + tail, place))


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 9, 9, 8, 2, 0, 0, 0, 0), bytes(12)),
        (b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0) + b"!\xfe", b"\1a"),
        (b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0), b"!\xfe\0"),
        (b"II*\0" + struct.pack("<IH", 8, 65535), struct.pack("<HHII", 700, 7, 4, 8)),
        (b"<?xml ", b" "),
    ],
    ids=["PNG", "GIF sub-blocks", "GIF blocks", "TIFF", "XML"],
)
def test_walks_of_other_formats(start, piece):
    assert _is_linear(probe, lambda count: start + piece * (count // len(piece)))


def test_exif_blocks_are_gone_through_once():
    def block(count: int) -> bytes:
        entries = min(65535, count // 16)
        value = 8 + 2 + 12 * entries + 4
        tag = struct.pack("<HHII", 0x010E, 2, count, value)
        return b"II*\0" + struct.pack("<IH", 8, entries) + tag * entries + bytes(4) + b"a" * count

    assert _is_linear(kept_exif, block)


def test_fill_bytes_change_nothing():
    filled = b"".join(
        [JPEG[:2], b"\xff" * 7, JPEG[2:SCAN], b"\xff" * 300, JPEG[SCAN:-2], b"\xff" * 9, JPEG[-2:]]
    )
    plain, header = read_header(JPEG), read_header(filled)
    assert (header.rows, header.columns, header.scans, header.complete) == (
        plain.rows, plain.columns, plain.scans, True,
    )  # fmt: skip
    with (
        Image.open(io.BytesIO(decodable_stream(filled, header))) as mine,
        Image.open(io.BytesIO(JPEG)) as own,
    ):
        assert np.array_equal(np.asarray(mine), np.asarray(own))
    (scan,), (own_scan,) = anatomy_of(filled).scans, anatomy_of(JPEG).scans
    assert scan.data_bytes == own_scan.data_bytes

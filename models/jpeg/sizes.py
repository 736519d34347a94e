"""Sizes of PNG, GIF, BMP, WebP and TIFF pictures, read from their headers with as little trust as possible.

Every reader raises ValueError, IndexError or struct.error on a header that is cut off, wrong, or made to
keep a decoder busy: Python decoders walk such chains link by link, so their length is limited here.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from models.jpeg.tiff_tags import TiffTags, check_strips

_MAX_PNG_CHUNKS = 100_000
_MAX_GIF_BLOCKS = 1_000_000
_TIFF_WIDTH, _TIFF_LENGTH, _TIFF_BITS = 256, 257, 258


@dataclass(frozen=True)
class PictureSize:
    """What a header says of its first picture.

    Attributes:
        rows, columns: in pixels; may be 0 or negative in damaged files.
        bits: per sample; 8 where the format has nothing else.
        several: True where the walk came across a second picture.
    """

    rows: int
    columns: int
    bits: int = 8
    several: bool = False


def _png(data: bytes) -> PictureSize:
    if data[12:16] != b"IHDR":
        raise ValueError("no IHDR")
    columns, rows, bits = struct.unpack_from(">IIB", data, 16)
    position = 8
    for _ in range(_MAX_PNG_CHUNKS):
        if position + 8 > len(data):
            return PictureSize(rows, columns, bits)
        (length,) = struct.unpack_from(">I", data, position)
        position += 12 + length
    raise ValueError("too many chunks")


def _gif(data: bytes) -> PictureSize:
    """The larger of the screen and the first frame, because decoders make room for both."""
    columns, rows, flags = struct.unpack_from("<HHB", data, 6)
    position = 13 + _gif_palette_bytes(flags)
    steps = 0
    frames = 0
    while frames < 2 and position < len(data) and data[position] in (0x21, 0x2C):
        if data[position] == 0x2C:
            frames += 1
            left, top, width, height, flags = struct.unpack_from("<HHHHB", data, position + 1)
            if frames == 1:
                rows, columns = max(rows, top + height), max(columns, left + width)
            position += 11 + _gif_palette_bytes(flags)
        else:
            position += 2
        while position < len(data) and data[position]:  # sub-blocks up to an empty one
            position += 1 + data[position]
            steps += 1
            if steps > _MAX_GIF_BLOCKS:
                raise ValueError("too many blocks")
        position += 1
        steps += 1
    if not frames:
        raise ValueError("no frame")
    return PictureSize(rows, columns, several=frames > 1)


def _gif_palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _bmp(data: bytes) -> PictureSize:
    (header_size,) = struct.unpack_from("<I", data, 14)
    columns, rows = struct.unpack_from("<HH" if header_size == 12 else "<ii", data, 18)
    return PictureSize(abs(rows), abs(columns))


def _webp(data: bytes) -> PictureSize:
    kind = data[12:16]
    if kind == b"VP8X":
        columns, rows = (int.from_bytes(data[start : start + 3], "little") + 1 for start in (24, 27))
    elif kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        columns, rows = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        columns, rows = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        raise ValueError("unknown kind of WebP")
    return PictureSize(rows, columns)


def _tiff(data: bytes) -> PictureSize:
    tags = TiffTags(data)
    columns, rows, bits = (tags.numbers(tag)[:1] for tag in (_TIFF_WIDTH, _TIFF_LENGTH, _TIFF_BITS))
    if not columns or not rows:
        raise ValueError("no size")
    check_strips(tags, rows[0], columns[0])
    return PictureSize(rows[0], columns[0], bits[0] if bits else 1)


SIZE_READERS: dict[str, Callable[[bytes], PictureSize]] = {
    "PNG": _png,
    "GIF": _gif,
    "BMP": _bmp,
    "WEBP": _webp,
    "TIFF": _tiff,
}

"""What kind of file this is and how large its picture, found out before anything is decoded."""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from models.errors import ImageTooLarge, UnreadableImage, UnsupportedImage
from models.jpeg.formats import NAMES, format_of
from models.jpeg.header import JpegHeader, read_header
from models.jpeg.limits import MAX_ARITHMETIC_BYTES, MAX_BYTES, TRY_ANOTHER, check_dimensions
from models.jpeg.tiff_tags import TiffTags, check_strips

SUPPORTED = f"{NAMES} pictures are supported."

_REFUSED_SIGNATURES = {
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript file",
    b"\0\0\x01\0": "an icon file (ICO)",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    b"\xffO\xffQ": "a JPEG 2000 picture",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "an empty zip archive",
    b"8BPS": "a Photoshop document",
    b"II+\0": "a BigTIFF picture",
    b"MM\0+": "a BigTIFF picture",
}
_ISO_BRANDS = {b"avif": "an AVIF picture", b"avis": "an AVIF animation"}
_MAX_PNG_CHUNKS = 100_000
_MAX_GIF_BLOCKS = 1_000_000
_TIFF_WIDTH, _TIFF_LENGTH, _TIFF_BITS = 256, 257, 258


@dataclass(frozen=True, eq=False)
class ImageFacts:
    """What is known of a file before decoding it.

    Attributes:
        format: the name of one of models.jpeg.formats.FORMATS.
        rows, columns: size before any EXIF rotation.
        bits: bits per sample.
        several: True where the file is known to hold more than one picture.
        jpeg: the JPEG header, None for other formats.
    """

    format: str
    rows: int
    columns: int
    bits: int = 8
    several: bool = False
    jpeg: JpegHeader | None = None


def probe(data: bytes) -> ImageFacts:
    """Find out what a file is, and refuse at once what the studio does not take.

    Args:
        data: the whole file.

    Raises:
        UnreadableImage: empty, damaged, or no picture.
        UnsupportedImage: a sound picture of another kind.
        ImageTooLarge: too many pixels, scans or bytes.
    """
    if not data:
        raise UnreadableImage(f"The file is empty, 0 bytes. {SUPPORTED} Choose another file.")
    _check_bytes(data, MAX_BYTES, "The file")
    kind = _format_of(data)
    if kind == "JPEG":
        header = read_header(data)
        if header.arithmetic:
            _check_bytes(data, MAX_ARITHMETIC_BYTES, "This JPEG with arithmetic coding")
        return ImageFacts(kind, header.rows, header.columns, several=header.several, jpeg=header)
    try:
        size = SIZE_READERS[kind](data) if kind in SIZE_READERS else _size_by_pillow(data, kind)
    except (struct.error, IndexError, ValueError):
        raise UnreadableImage(
            f"This {kind} file is damaged: its header is cut off or not as it should be. A whole header is "
            f"needed. {TRY_ANOTHER}"
        ) from None
    check_dimensions(size.rows, size.columns)
    return ImageFacts(kind, size.rows, size.columns, size.bits, size.several)


def _check_bytes(data: bytes, allowed: int, what: str) -> None:
    if len(data) > allowed:
        raise ImageTooLarge(
            f"{what} has {len(data) / 2**20:.1f} MB. Up to {allowed // 2**20} MB are allowed. "
            "Save the picture smaller or with more compression first."
        )


def _format_of(data: bytes) -> str:
    if (known := format_of(data)) is not None:
        return known.name
    kind = _refused_kind(data)
    if kind is not None:
        raise UnsupportedImage(f"This is {kind}. {SUPPORTED} {TRY_ANOTHER}")
    start = " ".join(f"{byte:02x}" for byte in data[:4])
    raise UnreadableImage(
        f"This file is no picture the studio knows; it begins with the bytes {start}. {SUPPORTED} "
        "Choose another file."
    )


def _refused_kind(data: bytes) -> str | None:
    for signature, kind in _REFUSED_SIGNATURES.items():
        if data.startswith(signature):
            return kind
    if data[4:8] == b"ftyp":
        return _ISO_BRANDS.get(data[8:12], "an HEIF picture or a video")
    start = data[:256].lstrip().lower()
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in data[:2048].lower()):
        return "an SVG drawing"
    return None


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


def _size_by_pillow(data: bytes, kind: str) -> PictureSize:
    """Of a format that has no reader here; Pillow reads the header alone."""
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
            return PictureSize(picture.height, picture.width, several=getattr(picture, "is_animated", False))
    except Exception as problem:  # decoders raise anything on damaged files
        raise ValueError("no header") from problem


SIZE_READERS: dict[str, Callable[[bytes], PictureSize]] = {
    "PNG": _png,
    "GIF": _gif,
    "BMP": _bmp,
    "WEBP": _webp,
    "TIFF": _tiff,
}
"""Sizes of pictures that are not JPEG, read from their headers with as little trust as possible.

Every reader raises ValueError, IndexError or struct.error on a header that is cut off, wrong, or made to
keep a decoder busy: Python decoders walk such chains link by link, so their length is limited here.
"""

"""What kind of file this is and how large its picture, found out before anything is decoded."""

import struct
from dataclasses import dataclass

from models.errors import ImageTooLarge, UnreadableImage, UnsupportedImage
from models.jpeg.header import JpegHeader, read_header
from models.jpeg.limits import MAX_BYTES, TRY_ANOTHER, check_dimensions

SUPPORTED = "JPEG, PNG, WebP, TIFF, BMP and GIF pictures are supported."

_SIGNATURES = {
    b"\xff\xd8": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}
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


@dataclass(frozen=True, eq=False)
class ImageFacts:
    """What is known of a file before decoding it.

    Attributes:
        format: "JPEG", "PNG", "WEBP", "TIFF", "BMP" or "GIF".
        rows, columns: size before any EXIF rotation; None for TIFF, whose decoder tells it.
        bits: bits per sample where the header says so at a fixed place (PNG), else None.
        jpeg: the JPEG header, None for other formats.
    """

    format: str
    rows: int | None
    columns: int | None
    bits: int | None = None
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
    if len(data) > MAX_BYTES:
        raise ImageTooLarge(
            f"The file has {len(data) / 2**20:.0f} MB. Up to {MAX_BYTES // 2**20} MB are allowed. "
            "Save the picture smaller or with more compression first."
        )
    kind = _format_of(data)
    if kind == "JPEG":
        header = read_header(data)
        return ImageFacts(kind, header.rows, header.columns, bits=8, jpeg=header)
    if kind == "TIFF":
        return ImageFacts(kind, None, None)
    try:
        rows, columns, bits = _SIZE_READERS[kind](data)
    except (struct.error, IndexError, ValueError):
        raise UnreadableImage(
            f"This {kind} file is damaged: its header is cut off or not as it should be. A whole header is "
            f"needed. {TRY_ANOTHER}"
        ) from None
    check_dimensions(rows, columns)
    return ImageFacts(kind, rows, columns, bits=bits)


def _format_of(data: bytes) -> str:
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
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


def _png_size(data: bytes) -> tuple[int, int, int]:
    if data[12:16] != b"IHDR":
        raise ValueError
    columns, rows, bits = struct.unpack_from(">IIB", data, 16)
    return rows, columns, bits


def _gif_size(data: bytes) -> tuple[int, int, None]:
    """The larger of the screen and the first frame, because decoders make room for both."""
    columns, rows, flags = struct.unpack_from("<HHB", data, 6)
    position = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while data[position] == 0x21:  # extension blocks: label, then sub-blocks up to an empty one
        position += 2
        while data[position]:
            position += 1 + data[position]
        position += 1
    if data[position] != 0x2C:
        raise ValueError
    left, top, width, height = struct.unpack_from("<HHHH", data, position + 1)
    return max(rows, top + height), max(columns, left + width), None


def _bmp_size(data: bytes) -> tuple[int, int, None]:
    (header_size,) = struct.unpack_from("<I", data, 14)
    columns, rows = struct.unpack_from("<HH" if header_size == 12 else "<ii", data, 18)
    return abs(rows), abs(columns), None


def _webp_size(data: bytes) -> tuple[int, int, None]:
    kind = data[12:16]
    if kind == b"VP8X":
        columns = int.from_bytes(data[24:27], "little") + 1
        rows = int.from_bytes(data[27:30], "little") + 1
    elif kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        columns, rows = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        columns, rows = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        raise ValueError
    return rows, columns, None


_SIZE_READERS = {"PNG": _png_size, "GIF": _gif_size, "BMP": _bmp_size, "WEBP": _webp_size}

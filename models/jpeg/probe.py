"""What kind of file this is and how large its picture, found out before anything is decoded."""

import struct
from dataclasses import dataclass

from models.errors import ImageTooLarge, UnreadableImage, UnsupportedImage
from models.jpeg.header import JpegHeader, read_header
from models.jpeg.limits import MAX_ARITHMETIC_BYTES, MAX_BYTES, TRY_ANOTHER, check_dimensions
from models.jpeg.sizes import SIZE_READERS

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
        size = SIZE_READERS[kind](data)
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

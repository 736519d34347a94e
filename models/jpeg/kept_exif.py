"""The part of a photograph's EXIF block that may leave the studio: how it was taken, never where or by whose camera."""

import struct
import warnings
import zlib

from PIL import Image

CAMERA_TAGS = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x8298: "Copyright",
}
PHOTOGRAPH_TAGS = {
    0x829A: "ExposureTime",
    0x829D: "FNumber",
    0x8822: "ExposureProgram",
    0x8827: "ISOSpeedRatings",
    0x9003: "DateTimeOriginal",
    0x9204: "ExposureBiasValue",
    0x9207: "MeteringMode",
    0x9209: "Flash",
    0x920A: "FocalLength",
    0xA405: "FocalLengthIn35mmFilm",
    0xA433: "LensMake",
    0xA434: "LensModel",
}
"""Everything else goes: place, thumbnail, maker's notes, serial numbers, and the orientation, which is applied."""

_PHOTOGRAPH_IFD = 0x8769
LONGEST_TEXT = 2000


def kept_exif(exif: bytes | None) -> bytes | None:
    """Copy the tags named above into a fresh block.

    Args:
        exif: a file's own block, a TIFF structure with or without the "Exif" prefix; untrusted.

    Returns:
        A TIFF structure without prefix, or None where nothing is left to keep or the block is damaged.
    """
    if not exif:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of damage that it can read around
            return _copied(exif)
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        SyntaxError,
        OverflowError,
        ZeroDivisionError,
        struct.error,
    ):
        return None


def _copied(exif: bytes) -> bytes | None:
    found, fresh = Image.Exif(), Image.Exif()
    found.load(exif if exif.startswith(b"Exif\0\0") else b"Exif\0\0" + exif)
    inner = found.get_ifd(_PHOTOGRAPH_IFD)
    for tag in CAMERA_TAGS.keys() & found.keys():
        if _is_sound(found[tag]):
            fresh[tag] = found[tag]
    kept = {tag: inner[tag] for tag in PHOTOGRAPH_TAGS if tag in inner and _is_sound(inner[tag])}
    if kept:
        fresh[_PHOTOGRAPH_IFD] = kept
    return fresh.tobytes().removeprefix(b"Exif\0\0") if len(fresh) else None


def _is_sound(value: object) -> bool:
    """Numbers and texts of ordinary length."""
    if isinstance(value, (str, bytes)):
        return len(value) <= LONGEST_TEXT
    return not isinstance(value, (tuple, dict))


def png_with_exif(png: bytes, exif: bytes) -> bytes:
    """Put an eXIf chunk into a PNG file without touching its pixels.

    Args:
        png: a whole file, as models.png_files.write_png makes it.
        exif: a TIFF structure without prefix.

    Raises:
        ValueError: the file is no PNG.
    """
    header_end = 8 + 4 + 4 + 13 + 4
    if png[:8] != b"\x89PNG\r\n\x1a\n" or len(png) < header_end:
        raise ValueError("not a PNG file")
    kind = b"eXIf"
    check = struct.pack(">I", zlib.crc32(kind + exif))
    return png[:header_end] + struct.pack(">I", len(exif)) + kind + exif + check + png[header_end:]

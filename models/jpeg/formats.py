"""FORMATS: the kinds of picture files that are opened; what names, offers, finds or knows them is made from it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_GRAY = ("1", "L", "LA", "La", "I;16", "I;16L", "I;16B")
_COLOR = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr")


@dataclass(frozen=True)
class FileFormat:
    """One kind of file.

    Attributes:
        name: as Pillow calls it.
        suffixes: of file names, in lower case, with the dot.
        signature: a regular expression that the first bytes match.
        modes: of Pillow, in which its pictures arrive and can be taken.
        title: as people call it, "" where that is the name.
    """

    name: str
    suffixes: tuple[str, ...]
    signature: bytes
    modes: tuple[str, ...]
    title: str = ""


FORMATS = (
    FileFormat("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), rb"\xff\xd8", ("L", "RGB", "CMYK")),
    FileFormat("PNG", (".png",), rb"\x89PNG\r\n\x1a\n", (*_GRAY, "P", "RGB", "RGBA")),
    FileFormat("WEBP", (".webp",), rb"RIFF.{4}WEBP", ("L", "RGB", "RGBA", "RGBX"), "WebP"),
    FileFormat("TIFF", (".tif", ".tiff"), rb"II\*\0|MM\0\*", (*_GRAY, *_COLOR)),
    FileFormat("BMP", (".bmp",), rb"BM", ("1", "L", "P", "RGB", "RGBA", "RGBX")),
    FileFormat("GIF", (".gif",), rb"GIF8[79]a", ("1", "L", "LA", "P", "RGB", "RGBA")),
)
TRAINING_FORMATS = (*FORMATS, FileFormat("AVIF", (".avif",), rb".{4}ftypavi[fs]", ("RGB", "RGBA")))
"""Photographs of one's own to train with: nobody else's files go through the decoder of AVIF."""


def format_of(data: bytes) -> FileFormat | None:
    """The kind of file that begins like this; None for all others."""
    return next((known for known in FORMATS if re.match(known.signature, data, re.DOTALL)), None)


def suffixes_of(formats: Iterable[FileFormat]) -> tuple[str, ...]:
    """Endings of file names, in lower case."""
    return tuple(suffix for known in formats for suffix in known.suffixes)


SUFFIXES = suffixes_of(FORMATS)
TITLES = [known.title or known.name for known in FORMATS]
NAMES = f"{', '.join(TITLES[:-1])} and {TITLES[-1]}"
"""For sentences: "JPEG, PNG ... and GIF"."""
MODES = {known.name: known.modes for known in FORMATS}
GRAY_MODES = _GRAY

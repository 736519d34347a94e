"""Results of a batch as files: lossless PNGs that say in themselves what they were made of, whole or not there.

Nothing else remembers what is done. A run that was killed at any moment leaves finished pictures, each with its record,
and at most one unfinished hidden file beside them.
"""

import io
import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

from models.images import RgbImage
from models.jpeg import JpegImage
from models.jpeg.density import png_with_density
from models.jpeg.kept_exif import kept_exif, png_with_exif
from models.jpeg.metadata import is_of_rgb

KEYWORD = "Restoration"
"""Of the PNG text chunk that holds the record, as JSON."""
COMPRESS_LEVEL = 1
_RECORD_BEGINS = KEYWORD.encode() + b'\0{"facts'
_LAST_CHUNK = b"\0\0\0\0IEND\xaeB`\x82"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def result_png(
    pixels: RgbImage, image: JpegImage, record: Mapping[str, Any], *, keep_exif: bool, keep_icc: bool
) -> bytes:
    """A result as the bytes of a PNG file; equal arguments give equal bytes.

    Args:
        pixels: (rows, columns, 3) uint8, restored.
        image: the photograph; transparency, print resolution, and what is to be kept, come from it.
        record: what the result was made of, ready for JSON.
        keep_exif: take over the tags named in models.jpeg.kept_exif.
        keep_icc: the pixels are in the colours of the photograph's own profile, which goes along.
    """
    icc = image.icc_profile if keep_icc else None
    text = PngImagePlugin.PngInfo()
    text.add_text(KEYWORD, json.dumps(record, sort_keys=True, allow_nan=False))
    buffer = io.BytesIO()
    stored = _channels(pixels, image, gray=image.is_gray and not (icc and _is_rgb_profile(icc)))
    Image.fromarray(stored).save(
        buffer, "PNG", compress_level=COMPRESS_LEVEL, pnginfo=text, **({"icc_profile": icc} if icc else {})
    )
    png = png_with_density(buffer.getvalue(), image.density)
    exif = kept_exif(image.exif) if keep_exif else None
    return png_with_exif(png, exif) if exif else png


def record_in(path: Path) -> dict[str, Any] | None:
    """The record of a result; None where there is no such file, a cut one, or one that this program did not write."""
    try:
        with path.open("rb") as file:
            file.seek(-len(_LAST_CHUNK), os.SEEK_END)
            if file.read() != _LAST_CHUNK:
                return None
        with Image.open(path, formats=("PNG",)) as picture:
            record = json.loads(picture.info[KEYWORD])
    except (OSError, KeyError, TypeError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return record if isinstance(record, dict) else None


def is_result(path: Path) -> bool:
    """True for a PNG with a record, cut off behind it or not: one that this program wrote and may replace."""
    try:
        with path.open("rb") as file:
            if file.read(len(_SIGNATURE)) != _SIGNATURE:
                return False
            while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
                body = file.tell()
                if head[4:] == b"tEXt" and file.read(len(_RECORD_BEGINS)) == _RECORD_BEGINS:
                    return True
                file.seek(body + struct.unpack(">I", head[:4])[0] + 4)
    except OSError:
        pass
    return False


def _channels(pixels: RgbImage, image: JpegImage, *, gray: bool) -> NDArray[np.uint8]:
    """(rows, columns) or (rows, columns, 2..4) uint8: one channel for gray, and transparency where there was any."""
    color = pixels[..., 0] if gray else pixels
    if image.alpha is None or image.alpha.shape != pixels.shape[:2]:
        return np.ascontiguousarray(color)
    return np.dstack([color, image.alpha])


def _is_rgb_profile(icc_profile: bytes) -> bool:
    """Some programs give gray pictures a profile of RGB; a PNG with it must hold RGB."""
    return is_of_rgb(ImageCms.getOpenProfile(io.BytesIO(icc_profile)))

"""EXIF rotation and colour profiles: what turns a file's own pixels into upright sRGB."""

import io
import struct
from collections.abc import Container
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from models.images import RgbImage

_ORIENTATION = 0x0112
_NUMBERS = {1: "B", 3: "H", 4: "I", 5: "II", 6: "b", 8: "h", 9: "i", 10: "ii"}
"""Types of a TIFF structure by their numbers: BYTE, SHORT, LONG, RATIONAL, and the same with signs."""
MAX_PROFILE_BYTES = 4 * 2**20
_SAME_COLORS = 2
"""Grey levels; a profile that moves no colour further is sRGB under another name."""
_STRIP_ROWS = 512


def exif_orientation(exif: bytes | None) -> int:
    """The orientation tag of an EXIF block, 1..8, of whatever type; 1 where it is missing, damaged or outside that.

    Args:
        exif: a TIFF structure, with or without the "Exif" prefix.
    """
    orientation = exif_numbers(exif, {_ORIENTATION}).get(_ORIENTATION, 1)
    return int(orientation) if orientation in range(1, 9) else 1


def exif_numbers(exif: bytes | None, tags: Container[int]) -> dict[int, float]:
    """The first value of tags in the first directory of an EXIF block; those that are no sound numbers are left out.

    Any whole-number type is taken, as readers of EXIF do, and fractions.

    Args:
        exif: a TIFF structure, with or without the "Exif" prefix; untrusted.
        tags: which.
    """
    found: dict[int, float] = {}
    block = (exif or b"").removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return found
    try:
        (directory,) = struct.unpack_from(order + "I", block, 4)
        (entries,) = struct.unpack_from(order + "H", block, directory)
        for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, kind, count = struct.unpack_from(order + "HHI", block, entry)
            if tag in tags and tag not in found and kind in _NUMBERS and count:
                value = _first_value(block, order, entry, _NUMBERS[kind], count)
                if value is not None:
                    found[tag] = value
    except struct.error:
        pass
    return found


def _first_value(block: bytes, order: str, entry: int, code: str, count: int) -> float | None:
    """The first value of a tag, which lies in the entry itself where all of them fit in there."""
    place = entry + 8
    if count * struct.calcsize(order + code) > 4:
        (place,) = struct.unpack_from(order + "I", block, place)
    try:
        first, *denominator = struct.unpack_from(order + code, block, place)
    except struct.error:  # it lies outside the block
        return None
    if not denominator:
        return first
    return first / denominator[0] if denominator[0] else None


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn a picture as its EXIF orientation asks for.

    Args:
        pixels: (rows, columns) or (rows, columns, channels).
        orientation: 1..8, see exif_orientation.

    Returns:
        The turned picture in contiguous memory; the same object for orientation 1.
    """
    if orientation == 1:
        return pixels
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def upright_place(
    row: int, column: int, size: tuple[int, int], whole: tuple[int, int], orientation: int
) -> tuple[int, int]:
    """Where the top left corner of a rectangle lies once its picture is upright.

    Args:
        row, column: of its top left corner before.
        size: its rows and columns before.
        whole: the picture's rows and columns before.
        orientation: 1..8, see exif_orientation.
    """
    if orientation >= 5:
        row, column = column, row
        size, whole = (size[1], size[0]), (whole[1], whole[0])
    if orientation in (3, 4, 7, 8):
        row = whole[0] - row - size[0]
    if orientation in (2, 3, 6, 7):
        column = whole[1] - column - size[1]
    return row, column


@lru_cache(maxsize=8)
def profile_transform(icc_profile: bytes | None, mode: str) -> tuple[ImageCms.ImageCmsTransform | None, str]:
    """What converts pixels of a colour profile to sRGB.

    Args:
        icc_profile: the profile as the file holds it, or None.
        mode: "RGB", "L" or "CMYK", what the file's pixels are.

    Returns:
        (transform, note): the transform to RGB, or None where there is nothing to convert; the note is for
        people, and empty where there is no profile or it is sRGB already.
    """
    if not icc_profile:
        return None, ""
    if len(icc_profile) > MAX_PROFILE_BYTES:
        return None, "colour profile ignored, it is larger than 4 MB; colours are taken as sRGB"
    try:
        source = ImageCms.getOpenProfile(io.BytesIO(icc_profile))
        name = ImageCms.getProfileDescription(source).strip() or "its own profile"
        if mode == "L" and is_of_rgb(source):
            mode = "RGB"  # gray pictures of some programs carry an RGB profile
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode != "CMYK" and _keeps_colors(transform, mode):
            return None, ""
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None, "colour profile ignored, it is damaged or of another kind; colours are taken as sRGB"
    return transform, f"colours converted from {name[:60]} to sRGB"


def is_of_rgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Whether a color profile is one of RGB; some programs give such a one to gray pictures."""
    opened = profile.profile
    return isinstance(opened, ImageCms.core.CmsProfile) and opened.xcolor_space.strip() == "RGB"


def _keeps_colors(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    if mode == "L":
        colors = levels[None]
        expected = np.repeat(colors[..., None], 3, axis=2)
    else:
        colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
        expected = colors
    converted = np.asarray(ImageCms.applyTransform(Image.fromarray(colors), transform))
    return int(np.abs(converted.astype(int) - expected).max()) <= _SAME_COLORS


def cmyk_to_rgb(picture: Image.Image, transform: ImageCms.ImageCmsTransform | None) -> RgbImage:
    """Convert a CMYK picture to sRGB by its colour profile, or by the plain formula where it has none.

    Args:
        picture: in mode CMYK.
        transform: from profile_transform(..., "CMYK"), or None.

    Returns:
        (rows, columns, 3) uint8.
    """
    if transform is None:
        return np.array(picture.convert("RGB"))
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    for top in range(0, picture.height, _STRIP_ROWS):
        strip = picture.crop((0, top, picture.width, min(top + _STRIP_ROWS, picture.height)))
        pixels[top : top + _STRIP_ROWS] = np.asarray(ImageCms.applyTransform(strip, transform))
    return pixels


def to_srgb(pixels: RgbImage, icc_profile: bytes, *, is_gray: bool) -> RgbImage:
    """Convert RGB pixels from a file's colour profile to sRGB; unchanged where the profile asks for nothing.

    Args:
        pixels: (rows, columns, 3) uint8; three nearly equal channels where the file stores gray.
        icc_profile: the file's profile.
        is_gray: True where the file stores gray: every channel then follows the profile's gray curve.
    """
    transform, _ = profile_transform(icc_profile, "L" if is_gray else "RGB")
    if transform is None:
        return pixels
    if is_gray:
        ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None]).convert(transform.input_mode)
        curve = np.asarray(ImageCms.applyTransform(ramp, transform))[0, :, 1]  # (256,)
        return curve[pixels]
    converted = np.empty_like(pixels)
    for top in range(0, len(pixels), _STRIP_ROWS):
        strip = Image.fromarray(pixels[top : top + _STRIP_ROWS])
        converted[top : top + _STRIP_ROWS] = np.asarray(ImageCms.applyTransform(strip, transform))
    return converted

"""Reading PNG, WebP, TIFF, BMP and GIF: pictures without a JPEG header, brought to 8-bit RGB with notes."""

import io

import numpy as np
from PIL import Image

from models.errors import RestorationError, UnreadableImage, UnsupportedImage
from models.jpeg.image import JpegImage
from models.jpeg.limits import TRY_ANOTHER, check_dimensions
from models.jpeg.metadata import exif_orientation, profile_transform, upright
from models.jpeg.probe import ImageFacts

_GRAY_MODES = ("1", "L", "LA", "La", "I;16", "I;16L", "I;16B")
_TIFF_BITS_PER_SAMPLE = 258


def read_other(data: bytes, facts: ImageFacts) -> JpegImage:
    """Open a picture that is no JPEG.

    Args:
        data: the whole file.
        facts: what probe() found.

    Raises:
        UnreadableImage, UnsupportedImage, ImageTooLarge: with a message for people.
    """
    try:
        picture = Image.open(io.BytesIO(data), formats=(facts.format,))
        check_dimensions(picture.height, picture.width)
        bits = _bits_per_sample(picture, facts)
        icc_profile, exif = _metadata(picture)
        picture.load()
        return _converted(data, facts.format, picture, bits, icc_profile, exif)
    except RestorationError:
        raise
    except Exception as problem:  # decoders raise anything on damaged files; to people it is all the same
        raise UnreadableImage(
            f"This {facts.format} file is damaged and cannot be decoded. Only whole files can be read. "
            f"{TRY_ANOTHER}"
        ) from problem


def _metadata(picture: Image.Image) -> tuple[bytes | None, bytes | None]:
    icc_profile, exif = picture.info.get("icc_profile"), picture.info.get("exif")
    return (icc_profile if isinstance(icc_profile, bytes) and icc_profile else None), (
        exif if isinstance(exif, bytes) and exif else None
    )


def _bits_per_sample(picture: Image.Image, facts: ImageFacts) -> int:
    if facts.bits is not None:
        return facts.bits
    if facts.format == "TIFF":
        bits = picture.tag_v2.get(_TIFF_BITS_PER_SAMPLE, 1)
        return max(bits) if isinstance(bits, tuple) else int(bits)
    return 8


def _converted(
    data: bytes, kind: str, picture: Image.Image, bits: int, icc_profile: bytes | None, exif: bytes | None
) -> JpegImage:
    notes = []
    if picture.mode in ("I", "F") or bits > 16:
        numbers = "floating-point numbers" if picture.mode == "F" else "whole numbers"
        raise UnsupportedImage(
            f"This {kind} picture stores its samples as {numbers} of {bits} bits. Whole numbers of up to 16 "
            "bits are supported. Convert it to 8 bits in another program first."
        )
    if bits == 16:
        notes.append("16-bit converted to 8-bit")
    is_gray = picture.mode in _GRAY_MODES
    transform_mode = "CMYK" if picture.mode == "CMYK" else "L" if is_gray else "RGB"
    transform, note = profile_transform(icc_profile, transform_mode) if icc_profile else (None, "")
    if picture.mode == "CMYK":
        notes.append("CMYK converted to RGB")
        transform, note = None, ""
    notes += [note] if note else []
    # Pillow's TIFF reader has turned the picture upright by itself.
    orientation = 1 if kind == "TIFF" else exif_orientation(exif)
    if orientation != 1:
        notes.append("EXIF rotation applied")
    pixels, alpha = _pixels_and_alpha(picture)
    if getattr(picture, "is_animated", False):
        notes.append("only the first picture of this file is used")
    return JpegImage(
        data=data,
        decoded_pixels=pixels,
        format=kind,
        is_gray=is_gray,
        alpha=None if alpha is None else upright(alpha, orientation),
        exif=exif,
        icc_profile=icc_profile,
        orientation=orientation,
        profile_applies=transform is not None,
        notes=tuple(notes),
    )


def _pixels_and_alpha(picture: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """((rows, columns, 3) uint8 RGB, (rows, columns) uint8 or None) of a loaded picture of any mode."""
    if picture.mode.startswith("I;16"):
        deep = np.asarray(picture).astype(np.uint32)
        gray = ((deep * 255 + 32767) // 65535).astype(np.uint8)
        return np.repeat(gray[..., None], 3, axis=2), None
    if picture.has_transparency_data:
        rgba = np.asarray(picture.convert("RGBA"))
        return np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3])
    return np.array(picture.convert("RGB")), None

"""Reading all formats but JPEG: pictures without a JPEG header, brought to 8-bit RGB with notes."""

import io
from contextlib import nullcontext

import numpy as np
from PIL import Image

from models.errors import RestorationError, UnreadableImage, UnsupportedImage
from models.images import RgbImage
from models.jpeg.damage import DAMAGED, heard, is_damaged
from models.jpeg.density import density_in_exif, density_in_info
from models.jpeg.formats import GRAY_MODES, MODES
from models.jpeg.image import JpegImage
from models.jpeg.limits import TRY_ANOTHER, check_dimensions
from models.jpeg.metadata import cmyk_to_rgb, exif_orientation, profile_transform, upright
from models.jpeg.probe import ImageFacts
from models.jpeg.tiff_tags import jpeg_streams

ONLY_FIRST = "only the first picture of this file is used"

_DEEP_GRAY_MODES = ("I;16", "I;16L", "I;16B")


def read_other(data: bytes, facts: ImageFacts) -> JpegImage:
    """Open a picture that is no JPEG.

    Args:
        data: the whole file.
        facts: what probe() found.

    Raises:
        UnreadableImage, UnsupportedImage, ImageTooLarge: with a message for people.
        MemoryError: the file may be sound.
    """
    try:
        picture = Image.open(io.BytesIO(data), formats=(facts.format,))
        check_dimensions(picture.height, picture.width)  # what the decoder believes counts, too
        _check_mode(picture, facts)
        # Pillow's TIFF reader turns the picture upright by itself, but not its density.
        lies = picture.getexif().get(0x0112, 1) if facts.format == "TIFF" else 1
        complaints: list[str] = []
        # libtiff prints what it complains of, in words of its own, and nothing else is at work here.
        with heard(complaints, ("",)) if facts.format == "TIFF" else nullcontext():
            picture.load()
        damaged = complaints or (facts.format == "TIFF" and is_damaged(jpeg_streams(data)))
        return _converted(data, facts, picture, lies, [DAMAGED] if damaged else [])
    except (RestorationError, MemoryError):
        raise
    except Exception as problem:  # decoders raise anything on damaged files; to people it is all the same
        raise UnreadableImage(
            f"This {facts.format} file is damaged and cannot be decoded. Only whole files can be read. "
            f"{TRY_ANOTHER}"
        ) from problem


def _check_mode(picture: Image.Image, facts: ImageFacts) -> None:
    if picture.mode in MODES[facts.format]:
        return
    numbers = {"F": "as floating-point numbers", "I": "as whole numbers", "LAB": "in the Lab colour space"}
    raise UnsupportedImage(
        f"This {facts.format} picture stores its samples {numbers.get(picture.mode, 'in a rare way')}, "
        f"{facts.bits} bits each. Gray, RGB and CMYK of up to 16 bits are supported. "
        "Convert it to 8-bit RGB in another program first."
    )


def _converted(
    data: bytes, facts: ImageFacts, picture: Image.Image, lies: int, damage: list[str]
) -> JpegImage:
    notes = []
    exif = _bytes_of(picture, "exif")
    icc_profile = _bytes_of(picture, "icc_profile")
    is_gray = picture.mode in GRAY_MODES
    transform, note = profile_transform(icc_profile, _profile_mode(picture.mode))
    # Pillow's TIFF reader has turned the picture upright by itself.
    orientation = 1 if facts.format == "TIFF" else exif_orientation(exif)
    density = density_in_info(picture.info) or density_in_exif(exif)
    if facts.bits == 16:
        notes.append("16-bit converted to 8-bit")
    if facts.several or (facts.format != "GIF" and getattr(picture, "is_animated", False)):
        notes.append(ONLY_FIRST)
    if orientation != 1:
        notes.append("EXIF rotation applied")
    if picture.mode == "CMYK":
        notes.append("CMYK converted to RGB")
        pixels, alpha = cmyk_to_rgb(picture, transform), None
    else:
        pixels, alpha = _pixels_and_alpha(picture)
    notes += [*([note] if note else []), *damage]
    return JpegImage(
        data=data,
        decoded_pixels=pixels,
        format=facts.format,
        is_gray=is_gray,
        alpha=None if alpha is None else upright(alpha, orientation),
        exif=exif,
        icc_profile=icc_profile,
        orientation=orientation,
        profile_applies=transform is not None and picture.mode != "CMYK",
        notes=tuple(notes),
        density=density.turned(max(orientation, lies if isinstance(lies, int) else 1)) if density else None,
    )


def _bytes_of(picture: Image.Image, key: str) -> bytes | None:
    block = picture.info.get(key)
    return block.removeprefix(b"Exif\0\0") or None if isinstance(block, bytes) else None


def _profile_mode(mode: str) -> str:
    if mode == "CMYK":
        return mode
    return "L" if mode in GRAY_MODES else "RGB"


def _pixels_and_alpha(picture: Image.Image) -> tuple[RgbImage, np.ndarray | None]:
    """((rows, columns, 3) uint8 RGB, (rows, columns) uint8 or None) of a loaded picture that is not CMYK."""
    if picture.mode in _DEEP_GRAY_MODES:
        deep = np.asarray(picture).astype(np.uint32)
        gray = ((deep * 255 + 32767) // 65535).astype(np.uint8)
        return np.repeat(gray[..., None], 3, axis=2), None
    if picture.has_transparency_data:
        rgba = np.asarray(picture.convert("RGBA"))
        return np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3])
    return np.array(picture.convert("RGB")), None

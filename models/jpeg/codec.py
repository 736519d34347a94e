"""From file bytes to a JpegImage and from pixels to file bytes; Pillow with libjpeg-turbo does both."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from models.errors import ImageTooLarge, InvalidSetting, UnreadableImage
from models.images import RgbImage
from models.jpeg.coefficients import missing_reader_note
from models.jpeg.damage import damage_notes, finished
from models.jpeg.density import density_in_jpeg
from models.jpeg.header import JpegHeader, decodable_stream
from models.jpeg.image import JpegImage
from models.jpeg.limits import TRY_ANOTHER
from models.jpeg.metadata import cmyk_to_rgb, exif_orientation, profile_transform
from models.jpeg.other_formats import ONLY_FIRST, read_other
from models.jpeg.probe import probe
from models.jpeg.tables import check_quality_factor

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
LARGEST_SIDE = 65500


@dataclass(frozen=True)
class Save:
    """One save as JPEG.

    Attributes:
        quality_factor: 1..100.
        subsampling: "4:4:4", "4:2:2" or "4:2:0"; has no effect on pictures saved as gray.
        grid_shift: rows and columns trimmed off the top and left before this save, 0..7 each.

    Raises:
        InvalidSetting: for anything outside that.
    """

    quality_factor: int
    subsampling: str = "4:2:0"
    grid_shift: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "quality_factor", check_quality_factor(self.quality_factor))
        if self.subsampling not in SUBSAMPLINGS:
            raise InvalidSetting(
                f"The chroma subsampling is {self.subsampling!r}. {', '.join(SUBSAMPLINGS)} are allowed. "
                "Choose one of them; 4:2:0 is what most cameras and websites use."
            )
        shift = self.grid_shift
        sound = isinstance(shift, (tuple, list)) and len(shift) == 2
        if not sound or any(isinstance(trim, bool) or trim not in range(8) for trim in shift):
            raise InvalidSetting(
                f"The grid shift is {shift!r}. Two whole numbers from 0 to 7, rows and columns, are allowed. "
                "Choose 0 and 0 for no shift, 4 and 4 for half a block."
            )
        object.__setattr__(self, "grid_shift", (int(shift[0]), int(shift[1])))


def encode(pixels: RgbImage, encoding: Save, *, gray: bool = False) -> JpegImage:
    """Save pixels as JPEG and open the result.

    Args:
        pixels: (rows, columns, 3) uint8, or (rows, columns) uint8 for gray.
        encoding: how; its grid shift is trimmed off first.
        gray: save the first of three equal channels as a gray JPEG.

    Raises:
        InvalidSetting: nothing is left after trimming.
        ImageTooLarge: a side longer than JPEG allows.
    """
    return read(save(trimmed(pixels, encoding.grid_shift), encoding, gray=gray))


def trimmed(pixels: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
    """The picture without its first rows and columns, as a view.

    Raises:
        InvalidSetting: nothing is left.
    """
    rest = pixels[shift[0] :, shift[1] :]
    if 0 in rest.shape:
        raise InvalidSetting(
            f"A grid shift of {shift[0]} rows and {shift[1]} columns leaves nothing of a picture of "
            f"{pixels.shape[1]} x {pixels.shape[0]} pixels. The shift must be smaller than the picture. "
            "Choose a smaller shift or a larger picture."
        )
    return rest


def save(pixels: np.ndarray, encoding: Save, *, gray: bool = False) -> bytes:
    """The bytes of a JPEG file; trims nothing.

    Args:
        pixels: (rows, columns, 3) uint8, or (rows, columns) uint8 for gray.
        encoding: quality factor and subsampling are used.
        gray: save the first of three equal channels as a gray JPEG.

    Raises:
        ImageTooLarge: a side longer than JPEG allows.
        ValueError: pixels of another shape or type.
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise ValueError(f"expected (rows, columns[, 3]) uint8, got {pixels.shape} {pixels.dtype}")
    if max(pixels.shape[:2]) > LARGEST_SIDE:
        raise ImageTooLarge(
            f"The picture is {pixels.shape[1]} x {pixels.shape[0]} pixels and cannot be saved as JPEG. "
            f"Up to {LARGEST_SIDE} pixels per side are allowed. Crop it or keep the file as it is."
        )
    plane_only = gray and pixels.ndim == 3
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if plane_only else pixels))
    subsampling = encoding.subsampling if picture.mode == "RGB" else -1
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=encoding.quality_factor, subsampling=subsampling)
    return buffer.getvalue()


def read(data: bytes) -> JpegImage:
    """Open a picture file.

    Args:
        data: the whole file: JPEG, PNG, WebP, TIFF, BMP or GIF.

    Raises:
        UnreadableImage, UnsupportedImage, ImageTooLarge: with a message for people.
        MemoryError: the file may be sound.
    """
    facts = probe(data)
    if facts.jpeg is None:
        return read_other(data, facts)
    return _read_jpeg(data, facts.jpeg)


def _read_jpeg(data: bytes, header: JpegHeader) -> JpegImage:
    stream = finished(decodable_stream(data, header), header)
    picture = _decoded(stream, header)
    orientation = exif_orientation(header.exif)
    transform, note = profile_transform(header.icc_profile, picture.mode)
    density = density_in_jpeg(header.density, header.exif)
    notes = []
    if header.several:
        notes.append(ONLY_FIRST)
    if orientation != 1:
        notes.append("EXIF rotation applied")
    if picture.mode == "CMYK":
        notes.append(f"{header.color_model} converted to RGB")
        pixels = cmyk_to_rgb(picture, transform)
    elif picture.mode == "L":
        pixels = np.repeat(np.asarray(picture)[..., None], 3, axis=2)
    else:
        pixels = np.array(picture)
    notes += filter(None, (note, missing_reader_note(header)))
    notes += damage_notes(stream, header, pixels)
    return JpegImage(
        data=data,
        decoded_pixels=pixels,
        format="JPEG",
        header=header,
        is_gray=header.color_model == "gray",
        exif=header.exif,
        icc_profile=header.icc_profile,
        orientation=orientation,
        profile_applies=transform is not None and picture.mode != "CMYK",
        notes=tuple(notes),
        density=density.turned(orientation) if density else None,
    )


def _decoded(stream: bytes, header: JpegHeader) -> Image.Image:
    """Decode a stream without metadata; of a truncated one, what is there."""
    try:
        return _loaded(stream)
    except MemoryError:
        raise
    except Exception as problem:  # decoders raise anything on damaged files; to people it is all the same
        raise _undecodable(header) from problem


def _loaded(stream: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(stream), formats=("JPEG",))
    # All in one piece: libjpeg's arithmetic decoder cannot wait in the middle for the next piece.
    picture.decodermaxblock = max(len(stream), picture.decodermaxblock)
    picture.load()
    return picture


def _undecodable(header: JpegHeader) -> UnreadableImage:
    return UnreadableImage(
        f"The picture data of this {header.columns} x {header.rows} JPEG is damaged and cannot be decoded. "
        f"Whole files, and files that merely end too early, are supported. {TRY_ANOTHER}"
    )

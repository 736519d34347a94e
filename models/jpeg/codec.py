"""From file bytes to a JpegImage; Pillow with libjpeg-turbo decodes."""

import io

import numpy as np
from PIL import Image

from models.errors import UnreadableImage
from models.jpeg.coefficients import missing_reader_note
from models.jpeg.damage import damage_notes, finished
from models.jpeg.density import density_in_jpeg
from models.jpeg.header import JpegHeader, decodable_stream
from models.jpeg.image import JpegImage
from models.jpeg.limits import TRY_ANOTHER
from models.jpeg.metadata import cmyk_to_rgb, exif_orientation, profile_transform
from models.jpeg.other_formats import ONLY_FIRST, read_other
from models.jpeg.probe import probe


def read(data: bytes) -> JpegImage:
    """Open a picture file.

    Args:
        data: the whole file, of one of models.jpeg.formats.FORMATS.

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

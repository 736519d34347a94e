"""The forward model: how a clean picture is broken, and the breaking itself."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from models.errors import InvalidSetting
from models.images import RgbImage
from models.jpeg.codec import JpegEncoding, encode, save, trimmed
from models.jpeg.image import JpegImage
from models.jpeg.tables import QuantizationTable, quantization_tables

SMALLEST_RESIZE, LARGEST_RESIZE = 0.1, 4.0


@dataclass(frozen=True)
class Degradation:
    """One or more saves as JPEG, one after the other.

    Attributes:
        encodings: at least one.
        resize_between: factor by which the picture is resized after the first save, 0.1..4, or None.

    Raises:
        InvalidSetting: no save, a factor outside its range, or a resize with nothing saved after it.
    """

    encodings: tuple[JpegEncoding, ...]
    resize_between: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "encodings", tuple(self.encodings))
        if not self.encodings:
            raise InvalidSetting(
                "The degradation has no save at all. At least one save as JPEG is needed. Add one, or "
                "keep the file as it is."
            )
        factor = self.resize_between
        if factor is None:
            return
        if not SMALLEST_RESIZE <= factor <= LARGEST_RESIZE:
            raise InvalidSetting(
                f"The resize factor is {factor!r}. Factors from {SMALLEST_RESIZE} to {LARGEST_RESIZE:g} are "
                "allowed. Choose one of them, such as 0.5 for half the width and height."
            )
        if len(self.encodings) < 2:
            raise InvalidSetting(
                f"The picture is to be resized by {factor:g} between two saves, but there is only one save. "
                "At least two saves are needed for that. Add a second save or switch the resize off."
            )

    @property
    def total_shift(self) -> tuple[int, int]:
        """Rows and columns that all saves together trim off the top and left, if nothing is resized."""
        rows = sum(encoding.grid_shift[0] for encoding in self.encodings)
        return rows, sum(encoding.grid_shift[1] for encoding in self.encodings)


@dataclass(frozen=True, eq=False)
class Degraded:
    """What a degradation made.

    Attributes:
        image: the picture after its last save.
        reference: the original trimmed and resized in the same way, but never saved: (rows, columns, 3) uint8
            of the same size as image.pixels, for comparing pixel by pixel.
    """

    image: JpegImage
    reference: RgbImage


def degrade(pixels: RgbImage, degradation: Degradation, *, gray: bool = False) -> Degraded:
    """Break a clean picture.

    Args:
        pixels: (rows, columns, 3) uint8, or (rows, columns) uint8 for gray.
        degradation: the saves.
        gray: save the first of three equal channels as gray JPEG.

    Raises:
        InvalidSetting: a grid shift leaves nothing of the picture.
        ImageTooLarge: a side longer than JPEG allows.
    """
    reference = pixels
    current = pixels
    *earlier, last = degradation.encodings
    for i, encoding in enumerate(earlier):
        reference = trimmed(reference, encoding.grid_shift)
        current = _opened(save(trimmed(current, encoding.grid_shift), encoding, gray=gray))
        if i == 0 and degradation.resize_between is not None:
            reference = resized(reference, degradation.resize_between)
            current = resized(current, degradation.resize_between)
    reference = trimmed(reference, last.grid_shift)
    if reference.ndim == 2:
        reference = np.repeat(reference[..., None], 3, axis=2)
    return Degraded(encode(current, last, gray=gray), np.ascontiguousarray(reference))


def degrade_pixels(
    pixels: RgbImage, degradation: Degradation, *, gray: bool = False
) -> tuple[RgbImage, QuantizationTable, QuantizationTable | None]:
    """Break a small crop quickly: the same pixels as degrade(), without a JpegImage around them.

    Args:
        pixels: (rows, columns, 3) uint8, or (rows, columns) uint8 for gray.
        degradation: the saves; the result lacks its total_shift at the top and left.
        gray: save the first of three equal channels as gray JPEG.

    Returns:
        (pixels, luma table, chroma table): (rows, columns, 3) uint8 and two (8, 8) int64 tables of the last
        save, read-only; the chroma table is None for gray.
    """
    current = pixels
    for i, encoding in enumerate(degradation.encodings):
        if i == 1 and degradation.resize_between is not None:
            current = resized(current, degradation.resize_between)
        current = _saved_and_opened(trimmed(current, encoding.grid_shift), encoding, gray=gray)
    luma_table, chroma_table = quantization_tables(degradation.encodings[-1].quality_factor)
    if current.ndim == 3:
        return current, luma_table, chroma_table
    return np.repeat(current[..., None], 3, axis=2), luma_table, None


def _saved_and_opened(pixels: np.ndarray, encoding: JpegEncoding, *, gray: bool) -> np.ndarray:
    """The same pixels as _opened(save(...)), in half the time: both call libjpeg-turbo, Pillow with detours."""
    import cv2  # late: who only opens files needs none of it

    if gray or pixels.ndim == 2:
        plane = pixels[..., 0] if pixels.ndim == 3 else pixels
        _, file = cv2.imencode(
            ".jpg", np.ascontiguousarray(plane), [cv2.IMWRITE_JPEG_QUALITY, encoding.quality_factor]
        )
        return _decoded(file, cv2.IMREAD_GRAYSCALE)
    how = [
        cv2.IMWRITE_JPEG_QUALITY,
        encoding.quality_factor,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{encoding.subsampling.replace(':', '')}"),
    ]
    _, file = cv2.imencode(".jpg", cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2BGR), how)
    return _decoded(file, cv2.IMREAD_COLOR_RGB)


def _decoded(file: np.ndarray, how: int) -> np.ndarray:
    import cv2

    pixels = cv2.imdecode(file, how)
    assert pixels is not None  # it was encoded just now
    return pixels


def _opened(data: bytes) -> np.ndarray:
    """(rows, columns, 3) uint8, or (rows, columns) for gray, of a JPEG that save() wrote."""
    return np.array(Image.open(io.BytesIO(data), formats=("JPEG",)))


def resized(pixels: np.ndarray, factor: float) -> np.ndarray:
    """(rows, columns, ...) uint8 -> the same, so many times as tall and wide, by a Lanczos filter."""
    size = max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor))
    return np.array(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.LANCZOS))

"""The forward model: how a clean picture is broken, by hand or at random, and the breaking itself."""

import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from models.errors import InvalidSetting
from models.images import RgbImage
from models.jpeg.codec import Save, encode, save, trimmed
from models.jpeg.image import JpegImage
from models.jpeg.tables import QuantizationTable, check_quality_factor, quantization_tables

SMALLEST_RESIZE, LARGEST_RESIZE = 0.1, 4.0
RESIZED_BETWEEN = 0.5, 1.25


@dataclass(frozen=True)
class Degradation:
    """One or more saves as JPEG, one after the other.

    Attributes:
        encodings: at least one.
        resize_between: factor by which the picture is resized after the first save, 0.1..4, or None.

    Raises:
        InvalidSetting: no save, a factor outside its range, or a resize with nothing saved after it.
    """

    encodings: tuple[Save, ...]
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


def _saved_and_opened(pixels: np.ndarray, encoding: Save, *, gray: bool) -> np.ndarray:
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


def _described(default: Any, description: str, **limits: float) -> Any:
    """A dataclass field with its meaning and range as metadata: "description", "lowest", "highest"."""
    return field(default=default, metadata={"description": description, **limits})


_SHARE = {"lowest": 0, "highest": 1}


@dataclass(frozen=True)
class DegradationRange:
    """Which degradations occur and how often; the defaults favour strong compression and 4:2:0.

    What each field means and which values it takes stands in its metadata, from which forms are drawn.

    Raises:
        InvalidSetting: for anything outside that.
    """

    quality_factors: tuple[tuple[int, int, float], ...] = _described(
        ((5, 60, 0.8), (60, 95, 0.2)),
        "lowest, highest and weight of ranges; one is chosen by weight, then evenly within it",
    )
    subsamplings: tuple[tuple[str, float], ...] = _described(
        (("4:2:0", 0.8), ("4:4:4", 0.12), ("4:2:2", 0.08)), "name and weight, for every save on its own"
    )
    double_share: float = _described(0.35, "share of pictures saved twice", **_SHARE)
    shifted_share: float = _described(
        0.75, "share of those whose grid is shifted between the saves, by 0 to 7 rows and columns", **_SHARE
    )
    resized_share: float = _described(
        0.0,
        "share of those saved twice that are resized between the saves, to 0.5 to 1.25 of their size",
        **_SHARE,
    )
    gray_share: float = _described(0.05, "share of pictures to be saved as gray; see sample_gray", **_SHARE)

    def __post_init__(self) -> None:
        for lowest, highest, _ in self.quality_factors:
            if check_quality_factor(lowest) > check_quality_factor(highest):
                raise InvalidSetting(
                    f"A range of quality factors goes from {lowest} to {highest}. The first number must not "
                    "be the larger one. Exchange the two."
                )
        for name, _ in self.subsamplings:
            Save(50, name)  # raises for a name that is not allowed
        for what, choices in (("quality_factors", self.quality_factors), ("subsamplings", self.subsamplings)):
            weights = [choice[-1] for choice in choices]
            if not weights or min(weights) < 0 or not 0 < sum(weights) < float("inf"):
                raise InvalidSetting(
                    f"The weights of {what} are {weights}. They must be 0 or more, at least one above 0. "
                    "Correct them."
                )
        for what in ("double_share", "shifted_share", "resized_share", "gray_share"):
            if not 0 <= getattr(self, what) <= 1:
                raise InvalidSetting(
                    f"{what} is {getattr(self, what)!r}. Shares from 0 (never) to 1 (always) are allowed. "
                    "Correct it."
                )

    def sample(self, rng: np.random.Generator) -> Degradation:
        """Draw a degradation; the same generator state gives the same one."""
        first = self._encoding(rng, (0, 0))
        if rng.random() >= self.double_share:
            return Degradation((first,))
        shifted = rng.random() < self.shifted_share
        shift = (int(rng.integers(8)), int(rng.integers(8))) if shifted else (0, 0)
        encodings = (first, self._encoding(rng, shift))
        if self.resized_share and rng.random() < self.resized_share:
            return Degradation(encodings, float(rng.uniform(*RESIZED_BETWEEN)))
        return Degradation(encodings)

    def sample_gray(self, rng: np.random.Generator) -> bool:
        """Draw whether the picture is to be saved as gray."""
        return bool(rng.random() < self.gray_share)

    def _encoding(self, rng: np.random.Generator, grid_shift: tuple[int, int]) -> Save:
        lowest, highest, _ = _choice(self.quality_factors, rng)
        name, _ = _choice(self.subsamplings, rng)
        return Save(int(rng.integers(lowest, highest + 1)), name, grid_shift)


def _choice(choices: tuple[tuple, ...], rng: np.random.Generator) -> tuple:
    """One of the choices, by the weight that ends each."""
    mark = rng.random() * sum(choice[-1] for choice in choices)
    for choice in choices:
        mark -= choice[-1]
        if mark < 0:
            return choice
    return choices[-1]

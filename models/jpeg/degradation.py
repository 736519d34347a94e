"""The forward model: how a clean picture is degraded, step by step.

A step knows all of itself: what it does to pixels, and what it is called in a sentence, in a file name, in JSON and on
a command line. To add one, write a class here and its control in studio/session/form.py.
"""

import io
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from PIL import Image

from models.errors import ImageTooLarge, InvalidSetting
from models.images import RgbImage
from models.jpeg.codec import read
from models.jpeg.image import JpegImage
from models.jpeg.limits import MAX_PIXELS
from models.jpeg.tables import check_quality_factor

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
LARGEST_SIDE = 65500
SMALLEST_RESIZE, LARGEST_RESIZE = 0.1, 4.0
MAX_STEPS = 16
MAX_ENTRY_LETTERS = 200

STEPS: dict[str, type["Step"]] = {}
"""Every kind of step by its name; a class enters by being defined."""


class Step(ABC):
    """One thing that happens to a picture; subclasses are frozen dataclasses of plain values.

    Attributes:
        name: in JSON and on command lines.
        example: of its values as people write them on a command line, see from_text.
        keeps_grid: False where 8x8 blocks of earlier saves do not lie on whole pixels any more.
    """

    name: ClassVar[str]
    example: ClassVar[str]
    keeps_grid: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        STEPS[cls.name] = cls

    @abstractmethod
    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """(rows, columns, 3) uint8, or (rows, columns) for gray -> the degraded picture, likewise."""

    def apply_to_reference(self, pixels: np.ndarray) -> np.ndarray:
        """What becomes of the clean picture, so that it stays comparable pixel by pixel; nothing by default."""
        return pixels

    def result_size(self, rows: int, columns: int) -> tuple[int, int]:
        """Rows and columns of the result, at most; those of the picture by default."""
        return rows, columns

    @abstractmethod
    def words(self, *, again: bool = False) -> str:
        """What it does, as people say it; `again` where such a step was named before in the same sentence."""

    @abstractmethod
    def slug(self) -> str:
        """The same as part of a file name; different steps have different ones."""

    @classmethod
    @abstractmethod
    def from_text(cls, text: str) -> Self:
        """The step as people write it on a command line."""

    @classmethod
    def value_names(cls) -> tuple[str, ...]:
        """What its values are called in JSON."""
        return tuple(vars(cls)["__dataclass_fields__"])

    def as_json(self) -> dict[str, Any]:
        """Name and values; Degradation.from_json reads them back."""
        return {"step": self.name, **vars(self)}


@dataclass(frozen=True)
class Save(Step):
    """Save as JPEG, and open the file again.

    Attributes:
        quality_factor: 1..100.
        subsampling: "4:4:4", "4:2:2" or "4:2:0"; has no effect on pictures saved as gray.
        grid_shift: rows and columns trimmed off the top and left before this save, 0..7 each.

    Raises:
        InvalidSetting: for anything outside that.
    """

    name = "save"
    example = "30,4:2:0"

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

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        return np.array(Image.open(io.BytesIO(self.file_of(pixels)), formats=("JPEG",)))

    def apply_to_reference(self, pixels: np.ndarray) -> np.ndarray:
        """Without its first rows and columns, as a view.

        Raises:
            InvalidSetting: nothing is left.
        """
        rows, columns = self.grid_shift
        rest = pixels[rows:, columns:]
        if 0 in rest.shape:
            raise InvalidSetting(
                f"A grid shift of {rows} rows and {columns} columns leaves nothing of a picture of "
                f"{pixels.shape[1]} x {pixels.shape[0]} pixels. The shift must be smaller than the picture. "
                "Choose a smaller shift or a larger picture."
            )
        return rest

    def file_of(self, pixels: np.ndarray) -> bytes:
        """The bytes of the JPEG file, of what the grid shift leaves.

        Raises:
            InvalidSetting: nothing is left.
            ImageTooLarge: a side longer than JPEG allows.
            ValueError: pixels of another shape or type than (rows, columns[, 3]) uint8.
        """
        if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)):
            raise ValueError(f"expected (rows, columns[, 3]) uint8, got {pixels.shape} {pixels.dtype}")
        rest = self.apply_to_reference(pixels)
        if max(rest.shape[:2]) > LARGEST_SIDE:
            raise ImageTooLarge(
                f"The picture is {rest.shape[1]} x {rest.shape[0]} pixels and cannot be saved as JPEG. "
                f"Up to {LARGEST_SIDE} pixels per side are allowed. Crop it or keep the file as it is."
            )
        buffer = io.BytesIO()
        subsampling = self.subsampling if rest.ndim == 3 else -1
        picture = Image.fromarray(np.ascontiguousarray(rest))
        picture.save(buffer, format="JPEG", quality=self.quality_factor, subsampling=subsampling)
        return buffer.getvalue()

    def words(self, *, again: bool = False) -> str:
        text = f"{self.quality_factor} ({self.subsampling})"
        shift = "grid shifted by {} and {}".format(*self.grid_shift)
        if again:
            return f"then {text}, {shift}"
        return f"saved at quality {text}" + f", {shift}" * any(self.grid_shift)

    def slug(self) -> str:
        shift = "-shift{}x{}".format(*self.grid_shift) if any(self.grid_shift) else ""
        return f"qf{self.quality_factor}-{self.subsampling.replace(':', '')}{shift}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        quality, _, subsampling = text.partition(",")
        if not quality.strip().isdecimal():
            raise InvalidSetting(
                f"--recompress was given {text[:40]!r}. A quality factor from 1 to 100 is needed, and after a comma "
                f"one of {', '.join(SUBSAMPLINGS)} if you like. Write, for example, --recompress 30,4:2:0."
            )
        return cls(int(quality[:9]), subsampling.strip() or "4:2:0")

    def as_json(self) -> dict[str, Any]:
        """The values alone: what has no name is a save."""
        return {**vars(self), "grid_shift": list(self.grid_shift)}


@dataclass(frozen=True)
class Resize(Step):
    """Make the picture smaller or larger, as messengers do, by a Lanczos filter.

    Attributes:
        factor: so many times as tall and wide, 0.1..4.

    Raises:
        InvalidSetting: for anything outside that.
    """

    name = "resize"
    example = "50"
    keeps_grid = False

    factor: float

    def __post_init__(self) -> None:
        factor = self.factor
        is_number = isinstance(factor, (int, float)) and not isinstance(factor, bool)
        if not is_number or not SMALLEST_RESIZE <= factor <= LARGEST_RESIZE:
            raise InvalidSetting(
                f"The resize factor is {factor!r}. Factors from {SMALLEST_RESIZE} to {LARGEST_RESIZE:g} are "
                "allowed. Choose one of them, such as 0.5 for half the width and height."
            )
        object.__setattr__(self, "factor", float(factor))

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        rows, columns = self.result_size(*pixels.shape[:2])
        if rows * columns > MAX_PIXELS:
            raise ImageTooLarge(
                f"{self.words().capitalize()}, the picture would be {columns} x {rows} pixels, "
                f"{rows * columns / 1e6:.0f} megapixels. Up to {MAX_PIXELS // 10**6} megapixels are allowed. "
                "Choose a smaller resize or a smaller picture."
            )
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        return np.array(picture.resize((columns, rows), Image.Resampling.LANCZOS))

    def apply_to_reference(self, pixels: np.ndarray) -> np.ndarray:
        return self.apply(pixels)

    def result_size(self, rows: int, columns: int) -> tuple[int, int]:
        return max(1, round(rows * self.factor)), max(1, round(columns * self.factor))

    def words(self, *, again: bool = False) -> str:
        return f"resized to {100 * self.factor:g}%"

    def slug(self) -> str:
        return f"resized{self.factor!r}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        number = text.strip().removesuffix("%")
        if not number.isdecimal() or not 100 * SMALLEST_RESIZE <= int(number[:9]) <= 100 * LARGEST_RESIZE:
            raise InvalidSetting(
                f"The resize is {text[:40]!r}. Whole percents from {100 * SMALLEST_RESIZE:g} to "
                f"{100 * LARGEST_RESIZE:g} are allowed. Write, for example, resize=50 for half the width and height."
            )
        return cls(int(number) / 100)


@dataclass(frozen=True)
class Degradation:
    """What happens to a picture, step by step; the last step is a save.

    Raises:
        InvalidSetting: no save at the end, or more than MAX_STEPS.
    """

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        if not self.saves:
            raise InvalidSetting(
                "The degradation has no save at all. At least one save as JPEG is needed. Add one, or "
                "keep the file as it is."
            )
        if not isinstance(self.steps[-1], Save):
            raise InvalidSetting(
                f"Nothing is saved after the last step, {self.steps[-1].words()!r}. A degradation ends with a save as "
                "JPEG. Add a save, or leave that step out."
            )
        if len(self.steps) > MAX_STEPS:
            raise InvalidSetting(
                f"The degradation has {len(self.steps)} steps. Up to {MAX_STEPS} are allowed. Leave some out."
            )

    @property
    def saves(self) -> tuple[Save, ...]:
        """The steps that are saves."""
        return tuple(step for step in self.steps if isinstance(step, Save))

    @property
    def last_save(self) -> Save:
        """The save that made the file."""
        return self.saves[-1]

    @property
    def keeps_grid(self) -> bool:
        """True where the blocks of every save lie on whole pixels of the result."""
        return all(step.keeps_grid for step in self.steps)

    @property
    def total_shift(self) -> tuple[int, int]:
        """Rows and columns that all saves together trim off the top and left, where the grid is kept."""
        rows, columns = zip(*(save.grid_shift for save in self.saves), strict=True)
        return sum(rows), sum(columns)

    def reference(self, pixels: np.ndarray) -> np.ndarray:
        """The clean picture (rows, columns[, 3]) uint8 trimmed and resized like the degraded one, never saved."""
        for step in self.steps:
            pixels = step.apply_to_reference(pixels)
        return pixels

    def largest_pixels(self, rows: int, columns: int) -> int:
        """Pixels of the largest picture on the way from one of so many rows and columns."""
        largest = rows * columns
        for step in self.steps:
            rows, columns = step.result_size(rows, columns)
            largest = max(largest, rows * columns)
        return largest

    def words(self) -> str:
        """The steps as people say them, in one sentence without a full stop."""
        kinds = [type(step) for step in self.steps]
        return ", ".join(step.words(again=type(step) in kinds[:i]) for i, step in enumerate(self.steps))

    def slug(self) -> str:
        """The steps as part of a file name, such as "qf10-420_qf30-420-shift4x4"."""
        return "_".join(step.slug() for step in self.steps)

    def as_json(self) -> list[dict[str, Any]]:
        """The steps' values."""
        return [step.as_json() for step in self.steps]

    @classmethod
    def from_json(cls, value: object) -> Self:
        """What as_json() gave, or what somebody sent.

        Raises:
            InvalidSetting: with the sentence to show.
        """
        if not isinstance(value, (list, tuple)) or len(value) > MAX_STEPS:
            raise InvalidSetting(
                f"The steps are no list of up to {MAX_STEPS}. Such a list is needed. Send, for example, "
                '[{"quality_factor": 10}, {"step": "resize", "factor": 0.5}, {"quality_factor": 30}].'
            )
        return cls(tuple(_step_of(entry) for entry in value))


def _step_of(entry: object) -> Step:
    """One entry of a list of steps; what has no name is a save."""
    values = dict(entry) if isinstance(entry, Mapping) else {"step": ""}
    name = values.pop("step", Save.name)
    kind = STEPS.get(name) if isinstance(name, str) else None
    if kind is not None and set(values) <= set(kind.value_names()) and len(str(values)) < MAX_ENTRY_LETTERS:
        try:
            return kind(**values)
        except TypeError:  # a value is missing
            pass
    known = "; ".join(f"{name}: {', '.join(kind.value_names())}" for name, kind in STEPS.items())
    raise InvalidSetting(
        f"A step is {str(entry)[:40]}. Steps with their values are allowed: {known}. Correct it, such as "
        '{"step": "resize", "factor": 0.5}.'
    )


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
    """Degrade a clean picture.

    Args:
        pixels: (rows, columns, 3) uint8, or (rows, columns) uint8 for gray.
        degradation: the steps.
        gray: save the first of three equal channels as gray JPEG.

    Raises:
        InvalidSetting: a grid shift leaves nothing of the picture.
        ImageTooLarge: a side longer than JPEG allows, or more pixels than a picture may have.
    """
    current = first_channel(pixels) if gray else pixels
    for step in degradation.steps[:-1]:
        current = step.apply(current)
    reference = degradation.reference(pixels)
    if reference.ndim == 2:
        reference = np.repeat(reference[..., None], 3, axis=2)
    return Degraded(encode(current, degradation.last_save), np.ascontiguousarray(reference))


def encode(pixels: RgbImage, save: Save, *, gray: bool = False) -> JpegImage:
    """One save alone; see degrade() for the arguments and what is raised."""
    return read(save.file_of(first_channel(pixels) if gray else pixels))


def first_channel(pixels: np.ndarray) -> np.ndarray:
    """(rows, columns[, 3]) uint8 -> (rows, columns), the first of equal channels."""
    return pixels[..., 0] if pixels.ndim == 3 else pixels

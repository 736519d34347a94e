"""What every way of restoring a picture has in common: the Restorer protocol, its options and its result."""

from collections.abc import Hashable
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Protocol

from models.card import ModelCard
from models.errors import InvalidSetting
from models.images import RgbImage
from models.jpeg import JpegImage


@dataclass(frozen=True)
class Box:
    """Part of an upright picture, in shares of its height and width.

    Attributes:
        top, left, bottom, right: 0..1, top < bottom and left < right.
    """

    top: float
    left: float
    bottom: float
    right: float


@dataclass(frozen=True, eq=False)
class RestoredPart:
    """A rectangle of the upright picture as the network restored it, before the restorer's guard.

    Attributes:
        row, column: of its top left pixel.
        pixels: (rows, columns, 3) uint8.
    """

    row: int
    column: int
    pixels: RgbImage


class OnTile(Protocol):
    """Called after every tile; raising RestorationCancelled in it stops the run."""

    def __call__(self, done: int, total: int, part: RestoredPart | None = None) -> None:
        """Take note of `done` of `total` tiles, and what the last one shows, where that can be told so early."""
        ...


@dataclass(frozen=True, eq=False)
class Unfinished:
    """What a stopped restoration leaves, so that it can go on.

    Attributes:
        canvas: of models.canvas, which holds the finished tiles.
        tiles: those that are finished, as whoever restores numbers them.
        total: how many there are.
        seconds: that they took.
    """

    canvas: Any
    tiles: frozenset[Hashable]
    total: int
    seconds: float


Guidance = Literal["automatic", "tables", "pixels", "manual"]
"""What steers a network: its own choice, the file's tables as one quality factor, the pixels alone, or a number."""


Effort = Literal["quick", "standard", "best"]
"""How long a network may take: its first stage alone, all stages, or all stages of the picture's eight orientations."""


@dataclass(frozen=True)
class RestoreOptions:
    """How a picture is to be restored.

    Attributes:
        guidance: see Guidance; "pixels" ignores the file's quantization tables even where there are any.
        quality_factor: 1..100 with guidance "manual", otherwise None.
        stages: stop after that many stages; None leaves it to the effort.
        effort: see Effort; networks of one stage know no quick one.
        in_sight: what somebody looks at, to begin there; the result is the same.
        unfinished: of the same restorer, picture and options, to go on from there.

    Raises:
        InvalidSetting: a quality factor out of range, or one and another guidance than "manual".
    """

    guidance: Guidance = "automatic"
    quality_factor: int | None = None
    stages: int | None = None
    effort: Effort = "standard"
    in_sight: Box | None = field(default=None, compare=False)
    unfinished: Unfinished | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        factor = self.quality_factor
        if factor is None and self.guidance == "manual":
            raise InvalidSetting(
                "The guidance is manual, and there is no quality factor. Manual guidance needs one from 1 to 100. Give "
                "one, or choose another guidance."
            )
        if factor is not None and self.guidance != "manual":
            raise InvalidSetting(
                f"The quality factor is set to {factor}, and the guidance to {self.guidance}. One of the two can steer "
                "a model: a quality factor is manual guidance, blind is guidance by pixels. Leave one out."
            )
        if factor is not None and not 1 <= factor <= 100:
            raise InvalidSetting(
                f"The quality factor was set to {factor}. It lies between 1 and 100. "
                "Choose one in that range, or return to automatic."
            )

    @classmethod
    def of(
        cls,
        quality_factor: int | None = None,
        *,
        blind: bool = False,
        stages: int | None = None,
        effort: Effort = "standard",
    ) -> "RestoreOptions":
        """What commands and programs say: a quality factor set by hand, or that the file's tables are ignored."""
        automatic: Guidance = "automatic" if quality_factor is None else "manual"
        return cls("pixels" if blind else automatic, quality_factor, stages, effort)

    def as_json(self) -> dict[str, str | int | None]:
        """What the result depends on, by name."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.compare}

    @property
    def most_stages(self) -> int | None:
        """How many stages run at most; None for all."""
        return 1 if self.stages is None and self.effort == "quick" else self.stages

    @property
    def blind(self) -> bool:
        """Whether the file's quantization tables are ignored."""
        return self.guidance == "pixels"

    def steering_factor(self, image: JpegImage) -> int | None:
        """The quality factor that takes the place of what a network would choose: set by hand, or of the tables.

        Raises:
            InvalidSetting: the tables are to steer, and the picture has none that fit a quality factor.
        """
        if self.guidance != "tables":
            return self.quality_factor
        estimate = image.estimated_quality_factor
        if estimate is None:
            raise InvalidSetting(
                "This picture has no JPEG header, so there are no quantization tables to read a quality factor from. "
                "Files saved as JPEG have them. Choose another guidance, or save the picture once in step 2."
            )
        if estimate.quality_factor is None:
            raise InvalidSetting(
                "The file's quantization tables are non-standard, and no quality factor comes near them. "
                "Tables that resemble those of the JPEG standard (Annex K) have one. Choose another guidance."
            )
        return estimate.quality_factor


AUTOMATIC = RestoreOptions()


@dataclass(frozen=True, eq=False)
class Stage:
    """What one stage of a network produced.

    Attributes:
        name: for people, such as "stage 1".
        pixels: (rows, columns, 3) uint8, full size.
    """

    name: str
    pixels: RgbImage


@dataclass(frozen=True, eq=False)
class Restoration:
    """The outcome of one restorer on one picture.

    Attributes:
        pixels: (rows, columns, 3) uint8, same size as the input; the last stage's picture.
        unguarded: (rows, columns, 3) uint8, what the network gave before the restorer's guard (models.guard) held it to
            what the file proves; None where there was no network, or the guard changed nothing.
        predicted_quality_factor: 1..100 as the network estimates it from pixels alone, None where it does not.
        applied_quality_factor: what the network was really steered by, None where it is not steerable.
        stages: in order; empty for networks of one stage; the last stage's pixels equal `pixels`.
        seconds: wall-clock time of the restoration itself.
        steered_by: one sentence on what steered the run ("the file's quantization tables", both of two saves, "its own
            estimate of the quality factor", "quality factor 30 set by hand", "" for networks that are not steered).
        computed_by: runtime and precision of the network, such as "OpenVINO, float32"; "" where none ran.
    """

    pixels: RgbImage
    unguarded: RgbImage | None = None
    predicted_quality_factor: float | None = None
    applied_quality_factor: float | None = None
    stages: tuple[Stage, ...] = field(default=())
    seconds: float = 0.0
    steered_by: str = ""
    computed_by: str = ""


class Restorer(Protocol):
    """Anything that turns a degraded JpegImage into a Restoration."""

    @property
    def card(self) -> ModelCard:
        """What the model is called, needs and can do."""
        ...

    def restore(
        self, image: JpegImage, options: RestoreOptions = AUTOMATIC, on_tile: OnTile | None = None
    ) -> Restoration:
        """Restore the picture at full size.

        Args:
            image: the degraded picture; never changed.
            options: see RestoreOptions; what does not concern the model is ignored.
            on_tile: progress and cancellation, see OnTile.

        Raises:
            RestorationError: with a sentence for people.
        """
        ...

"""What every way of restoring a picture has in common: the Restorer protocol and its result."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from models.card import ModelCard
from models.images import RgbImage
from models.jpeg import JpegImage

OnTile = Callable[[int, int], None]
"""Called as on_tile(done, total) after every tile; raising RestorationCancelled in it stops the run."""


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
        condition: one sentence on what steered the run ("the file's quantization tables", both of two saves, "its own
            estimate of the quality factor", "quality factor 30 set by hand", "" for networks that are not steered).
    """

    pixels: RgbImage
    unguarded: RgbImage | None = None
    predicted_quality_factor: float | None = None
    applied_quality_factor: float | None = None
    stages: tuple[Stage, ...] = field(default=())
    seconds: float = 0.0
    condition: str = ""


class Restorer(Protocol):
    """Anything that turns a degraded JpegImage into a Restoration."""

    @property
    def card(self) -> ModelCard:
        """What the model is called, needs and can do."""
        ...

    def restore(
        self,
        image: JpegImage,
        *,
        quality_factor: int | None = None,
        blind: bool = False,
        stages: int | None = None,
        on_tile: OnTile | None = None,
    ) -> Restoration:
        """Restore the picture at full size.

        Args:
            image: the degraded picture; never changed.
            quality_factor: 1..100 to steer by hand, or None to let the network decide.
            blind: ignore the file's quantization tables even where there are any.
            stages: stop after that many stages; None runs all.
            on_tile: progress and cancellation, see OnTile.

        Raises:
            RestorationError: with a sentence for people.
        """
        ...

"""The Sweep tab's controls: choices, limits and defaults, and from raw values to a sweep.

Every value is checked again, because forms let anything through.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from models.baselines import PLAIN
from models.card import ModelCard
from models.errors import InvalidSetting
from studio.session.crop import Extent, SweptPicture
from studio.session.form import MAX_SHIFT, SUBSAMPLINGS, clipped, one_of, whole
from studio.sweep.sweeper import ByHandSweep, QualitySweep, Sweep, TwiceSweep

SweepKind = Literal["quality", "twice", "by_hand"]

MOST_CELLS_ACROSS = 20
MOST_MEGAPIXELS = 1000
"""Restored by one sweep, all its points together."""

MOST_KEPT_MEGAPIXELS = 100
"""The same where the pictures are kept to be looked at: 300 MB of memory."""


@dataclass(frozen=True)
class Control:
    """What a slider or a switch is drawn from, and its value checked against.

    Attributes:
        label: on the page.
        name: in sentences.
        low, high: of a slider.
        choices: of a switch, words and values.
    """

    label: str
    name: str
    low: int = 0
    high: int = 0
    choices: tuple[tuple[str, str], ...] = ()

    def checked(self, value: Any) -> Any:
        """The value.

        Raises:
            InvalidSetting: naming the control and what it takes.
        """
        if self.choices:
            return one_of(value, tuple(choice for _, choice in self.choices), self.name)
        return whole(value, self.low, self.high, self.name)


def _whole(default: int, low: int, high: int, label: str, name: str) -> Any:
    return field(default=default, metadata={"control": Control(label, name, low, high)})


def _choice(default: str, label: str, name: str, *choices: tuple[str, str]) -> Any:
    return field(default=default, metadata={"control": Control(label, name, choices=choices)})


@dataclass(frozen=True)
class SweepForm:
    """The Sweep tab's controls by name, as they arrived: untrusted.

    Attributes:
        extent: see studio.session.crop.Extent.
        kind: see SweepKind.
        lowest, highest, step: the quality factors of the sweep; `highest` is one of them only where the step meets it.
        subsampling: of every save.
        shift_rows, shift_columns: trimmed between two saves.
        file_quality: of the one save that a model is steered differently for.
        model_names: overlaid on plain decoding.
        model_name: compared with plain decoding where the picture is saved twice.
        steerable_name: steered by different qualities.
        reading_quality: where the curves are compared.
    """

    extent: Any = _choice(
        "crop",
        "Part of the picture",
        "The part of the picture",
        ("centre crop, 0.4 MP", "crop"),
        ("whole picture", "whole"),
    )
    kind: Any = _choice(
        "quality",
        "Kind of sweep",
        "The kind of sweep",
        ("Quality", "quality"),
        ("Saved twice", "twice"),
        ("Manual quality", "by_hand"),
    )
    lowest: Any = _whole(10, 1, 100, "Quality factors from", "The lowest quality factor")
    highest: Any = _whole(100, 1, 100, "Quality factors to", "The highest quality factor")
    step: Any = _whole(10, 1, 50, "In steps of", "The step between quality factors")
    subsampling: Any = _choice(
        "4:2:0", "Subsampling", "The colour subsampling", *((name, name) for name in SUBSAMPLINGS)
    )
    shift_rows: Any = _whole(4, 0, MAX_SHIFT, "Shift, rows", "The shift in rows")
    shift_columns: Any = _whole(4, 0, MAX_SHIFT, "Shift, columns", "The shift in columns")
    file_quality: Any = _whole(20, 1, 100, "Quality factor of the file", "The quality factor of the file")
    model_names: Any = ()
    model_name: Any = None
    steerable_name: Any = None
    reading_quality: Any = _whole(30, 1, 100, "Compare at quality factor", "The quality factor to compare at")

    def checked_extent(self) -> Extent:
        """How much of the picture is measured.

        Raises:
            InvalidSetting: naming the control and what it takes.
        """
        return CONTROLS["extent"].checked(self.extent)

    def checked_kind(self) -> SweepKind:
        """Which sweep is chosen."""
        return CONTROLS["kind"].checked(self.kind)

    def checked_reading(self) -> int:
        """Where the curves are compared."""
        return CONTROLS["reading_quality"].checked(self.reading_quality)

    def quality_factors(self) -> tuple[int, ...]:
        """Ascending."""
        lowest, highest, step = self._checked("lowest", "highest", "step")
        factors = tuple(range(lowest, highest + 1, step))
        if len(factors) < 2:
            raise InvalidSetting(
                f"From {lowest} to {highest} in steps of {step} there are {len(factors)} quality factors. A sweep "
                "needs at least 2. Move the two ends further apart, or take a smaller step."
            )
        return factors

    def sweep(self, cards: Sequence[ModelCard]) -> Sweep:
        """The chosen sweep.

        Args:
            cards: of every model, cheapest first.

        Raises:
            InvalidSetting: naming the control and what it takes.
        """
        factors = self.quality_factors()
        subsampling, kind = self._checked("subsampling", "kind")
        if kind == "quality":
            return QualitySweep(factors, subsampling, self._overlaid(cards))
        if kind == "twice":
            if len(factors) > MOST_CELLS_ACROSS:
                raise InvalidSetting(
                    f"There are {len(factors)} quality factors, so the map has {len(factors) ** 2} cells. Up to "
                    f"{MOST_CELLS_ACROSS} factors are allowed here. Take a larger step."
                )
            names = tuple(card.name for card in cards if card.name != PLAIN)
            rows, columns = self._checked("shift_rows", "shift_columns")
            return TwiceSweep(
                factors, subsampling, (rows, columns), one_of(self.model_name, names, "The model")
            )
        names = tuple(card.name for card in cards if card.steerable)
        name = one_of(self.steerable_name, names, "The model to be told a quality")
        (file_quality,) = self._checked("file_quality")
        return ByHandSweep(factors, subsampling, file_quality, name)

    def _checked(self, *names: str) -> list[Any]:
        return [CONTROLS[name].checked(getattr(self, name)) for name in names]

    def _overlaid(self, cards: Sequence[ModelCard]) -> tuple[str, ...]:
        """Plain decoding and the ticked models."""
        names = self.model_names
        if not isinstance(names, (list, tuple)):
            raise InvalidSetting(
                f"The models arrived as {clipped(names)}. A list of names is expected. Reload the page."
            )
        known = tuple(card.name for card in cards)
        ticked = {one_of(name, known, "The model") for name in names}
        if not ticked - {PLAIN}:
            raise InvalidSetting(
                "No model is ticked, so there is nothing to compare plain decoding with. Any number of them can be "
                "overlaid. Tick at least one."
            )
        return tuple(name for name in known if name in ticked | {PLAIN})


CONTROLS: dict[str, Control] = {
    part.name: part.metadata["control"] for part in fields(SweepForm) if "control" in part.metadata
}


def check_size(picture: SweptPicture, sweep: Sweep) -> None:
    """Refuse what would keep the machine busy for hours, or its memory full.

    Raises:
        InvalidSetting: more than MOST_MEGAPIXELS or MOST_KEPT_MEGAPIXELS.
    """
    count, most = len(sweep.jobs()), MOST_KEPT_MEGAPIXELS if sweep.keeps_pictures else MOST_MEGAPIXELS
    total = count * picture.megapixels
    if total > most:
        raise InvalidSetting(
            f"{count} restorations of {picture.megapixels:.1f} megapixels are {total:.0f} megapixels. Up to {most} are "
            "allowed in one sweep of this kind. Take the centre crop, fewer models or a larger step."
        )

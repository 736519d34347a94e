"""From the Sweep tab's raw form values to a sweep: every value is checked again, because forms let anything through."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

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
class SweepForm:
    """The Sweep tab's controls by name, as they arrived: untrusted.

    Attributes:
        extent: see studio.session.crop.Extent.
        kind: see SweepKind.
        lowest, highest, step: the quality factors of the sweep, 1..100; `highest` is one of them only where the step
            meets it.
        subsampling: of every save.
        shift_rows, shift_columns: trimmed between two saves, 0..7.
        file_quality: of the one save that a model is told different qualities of, 1..100.
        model_names: overlaid on plain decoding.
        model_name: compared with plain decoding where the picture is saved twice.
        steerable_name: told different qualities by hand.
        reading_quality: where the curves are compared, 1..100.
    """

    extent: Any = "crop"
    kind: Any = "quality"
    lowest: Any = 10
    highest: Any = 100
    step: Any = 10
    subsampling: Any = "4:2:0"
    shift_rows: Any = 4
    shift_columns: Any = 4
    file_quality: Any = 20
    model_names: Any = ()
    model_name: Any = None
    steerable_name: Any = None
    reading_quality: Any = 30

    def checked_extent(self) -> Extent:
        """How much of the picture is measured.

        Raises:
            InvalidSetting: naming the control and what it takes.
        """
        return one_of(self.extent, get_args(Extent), "The part of the picture")

    def checked_kind(self) -> SweepKind:
        """Which sweep is chosen.

        Raises:
            InvalidSetting: naming the control and what it takes.
        """
        return one_of(self.kind, get_args(SweepKind), "The kind of sweep")

    def checked_reading(self) -> int:
        """Where the curves are compared.

        Raises:
            InvalidSetting: naming the control and what it takes.
        """
        return whole(self.reading_quality, 1, 100, "The quality factor to compare at")

    def quality_factors(self) -> tuple[int, ...]:
        """Ascending.

        Raises:
            InvalidSetting: naming the control and what it takes.
        """
        lowest = whole(self.lowest, 1, 100, "The lowest quality factor")
        highest = whole(self.highest, 1, 100, "The highest quality factor")
        step = whole(self.step, 1, 50, "The step between quality factors")
        found = tuple(range(lowest, highest + 1, step))
        if len(found) < 2:
            raise InvalidSetting(
                f"From {lowest} to {highest} in steps of {step} there are {len(found)} quality factors. A sweep "
                "needs at least 2. Move the two ends further apart, or take a smaller step."
            )
        return found

    def sweep(self, cards: Sequence[ModelCard]) -> Sweep:
        """The chosen sweep.

        Args:
            cards: of every model, cheapest first.

        Raises:
            InvalidSetting: naming the control and what it takes.
        """
        factors = self.quality_factors()
        subsampling = one_of(self.subsampling, SUBSAMPLINGS, "The colour subsampling")
        kind = self.checked_kind()
        if kind == "quality":
            return QualitySweep(factors, subsampling, self._overlaid(cards))
        if kind == "twice":
            if len(factors) > MOST_CELLS_ACROSS:
                raise InvalidSetting(
                    f"There are {len(factors)} quality factors, so the map has {len(factors) ** 2} cells. Up to "
                    f"{MOST_CELLS_ACROSS} factors are allowed here. Take a larger step."
                )
            names = tuple(card.name for card in cards if card.name != PLAIN)
            return TwiceSweep(
                factors, subsampling, self._shift(), one_of(self.model_name, names, "The model")
            )
        names = tuple(card.name for card in cards if card.steerable)
        chosen = one_of(self.steerable_name, names, "The model to be told a quality")
        saved = whole(self.file_quality, 1, 100, "The quality factor of the file")
        return ByHandSweep(factors, subsampling, saved, chosen)

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

    def _shift(self) -> tuple[int, int]:
        return (
            whole(self.shift_rows, 0, MAX_SHIFT, "The shift in rows"),
            whole(self.shift_columns, 0, MAX_SHIFT, "The shift in columns"),
        )


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

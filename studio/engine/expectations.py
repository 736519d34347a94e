"""What a model can be expected to do for a picture, by what was measured of it: the best one, and those that harm."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from models.card import ModelCard
from models.errors import RestorationError
from models.file_cache import FileCache
from models.jpeg import Degradation, JpegImage
from models.plain_values import is_number
from models.zoo import WEIGHTS_FILE, Zoo
from training.evaluation.measured_models import MeasuredModel, measured_model
from training.evaluation.score_files import SCORES_FILE, Setting
from training.evaluation.scoring import DO_NOTHING

COLOR, GRAY = Setting("LIVE1"), Setting("LIVE1_gray", "gray")
MAX_SHARE_WORSE = 0.25
"""Of the pictures of the benchmark; a model that made more of them worse is said to harm, whatever its mean gain."""

EQUAL_DB = 0.05
"""Gains that differ by less are equal; then the cheaper model is recommended."""

QUALITY_WHERE_UNKNOWN = 50
"""By which a model is recommended where nobody knows how the picture was saved."""


@dataclass(frozen=True)
class Condition:
    """What of a picture decides how well a model does.

    Attributes:
        quality_factor: 1..100 of the save that did most harm; None where nothing tells it.
        is_gray: it has no color.
    """

    quality_factor: int | None
    is_gray: bool = False


@dataclass(frozen=True)
class Expectation:
    """The mean over a benchmark, between its quality factors interpolated.

    Attributes:
        gain_db: PSNR above that of plain decoding.
        share_worse: of the pictures that were worse than plain decoding, 0..1.
        data: name of the benchmark.
    """

    gain_db: float
    share_worse: float
    data: str

    @property
    def harms(self) -> bool:
        """Whether the model is better not used."""
        return self.gain_db < 0 or self.share_worse > MAX_SHARE_WORSE


Curve = tuple[tuple[int, Expectation], ...]
"""By quality factor, the lowest first."""


class Expectations:
    """Of the shipped models; what was trained here, or changed since it was measured, has none."""

    def __init__(self, zoo: Zoo) -> None:
        self._zoo = zoo
        self._curves: dict[Path, FileCache[dict[bool, Curve]]] = {}

    def of(self, card: ModelCard, condition: Condition) -> Expectation | None:
        """What a model does under a condition; None where it was not measured, or the quality is not known.

        What gray pictures gain is told of gray ones where the model was measured on some of about that quality.
        """
        if condition.quality_factor is None or not card.architecture:
            return None
        folder = self._zoo.folder_of(card.name)
        read = self._curves.setdefault(folder, FileCache(lambda: (_curves(folder, card), _files(folder))))
        factor, curves = condition.quality_factor, read()
        curve = curves.get(condition.is_gray, ())
        if not curve or not curve[0][0] <= factor <= curve[-1][0]:
            curve = curves.get(False, ())
        return _between(curve, factor) if curve else None

    def recommended(self, cards: Iterable[ModelCard], condition: Condition) -> ModelCard | None:
        """The measured model with the highest gain, or a cheaper one that is as good; None where none helps."""
        known = condition
        if condition.quality_factor is None:
            known = Condition(QUALITY_WHERE_UNKNOWN, condition.is_gray)
        measured = [(found, card) for card in cards if (found := self.of(card, known)) and not found.harms]
        if not measured:
            return None
        best = max(found.gain_db for found, _ in measured)
        as_good = [card for found, card in measured if found.gain_db >= best - EQUAL_DB]
        return min(as_good, key=lambda card: card.mmac_per_pixel)


def condition_of(image: JpegImage) -> Condition:
    """Of a picture as it enters the models; the file is judged, which takes about a second per 12 megapixels."""
    judgement, estimate = image.judgement, image.estimated_quality_factor
    coarser = judgement.coarser_save
    factor = coarser.quality_factor if coarser else None
    if factor is None and estimate is not None:
        factor = estimate.quality_factor
    return Condition(factor, judgement.neutral)


def told_condition(image: JpegImage, degradation: Degradation | None) -> Condition:
    """Of a picture by what its header, or what is done to it, tells: no pixel is looked at.

    Args:
        image: as it was opened.
        degradation: what is done to it; None leaves it as it is.
    """
    if degradation is not None:
        return Condition(min(save.quality_factor for save in degradation.saves), image.is_gray)
    estimate = image.estimated_quality_factor
    return Condition(estimate.quality_factor if estimate else None, image.is_gray)


def _files(folder: Path) -> list[Path]:
    return [folder / SCORES_FILE, folder / WEIGHTS_FILE]


def _curves(folder: Path, card: ModelCard) -> dict[bool, Curve]:
    """By whether the pictures were gray; nothing where the scores cannot be used."""
    try:
        measured = measured_model(folder, card)
    except (RestorationError, OSError):
        return {}
    return {gray: _curve(measured, setting) for gray, setting in {False: COLOR, True: GRAY}.items()}


def _curve(measured: MeasuredModel, setting: Setting) -> Curve:
    plain = measured.single_saves(setting, DO_NOTHING)
    points = {
        quality: Expectation(row["psnr_db"] - plain[quality]["psnr_db"], row["share_worse"], setting.data)
        for quality, row in measured.single_saves(setting).items()
        if quality in plain and is_number(row.get("share_worse"))
    }
    return tuple(sorted(points.items()))


def _between(curve: Curve, quality_factor: int) -> Expectation:
    """Interpolated; that of the nearest quality factor outside of what was measured."""
    if quality_factor <= curve[0][0]:
        return curve[0][1]
    for (low, one), (high, other) in pairwise(curve):
        if quality_factor <= high:
            share = (quality_factor - low) / (high - low)
            gain = one.gain_db + share * (other.gain_db - one.gain_db)
            worse = one.share_worse + share * (other.share_worse - one.share_worse)
            return Expectation(gain, worse, one.data)
    return curve[-1][1]

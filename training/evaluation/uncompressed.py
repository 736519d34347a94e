"""What restorers do to pictures that were never compressed, where the best they can do is nothing."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from models.jpeg import Save, encode
from models.network_restorer import NetworkRestorer
from models.restorer import Restorer
from training.evaluation.benchmarks import Case, comparable
from training.evaluation.metrics import Picture, decibels, mean_squared_error
from training.evaluation.scoring import Follow, Options, just_iterate

YARDSTICK = Save(95)

CONVENTION = (
    "Each picture is its own original, so plain decoding has an infinite PSNR and no change is small beside it. "
    "The change is therefore weighed against the error that saving the same picture at quality factor 95 makes: "
    "cost in dB = 10 log10(1 + mean squared change / mean squared error of that save), the mean over the "
    "pictures. 0.02 dB mean a change 23.4 dB below that save."
)


@dataclass(frozen=True)
class ChangeRow:
    """What one model changes in pictures that were never compressed.

    Attributes:
        model: its name.
        images: how many pictures.
        mean_squared_change: mean over the pictures, in squared grey levels.
        psnr_db: of that change; infinite where nothing is changed.
        largest_change: of any sample of any picture, in grey levels.
        share_unchanged: share of pictures without any change, 0..1.
        cost_db: see CONVENTION; 0 where nothing is changed.
        worst_cost_db, worst_image: the picture that suffers most.
        unguarded_largest_change: largest_change of what the network gave before the restorer's guard; None without a
            network.
        picture_changes: largest change in every picture by its name, in grey levels.
    """

    model: str
    images: int
    mean_squared_change: float
    psnr_db: float
    largest_change: int
    share_unchanged: float
    cost_db: float
    worst_cost_db: float
    worst_image: str
    unguarded_largest_change: int | None = None
    picture_changes: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The fields by name; None for an infinite number, which JSON does not know."""
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class _Change:
    name: str
    squared: float
    largest: int
    cost_db: float
    unguarded_largest: int | None


def score_uncompressed(
    restorer: Restorer,
    cases: Callable[[], Iterator[Case]],
    options: Options,
    *,
    follow: Follow = just_iterate,
) -> ChangeRow:
    """Hand pictures that were never compressed to a restorer as they are.

    Args:
        restorer: what to measure.
        cases: from training.evaluation.benchmarks.never_compressed.
        options: how.
        follow: see Follow.

    Raises:
        RestorationError: a picture or a setting that the restorer refuses.
    """
    name = restorer.card.name
    changes = [_change(restorer, case, options) for case in follow(cases(), f"{name}, never compressed")]
    worst = max(changes, key=lambda change: change.cost_db)
    mean_squared = float(np.mean([change.squared for change in changes]))
    unguarded = [change.unguarded_largest for change in changes if change.unguarded_largest is not None]
    return ChangeRow(
        model=name,
        images=len(changes),
        mean_squared_change=mean_squared,
        psnr_db=decibels(mean_squared),
        largest_change=max(change.largest for change in changes),
        share_unchanged=float(np.mean([change.largest == 0 for change in changes])),
        cost_db=float(np.mean([change.cost_db for change in changes])),
        worst_cost_db=worst.cost_db,
        worst_image=worst.name,
        unguarded_largest_change=max(unguarded, default=None),
        picture_changes={change.name: change.largest for change in changes},
    )


def _change(restorer: Restorer, case: Case, options: Options) -> _Change:
    image = case.image
    restoration = restorer.restore(image, options.restore)
    saved = encode(image.pixels, YARDSTICK, gray=image.is_gray)
    pixels, original, yardstick = (
        comparable(each, image, options.color) for each in (restoration.pixels, case.reference, saved.pixels)
    )
    squared, largest = mean_squared_error(pixels, original), _largest_difference(pixels, original)
    unguarded_largest = largest if isinstance(restorer, NetworkRestorer) else None
    if restoration.unguarded is not None:
        unguarded_largest = _largest_difference(
            comparable(restoration.unguarded, image, options.color), original
        )
    cost_db = _cost_db(squared, mean_squared_error(yardstick, original))
    return _Change(case.name, squared, largest, cost_db, unguarded_largest)


def _largest_difference(first: Picture, second: Picture) -> int:
    """Of any sample, in grey levels."""
    return round(float(np.abs(np.subtract(first, second, dtype=np.float64)).max()))


def _cost_db(squared_change: float, squared_error_of_save: float) -> float:
    if squared_change == 0:
        return 0.0
    if squared_error_of_save == 0:
        return math.inf
    return 10 * math.log10(1 + squared_change / squared_error_of_save)

"""DegradationRange: which degradations the network sees in training, and how often."""

from typing import Annotated

import numpy as np
from pydantic import StrictInt, StrictStr

from models.errors import InvalidSetting
from models.jpeg import Degradation, Resize, Save
from models.jpeg.tables import check_quality_factor
from training.config_text import LISTED, Entries, Number, Share, setting, settings

RESIZED_BETWEEN = 0.5, 1.25


@settings
class DegradationRange:
    """Which degradations occur and how often; the defaults favor strong compression and 4:2:0."""

    quality_factors: Entries[Annotated[tuple[StrictInt, StrictInt, Number], LISTED]] = setting(
        ((5, 60, 0.8), (60, 95, 0.2)),
        "lowest, highest and weight of ranges; one is chosen by weight, then evenly within it",
    )
    subsamplings: Entries[Annotated[tuple[StrictStr, Number], LISTED]] = setting(
        (("4:2:0", 0.8), ("4:4:4", 0.12), ("4:2:2", 0.08)), "name and weight, for every save on its own"
    )
    double_share: Share = setting(0.35, "share of pictures saved twice")
    shifted_share: Share = setting(
        0.75, "share of those whose grid is shifted between the saves, by 0 to 7 rows and columns"
    )
    resized_share: Share = setting(
        0.0, "share of those saved twice that are resized between the saves, to 0.5 to 1.25 of their size"
    )
    gray_share: Share = setting(0.05, "share of pictures to be saved as gray; see sample_gray")

    def __post_init__(self) -> None:
        try:
            for lowest, highest, _ in self.quality_factors:
                if check_quality_factor(lowest) > check_quality_factor(highest):
                    raise InvalidSetting(
                        f"A range of quality factors goes from {lowest} to {highest}. The first number must not "
                        "be the larger one. Exchange the two."
                    )
            for name, _ in self.subsamplings:
                Save(50, name)  # raises for a name that is not allowed
        except InvalidSetting as error:
            raise ValueError(str(error)) from None  # which pydantic collects
        for what, choices in (("quality_factors", self.quality_factors), ("subsamplings", self.subsamplings)):
            weights = [choice[-1] for choice in choices]
            if not weights or min(weights) < 0 or not 0 < sum(weights) < float("inf"):
                raise ValueError(
                    f"The weights of {what} are {weights}. They must be 0 or more, at least one above 0. "
                    "Correct them."
                )

    def sample(self, rng: np.random.Generator) -> Degradation:
        """Draw a degradation; the same generator state gives the same one."""
        first = self._save(rng, (0, 0))
        if rng.random() >= self.double_share:
            return Degradation((first,))
        shifted = rng.random() < self.shifted_share
        shift = (int(rng.integers(8)), int(rng.integers(8))) if shifted else (0, 0)
        second = self._save(rng, shift)
        if self.resized_share and rng.random() < self.resized_share:
            return Degradation((first, Resize(float(rng.uniform(*RESIZED_BETWEEN))), second))
        return Degradation((first, second))

    def sample_gray(self, rng: np.random.Generator) -> bool:
        """Draw whether the picture is to be saved as gray."""
        return bool(rng.random() < self.gray_share)

    def _save(self, rng: np.random.Generator, grid_shift: tuple[int, int]) -> Save:
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

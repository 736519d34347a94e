"""Two results of the same broken picture in random order, so that people judge by looking."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from threading import Event
from typing import Any

from models.errors import InvalidSetting
from models.images import RgbImage
from models.jpeg import Degradation, Save, degrade
from models.zoo import Zoo
from studio.engine.background import Progress, in_background, needs_turn
from studio.session.crop import SweptPicture
from studio.session.form import one_of
from training.evaluation.metrics import Measured, measure

QUALITY_FACTORS = (10, 15, 20, 30)
"""Low enough to see a difference."""


@dataclass(frozen=True, eq=False)
class Contestant:
    """One result.

    Attributes:
        title: of the model.
        pixels: (rows, columns, 3) uint8.
        metrics: against the original.
    """

    title: str
    pixels: RgbImage
    metrics: Measured


@dataclass(frozen=True, eq=False)
class BlindPair:
    """What is compared; kept on the server.

    Attributes:
        token: names the pair on the page; drawn at random.
        picture: what was broken.
        original: (rows, columns, 3) uint8.
        quality_factor: it was saved at.
        contestants: A and B.
        revealed: the names may be told.
    """

    token: str
    picture: SweptPicture
    original: RgbImage
    quality_factor: int
    contestants: tuple[Contestant, Contestant]
    revealed: bool = False

    @property
    def closer(self) -> str | None:
        """The pane, "a" or "b", with the higher PSNR; None where both have the same."""
        first, second = (one.metrics["psnr_db"] for one in self.contestants)
        return None if first == second else "a" if first > second else "b"

    def shown(self) -> "BlindPair":
        """The pair with its names."""
        return replace(self, revealed=True)


def checked_names(names: Sequence[Any], known: tuple[str, ...]) -> tuple[str, str]:
    """Two different models.

    Raises:
        InvalidSetting: with the sentence to show.
    """
    first, second = (one_of(name, known, "The method") for name in names)
    if first == second:
        raise InvalidSetting(
            f"{first} was chosen twice. Two different methods can be compared. Choose another for one of them."
        )
    return first, second


def new_pair(
    zoo: Zoo, picture: SweptPicture, names: tuple[str, str], random: Random
) -> Iterator[Progress | BlindPair]:
    """Break a picture and restore it with both models.

    Args:
        zoo: holds the models.
        picture: what to break.
        names: of the models.
        random: draws the quality factor and the order.

    Yields:
        Progress after every tile, and the pair at last; closing the generator ends the work within one tile.

    Raises:
        RestorationError: with a sentence for people.
    """
    quality_factor = random.choice(QUALITY_FACTORS)
    degraded = degrade(picture.pixels, Degradation((Save(quality_factor),)), gray=picture.is_gray)
    contestants = []
    for name in names:  # the order of the work, which can be watched, says nothing of the order on the page
        restorer = zoo.load(name)

        def work(on_tile: Any, restorer: Any = restorer) -> RgbImage:
            return restorer.restore(degraded.image, on_tile=on_tile).pixels

        in_turn = needs_turn(restorer.card, degraded.image)
        pixels = yield from in_background(name, work, Event(), in_turn=in_turn)
        metrics = measure(restored=pixels, reference=degraded.reference)
        contestants.append(Contestant(restorer.card.title, pixels, metrics))
    first, second = random.sample(contestants, 2)
    yield BlindPair(secrets.token_hex(8), picture, degraded.reference, quality_factor, (first, second))

"""The game of guessing a quality factor: a picture is saved at one that only the server knows."""

import secrets
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from models.jpeg import Degradation, Degraded, Save, degrade
from studio.session.crop import SweptPicture
from studio.session.form import whole

LOWEST, HIGHEST = 3, 97
FULL_POINTS, POINTS_PER_STEP = 100, 4
ROUNDS = 5
"""In one game."""


@dataclass(frozen=True, eq=False)
class GuessRound:
    """One picture to guess; kept on the server.

    Attributes:
        token: names the round on the page; drawn at random.
        picture: what was broken.
        degraded: the broken file.
        quality_factor: the truth.
        guess: None until somebody has guessed; the first guess stays.
    """

    token: str
    picture: SweptPicture
    degraded: Degraded
    quality_factor: int
    guess: int | None = None

    @property
    def error(self) -> int:
        """How far the guess is off."""
        assert self.guess is not None
        return abs(self.guess - self.quality_factor)

    @property
    def points(self) -> int:
        """What the guess earns, 0..FULL_POINTS."""
        return max(0, FULL_POINTS - POINTS_PER_STEP * self.error)

    def guessed(self, guess: Any) -> "GuessRound":
        """The round with a guess, unless it has one already.

        Args:
            guess: from the page, unchecked.

        Raises:
            InvalidSetting: where it is no quality factor.
        """
        return self if self.guess is not None else replace(self, guess=whole(guess, 1, 100, "The guess"))


def new_round(picture: SweptPicture, random: Random) -> GuessRound:
    """Save a picture at a quality factor nobody knows.

    Args:
        picture: what to break.
        random: draws the quality factor, every one from LOWEST to HIGHEST equally often.
    """
    quality_factor = random.randint(LOWEST, HIGHEST)
    degradation = Degradation((Save(quality_factor),))
    degraded = degrade(picture.pixels, degradation, gray=picture.is_gray)
    return GuessRound(secrets.token_hex(8), picture, degraded, quality_factor)

"""Outcome: what a run has come to, the same for trainer and page: its gain, whether it learned anything, in words."""

import math
from dataclasses import dataclass

from training.events import History

SMALLEST_GAIN_DB = 0.005
"""Less is told as +0.00, and is no gain."""

FEW_STEPS = 500
"""A run of fewer steps that learned nothing was most likely too short."""


@dataclass(frozen=True)
class Outcome:
    """What a run's best weights are worth.

    Attributes:
        gain_db: of the best validation over doing nothing; None where either is not known.
        learned: whether the best validation lies above doing nothing and above where the run began; None where there
            is nothing to compare, or no validation yet.
        sentence: for people, once the run has ended.
    """

    gain_db: float | None
    learned: bool | None
    sentence: str


def outcome_of(history: History) -> Outcome:
    """What the events of a run say of its worth."""
    begun = (history.nothing_db, history.first_db)
    gain, rise = (
        history.best_db - one if one is not None and math.isfinite(history.best_db) else None for one in begun
    )
    known = [one for one in (gain, rise) if one is not None]
    learned = all(one >= SMALLEST_GAIN_DB for one in known) if known else None
    return Outcome(gain, learned, _sentence(history, gain, rise, learned))


def _sentence(history: History, gain: float | None, rise: float | None, learned: bool | None) -> str:
    if not math.isfinite(history.best_db):
        return "Stopped before the first validation."
    count = f"{history.step:,} step{'s' * (history.step != 1)}"
    if learned is False and not history.finished:
        return f"After {count} it has learned nothing yet."
    if learned is False and history.step < FEW_STEPS:
        return f"Only {count} fitted into {_minutes(history.minutes)}: it learned nothing."
    if learned is False:
        than = "doing nothing" if gain is not None and gain < SMALLEST_GAIN_DB else "what it began with"
        return f"It learned nothing in {count}: no validation was better than {than}."
    ended = "Finished" if history.finished else "Stopped"
    if gain is None:
        return f"{ended}."
    began_trained = rise is not None and abs(gain - rise) >= SMALLEST_GAIN_DB
    beside = f", {rise:+.2f} dB over what it began with" if began_trained else ""
    return f"{ended}: {gain:+.2f} dB over doing nothing{beside}."


def _minutes(minutes: float) -> str:
    """As people say it."""
    if minutes < 1:
        seconds = round(minutes * 60)
        return f"{seconds} second{'s' * (seconds != 1)}"
    rounded = f"{minutes:.1f}".removesuffix(".0")
    return f"{rounded} minute{'s' * (rounded != '1')}"

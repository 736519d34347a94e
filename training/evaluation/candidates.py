"""Candidates: models that are measured, from checkpoints or from elsewhere, each loaded only when it is needed."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from models.card import read_card
from models.restorer import Restorer
from models.runtimes.names import RuntimeName
from models.zoo import CARD_FILE, Zoo
from training.evaluation.score_files import SCORES_FILE, ScoreFile, weights_of

DIGITS = 12

Scalar = str | int | float | None


@dataclass(frozen=True, eq=False)
class Candidate:
    """One model.

    Attributes:
        name: as on its card.
        weights: the beginning of the SHA-256 of its weights file, as it was found; "" without a network.
        load: makes it ready to run, with the weights that lie there now.
        open_scores: opens the file that keeps the scores of the weights that lie there now; None where there is none.
        facts: more about it for the rows of an analysis.
    """

    name: str
    weights: str
    load: Callable[[], Restorer]
    open_scores: Callable[[], ScoreFile] | None = None
    facts: Mapping[str, Scalar] = field(default_factory=dict)


def shipped(checkpoints: Path, name: str, device: str | None, runtime: RuntimeName = "pytorch") -> Candidate:
    """A checkpoint as it is shipped.

    Args:
        checkpoints: where it is.
        name: of the checkpoint.
        device, runtime: see Zoo. Every loading has a zoo of its own, so that memory is free again afterwards.

    Raises:
        BrokenCheckpoint: there are no weights, or no card.
    """
    folder = checkpoints / name

    def open_scores() -> ScoreFile:
        return ScoreFile(folder / SCORES_FILE, weights_of(folder, read_card(folder / CARD_FILE)))

    weights = open_scores().weights.sha256[:DIGITS]
    return Candidate(name, weights, lambda: Zoo(checkpoints, device, runtime=runtime).load(name), open_scores)


def from_checkpoints(zoo: Zoo, names: Sequence[str] = ()) -> list[Candidate]:
    """The zoo's models of the given names, or all its checkpoints; each is loaded once.

    Raises:
        RestorationError: a model that is not there or has no weights.
    """
    cards = {card.name: card for card in zoo.cards()}
    candidates = []
    for name in dict.fromkeys(names or [card.name for card in cards.values() if card.architecture]):
        if name not in cards:
            zoo.load(name)  # raises, and says which there are
        load = functools.partial(zoo.load, name)
        has_weights = bool(cards[name].architecture)
        candidates.append(
            replace(shipped(zoo.folder, name, None), load=load) if has_weights else Candidate(name, "", load)
        )
    return candidates

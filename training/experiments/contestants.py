"""Contestants: the models that an analysis compares, from checkpoints and from training runs that are not shipped."""

import functools
import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import BrokenCheckpoint
from models.restorer import Restorer
from models.zoo import Zoo
from training.evaluation.score_files import weights_of
from training.experiments.measurements import Scalar
from training.run import RunFolder

DIGITS = 12


@dataclass(frozen=True, eq=False)
class Contestant:
    """One model, loaded only when something is to be measured.

    Attributes:
        name: as on its card.
        weights: the beginning of the SHA-256 of its weights file; "" without a network.
        load: its restorer, the same at every call.
        facts: more about it for the rows of the analysis.
    """

    name: str
    weights: str
    load: Callable[[], Restorer]
    facts: Mapping[str, Scalar] = field(default_factory=dict)


def from_checkpoints(zoo: Zoo, names: Sequence[str] = ()) -> list[Contestant]:
    """The zoo's models of the given names, or all its checkpoints.

    Raises:
        RestorationError: a model that is not there or has no weights.
    """
    cards = {card.name: card for card in zoo.cards()}
    found = []
    for name in dict.fromkeys(names or [card.name for card in cards.values() if card.architecture]):
        if name not in cards:
            zoo.load(name)  # raises, and says which there are
        card = cards[name]
        weights = weights_of(zoo.folder / name, card).sha256[:DIGITS] if card.architecture else ""
        found.append(Contestant(name, weights, functools.partial(zoo.load, name)))
    return found


def from_run(run: RunFolder, device: str | None, facts: Mapping[str, Scalar]) -> Contestant:
    """The best weights of a training run, in half precision as a checkpoint would hold them.

    Args:
        run: one that has validated at least once.
        device: where it restores; None chooses.
        facts: see Contestant.
    """

    @functools.cache
    def load() -> Restorer:
        with tempfile.TemporaryDirectory() as folder:
            published = run.publish(Path(folder))
            return Zoo(Path(folder), device).load(published.name)

    return Contestant(run.folder.name, best_weights(run), load, facts)


def best_weights(run: RunFolder) -> str:
    """Contestant.weights of a run, which keeps them in a file of its own kind.

    Raises:
        BrokenCheckpoint: there is none.
    """
    try:
        return hashlib.sha256(run.best_path.read_bytes()).hexdigest()[:DIGITS]
    except OSError as error:
        raise BrokenCheckpoint(
            f"The weights {run.best_path} cannot be read ({error}). A run that has validated is needed. "
            "Train it longer, or leave it out."
        ) from error

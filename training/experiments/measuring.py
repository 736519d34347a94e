"""Request and score_missing(): what an analysis is asked to measure, and measuring what is not known yet."""

import functools
import hashlib
import tempfile
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from models.errors import BrokenCheckpoint, InvalidSetting
from models.restorer import Restorer
from models.zoo import Zoo
from training.evaluation.benchmarks import Case, Condition
from training.evaluation.candidates import DIGITS, Candidate, from_checkpoints
from training.evaluation.scoring import Options, score
from training.experiments.measurements import Measurements, Scalar
from training.run import RunFolder


@dataclass(frozen=True, eq=False)
class Request:
    """What the command line of the analyses asks for.

    Attributes:
        file: where the measurements are kept.
        data: the folder of clean pictures, or None.
        models: names to measure; empty for all checkpoints.
        limit: only the first so many pictures.
        quality_factors: to measure at; empty for the analysis's own.
        checkpoints: folder of models.
        runs: folder of training runs that are compared too.
        device: cpu, cuda, ...; None chooses.
    """

    file: Path
    data: Path | None
    checkpoints: Path
    runs: Path
    models: tuple[str, ...] = ()
    limit: int | None = None
    quality_factors: tuple[int, ...] = ()
    device: str | None = None

    def pictures(self) -> Path:
        """The folder of pictures.

        Raises:
            InvalidSetting: none was named.
        """
        if self.data is None:
            raise InvalidSetting(
                "No pictures were named. This analysis measures on a folder of clean pictures. Name one with "
                "--data, or draw what was measured before with --redraw."
            )
        return self.data

    def candidates(self, leaving_out: Container[str] = ()) -> list[Candidate]:
        """The checkpoints asked for, without names that are no checkpoints'."""
        names = [name for name in self.models if name not in leaving_out]
        return from_checkpoints(Zoo(self.checkpoints, self.device), names)


def scope_of(folder: Path, conditions: Sequence[Condition]) -> dict[str, Scalar]:
    """What the measurements of a set have in common: its name and how many pictures were used."""
    return {"data": folder.resolve().name, "pictures": sum(1 for _ in conditions[0].cases())}


def score_missing(
    measurements: Measurements,
    conditions: Iterable[tuple[Mapping[str, Scalar], Condition]],
    candidates: Sequence[Candidate],
) -> None:
    """Measure every candidate under every condition where that was not done with the same weights.

    Args:
        measurements: gains a row per candidate and condition, and one for plain decoding.
        conditions: each with the entries of a row that tell it from the others.
        candidates: what to measure.
    """
    for where, condition in conditions:
        missing = {
            each.name: each
            for each in candidates
            if not measurements.has({"model": each.name, "weights": each.weights, **where})
        }
        if not missing:
            continue
        restorers = [each.load() for each in missing.values()]
        for row in score([condition], restorers, Options(), follow=progress):
            candidate = missing.get(row.model)
            key = {"model": row.model, "weights": candidate.weights if candidate else "", **where}
            values = {**row.values, "gain_db": row.gain_db}
            measurements.add(key, values | dict(candidate.facts if candidate else {}))


def progress(cases: Iterable[Case], title: str) -> Iterable[Case]:
    """A progress bar over the pictures of one row; silent where nobody watches."""
    return tqdm(cases, title, leave=False, unit=" pictures", disable=None)


def from_run(run: RunFolder, device: str | None, facts: Mapping[str, Scalar]) -> Candidate:
    """The best weights of a training run, in half precision as a checkpoint would hold them.

    Args:
        run: one that has validated at least once.
        device: where it restores; None chooses.
        facts: see Candidate.
    """

    @functools.cache
    def load() -> Restorer:
        with tempfile.TemporaryDirectory() as folder:
            published = run.publish(Path(folder))
            return Zoo(Path(folder), device).load(published.name)

    return Candidate(run.folder.name, best_weights(run), load, facts=facts)


def best_weights(run: RunFolder) -> str:
    """Candidate.weights of a run, which keeps them in a file of its own kind.

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

"""Request and score_missing(): what an analysis is asked to measure, and measuring what is not known yet."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from models.errors import InvalidSetting
from models.zoo import Zoo
from training.evaluation.benchmarks import Case, Condition
from training.evaluation.scoring import Options, score
from training.experiments.contestants import Contestant, from_checkpoints
from training.experiments.measurements import Measurements, Scalar


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

    def contestants(self, leaving_out: Container[str] = ()) -> list[Contestant]:
        """The checkpoints asked for, without names that are no checkpoints'."""
        names = [name for name in self.models if name not in leaving_out]
        return from_checkpoints(Zoo(self.checkpoints, self.device), names)


def scope_of(folder: Path, conditions: Sequence[Condition]) -> dict[str, Scalar]:
    """What the measurements of a set have in common: its name and how many pictures were used."""
    return {"data": folder.resolve().name, "pictures": sum(1 for _ in conditions[0].cases())}


def score_missing(
    measurements: Measurements,
    conditions: Iterable[tuple[Mapping[str, Scalar], Condition]],
    contestants: Sequence[Contestant],
) -> None:
    """Measure every contestant under every condition where that was not done with the same weights.

    Args:
        measurements: gains a row per contestant and condition, and one for plain decoding.
        conditions: each with the entries of a row that tell it from the others.
        contestants: what to measure.
    """
    for where, condition in conditions:
        missing = {
            each.name: each
            for each in contestants
            if not measurements.has({"model": each.name, "weights": each.weights, **where})
        }
        if not missing:
            continue
        restorers = [each.load() for each in missing.values()]
        for row in score([condition], restorers, Options(), follow=progress):
            contestant = missing.get(row.model)
            key = {"model": row.model, "weights": contestant.weights if contestant else "", **where}
            values = {**row.values, "gain_db": row.gain_db}
            measurements.add(key, values | dict(contestant.facts if contestant else {}))


def progress(cases: Iterable[Case], title: str) -> Iterable[Case]:
    """A progress bar over the pictures of one row; silent where nobody watches."""
    return tqdm(cases, title, leave=False, unit=" pictures", disable=None)

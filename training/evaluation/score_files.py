"""Score files: what was measured of a checkpoint, by data set and by which weights; they lie beside the weights.

checkpoints/<name>/scores.json holds the scores of the shipped weights.
"""

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.bounded_reading import read_at_most
from models.card import ModelCard
from models.errors import BrokenCheckpoint
from models.files import write_text_atomically
from models.zoo import WEIGHTS_FILE
from training.evaluation import metrics
from training.evaluation.benchmarks import USUAL_SUBSAMPLING
from training.evaluation.metrics import Metric
from training.evaluation.scoring import COLOR_NOTES

LARGEST_SCORES_BYTES = 16 * 2**20
SCORES_FILE = "scores.json"


@dataclass(frozen=True)
class Setting:
    """On what, and how, models are measured.

    Attributes:
        data: name of the data set's folder.
        color, blind, stages: see training.evaluation.scoring.Options.
        self_ensemble: averaged over eight flips and rotations.
        limit: only so many pictures, None for all.
    """

    data: str
    color: str = "rgb"
    blind: bool = False
    self_ensemble: bool = False
    stages: int | None = None
    limit: int | None = None

    @property
    def key(self) -> str:
        """Names the setting within a score file, such as "LIVE1, rgb, with tables"."""
        parts = [self.data, self.color, "blind" if self.blind else "with tables"]
        parts += ["self-ensemble"] if self.self_ensemble else []
        parts += [f"{self.stages} stages"] if self.stages is not None else []
        parts += [f"first {self.limit} pictures"] if self.limit is not None else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Weights:
    """Which weights, in which network.

    Attributes:
        sha256: of weights.safetensors, in hexadecimal digits; of several such files one after the other.
        hyperparameters: of the network.
    """

    sha256: str
    hyperparameters: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Measurement:
    """What some weights achieved in a setting.

    Attributes:
        setting: on what and how.
        weights: by which weights.
        conventions: by which the values of each metric were computed, by Metric.name, see convention_of().
        rows: scoring.Row.as_json() of plain decoding ("none") and of the model, each with its "machine".
        never_compressed: uncompressed.ChangeRow.as_json() with its "machine"; None where not measured.
    """

    setting: Setting
    weights: Weights
    conventions: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[dict[str, Any], ...] = ()
    never_compressed: dict[str, Any] | None = None

    @property
    def is_current(self) -> bool:
        """Whether PSNR, by which everything is compared, was computed by the convention that holds now."""
        return not self.rows or self._holds(metrics.METRICS[0])

    @property
    def current_rows(self) -> list[dict[str, Any]]:
        """The rows without the values of metrics that had another convention."""
        outdated = [metric.name for metric in metrics.METRICS if not self._holds(metric)]
        rows = self.rows if self.is_current else ()
        return [{name: value for name, value in row.items() if name not in outdated} for row in rows]

    def conditions(self, wanted: Iterable[Metric] | None = None) -> set[str]:
        """Labels of the conditions that were measured, of networks with the restorer's guard and without.

        Args:
            wanted: metrics that must all be known; by default those that are not slow.
        """
        names = {metric.name for metric in (metrics.fast_metrics() if wanted is None else wanted)}
        return {row["condition"] for row in self.current_rows if tells_unguarded(row) and names <= row.keys()}

    def _holds(self, metric: Metric) -> bool:
        return self.conventions.get(metric.name) == convention_of(metric, self.setting.color)

    @property
    def tells_never_compressed(self) -> bool:
        """Whether pictures that were never compressed have been measured in the same two ways."""
        return self.never_compressed is not None and "unguarded_largest_change" in self.never_compressed

    def with_rows(self, rows: Iterable[Mapping[str, Any]]) -> "Measurement":
        """Rows of current metrics added, or put in the place of earlier ones, whose other metrics stay as they are.

        Quality factors come first, then other tables, then double saves.
        """
        merged = {(row["condition"], row["model"]): row for row in self.current_rows}
        conventions = dict(self.conventions)
        for row in rows:
            key = row["condition"], row["model"]
            merged[key] = {**merged.get(key, {}), **row}
            conventions |= present_conventions(self.setting.color, row)
        return replace(self, conventions=conventions, rows=tuple(sorted(merged.values(), key=_place)))


@dataclass(frozen=True, eq=False)
class Scores:
    """All of one score file.

    Attributes:
        measurements: by Setting.key.
    """

    measurements: dict[str, Measurement] = field(default_factory=dict)

    def of(self, weights: Weights) -> dict[str, Measurement]:
        """The measurements of these weights alone, by Setting.key."""
        return {key: entry for key, entry in self.measurements.items() if entry.weights == weights}

    def present(self, weights: Weights) -> dict[str, Measurement]:
        """Those of them by the convention that holds now."""
        return {key: entry for key, entry in self.of(weights).items() if entry.is_current}


def read_scores(path: Path) -> Scores:
    """Read a score file.

    Args:
        path: the file; where there is none, nothing has been measured.

    Raises:
        BrokenCheckpoint: it holds something else.
    """
    try:
        content = json.loads(read_at_most(path, LARGEST_SCORES_BYTES))
        return Scores({key: _measurement(entry) for key, entry in content["measurements"].items()})
    except FileNotFoundError:
        return Scores()
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as problem:
        raise BrokenCheckpoint(
            f"The scores in {path.parent.name}/{path.name} cannot be used ({type(problem).__name__}: {problem}). "
            'A mapping "measurements" of settings to what was measured is needed, as python -m training.evaluate '
            "writes it. Delete the file and measure again."
        ) from problem


def weights_of(folder: Path, card: ModelCard) -> Weights:
    """The weights that lie in a checkpoint's folder.

    Raises:
        BrokenCheckpoint: there are none.
    """
    paths = sorted(folder.glob(f"{Path(WEIGHTS_FILE).stem}*{Path(WEIGHTS_FILE).suffix}"))
    if not paths:
        raise BrokenCheckpoint(
            f"There are no weights in {folder.name}/. A file {WEIGHTS_FILE} is needed. Train the model, or take "
            "the folder out of the checkpoints."
        )
    stamps = tuple((path, path.stat().st_mtime_ns) for path in paths)
    return Weights(_sha256(stamps), json.loads(json.dumps(card.hyperparameters)))


class ScoreFile:
    """Where the scores of some weights are kept, written with every result so that interruptions cost little."""

    def __init__(self, path: Path, weights: Weights) -> None:
        """Read nothing yet.

        Args:
            path: scores.json of a checkpoint.
            weights: what is measured; results of other weights for the same setting are replaced.
        """
        self.path, self.weights = path, weights

    def found(self, setting: Setting) -> Measurement:
        """What was measured of these weights by the present convention of PSNR; without rows where nothing was."""
        found = read_scores(self.path).of(self.weights).get(setting.key)
        return found if found is not None and found.is_current else Measurement(setting, self.weights)

    def add(
        self,
        setting: Setting,
        *,
        rows: Iterable[Mapping[str, Any]] = (),
        never_compressed: dict[str, Any] | None = None,
    ) -> None:
        """Write results beside the earlier ones, or in their place; see Measurement.

        The file is read again right before, because others may have measured other data sets meanwhile.
        """
        scores, measurement = read_scores(self.path), self.found(setting).with_rows(rows)
        if never_compressed is not None:
            measurement = replace(measurement, never_compressed=never_compressed)
        write_text_atomically(self.path, _as_text(scores.measurements | {setting.key: measurement}))


def _measurement(entry: dict[str, Any]) -> Measurement:
    setting = Setting(**{each.name: entry[each.name] for each in fields(Setting)})
    rows = tuple(entry["rows"])
    for row in rows:
        if not isinstance(row["model"], str) or not isinstance(row["condition"], str):
            raise TypeError("a row without model and condition")
    never_compressed = entry["never_compressed"]
    if not isinstance(never_compressed, dict | None):
        raise TypeError("never_compressed is no mapping")
    conventions = (
        entry["conventions"] if "conventions" in entry else _split(entry["convention"], setting.color)
    )
    return Measurement(setting, Weights(**entry["weights"]), dict(conventions), rows, never_compressed)


def convention_of(metric: Metric, color: str) -> str:
    """Everything that decides a metric's values."""
    return f"{metric.convention} {COLOR_NOTES[color]}"


def present_conventions(color: str, names: Container[str]) -> dict[str, str]:
    """Of the metrics of these names."""
    return {metric.name: convention_of(metric, color) for metric in metrics.METRICS if metric.name in names}


def _split(convention: str, color: str) -> dict[str, str]:
    """By metric what earlier files said in one text, as far as it holds now."""
    note = COLOR_NOTES[color]
    told = [metric.name for metric in metrics.METRICS if f"{metric.convention} " in convention]
    return present_conventions(color, told if convention.endswith(note) else [])


def _as_text(measurements: Mapping[str, Measurement]) -> str:
    """A score file as JSON, one row per line, so that a change of one row is a change of one line."""
    entries = [f"  {_json(key)}: {_entry(measurements[key])}" for key in sorted(measurements)]
    return '{\n "measurements": {\n' + ",\n".join(entries) + "\n }\n}\n"


def _entry(measurement: Measurement) -> str:
    facts = asdict(measurement.setting) | {
        "conventions": measurement.conventions,
        "weights": asdict(measurement.weights),
        "never_compressed": measurement.never_compressed,
    }
    lines = [f"   {_json(name)}: {_json(value)}" for name, value in facts.items()]
    rows = ",\n".join(f"    {_json(row)}" for row in measurement.rows)
    lines.append(f'   "rows": [\n{rows}\n   ]' if rows else '   "rows": []')
    return "{\n" + ",\n".join(lines) + "\n  }"


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def tells_unguarded(row: Mapping[str, Any]) -> bool:
    """Whether a row was measured since networks are measured with the restorer's guard and without."""
    return "unguarded_psnr_db" in row


def is_usual_save(row: Mapping[str, Any]) -> bool:
    """Whether a row is of single saves with the tables of a quality factor at 4:2:0, all there was in earlier files."""
    single = row["quality_factor"] is not None and row.get("double") is None
    return single and _subsampling(row) == USUAL_SUBSAMPLING


def _subsampling(row: Mapping[str, Any]) -> str | None:
    return row.get("subsampling", USUAL_SUBSAMPLING)


def _place(row: Mapping[str, Any]) -> tuple:
    double, quality_factor = row.get("double"), row.get("quality_factor")
    what = 3 if double else 2 if row.get("tables") else int(_subsampling(row) != USUAL_SUBSAMPLING)
    return what, quality_factor or 0, tuple(double or ()), row["condition"], row["model"] != "none"


@lru_cache(maxsize=256)
def _sha256(stamps: tuple[tuple[Path, int], ...]) -> str:
    """Of the files' bytes; the times of their last change make the cache forget replaced ones."""
    digest = hashlib.sha256()
    for path, _changed in stamps:
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()

"""Tables of harm: what restoring makes worse, with the restorer's guard and without, by condition and by kind."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from training.evaluation.benchmarks import kind_of
from training.evaluation.measured_models import MeasuredModel
from training.evaluation.protocols import PROTOCOLS
from training.evaluation.score_files import tells_unguarded
from training.evaluation.scoring import COLOR_NOTES
from training.evaluation.table_sets import table_set
from training.evaluation.tables import MISSING, figure, markdown, number, percent, setting_of, unmeasured

GAINS = ("gain_db", "worst_gain_db")
UNGUARDED_GAINS = tuple(f"unguarded_{name}" for name in GAINS)


def harm_table(models: list[MeasuredModel], data: str) -> str:
    """Every model's gains under every condition, with its guard and without, a table each.

    Args:
        models: from measured_models().
        data: a data set with a protocol.
    """
    setting, protocol, parts = setting_of(data), PROTOCOLS[data], []
    measured = {model.title: rows for model in models if (rows := _guarded_rows(model, data))}
    for title, rows in measured.items():
        heading = [title, "mean", "worst picture", "made worse", "unguarded mean", "unguarded worst picture"]
        lines = [_harm_line("all of these, at worst", _at_worst(rows))]
        parts += ["", *markdown(heading, [*lines, *(_harm_line(row["condition"], row) for row in rows)])]
    intro = (
        f"{data}: gains on plain decoding in dB PSNR. {COLOR_NOTES[setting.color]} Made worse: pictures below plain "
        "decoding. Unguarded: what the network gives by itself, before the restorer's guard."
    )
    sets = "; ".join(f"{each.name}: {each.where}" for each in map(table_set, protocol.tables))
    intro += f" Tables of no quality factor: {sets}." if sets else ""
    return "\n".join([intro + unmeasured(models, _titled(models, measured), setting), *parts])


def kinds_table(models: list[MeasuredModel], data: str = "kinds") -> str:
    """Every model's gains by kind of picture, over all conditions, a table each."""
    setting, parts = setting_of(data), []
    measured = {model.title: model for model in models if _guarded_rows(model, data)}
    for title, model in measured.items():
        gains = _by_kind(_guarded_rows(model, data))
        changes = _changes_by_kind(model, data)
        heading = [title, "mean", "lowest mean", "under", "worst picture", "which", "made worse", "untouched"]
        lines = [_kind_line(kind, gains[kind], changes.get(kind)) for kind in sorted(gains)]
        parts += ["", *markdown(heading, lines)]
    intro = (
        f"{data}: gains on plain decoding in dB PSNR by kind of picture, guarded, over all conditions: their mean, the "
        "mean of the pictures of a kind under the condition where it is lowest, and the picture that gains least. "
        "Untouched: by how many levels, at most, pictures of that kind change that were never compressed."
    )
    return "\n".join([intro + unmeasured(models, _titled(models, measured), setting), *parts])


def _guarded_rows(model: MeasuredModel, data: str) -> list[dict[str, Any]]:
    return [row for row in model.rows(setting_of(data)) if tells_unguarded(row)]


def _titled(models: Iterable[MeasuredModel], titles: Mapping[str, Any]) -> list[MeasuredModel]:
    return [model for model in models if model.title in titles]


def _harm_line(title: str, row: Mapping[str, Any]) -> list[str]:
    guarded, unguarded = ([number(row, name, "+") for name in names] for names in (GAINS, UNGUARDED_GAINS))
    return [title, *guarded, percent(row, "share_worse"), *unguarded]


def _at_worst(rows: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """The lowest gains and the largest share among the rows, by the names of their fields."""
    lowest = {name: _extreme(min, rows, name) for name in (*GAINS, *UNGUARDED_GAINS)}
    return {**lowest, "share_worse": _extreme(max, rows, "share_worse")}


def _extreme(choose: Callable, rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    return choose((row[name] for row in rows if row[name] is not None), default=None)


def _by_kind(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Gains in dB by kind, condition and picture."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for row in rows:
        for picture, gain in row["picture_gains_db"].items():
            found.setdefault(kind_of(picture), {}).setdefault(row["condition"], {})[picture] = gain
    return found


def _changes_by_kind(model: MeasuredModel, data: str) -> dict[str, int]:
    """The largest change of a never-compressed picture by kind; empty where that was not measured."""
    measurement = model.measurements[setting_of(data).key]
    untouched = measurement.never_compressed
    changes = untouched["picture_changes"] if untouched and measurement.tells_never_compressed else {}
    kinds: dict[str, int] = {}
    for picture, change in changes.items():
        kinds[kind_of(picture)] = max(change, kinds.get(kind_of(picture), 0))
    return kinds


def _kind_line(kind: str, gains: Mapping[str, Mapping[str, float]], change: int | None) -> list[str]:
    """One kind's line.

    Args:
        kind: its name.
        gains: in dB, by condition and picture.
        change: largest change of a never-compressed picture in levels, None where unknown.
    """
    means = {condition: statistics.fmean(pictures.values()) for condition, pictures in gains.items()}
    every = [
        (gain, f"{picture}, {condition}")
        for condition, pictures in gains.items()
        for picture, gain in pictures.items()
    ]
    lowest, (worst, which) = min(means, key=means.__getitem__), min(every)
    return [
        kind,
        figure(statistics.fmean(gain for gain, _ in every), "+"),
        figure(means[lowest], "+"),
        lowest,
        figure(worst, "+"),
        which,
        f"{statistics.fmean(gain < 0 for gain, _ in every):.0%}",
        MISSING if change is None else f"{change}",
    ]

"""Measured scores as tables for the Models page; what was measured of replaced weights is told, never shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from models.card import ModelCard
from models.errors import RestorationError
from models.plain_values import is_number
from studio.page.wording import signed_decibels
from training.evaluation import metrics
from training.evaluation.metrics import Metric
from training.evaluation.score_files import SCORES_FILE, Measurement, read_scores, weights_of
from training.evaluation.scoring import DO_NOTHING

FIRST = "LIVE1"
"""The data set whose table stands open."""

COLOR_WORDS = {"rgb": "PSNR of R, G and B", "y": "PSNR of luma", "gray": "PSNR of gray"}


@dataclass(frozen=True, eq=False)
class KnownScores:
    """What is known of a checkpoint.

    Attributes:
        measurements: of the weights that lie there now, by the present convention, whole data sets only, LIVE1 first.
        replaced: names of the data sets that were measured of earlier weights, or by another convention, only.
    """

    measurements: tuple[Measurement, ...] = field(default=())
    replaced: tuple[str, ...] = field(default=())


def known_scores(folder: Path, card: ModelCard) -> KnownScores:
    """Read a checkpoint's scores.json; empty where it is missing or cannot be used.

    Args:
        folder: the checkpoint's own.
        card: its card.
    """
    if not card.architecture:
        return KnownScores()
    try:
        scores = read_scores(folder / SCORES_FILE)
        fresh = scores.present(weights_of(folder, card))
    except (RestorationError, OSError):
        return KnownScores()
    whole = [found for found in fresh.values() if _is_whole(found)]
    stale = [found for key, found in scores.measurements.items() if key not in fresh and _is_whole(found)]
    return KnownScores(
        tuple(sorted(whole, key=lambda found: (found.setting.data != FIRST, found.setting.key))),
        tuple(dict.fromkeys(found.setting.data for found in stale)),
    )


def scores_with(name: str, scores: Mapping[str, KnownScores]) -> KnownScores:
    """A model's own scores, or those of another model that it was measured beside, as plain decoding is."""
    own = scores.get(name, KnownScores())
    if own.measurements or own.replaced:
        return own
    beside = (known.measurements for known in scores.values())
    return next((KnownScores(found) for found in beside if any(_rows_of(each, name) for each in found)), own)


def scores_markup(name: str, known: KnownScores) -> str:
    """All tables of one model; the first stands open, the others unfold."""
    tables = []
    for found in known.measurements:
        rows, plain = _rows_of(found, name), {row["condition"]: row for row in _rows_of(found, DO_NOTHING)}
        singles = [row for row in rows if row.get("double") is None]
        doubles = [row for row in rows if row.get("double") is not None]
        title = found.setting.data + (", without the files' tables" if found.setting.blind else "")
        if singles:
            tables.append((title, _table(title, found, singles, plain) + _untouched(found, name)))
        if doubles:
            tables.append((f"{title}, saved twice", _table(f"{title}, saved twice", found, doubles, plain)))
    parts = [tables[0][1]] if tables else []
    parts += [f"<details><summary>{escape(title)}</summary>{table}</details>" for title, table in tables[1:]]
    if known.replaced:
        names = escape(", ".join(known.replaced))
        why = "the weights, or the way of measuring, changed since."
        parts.append(f"<p class='fact-note'>Scores on {names} are left out: {why}</p>")
    elif not parts:
        parts.append(
            "<p class='fact-note'>Not measured here. python -m training.evaluate --all measures.</p>"
        )
    return "".join(parts)


def _is_whole(found: Measurement) -> bool:
    setting = found.setting
    return setting.limit is None and setting.stages is None and not setting.self_ensemble


def _rows_of(found: Measurement, name: str) -> list[dict[str, Any]]:
    """A model's rows; score files call plain decoding "none"."""
    wanted = DO_NOTHING if name == "plain" else name
    return [row for row in found.current_rows if row["model"] == wanted]


def _table(
    title: str, found: Measurement, rows: Sequence[dict[str, Any]], plain: Mapping[str, dict[str, Any]]
) -> str:
    others = [metric for metric in metrics.METRICS[1:] if any(metric.name in row for row in rows)]
    body = "".join(_line(row, plain.get(row["condition"]), others) for row in rows)
    titles = "".join(f"<th scope='col'>{metric.title}</th>" for metric in others)
    in_decibels = (metric.title for metric in others if metric.unit == "dB")
    words = " and ".join((COLOR_WORDS.get(found.setting.color, "PSNR"), *in_decibels))
    twice = rows[0].get("double") is not None
    shift = "; first and second quality, grid shift in rows and columns" * twice
    return (
        f"<table><caption>Measured on {escape(title)}: {words} in dB, Δ to plain decoding{shift}</caption>"
        f"<thead><tr><th scope='col'>{'qualities' if twice else 'quality'}</th><th scope='col'>PSNR</th>"
        f"<th scope='col'>Δ</th>{titles}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _line(row: dict[str, Any], plain: dict[str, Any] | None, others: Iterable[Metric]) -> str:
    psnr, before = _number(row, "psnr_db"), _number(plain, "psnr_db")
    delta = signed_decibels(psnr - before) if psnr is not None and before is not None else ""
    kind = {"+": "good", "−": "bad"}.get(delta[:1], "")
    cells = (
        _shown(psnr, 2),
        f"<span class='{kind}'>{delta}</span>",
        *(metric.number(_number(row, metric.name)) for metric in others),
    )
    label = escape(_condition(row))
    return f"<tr><th scope='row'>{label}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _condition(row: dict[str, Any]) -> str:
    """Short enough for the first column, such as "10, 30 (4, 4)" or "97, 4:4:4"."""
    double = row.get("double")
    if isinstance(double, list) and len(double) == 4:
        first, second, rows, columns = double
        return f"{first}, {second} ({rows}, {columns})"
    return str(row["condition"]).removeprefix("QF ")


def _untouched(found: Measurement, name: str) -> str:
    """A sentence on pictures that were never compressed."""
    change = found.never_compressed
    cost = _number(change, "cost_db")
    if change is None or change.get("model") != name or cost is None:
        return ""
    worst = _shown(_number(change, "worst_cost_db"), 3)
    return (
        "<p class='fact-note'>What it changes in pictures that were never compressed costs "
        f"{cost:.3f} dB beside a save at quality 95, {worst} dB at worst.</p>"
    )


def _number(row: Mapping[str, Any] | None, name: str) -> float | None:
    value = row.get(name) if row else None
    return float(value) if is_number(value) else None


def _shown(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"

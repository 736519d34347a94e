"""The list of training runs, and several of them compared, as values for the page."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from studio.page.wording import decibels, signed_decibels
from studio.train.curves import MEASURES, overlaid
from studio.train.recipe import differences
from studio.train.record import RunRecord
from studio.train.view import NO_CHART, STATE_WORDS, duration, progress_of
from training.config import TrainConfig
from training.outcome import outcome_of
from training.run_state import RunState


@dataclass(frozen=True, eq=False)
class RunRow:
    """What the list says of one run.

    Attributes:
        name: of the run.
        state, record: how it stands and what it told.
        network: its architecture.
        can_publish: it has weights that the pickers do not have yet.
        published: the pickers have weights of it, older ones or these.
    """

    name: str
    state: RunState
    record: RunRecord
    network: str
    can_publish: bool
    published: bool


def rows_of(rows: Sequence[RunRow], shown: str) -> dict[str, Any]:
    """The value of the list.

    Args:
        rows: the latest run first.
        shown: name of the run on view.
    """
    return {"runs": [_row(row, row.name == shown) for row in rows]}


def _row(row: RunRow, shown: bool) -> dict[str, Any]:
    record, outcome = row.record, outcome_of(row.record)
    done, gain = progress_of(record), outcome.gain_db
    words = STATE_WORDS[row.state.kind]
    if done is not None and row.state.kind in ("running", "stopped", "failed", "elsewhere"):
        words += f", {done:.0%}"
    if row.state.kind == "stopped" and not math.isfinite(record.best_db):
        words += ", before the first validation"
    minutes = record.latest.get("minutes")
    return {
        "name": row.name,
        "state": row.state.kind,
        "words": words,
        "network": row.network,
        "steps": f"{record.step:,}" if record.step else "",
        "score": decibels(record.best_db) if math.isfinite(record.best_db) else "",
        "gain": f"{signed_decibels(gain)} dB" if gain is not None else "",
        "gain_kind": "" if gain is None or round(gain, 2) == 0 else "good" if gain > 0 else "bad",
        "time": duration(minutes * 60) if isinstance(minutes, int | float) else "",
        "use": ("Use newer" if row.published else "Use it") if row.can_publish else "",
        "caution": outcome.sentence if outcome.learned is False and row.can_publish else "",
        "used": "in Restore" if row.published else "",
        "shown": shown,
        "live": row.state.is_live,
        "comparable": bool(record.version),
        "deletable": not row.state.is_live and row.state.kind != "elsewhere",
    }


def comparison_chart(records: Mapping[str, RunRecord]) -> dict[str, Any]:
    """Their curves overlaid; nothing for fewer than two."""
    if len(records) < 2:
        return NO_CHART
    charts = []
    for label in MEASURES:
        figure = overlaid(label, records)
        alt = f"{label} against steps of {', '.join(records)}."
        name = f"comparison_{label.lower().replace(' ', '-')}"
        charts.append({"label": label, "alt": alt, "file_name": name, "figure": figure.to_plotly_json()})
    return {"title": f"{len(records)} runs compared", "charts": charts, "files": []}


def comparison_table(configs: Mapping[str, TrainConfig | None]) -> str:
    """Where their configurations differ, as markup: a row per setting, a column per run."""
    known = {name: config for name, config in configs.items() if config is not None}
    if len(known) < 2:
        return "<p class='fact-note'>Their configurations cannot be read any more.</p>" if configs else ""
    first, *others = known.values()
    paths = dict.fromkeys(
        path for other in others for path, _, _ in differences(first, other) if path != "name"
    )
    if not paths:
        return "<p class='train-same'>Their configurations are the same.</p>"
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in known)
    rows = "".join(
        f"<tr><th scope='row'>{escape(path)}</th>"
        + "".join(f"<td>{escape(_words(_at(config, path)))}</td>" for config in known.values())
        + "</tr>"
        for path in paths
    )
    return (
        "<div class='train-differences'><h3>Where the recipes differ</h3><div class='scroll'>"
        f"<table><thead><tr><th scope='col'>Setting</th>{head}</tr></thead><tbody>{rows}</tbody></table></div></div>"
    )


def _at(config: TrainConfig, path: str) -> Any:
    found: Any = config
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else getattr(found, key, None)
    return found


def _words(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_words(one) for one in value)
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 120 else text[:120] + " …"

"""The life of a training run: its state in words, its numbers, its curves and its pictures, as values for the page."""

import math
import re
import struct
import time
from html import escape
from pathlib import Path
from typing import Any

from models.bounded_reading import read_at_most
from models.plain_values import is_number
from studio.page.wording import UNDEFINED, decibels, signed_decibels
from studio.server.files import PictureFolder
from studio.train import curves as figures
from studio.train.record import Preview, RunRecord
from training.outcome import outcome_of
from training.run_state import RunState

NO_CHART: dict[str, Any] = {"title": "", "charts": [], "files": []}
NO_VIEW: dict[str, Any] = {"picture": "", "run": "", "panes": [], "a": "", "b": ""}
EMPTY = (
    "<p class='sweep-empty train-empty'>No training is on view. Choose a recipe and press Start: the first one needs "
    "nothing but this computer and two minutes. Training continues when you close this page.</p>"
)
MOST_STEPS = 40
"""Previews that the step slider offers; of more, evenly chosen ones."""

LARGEST_PREVIEW_BYTES = 16 * 2**20

STATE_WORDS = {
    "new": "not started",
    "starting": "starting",
    "running": "training",
    "stalled": "no sign of life",
    "stopping": "saving",
    "stopped": "stopped",
    "finished": "finished",
    "failed": "failed",
    "elsewhere": "training elsewhere",
}
"""A run's state in a few words."""

AT_ONE_THING = ("starting", "stopping")
"""Kinds of a run whose head says what it does, and for how long."""


def head_of(name: str, state: RunState, record: RunRecord, waits_for: str = "") -> str:
    """Name, state, progress, time left and what came of it as markup.

    Args:
        name, state, record: of the run.
        waits_for: another run that has to end before this one could go on.
    """
    done = progress_of(record)
    words = STATE_WORDS[state.kind]
    if state.kind in AT_ONE_THING:
        bar = "<progress max='1' aria-label='How long it takes is not known'></progress>"
        said = state.sentence if state.kind == "starting" else "Saving"
        return _head(name, state.kind, said, bar + _sentences(waits_for=waits_for), since=state.since)
    if done is not None and state.kind != "finished":
        words += f" · {done:.0%}"
    left = seconds_left(record) if state.kind in ("running", "elsewhere") else None
    if left is not None:
        words += f" · {duration(left)} left"
    bar = ""
    if state.is_live or state.kind == "elsewhere":
        value = f" value='{done:.4f}'" if done is not None else ""
        bar = f"<progress max='1'{value} aria-label='Share of the budget used'></progress>"
    ended = outcome_of(record).sentence if state.kind in ("stopped", "finished") else ""
    return _head(name, state.kind, words, bar + _sentences(ended, state.sentence, waits_for=waits_for))


def ready_head(name: str, waits_for: str = "") -> str:
    """Of a run that Start would begin; waits_for: see head_of."""
    return _head(name, "ready", "ready to start", _sentences(waits_for=waits_for)) if name else ""


def _head(name: str, kind: str, words: str, rest: str, since: float = 0.0) -> str:
    """The head; `since`, in seconds since the epoch, has the page count the seconds from then on."""
    passed = max(round(time.time() - since), 0)
    clock = f" · <span data-since='{since:.2f}' data-passed='{passed}'>{passed} s</span>" if since else ""
    return (
        f"<div class='train-head' data-state='{kind}'><h2>{escape(name)}</h2>"
        f"<p class='train-state'>{escape(words)}{clock}</p>{rest}</div>"
    )


def _sentences(*sentences: str, waits_for: str = "") -> str:
    waiting = (
        f"{waits_for} is being trained, and one run at a time is. It is in the list." if waits_for else ""
    )
    return "".join(f"<p class='train-sentence'>{escape(one)}</p>" for one in (*sentences, waiting) if one)


def facts_of(record: RunRecord, *, live: bool) -> str:
    """The latest numbers as markup."""
    latest, gain = record.latest, outcome_of(record).gain_db
    best = f"{decibels(record.best_db)} at step {record.best_step:,}" if math.isfinite(record.best_db) else ""
    waiting = latest.get("waiting_share", latest.get("waiting_for_data_share"))
    facts = [
        ("Step", f"{record.step:,}" if record.version else ""),
        ("Best validation", best),
        ("Gain over doing nothing", f"{signed_decibels(gain)} dB" if gain is not None else ""),
        ("Loss", _number(latest, "loss", "{:.4g}")),
        ("Learning rate", _number(latest, "learning_rate", "{:.2g}")),
        ("Speed", _speed(latest)),
        ("Waiting for data", f"{waiting:.0%}" if is_number(waiting) else ""),
        ("Memory", _memory(latest)),
        ("Trained for", duration(latest["minutes"] * 60) if is_number(latest.get("minutes")) else ""),
        ("On", str(latest.get("machine", ""))[:80]),
    ]
    rows = "".join(f"<div><dt>{what}</dt><dd>{escape(value)}</dd></div>" for what, value in facts if value)
    return f"<dl class='train-facts' data-live='{str(live).lower()}'>{rows}</dl>" if rows else ""


def curves_of(name: str, record: RunRecord) -> dict[str, Any]:
    """The chart's value; nothing for what has been told once, which is no curve."""
    charts = []
    if len(record.validation.points) > 1:
        charts.append(_chart(name, "Validation", figures.validation(name, record), _validation_words(record)))
    if len(record.validation.points) > 1 and figures.cases(record):
        words = "Gain of each validation case over doing nothing, against steps."
        charts.append(_chart(name, "Gain", figures.gains(name, record), words))
    if len(record.training.points) > 1:
        latest = ", ".join(
            f"{figures.term_words(term)} {record.latest[term]:.4g}" for term in figures.terms(record)
        )
        charts += [
            _chart(name, "Loss", figures.losses(name, record), f"Loss by term against steps; now {latest}."),
            _chart(
                name,
                "Learning rate",
                figures.learning_rate(name, record),
                "The learning rate against steps.",
            ),
            _chart(name, "Speed", figures.speed(name, record), "Megapixels per second against steps."),
        ]
    return {"title": "Curves", "charts": charts, "files": []} if charts else NO_CHART


def _chart(run: str, label: str, figure: Any, alt: str) -> dict[str, Any]:
    name = f"{run}_{label.lower().replace(' ', '-')}"
    return {"label": label, "alt": alt, "file_name": name, "figure": figure.to_plotly_json()}


def _validation_words(record: RunRecord) -> str:
    _, score = record.validation.series("score_db")
    beside = f"; doing nothing gives {record.nothing_db:.2f} dB" if record.nothing_db is not None else ""
    if not score:
        return "Mean validation PSNR against steps; no score is known."
    return f"Mean validation PSNR against steps, from {score[0]:.2f} to {score[-1]:.2f} dB{beside}."


# ---------------------------------------------------------------- previews


def view_of(
    run: str, folder: Path, record: RunRecord, picture: str, pictures: PictureFolder
) -> dict[str, Any]:
    """The viewer's value: damaged, the steps as stages, original.

    Args:
        run: its name.
        folder: of the run.
        record: what it has told.
        picture: name of the preview.
        pictures: where the page's files are written.
    """
    found = record.previews.get(picture, [])
    steps = [
        (one, pane)
        for one in _chosen(found)
        if (pane := _pane(run, folder, f"step{one.step}", f"step {one.step:,}", one.file, pictures))
    ]
    if not steps:
        return NO_VIEW
    panes, stages = [], []
    for number, (one, pane) in enumerate(steps, 1):
        detail = decibels(one.psnr_db) if math.isfinite(one.psnr_db) else ""
        stage = {
            "group": "training",
            "scrubber": "Through time",
            "stage": number,
            "last": number == len(steps),
        }
        stages.append({**pane, "detail": detail, **stage})
    degraded_db = found[-1].input_db
    for identifier, label, detail in (
        ("original", "original", ""),
        ("degraded", "damaged", decibels(degraded_db) if math.isfinite(degraded_db) else ""),
    ):
        file = re.sub(r"-\d+\.png$", f"-{identifier}.png", found[-1].file)
        pane = _pane(run, folder, identifier, label, file, pictures)
        if pane:
            panes.append({**pane, "detail": detail})
    ids = [pane["id"] for pane in panes]
    return {
        "picture": f"{run} {picture}",
        "run": f"{run} {picture}",
        "panes": [*panes, *stages],
        "a": "degraded" if "degraded" in ids else stages[0]["id"],
        "b": stages[-1]["id"],
        "reference": "original" if "original" in ids else "",
        "grids": [{"name": "grid of the file", "row": 0, "column": 0}],
        "turn": {},
    }


def _chosen(found: list[Preview]) -> list[Preview]:
    """First, last, and evenly between."""
    if len(found) <= MOST_STEPS:
        return found
    return [found[round(i * (len(found) - 1) / (MOST_STEPS - 1))] for i in range(MOST_STEPS)]


def _pane(
    run: str, folder: Path, identifier: str, label: str, file: str, pictures: PictureFolder
) -> dict[str, Any] | None:
    """One picture below the run's folder; None for anything else."""
    path = (folder / file).resolve()
    try:
        if not path.is_relative_to(folder.resolve()):
            return None
        data = read_at_most(path, LARGEST_PREVIEW_BYTES)
    except (OSError, ValueError):
        return None
    size = _png_size(data)
    if size is None:
        return None
    name = f"{run}_{path.stem}.png"
    served = pictures.served_bytes(name, data)
    width, height = size
    return {
        "id": identifier,
        "label": label,
        "detail": "",
        "alt": f"{run}, {label}",
        "width": width,
        "height": height,
        "file": served,
        "download": name,
    }


def _png_size(data: bytes) -> tuple[int, int] | None:
    """Columns and rows, as the header of a PNG tells; None for anything else."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or data[12:16] != b"IHDR" or len(data) < 33:
        return None
    return struct.unpack(">II", data[16:24])


# ---------------------------------------------------------------- numbers in words


def progress_of(record: RunRecord) -> float | None:
    """0 to 1; None where nothing is known."""
    if record.kind == "end" and record.finished:
        return 1.0
    value = record.latest.get("progress")
    return min(max(float(value), 0.0), 1.0) if is_number(value) else None


def seconds_left(record: RunRecord) -> float | None:
    """As the trainer says, or worked out from its progress."""
    told = record.latest.get("seconds_left")
    if is_number(told):
        return max(float(told), 0.0)
    done, minutes = progress_of(record), record.latest.get("minutes")
    if not done or not is_number(minutes):
        return None
    return float(minutes) * 60 * (1 - done) / done


def duration(value: float) -> str:
    """Seconds as people say them."""
    if value < 90:
        return f"{value:.0f} s"
    if value < 90 * 60:
        return f"{value / 60:.0f} min"
    if value < 48 * 3600:
        hours, minutes = divmod(round(value / 60), 60)
        return f"{hours} h {minutes:02d} min"
    return f"{value / 86_400:.1f} days"


def _number(values: dict[str, Any], name: str, words: str) -> str:
    value = values.get(name)
    if not is_number(value):
        return UNDEFINED if name == "loss" and name in values else ""
    return words.format(value)


def _speed(values: dict[str, Any]) -> str:
    images = _number(values, "images_per_second", "{:.0f} images/s")
    return ", ".join(filter(None, (images, _number(values, "megapixels_per_second", "{:.2f} MP/s"))))


def _memory(values: dict[str, Any]) -> str:
    value = values.get("memory_mb")
    if not is_number(value):
        return ""
    return f"{value / 1000:.1f} GB" if value >= 1000 else f"{value:.0f} MB"

"""The rows of the results table, and the sentences below it."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.card import ModelCard
from studio.engine.engine import Progress
from studio.engine.outputs import Observed, StageOutputs
from studio.page.view import degraded_label
from studio.page.wording import UNDEFINED, seconds, signed_decibels, tile_words
from studio.restore.verdict import edges_in_words
from training.evaluation import metrics
from training.evaluation.metrics import Measured, Metric

STOPPED = "Stopped. Finished results are kept; press again to run the rest."
NO_ORIGINAL = "The file is as it was brought: without a clean original, the table says what changed."
NO_RESULTS = {"columns": [], "rows": [], "note": "", "convention": ""}


TOOK = [
    {"id": "seconds", "title": "time", "hint": "Time of the restoration alone"},
    {"id": "speed", "title": "MP/s", "hint": "Megapixels restored per second"},
]
OBSERVED = [
    {"id": "edges", "title": "block edges", "hint": "How much steps across the 8×8 grid exceed the others"},
    {
        "id": "changed",
        "title": "changed by",
        "hint": "Mean distance of all values from the file's, of 255 levels",
    },
]


def columns(*, measured: bool) -> list[dict[str, str]]:
    """Headings between the name and the download: the metrics, or what can be said without an original."""
    if not measured:
        return [*OBSERVED, *TOOK]
    first, *others = (
        {"id": metric.name, "title": metric.title, "hint": metric.hint} for metric in metrics.METRICS
    )
    return [
        first | {"title": f"{first['title']} (RGB)"},
        {"id": "delta", "title": "Δ", "hint": "Difference of the PSNR from the damaged picture"},
        *others,
        *TOOK,
    ]


def convention() -> str:
    """How the numbers are to be read, in a sentence or two."""
    first, *others = (metric.brief for metric in metrics.METRICS)
    facts = "; ".join((first, "Δ to the damaged picture", *others))
    return f"Against the original: {facts}. Downloads are lossless PNG."


def table_of(
    outputs: StageOutputs,
    cards: Mapping[str, ModelCard],
    panes: list[dict[str, Any]],
    *,
    waiting: tuple[str, ...] = (),
    progress: Progress | None = None,
    stopped: bool = False,
) -> dict[str, Any]:
    """The table's value: the degraded picture first, results in the order they came, then what is still to do.

    Args:
        outputs: what there is so far.
        cards: by model name.
        panes: the viewer's, for their files.
        waiting: models that have not begun, in order.
        progress: of the model at work.
        stopped: what is left will not run.
    """
    files = {pane["id"]: pane for pane in panes}
    rows = [_measured_row("degraded", degraded_label(outputs), outputs, files)]
    rows += [_measured_row(name, cards[name].title, outputs, files) for name in outputs.restorations]
    rows += [_words_row(name, cards[name].title, "failed", words) for name, words in outputs.failures.items()]
    for name in waiting:
        title = cards[name].title
        if stopped:
            rows.append(_words_row(name, title, "stopped", "stopped"))
        elif progress is not None and progress.model_name == name:
            rows.append(
                {
                    **_words_row(name, title, "running", tile_words(progress)),
                    "done": progress.done,
                    "total": progress.total,
                }
            )
        else:
            rows.append(_words_row(name, title, "waiting", "waiting"))
    note = "" if outputs.original is not None else NO_ORIGINAL
    return {
        "rows": rows,
        "note": STOPPED if stopped and waiting else note,
        "columns": columns(measured=outputs.original is not None),
        "convention": convention() if outputs.original is not None else "",
    }


def waiting_table(
    names: Sequence[str], cards: Mapping[str, ModelCard], *, stopped: bool = False
) -> dict[str, Any]:
    """The table's value before a run has its turn, when nothing is known but what will run.

    Args:
        names: models, in the order they will run.
        cards: by model name.
        stopped: they will not run.
    """
    words = "stopped" if stopped else "waiting"
    rows = [_words_row(name, cards[name].title, words, words) for name in names]
    return {
        "columns": columns(measured=True),
        "rows": rows,
        "note": STOPPED if stopped else "",
        "convention": "",
    }


def _measured_row(
    name: str, label: str, outputs: StageOutputs, files: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    measured = outputs.metrics.get(name, {})
    restoration = outputs.restorations.get(name)
    speed = UNDEFINED
    if restoration is not None and restoration.seconds >= 0.001:
        speed = f"{restoration.pixels.shape[0] * restoration.pixels.shape[1] / 1e6 / restoration.seconds:.2f}"
    delta, kind = (
        (UNDEFINED, "muted") if restoration is None else _delta(measured, outputs.metrics.get("degraded"))
    )
    return {
        "id": name,
        "label": label,
        "state": "done",
        "cells": {
            **_observed_cells(outputs.observed.get(name)),
            **{metric.name: _cell(metric, name, outputs) for metric in metrics.METRICS},
            "delta": {"text": delta, "kind": kind},
            "seconds": {"text": seconds(restoration.seconds) if restoration else UNDEFINED},
            "speed": {"text": speed},
        },
        "file": files[name]["file"],
        "download": files[name]["download"],
    }


def _observed_cells(observed: Observed | None) -> dict[str, dict[str, str]]:
    if observed is None:
        return {}
    edges = edges_in_words(observed.block_edges)
    levels = observed.changed_levels
    changed = "nothing" if levels == 0 else f"{levels:.2f} levels"
    return {"edges": {"text": edges}, "changed": {"text": changed}}


def _cell(metric: Metric, name: str, outputs: StageOutputs) -> dict[str, str]:
    cell = {"text": metric.text(outputs.metrics.get(name, {}).get(metric.name))}
    took = outputs.slow_seconds.get(name) if metric.slow else None
    return cell if took is None else cell | {"hint": f"Measuring took {seconds(took)}"}


def _delta(measured: Measured, degraded: Measured | None) -> tuple[str, str]:
    """The signed difference and whether it is good, bad or neither."""
    if not measured or degraded is None:
        return UNDEFINED, "muted"
    text = signed_decibels(measured["psnr_db"] - degraded["psnr_db"])
    return text, {"+": "good", "−": "bad"}.get(text[0], "muted")


def _words_row(name: str, label: str, state: str, words: str) -> dict[str, Any]:
    return {"id": name, "label": label, "state": state, "words": words, "done": 0, "total": 0}

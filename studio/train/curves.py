"""A training run's curves: validation, gain by case, loss by term, learning rate, speed; and several runs overlaid."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from plotly import graph_objects

from studio.page.sheet import MUTED, sheet
from studio.train.record import RunRecord

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#117733")
"""Told apart by people with any kind of colour vision, in this order; after M. Okabe, K. Ito and P. Tol."""

DASHES = ("solid", "dash", "dot", "dashdot")
STEPS = {"title": {"text": "steps"}, "rangemode": "tozero", "unifiedhovertitle": {"text": "step %{x:,}"}}
NO_TERMS = (
    "learning_rate",
    "progress",
    "megapixels",
    "petaflop",
    "megapixels_per_second",
    "images_per_second",
    "steps_per_second",
    "waiting_share",
    "waiting_for_data_share",
    "minutes",
    "seconds_left",
    "memory_mb",
    "gradient_norm",
)
"""Numbers of a training report that are no terms of the loss."""

TERM_WORDS = {
    "loss": "total",
    "frequency": "frequency",
    "quality": "quality estimate",
    "perceptual": "perceptual",
}
MEASURES = {
    "Validation": "score_db",
    "Loss": "loss",
    "Learning rate": "learning_rate",
    "Speed": "megapixels_per_second",
}
"""What several runs are compared by: label and name of the number."""


def validation(name: str, record: RunRecord) -> graph_objects.Figure:
    """The mean PSNR of restored validation pictures beside that of the damaged ones."""
    figure = _sheet(
        f"{name}: validation", "mean over the validation photographs and qualities", "mean PSNR, dB"
    )
    steps, score = record.validation.series("score_db")
    if record.nothing_db is not None:
        line = [record.nothing_db] * len(steps)
        _line(figure, "doing nothing", steps, line, "{:.2f} dB", color=MUTED, dash="dash")
    _line(figure, "restored", steps, score, "{:.2f} dB", marked=len(steps) <= 60)
    return figure


def gains(name: str, record: RunRecord) -> graph_objects.Figure:
    """What each validation case gains over doing nothing."""
    figure = _sheet(f"{name}: gain by case", "over doing nothing", "PSNR gain, dB")
    for number, case in enumerate(cases(record)):
        steps, restored = record.validation.series(f"{case}_db")
        _, degraded = record.validation.series(f"{case}_input_db")
        gain = [one - other for one, other in zip(restored, degraded, strict=False)]
        color, dash = COLORS[number % len(COLORS)], DASHES[number // len(COLORS) % len(DASHES)]
        _line(figure, case_words(case), steps, gain, "{:+.2f} dB", color=color, dash=dash)
    return figure.update_yaxes(zeroline=True)


def losses(name: str, record: RunRecord) -> graph_objects.Figure:
    """Every term of the loss, unweighted, and their weighted total."""
    figure = _sheet(f"{name}: loss by term", "terms unweighted, total weighted", "loss")
    lowest = 1.0
    for number, term in enumerate(terms(record)):
        steps, values = record.training.series(term)
        lowest = min(lowest, *values)
        color, dash = COLORS[number % len(COLORS)], "solid" if term == "loss" else "dot"
        _line(figure, term_words(term), steps, values, "{:.4g}", color=color, dash=dash)
    return figure.update_yaxes(type="log", exponentformat="power") if lowest > 0 else figure


def learning_rate(name: str, record: RunRecord) -> graph_objects.Figure:
    """The learning rate as it was used."""
    figure = _sheet(f"{name}: learning rate", "as it was used", "learning rate")
    _line(figure, "learning rate", *record.training.series("learning_rate"), "{:.3g}")
    return figure.update_layout(showlegend=False).update_yaxes(exponentformat="power", rangemode="tozero")


def speed(name: str, record: RunRecord) -> graph_objects.Figure:
    """Megapixels trained per second."""
    figure = _sheet(f"{name}: speed", "between reports", "megapixels per second")
    _line(figure, "MP/s", *record.training.series("megapixels_per_second"), "{:.3f} MP/s")
    return figure.update_layout(showlegend=False).update_yaxes(rangemode="tozero")


def overlaid(label: str, records: Mapping[str, RunRecord]) -> graph_objects.Figure:
    """One of MEASURES of several runs, a line each; with the validation also what doing nothing gives."""
    measure = MEASURES[label]
    axis = {
        "score_db": "mean PSNR, dB",
        "loss": "loss",
        "learning_rate": "learning rate",
        "megapixels_per_second": "megapixels per second",
    }[measure]
    figure = _sheet(f"{label} of {len(records)} runs", ", ".join(records), axis)
    for number, (name, record) in enumerate(records.items()):
        curve = record.validation if measure == "score_db" else record.training
        steps, values = curve.series(measure)
        color, dash = COLORS[number % len(COLORS)], DASHES[number // len(COLORS) % len(DASHES)]
        _line(figure, name, steps, values, "{:.5g}", color=color, dash=dash)
    return figure


def cases(record: RunRecord) -> list[str]:
    """The validation cases of a run, by their names in its events."""
    names = (re.fullmatch(r"(\w+)_input_db", name) for name in record.validated)
    return [
        found[1] for found in names if found and found[1] != "score" and f"{found[1]}_db" in record.validated
    ]


def case_words(case: str) -> str:
    """A validation case for people: "qf10" is "quality 10", "double_10_30" is "10, then 30"."""
    if found := re.fullmatch(r"qf(\d+)", case):
        return f"quality {found[1]}"
    if found := re.fullmatch(r"double_(\d+)_(\d+)", case):
        return f"{found[1]}, then {found[2]}"
    return case.replace("_", " ")


def terms(record: RunRecord) -> list[str]:
    """The terms of a run's loss, the total first."""
    numbers = [
        name
        for name, value in record.latest.items()
        if name not in NO_TERMS and isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return sorted(numbers, key=lambda name: name != "loss")


def term_words(term: str) -> str:
    """A term of the loss for people."""
    if found := re.fullmatch(r"spatial_(\d+)", term):
        return f"spatial, stage {found[1]}"
    return TERM_WORDS.get(term, term.replace("_", " "))


def _sheet(title: str, subtitle: str, axis: str) -> graph_objects.Figure:
    figure = sheet(title, subtitle, x=STEPS, y={"title": {"text": axis}})
    return figure.update_layout(hovermode="x unified", hoverdistance=-1, showlegend=True)


def _line(
    figure: graph_objects.Figure,
    name: str,
    steps: Sequence[float],
    values: Sequence[float],
    words: str,
    *,
    color: str = COLORS[0],
    dash: str = "solid",
    marked: bool = False,
) -> None:
    rounded: list[Any] = [float(f"{value:.5g}") for value in values]
    figure.add_scatter(
        name=name,
        x=list(steps),
        y=rounded,
        text=[words.format(value) for value in values],
        mode="lines+markers" if marked or len(steps) == 1 else "lines",
        line={"color": color, "dash": dash, "width": 2},
        marker={"color": color, "size": 6},
        hovertemplate="%{text}",
    )

"""Every metric against the quality factor, one line per model, and the gain over plain decoding."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from plotly import graph_objects

from models.baselines import PLAIN
from studio.page.sheet import look_of_model, quality_axis, sheet
from studio.page.wording import signed_decibels
from studio.sweep.sweeper import SweepPoint
from training.evaluation.metrics import Metric, fast_metrics


@dataclass(frozen=True)
class Measure:
    """One of the numbers a sweep can be drawn by.

    Attributes:
        label: for the switch.
        axis: title of the axis, with its unit.
        words: a number for people, with its unit.
        value: of a point, given the plain decoding of the same file.
        without_plain: plain decoding is always 0, so that its line says nothing.
    """

    label: str
    axis: str
    words: Callable[[float], str]
    value: Callable[[SweepPoint, SweepPoint], float]
    without_plain: bool = False


GAIN = Measure(
    "Gain",
    "PSNR gain over plain decoding, dB",
    lambda value: f"{signed_decibels(value)} dB",
    lambda point, plain: point.metrics["psnr_db"] - plain.metrics["psnr_db"],
    without_plain=True,
)


def measures() -> list[Measure]:
    """PSNR, its gain, and every other metric of sweeps."""
    first, *others = (_measure(metric) for metric in fast_metrics())
    return [first, GAIN, *others]


def _measure(metric: Metric) -> Measure:
    axis = f"{metric.title}{metric.of_color}{metric.unit and f', {metric.unit}'}"
    return Measure(metric.title, axis, metric.text, lambda point, _: point.metrics[metric.name])


def quality_curves(
    measure: Measure,
    points: Iterable[SweepPoint],
    quality_factors: Sequence[int],
    titles: Mapping[str, str],
    title: str,
    subtitle: str,
) -> graph_objects.Figure:
    """One line per model.

    Args:
        measure: which number.
        points: of a QualitySweep, as many as there are.
        quality_factors: of the whole sweep, so that the axis stays where it is while points come in.
        titles: of the models, by name.
        title, subtitle: see sheet.
    """
    figure = sheet(
        title,
        subtitle,
        x={"title": {"text": "quality factor of the file"}, **quality_axis(quality_factors)},
        y={"title": {"text": measure.axis}, "zeroline": measure.without_plain},
    )
    for name, values in measured_values(measure, points).items():
        look = look_of_model(name)
        figure.add_scatter(
            name=titles[name],
            x=list(values),
            y=[value if math.isfinite(value) else None for value in values.values()],
            text=[measure.words(value) for value in values.values()],
            mode="lines+markers",
            line=look.line,
            marker=look.marker,
            hovertemplate="%{text}",
        )
    return figure.update_layout(hovermode="x unified", hoverdistance=-1, showlegend=True)


def measured_values(measure: Measure, points: Iterable[SweepPoint]) -> dict[str, dict[int, float]]:
    """Model name -> quality factor -> number; only where plain decoding was measured too."""
    found = list(points)
    plain = {point.job.quality_factors: point for point in found if point.job.model_name == PLAIN}
    values: dict[str, dict[int, float]] = {}
    for point in found:
        name, factors = point.job.model_name, point.job.quality_factors
        if factors in plain and not (measure.without_plain and name == PLAIN):
            values.setdefault(name, {})[factors[0]] = measure.value(point, plain[factors])
    return values

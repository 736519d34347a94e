"""What sweeps are drawn as: curves over the quality factor, rate and distortion, maps of two saves, manual quality."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plotly import graph_objects

from models.baselines import PLAIN
from studio.page.sheet import INK, look_of_model, quality_axis, sheet
from studio.page.wording import signed_decibels
from studio.sweep.rate_distortion import Place, Reading, rate_curve
from studio.sweep.sweeper import ByHandSweep, SweepPoint
from training.evaluation.metrics import Metric, fast_metrics

TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
"""Of a logarithmic axis of bits per pixel."""

LOSS_TO_GAIN = ((0.0, "#c98d3a"), (0.25, "#e9d3a8"), (0.5, "#f5f5f5"), (0.75, "#a9d5cf"), (1.0, "#42a198"))
"""Brown to blue-green after C. Brewer, which all kinds of color vision tell apart; no gain is almost white."""

LOW_TO_HIGH = ((0.0, "#f3f6fa"), (0.5, "#b3cde3"), (1.0, "#6497c5"))
"""Both scales are light enough for dark numbers in every cell."""


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


def rate_distortion(
    points: Iterable[SweepPoint],
    readings: Sequence[Reading],
    titles: Mapping[str, str],
    title: str,
    subtitle: str,
) -> graph_objects.Figure:
    """One line per model on a logarithmic axis of rates, and a dashed one per reading.

    Args:
        points: of a QualitySweep, as many as there are.
        readings: to be drawn in; those that plain decoding does not reach are left out.
        titles: of the models, by name.
        title, subtitle: see sheet.
    """
    figure = sheet(
        title,
        subtitle,
        x={
            "title": {"text": "bits per pixel of the whole file, logarithmic"},
            "type": "log",
            "tickvals": TICKS,
            "ticktext": [f"{tick:g}" for tick in TICKS],
        },
        y={"title": {"text": "PSNR over R, G and B, dB"}},
    )
    found = list(points)
    for name in dict.fromkeys(point.job.model_name for point in found):
        curve, look = rate_curve(found, name), look_of_model(name)
        figure.add_scatter(
            name=titles[name],
            x=curve.bits_per_pixel.tolist(),
            y=curve.psnr_db.tolist(),
            customdata=curve.quality_factors.tolist(),
            mode="lines+markers",
            line=look.line,
            marker=look.marker,
            hovertemplate=f"<b>{titles[name]}</b><br>quality factor %{{customdata}}<br>%{{x:.3f}} bits per pixel<br>"
            "%{y:.2f} dB<extra></extra>",
        )
    for reading in readings:
        if reading.plain is not None:
            figure.add_trace(_guide(reading.model_name, (reading.restored, reading.plain)))
    return figure.update_layout(hovermode="closest", showlegend=True)


def _guide(model_name: str, places: tuple[Place, Place]) -> graph_objects.Scatter:
    """From the restoration to the plain decoding that is as good."""
    return graph_objects.Scatter(
        x=[place.bits_per_pixel for place in places],
        y=[place.psnr_db for place in places],
        mode="lines+markers",
        line={"color": look_of_model(model_name).color, "dash": "dash", "width": 1.5},
        marker={"symbol": "circle-open", "size": 16, "color": look_of_model(model_name).color},
        hoverinfo="skip",
        showlegend=False,
    )


def plain_map(
    points: Iterable[SweepPoint], quality_factors: Sequence[int], title: str, subtitle: str
) -> graph_objects.Figure:
    """PSNR of plain decoding in dB.

    Args:
        points: of a TwiceSweep, as many as there are.
        quality_factors: of both saves; cells that are not measured yet stay empty.
        title, subtitle: see sheet.
    """
    rows = _rows(points, quality_factors, lambda plain, _: plain.metrics["psnr_db"])
    heat = graph_objects.Heatmap(colorscale=LOW_TO_HIGH, colorbar=_scale("PSNR, dB"))
    return _drawn(heat, rows, quality_factors, title, subtitle, "{:.1f}".format)


def gain_map(
    points: Iterable[SweepPoint], quality_factors: Sequence[int], title: str, subtitle: str
) -> graph_objects.Figure:
    """PSNR of the model minus that of plain decoding, in dB; see plain_map."""
    rows = _rows(
        points,
        quality_factors,
        lambda plain, restored: (
            None if restored is None else restored.metrics["psnr_db"] - plain.metrics["psnr_db"]
        ),
    )
    largest = max((abs(value) for row in rows for value in row if value is not None), default=0.0) or 1.0
    heat = graph_objects.Heatmap(
        colorscale=LOSS_TO_GAIN, zmin=-largest, zmax=largest, colorbar=_scale("gain, dB")
    )
    return _drawn(heat, rows, quality_factors, title, subtitle, signed_decibels)


def _scale(title: str) -> dict[str, Any]:
    return {"title": {"text": title, "font": {"size": 13}}, "outlinewidth": 0, "thickness": 12}


def _rows(
    points: Iterable[SweepPoint],
    quality_factors: Sequence[int],
    value: Callable[[SweepPoint, SweepPoint | None], float | None],
) -> list[list[float | None]]:
    """One row per first quality factor, one number per second; None where nothing finite is known."""
    plain, restored = {}, {}
    for point in points:
        (plain if point.job.model_name == PLAIN else restored)[point.job.quality_factors] = point

    def cell(pair: tuple[int, int]) -> float | None:
        number = value(plain[pair], restored.get(pair)) if pair in plain else None
        return number if number is not None and math.isfinite(number) else None

    return [[cell((first, second)) for second in quality_factors] for first in quality_factors]


def _drawn(
    heat: graph_objects.Heatmap,
    rows: list[list[float | None]],
    quality_factors: Sequence[int],
    title: str,
    subtitle: str,
    in_words: Callable[[float], str],
) -> graph_objects.Figure:
    labels = [str(quality) for quality in quality_factors]
    words = [["" if value is None else in_words(value) for value in row] for row in rows]
    heat.update(
        x=labels,
        y=labels,
        z=rows,
        text=words,
        texttemplate="%{text}",
        textfont={"color": INK},
        hoverongaps=False,
        xgap=1,
        ygap=1,
    )
    heat.update(hovertemplate="first %{y}, then %{x}: %{text} dB<extra></extra>")
    axis = {"type": "category", "showgrid": False, "ticks": "", "showline": False}
    figure = sheet(
        title,
        subtitle,
        x={"title": {"text": "quality factor of the second save"}, **axis},
        y={"title": {"text": "quality factor of the first save"}, **axis},
    )
    return figure.add_trace(heat)


def by_hand_curve(
    points: Sequence[SweepPoint], sweep: ByHandSweep, titles: Mapping[str, str], title: str, subtitle: str
) -> graph_objects.Figure:
    """One line, with level ones for plain decoding and the model's own choice.

    Args:
        points: of a ByHandSweep, as many as there are.
        sweep: whose quality factors the axis has; that of the file is marked.
        titles: of the models, by name.
        title, subtitle: see sheet.
    """
    figure = sheet(
        title,
        subtitle,
        x={"title": {"text": "quality factor told by hand"}, **quality_axis(sweep.quality_factors)},
        y={"title": {"text": "PSNR over R, G and B, dB"}},
    )
    told = [point for point in points if point.job.by_hand is not None]
    by_hand = [point.job.by_hand for point in points if point.job.by_hand is not None]
    across = by_hand or list(sweep.quality_factors)
    for point in points:
        if point.job.by_hand is None:
            name = point.job.model_name
            label = titles[name] if name == PLAIN else f"{titles[name]}, automatic"
            figure.add_trace(_level(point, across, label))
    if told:
        look = look_of_model(told[0].job.model_name)
        figure.add_scatter(
            name=f"{titles[told[0].job.model_name]}, told by hand",
            x=across,
            y=[point.metrics["psnr_db"] for point in told],
            mode="lines+markers",
            line=look.line,
            marker=look.marker,
            hovertemplate="%{y:.2f} dB",
        )
        _mark_file_quality(figure, sweep.file_quality)
    return figure.update_layout(hovermode="x unified", hoverdistance=-1, showlegend=True)


def _mark_file_quality(figure: graph_objects.Figure, file_quality: int) -> None:
    figure.add_vline(x=file_quality, line={"color": "#8a8a8a", "width": 1, "dash": "dot"})
    figure.add_annotation(
        x=file_quality,
        y=0.02,
        yref="paper",
        text="the file's own quality",
        textangle=-90,
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
    )


def _level(point: SweepPoint, across: Sequence[int], label: str) -> graph_objects.Scatter:
    look = look_of_model(point.job.model_name)
    return graph_objects.Scatter(
        name=label,
        x=across,
        y=[point.metrics["psnr_db"]] * len(across),
        mode="lines",
        line={"color": look.color, "width": 1.5, "dash": "dash"},
        hovertemplate="%{y:.2f} dB",
    )

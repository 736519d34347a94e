"""Heat maps over the quality factors of two saves: a model's gain over plain decoding, and plain decoding itself."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from plotly import graph_objects

from models.baselines import PLAIN
from studio.page.sheet import INK, sheet
from studio.page.wording import signed_decibels
from studio.sweep.sweeper import SweepPoint

LOSS_TO_GAIN = ((0.0, "#c98d3a"), (0.25, "#e9d3a8"), (0.5, "#f5f5f5"), (0.75, "#a9d5cf"), (1.0, "#42a198"))
"""Brown to blue-green after C. Brewer, which all kinds of colour vision tell apart; no gain is almost white."""

LOW_TO_HIGH = ((0.0, "#f3f6fa"), (0.5, "#b3cde3"), (1.0, "#6497c5"))
"""Both scales are light enough for dark numbers in every cell."""


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

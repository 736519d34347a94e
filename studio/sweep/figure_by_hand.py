"""PSNR of one model against the quality factor it is told by hand, beside what it does on its own."""

from collections.abc import Mapping, Sequence

from plotly import graph_objects

from models.baselines import PLAIN
from studio.page.sheet import look_of_model, quality_axis, sheet
from studio.sweep.sweeper import ByHandSweep, SweepPoint


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

"""Bits per pixel against PSNR, one line per model, with the place where plain decoding is as good as a restoration."""

from collections.abc import Iterable, Mapping, Sequence

from plotly import graph_objects

from studio.page.sheet import look_of_model, sheet
from studio.sweep.rate_distortion import Reading, rate_curve
from studio.sweep.sweeper import SweepPoint

TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


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
            figure.add_trace(_guide(reading))
    return figure.update_layout(hovermode="closest", showlegend=True)


def _guide(reading: Reading) -> graph_objects.Scatter:
    """From the restoration to the plain decoding that is as good."""
    places = (reading.restored, reading.plain)
    return graph_objects.Scatter(
        x=[place.bits_per_pixel for place in places],
        y=[place.psnr_db for place in places],
        mode="lines+markers",
        line={"color": look_of_model(reading.model_name).color, "dash": "dash", "width": 1.5},
        marker={"symbol": "circle-open", "size": 16, "color": look_of_model(reading.model_name).color},
        hoverinfo="skip",
        showlegend=False,
    )

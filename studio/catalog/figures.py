"""The two figures of the Models tab: gain against cost at one quality, and gain over quality."""

from collections.abc import Iterable, Sequence
from typing import Literal

from plotly import graph_objects

from studio.catalog.printed import Peer
from studio.catalog.rows import CatalogRow
from studio.page.sheet import look_of_model, quality_axis, sheet
from studio.page.wording import signed_decibels

Cost = Literal["seconds", "operations"]

COST_AXES: dict[Cost, str] = {
    "seconds": "seconds per megapixel, logarithmic",
    "operations": "million multiply-accumulates per pixel, logarithmic",
}
GAIN_AXIS = "mean PSNR gain, dB"
DATA = "LIVE1 in color, saved once at 4:2:0; gain over plain decoding, PSNR of R, G and B"
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
HARM = "rgba(190, 60, 50, 0.10)"
"""Behind everything below zero; faint enough for lines on light and dark pages."""


def cost_of(row: CatalogRow, cost: Cost) -> float | None:
    """Where a model stands on the axis of costs; None where that is unknown, or nothing at all."""
    return row.seconds_per_megapixel if cost == "seconds" else row.card.mmac_per_pixel or None


def gain_against_cost(
    rows: Iterable[CatalogRow], peers: Sequence[Peer], quality_factor: int, cost: Cost
) -> graph_objects.Figure:
    """One point per network: filled as measured here, hollow as printed.

    Args:
        rows: the models.
        peers: printed networks; drawn on the axis of operations alone, since papers print no seconds that compare.
        quality_factor: of the files.
        cost: what the axis counts.
    """
    axis = {"title": {"text": COST_AXES[cost]}, "type": "log", "tickvals": TICKS}
    axis["ticktext"] = [f"{tick:g}" for tick in TICKS]
    figure = sheet(
        f"Gain against cost at quality factor {quality_factor}",
        DATA,
        x=axis,
        y={"title": {"text": GAIN_AXIS}, "zeroline": True},
    )
    for row in rows:
        gain, price = row.gain_db(quality_factor), cost_of(row, cost)
        if gain is None or price is None or not row.card.architecture:
            continue
        words = f"{price:.2f} s/MP on {row.machine}" if cost == "seconds" else f"{price:.2f} MMAC/px"
        _point(figure, row.card.name, row.card.title, price, gain, words)
    for peer in peers if cost == "operations" else ():
        source = peer.published
        place = f"{source.source}{', quoted' * source.quoted}, over {peer.over}"
        words = f"{source.mmac:g} MMAC/px, counted or quoted<br>gain printed: {place}"
        name = source.model or source.method.lower()
        _point(figure, name, source.method, source.mmac, peer.gain_db, words, hollow=True)
    return figure.update_layout(hovermode="closest", showlegend=True)


def _point(
    figure: graph_objects.Figure,
    name: str,
    title: str,
    cost: float | None,
    gain: float,
    words: str,
    *,
    hollow: bool = False,
) -> None:
    look = look_of_model(name)
    symbol = look.symbol.removesuffix("-open")
    figure.add_scatter(
        name=f"{title}, printed" if hollow else title,
        x=[cost],
        y=[round(gain, 3)],
        mode="markers",
        marker={**look.marker, "symbol": f"{symbol}-open" if hollow else symbol, "size": 12},
        hovertemplate=f"<b>{title}</b><br>{signed_decibels(gain)} dB<br>{words}<extra></extra>",
    )


def gain_over_quality(rows: Sequence[CatalogRow]) -> graph_objects.Figure:
    """One line per network over all measured qualities; what lies below zero is shaded."""
    measured = [row for row in rows if row.card.architecture and row.singles]
    qualities = sorted({quality for row in measured for quality in row.singles})
    gains = [row.gain_db(quality) or 0.0 for row in measured for quality in row.singles]
    lowest, highest = min([*gains, 0.0]) - 0.2, max([*gains, 0.0]) + 0.2
    figure = sheet(
        "Gain over quality",
        DATA,
        x={"title": {"text": "quality factor of the file"}, **quality_axis(qualities or [1, 100])},
        y={"title": {"text": GAIN_AXIS}, "zeroline": True, "range": [lowest, highest]},
    )
    for row in measured:
        look = look_of_model(row.card.name)
        known = {quality: row.gain_db(quality) for quality in sorted(row.singles)}
        figure.add_scatter(
            name=row.card.title,
            x=list(known),
            y=[None if gain is None else round(gain, 3) for gain in known.values()],
            text=["" if gain is None else f"{signed_decibels(gain)} dB" for gain in known.values()],
            mode="lines+markers",
            line=look.line,
            marker=look.marker,
            hovertemplate="%{text}",
        )
    figure.add_hrect(y0=lowest, y1=0, fillcolor=HARM, line_width=0, layer="below")
    figure.add_annotation(
        x=0.01, xref="paper", xanchor="left", y=lowest, yanchor="bottom", text="worse than the damaged picture",
        showarrow=False,
    )  # fmt: skip
    return figure.update_layout(hovermode="x unified", hoverdistance=-1, showlegend=True)

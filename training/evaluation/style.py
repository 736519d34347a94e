"""How all figures look: one colour, marker and line per model everywhere, and one sober layout.

Colours are those of M. Okabe and K. Ito and of P. Tol, which people with any kind of colour vision tell apart; markers
say the same again. The background is white and opaque, so that figures can be read on dark pages too.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plotly import graph_objects
from plotly.colors import sample_colorscale

INK, FAINT = "#222222", "#E3E3E3"
FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif"
FAMILIES = {
    "none": ("#777777", "x"),
    "ar_cnn": ("#E69F00", "triangle-up"),
    "hr_cnn": ("#CC79A7", "triangle-down"),
    "dncnn": ("#009E73", "square"),
    "edsr": ("#56B4E9", "diamond"),
    "luma_chroma": ("#882255", "pentagon"),
    "qcn": ("#0072B2", "star-diamond"),
    "qgcn": ("#332288", "star"),
    "cascade": ("#D55E00", "circle"),
}
"""Colour and marker by the beginning of a model's name; what follows it makes a variant, drawn hollow and dashed."""

SPARE_COLORS = ("#117733", "#AA4499", "#999933", "#661100", "#6699CC")
SPARE_SYMBOLS = ("hexagon", "cross", "bowtie", "hourglass")
VARIANT_DASHES = ("dash", "dot", "dashdot", "longdash")


@dataclass(frozen=True)
class Look:
    """How one model is drawn, in plotly's words."""

    color: str
    symbol: str
    dash: str = "solid"

    @property
    def line(self) -> dict:
        """For a trace's line."""
        return {"color": self.color, "dash": self.dash, "width": 2}

    @property
    def marker(self) -> dict:
        """For a trace's marker."""
        return {
            "color": self.color,
            "symbol": self.symbol,
            "size": 8,
            "line": {"width": 1.5, "color": self.color},
        }


def look_of(model: str) -> Look:
    """The look of a model, the same in every figure; models without a family of their own get a spare one."""
    families = [name for name in FAMILIES if model == name or model.startswith((name + "-", name + "_"))]
    if not families:
        number = zlib.crc32(model.encode())
        return Look(
            SPARE_COLORS[number % len(SPARE_COLORS)], SPARE_SYMBOLS[number // 8 % len(SPARE_SYMBOLS)], "dash"
        )
    family = max(families, key=len)
    color, symbol = FAMILIES[family]
    if model == family:
        return Look(color, symbol)
    dash = VARIANT_DASHES[zlib.crc32(model.encode()) % len(VARIANT_DASHES)]
    return Look(color, f"{symbol}-open", dash)


def look_of_quality_factor(quality_factor: int) -> Look:
    """For models trained at one quality factor: from dark at 0 to light at 100."""
    color = str(sample_colorscale("Viridis", [min(quality_factor / 100, 0.9)])[0])
    return Look(color, "circle", "dot")


def curve(
    name: str, x: Sequence, y: Sequence[float], look: Look, *, unit: str, shown: bool = True
) -> graph_objects.Scatter:
    """One model's line of gains.

    Args:
        name: for the legend.
        x, y: points; y in dB.
        look: of the model.
        unit: how the label under the pointer says x, with %{x} for the value.
        shown: in the legend.
    """
    return graph_objects.Scatter(
        name=name,
        x=x,
        y=y,
        mode="lines+markers",
        line=look.line,
        marker=look.marker,
        showlegend=shown,
        text=[f"{gain:+.2f}" for gain in y],
        hovertemplate=f"{name}<br>{unit}: %{{text}} dB<extra></extra>",
    )


def weakest_first(gains: Iterable[tuple[str, float]]) -> list[str]:
    """Models by their mean gain, so that every legend and table has the same order.

    Args:
        gains: (model, gain in dB) of every row.
    """
    found: dict[str, list[float]] = {}
    for model, gain in gains:
        found.setdefault(model, []).append(gain)
    return sorted(found, key=lambda model: sum(found[model]) / len(found[model]))


def dress(
    figure: graph_objects.Figure, title: str, subtitle: str, *, height: int = 480
) -> graph_objects.Figure:
    """Give a figure the layout of all; returns it.

    Args:
        figure: with its traces and axis titles.
        title: what it is about.
        subtitle: data, colour and measure.
        height: in pixels, at a width of 960.
    """
    figure.update_layout(
        template="plotly_white",
        paper_bgcolor="white",
        plot_bgcolor="white",
        font={"family": FONT, "size": 13, "color": INK},
        title={
            "text": title,
            "subtitle": {"text": subtitle, "font": {"size": 13, "color": "#555555"}},
            "x": 0.01,
            "xanchor": "left",
            "y": 1 - 20 / height,
            "yanchor": "top",
            "font": {"size": 18},
        },
        margin={"l": 70, "r": 20, "t": 100, "b": 60},
        height=height,
        legend={"orientation": "v", "font": {"size": 12}},
        hovermode="closest",
    )
    figure.update_annotations(font={"size": 14})
    figure.update_xaxes(
        title_font={"size": 13},
        showline=True,
        linecolor=INK,
        gridcolor=FAINT,
        zeroline=False,
        ticks="outside",
    )
    figure.update_yaxes(
        title_font={"size": 13},
        showline=True,
        linecolor=INK,
        gridcolor=FAINT,
        zeroline=False,
        ticks="outside",
    )
    return figure


def mark_zero(figure: graph_objects.Figure) -> None:
    """A line at a gain of 0 dB: plain decoding."""
    figure.add_hline(y=0, line={"color": INK, "width": 1})

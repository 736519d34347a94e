"""What every plotly picture of the studio is drawn on: a white sheet with dark ink, titles and units.

All ink stands in the template. The page's chart component (studio/page/chart) exchanges it for the theme's and
leaves the title out; downloads keep the sheet as it is. A model's colour, marker and dash come from
training.evaluation.style, so that it looks the same here and in the documents.
"""

from collections.abc import Sequence
from typing import Any

from plotly import graph_objects

from models.baselines import PLAIN
from training.evaluation.style import Look, look_of

INK, MUTED, LINE = "#1b1c1d", "#5d6063", "#d9d9d6"
FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"

MOST_TICKS = 12


def sheet(title: str, subtitle: str, *, x: dict[str, Any], y: dict[str, Any]) -> graph_objects.Figure:
    """An empty figure.

    Args:
        title: what it shows of which picture.
        subtitle: the settings.
        x, y: the axes in plotly's words; their titles carry units.
    """
    axis = {
        "gridcolor": LINE,
        "linecolor": MUTED,
        "tickcolor": MUTED,
        "showline": True,
        "ticks": "outside",
        "zeroline": False,
        "automargin": True,
        "spikecolor": MUTED,
        "spikethickness": 1,
        "title": {"standoff": 8, "font": {"size": 13}},
    }
    ink = {
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "hoverlabel": {"bgcolor": "#ffffff", "bordercolor": LINE, "font": {"color": INK, "size": 13}},
        "xaxis": axis,
        "yaxis": axis,
    }
    heading = {
        "text": title,
        "subtitle": {"text": subtitle},
        "x": 0,
        "xref": "paper",
        "y": 0.97,
        "yanchor": "top",
    }
    layout = {
        "template": {"layout": ink},
        "title": heading,
        "margin": {"l": 16, "r": 16, "t": 120, "b": 16},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": x,
        "yaxis": y,
    }
    return graph_objects.Figure(layout=layout)


def look_of_model(name: str) -> Look:
    """Colour, marker and dash of a model, plain decoding included."""
    return look_of("none" if name == PLAIN else name)


def quality_axis(quality_factors: Sequence[int]) -> dict[str, Any]:
    """An axis of quality factors, in plotly's words: room at both ends, and a tick at each where they are few."""
    first, last = quality_factors[0], quality_factors[-1]
    room = (last - first) * 0.04
    few = {"tickvals": list(quality_factors)} if len(quality_factors) <= MOST_TICKS else {}
    under_pointer = {"unifiedhovertitle": {"text": "quality factor %{x}"}}
    return {"range": [first - room, last + room], **under_pointer, **few}

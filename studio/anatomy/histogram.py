"""Histogram of one DCT frequency, with the comb that an earlier save would leave."""

import numpy as np
from plotly import graph_objects

from studio.anatomy.taken_apart import Histogram
from studio.page.sheet import sheet

BARS, COMB = "#0072b2", "#d55e00"
"""Blue and vermilion of Okabe and Ito's palette, told apart by colour-blind people."""

MOST_MARKS = 80
"""More teeth of a comb than that cannot be told apart."""


def histogram_figure(
    histogram: Histogram, title: str, subtitle: str, *, first_step: int | None = None
) -> graph_objects.Figure:
    """Bars of how many blocks have each value; the bar at 0 is cut off where it towers over the others.

    Args:
        histogram: what was counted.
        title, subtitle: see sheet.
        first_step: step of an earlier save's table at this frequency; its multiples are marked below the
            bars where they can be told apart.
    """
    beside = histogram.counts[histogram.values != 0]
    highest = max(int(beside.max(initial=0)), 1)
    figure = sheet(
        title,
        subtitle,
        x={"title": {"text": "value of the coefficient"}},
        y={"title": {"text": "blocks"}, "range": [-0.09 * highest, 1.1 * highest]},
    )
    figure.add_bar(
        name="blocks",
        x=histogram.values.tolist(),
        y=histogram.counts.tolist(),
        width=0.86 * histogram.width,
        marker={"color": BARS, "line": {"width": 0}},
        hovertemplate="value %{x}: %{y} blocks<extra></extra>",
    )
    if histogram.zeros > highest:
        words = f"0: {histogram.zeros:,} blocks".replace(",", "\u202f")
        figure.add_annotation(
            x=0.6 * histogram.width, y=1.04 * highest, text=words, showarrow=False, xanchor="left", xshift=4
        )
    reach = float(histogram.values[-1])
    combed = first_step is not None and 2 * reach / first_step <= MOST_MARKS
    if first_step is not None and combed:
        multiples = np.arange(-(reach // first_step), reach // first_step + 1) * first_step
        figure.add_scatter(
            name=f"multiples of {first_step}, the first table's step",
            x=multiples.tolist(),
            y=[-0.045 * highest] * len(multiples),
            mode="markers",
            marker={"symbol": "triangle-up", "size": 8, "color": COMB},
            hovertemplate="%{x}<extra></extra>",
        )
    return figure.update_layout(bargap=0, showlegend=combed)

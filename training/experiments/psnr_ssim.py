"""PSNR against SSIM, one point per model and quality factor.

After figures 1 and 6 of S. Zini, S. Bianco and R. Schettini, "Deep Residual Autoencoder for quality independent JPEG
restoration", 2019. Compared are the colour pictures in RGB; the paper compares luma.
"""

from typing import Any

from plotly import graph_objects
from plotly.subplots import make_subplots

from training.evaluation.scoring import DO_NOTHING
from training.evaluation.style import dress, look_of, weakest_first
from training.evaluation.tables import MISSING, markdown
from training.experiments.tables import Row, gains

MOST_PANELS = 4
PLAIN = "plain decoding"


def draw(content: dict[str, Any]) -> graph_objects.Figure:
    """A panel for each of the four lowest quality factors, because models differ less than quality factors do."""
    rows, scope = content["rows"], content["scope"]
    quality_factors = sorted({row["quality_factor"] for row in rows})[:MOST_PANELS]
    columns = 2 if len(quality_factors) == MOST_PANELS else len(quality_factors)
    figure = make_subplots(
        len(quality_factors) // columns,
        columns,
        subplot_titles=[f"quality factor {each}" for each in quality_factors],
        horizontal_spacing=0.1,
        vertical_spacing=0.16,
    )
    named = set()
    for index, quality_factor in enumerate(quality_factors):
        down, across = index // columns + 1, index % columns + 1
        for model in [*reversed(weakest_first(gains(rows))), DO_NOTHING]:
            own = [row for row in rows if (row["model"], row["quality_factor"]) == (model, quality_factor)]
            if own:
                figure.add_trace(_point(own[0], shown=model not in named), row=down, col=across)
                named.add(model)
        figure.update_xaxes(title_text="SSIM", tickformat=".3f", nticks=6, row=down, col=across)
        figure.update_yaxes(title_text="PSNR, dB", tickformat=".1f", nticks=6, row=down, col=across)
    subtitle = (
        f"{scope['data']}, {scope['pictures']} pictures, RGB; the better a model, the farther up and right"
    )
    return dress(figure, "PSNR against SSIM", subtitle, height=720)


def table(content: dict[str, Any]) -> str:
    """PSNR and SSIM at every quality factor."""
    rows = content["rows"]
    quality_factors = sorted({row["quality_factor"] for row in rows})
    lines = []
    for model in [DO_NOTHING, *weakest_first(gains(rows))]:
        found = {row["quality_factor"]: row for row in rows if row["model"] == model}
        name = PLAIN if model == DO_NOTHING else f"`{model}`"
        lines.append([name, *(_cell(found.get(each)) for each in quality_factors)])
    return "\n".join(markdown(["PSNR in dB / SSIM", *(f"QF{each}" for each in quality_factors)], lines))


def _cell(row: Row | None) -> str:
    return f"{row['psnr_db']:.2f} / {row['ssim']:.4f}" if row else MISSING


def _point(row: Row, *, shown: bool) -> graph_objects.Scatter:
    name = PLAIN if row["model"] == DO_NOTHING else row["model"]
    return graph_objects.Scatter(
        name=name,
        x=[row["ssim"]],
        y=[row["psnr_db"]],
        mode="markers",
        marker=look_of(row["model"]).marker | {"size": 12},
        legendgroup=name,
        showlegend=shown,
        hovertemplate=f"{name}<br>SSIM %{{x:.4f}}, PSNR %{{y:.2f}} dB<extra></extra>",
    )

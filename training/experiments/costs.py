"""What a model costs against what it gains: operations, parameters and time.

After table III of J. Niu, "End-to-End JPEG Decoding and Artifacts Suppression Using Heterogeneous Residual
Convolutional Neural Network".
"""

from statistics import mean, median
from typing import Any

from plotly import graph_objects
from plotly.subplots import make_subplots

from training.evaluation.scoring import DO_NOTHING
from training.evaluation.style import dress, look_of, weakest_first
from training.evaluation.tables import markdown
from training.experiments.tables import gains, signed

QUALITY_FACTORS = (10, 20, 30, 40)
COSTS = {
    "mmac_per_pixel": "operations, MMAC per pixel",
    "millions": "parameters, millions",
    "megapixels_per_second": "speed, MP per second",
}
TICKS = [digit * 10.0**power for power in range(-3, 3) for digit in (1, 2, 5)]


def draw(content: dict[str, Any]) -> graph_objects.Figure:
    """Three panels with logarithmic costs, one point per model."""
    points = _points(content)
    figure = make_subplots(1, len(COSTS), shared_yaxes=True, horizontal_spacing=0.03)
    for column, (cost, title) in enumerate(COSTS.items(), 1):
        for point in reversed(points):
            figure.add_trace(_marker(point, cost, title, shown=column == 1), row=1, col=column)
        figure.update_xaxes(
            type="log",
            title_text=title,
            tickvals=TICKS,
            ticktext=[f"{each:g}" for each in TICKS],
            row=1,
            col=column,
        )
    figure.update_yaxes(title_text="mean PSNR gain over plain decoding, dB", row=1, col=1)
    scope = content["scope"]
    subtitle = (
        f"{scope['data']}, {scope['pictures']} pictures, RGB, mean over quality factors {_words(content)}; "
        "costs on a logarithmic scale"
    )
    return dress(figure, "Gain against operations, parameters and speed", subtitle)


def table(content: dict[str, Any]) -> str:
    """Gain and costs, the smallest gain first."""
    lines = [
        [
            f"`{point['model']}`",
            signed(point["gain_db"]),
            f"{point['millions']:.2f}",
            f"{point['mmac_per_pixel']:.3f}",
            f"{point['megapixels_per_second']:.2f}",
        ]
        for point in _points(content)
    ]
    heading = ["model", f"mean gain in dB at QF {_words(content)}", "M parameters", "MMAC/px", "MP/s"]
    return "\n".join([*markdown(heading, lines), "", f"Speed on {_machines(content)}."])


def _rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    models = [row for row in content["rows"] if row["model"] != DO_NOTHING]
    return [row for row in models if row["quality_factor"] in QUALITY_FACTORS] or models


def _points(content: dict[str, Any]) -> list[dict[str, Any]]:
    """One per model, the smallest gain first: mean gain and median speed over the quality factors."""
    rows, points = _rows(content), []
    for model in weakest_first(gains(rows)):
        own = [row for row in rows if row["model"] == model]
        points.append(
            {
                "model": model,
                "gain_db": mean(row["gain_db"] for row in own),
                "millions": own[0]["parameters"] / 1e6,
                "mmac_per_pixel": own[0]["mmac_per_pixel"],
                "megapixels_per_second": median(row["megapixels_per_second"] for row in own),
            }
        )
    return points


def _marker(point: dict[str, Any], cost: str, title: str, *, shown: bool) -> graph_objects.Scatter:
    model = point["model"]
    return graph_objects.Scatter(
        name=model,
        x=[point[cost]],
        y=[point["gain_db"]],
        mode="markers",
        marker=look_of(model).marker | {"size": 12},
        legendgroup=model,
        showlegend=shown,
        text=[f"{point['gain_db']:+.2f}"],
        hovertemplate=f"{model}<br>{title}: %{{x:.3g}}<br>%{{text}} dB<extra></extra>",
    )


def _words(content: dict[str, Any]) -> str:
    return ", ".join(map(str, sorted({row["quality_factor"] for row in _rows(content)})))


def _machines(content: dict[str, Any]) -> str:
    return " and ".join(sorted({row["machine"] for row in _rows(content)}))

"""Gain over plain decoding against the size of the picture: the same pictures, shrunk before they are saved.

After figure 9 of J. Li, Y. Wang, H. Xie and K.-K. Ma, "Learning a Single Model with a Wide Range of Quality Factors for
JPEG Image Artifacts Removal": pictures of 1, 1/4, 1/9 and 1/16 of their area at quality factors 10 to 50. The paper
does not say how it shrinks them; here every pixel is the mean over the area it covers.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import cv2
import numpy as np
from plotly import graph_objects

from models.images import RgbImage
from models.jpeg import Degradation, Save, degrade, read
from training.evaluation.benchmarks import Case, Condition
from training.evaluation.style import curve, dress, look_of, mark_zero, weakest_first
from training.experiments.measurements import Measurements
from training.experiments.measuring import Request, scope_of, score_missing
from training.experiments.tables import gains, table_of_gains
from training.pictures import picture_paths

QUALITY_FACTORS = (10, 20, 30, 40, 50)
DIVISORS = (4, 3, 2, 1)
"""Of rows and columns."""


def measure(request: Request) -> None:
    """Fill the request's file."""
    folder = request.pictures()
    paths = picture_paths(folder)[: request.limit]
    where = [
        ({"quality_factor": quality_factor, "divisor": divisor}, _condition(paths, quality_factor, divisor))
        for divisor in DIVISORS
        for quality_factor in request.quality_factors or QUALITY_FACTORS
    ]
    measurements = Measurements(request.file, scope_of(folder, [condition for _, condition in where]))
    score_missing(measurements, where, request.candidates())


def draw(content: dict[str, Any]) -> graph_objects.Figure:
    """One line per model over the share of the area, the mean over the quality factors."""
    means = _means(content)
    figure = graph_objects.Figure()
    for model in reversed(weakest_first(gains(means))):
        own = sorted((row for row in means if row["model"] == model), key=lambda row: -row["divisor"])
        points = [_share(row["divisor"]) for row in own], [row["gain_db"] for row in own]
        figure.add_trace(curve(model, *points, look_of(model), unit="%{x} of the area"))
    order = [_share(divisor) for divisor in DIVISORS]
    figure.update_xaxes(
        title_text="share of the picture's own area", categoryorder="array", categoryarray=order
    )
    figure.update_yaxes(title_text="PSNR gain over plain decoding, dB")
    mark_zero(figure)
    scope = content["scope"]
    quality_factors = ", ".join(map(str, sorted({row["quality_factor"] for row in content["rows"]})))
    subtitle = (
        f"{scope['data']}, {scope['pictures']} pictures shrunk by area, mean over quality factors {quality_factors}, "
        "PSNR over R, G and B"
    )
    return dress(figure, "Gain by picture size", subtitle)


def table(content: dict[str, Any]) -> str:
    """Gains by share of the area, the mean over the quality factors."""
    columns = [(f"{_share(divisor)} of the area", {"divisor": divisor}) for divisor in DIVISORS]
    return table_of_gains(_means(content), columns)


def _condition(paths: Sequence[Path], quality_factor: int, divisor: int) -> Condition:
    label = f"QF {quality_factor}, {_share(divisor)} of the area"
    return Condition(label, quality_factor, None, _shrunk_cases(paths, quality_factor, divisor))


def _shrunk_cases(paths: Sequence[Path], quality_factor: int, divisor: int) -> Callable[[], Iterator[Case]]:
    degradation = Degradation((Save(quality_factor),))

    def cases() -> Iterator[Case]:
        for path in paths:
            original = read(path.read_bytes())
            degraded = degrade(shrunk(original.pixels, divisor), degradation, gray=original.is_gray)
            yield Case(path.name, degraded.image, degraded.reference)

    return cases


def shrunk(pixels: RgbImage, divisor: int) -> RgbImage:
    """(rows, columns, 3) uint8 -> (rows/divisor, columns/divisor, 3) uint8, rounded, the mean over each area."""
    if divisor == 1:
        return pixels
    size = max(1, round(pixels.shape[1] / divisor)), max(1, round(pixels.shape[0] / divisor))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _share(divisor: int) -> str:
    return "1" if divisor == 1 else f"1/{divisor**2}"


def _means(content: dict[str, Any]) -> list[dict[str, Any]]:
    """One row per model and divisor: means over the quality factors."""
    found: dict[tuple[str, int], list[dict]] = {}
    for row in content["rows"]:
        found.setdefault((row["model"], row["divisor"]), []).append(row)
    return [
        {
            "model": model,
            "divisor": divisor,
            "psnr_db": mean(row["psnr_db"] for row in rows),
            "gain_db": mean(row["gain_db"] for row in rows),
        }
        for (model, divisor), rows in found.items()
    ]

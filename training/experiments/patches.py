"""Gain by frequency content and by detail density of 64x64 patches.

After section V-C and tables V and VI of S. Zini, S. Bianco and R. Schettini, "Deep Residual Autoencoder for quality
independent JPEG restoration", 2019. Pictures saved at quality factor 10 are restored whole and cut into 64x64 patches,
which are divided into five equal classes, once by "the weighted average of the 2D Fourier Transform normalized
magnitude" and once by "the 2D average of the result of the Canny edge detection"; luma is compared. What the paper
leaves open, and what was chosen here:

* Classes are of equal numbers of patches, and of the original's luma, so that they are the same for every model.
* The weights of the average are the frequencies themselves, in cycles per pixel; the patch's mean is taken away first.
  The result is where the patch's spectrum has its centre, whatever its contrast.
* Canny's detector is scikit-image's with its own settings (sigma 1, thresholds 0.1 and 0.2 of the range), run on whole
  pictures, so that the patches' borders make no edges.
* Luma is full-range; the paper's is Matlab's. Patches that the right and lower edge cut through are left out.
"""

import math
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plotly import graph_objects
from plotly.subplots import make_subplots
from skimage.feature import canny

from models.errors import InvalidSetting
from training.evaluation.benchmarks import Condition, comparable, recompressed
from training.evaluation.candidates import Candidate
from training.evaluation.metrics import fast_metrics
from training.evaluation.metrics import measure as measure_pair
from training.evaluation.scoring import DO_NOTHING
from training.evaluation.style import curve, dress, look_of, mark_zero, weakest_first
from training.experiments.measurements import Measurements
from training.experiments.measuring import Request, progress, scope_of
from training.experiments.tables import gains, table_of_gains

SIDE = 64
QUALITY_FACTOR = 10
CLASSES = ("low", "medium-low", "medium", "medium-high", "high")
KINDS = {"frequency": "frequency content", "detail": "detail density"}
MOST_DB = 10 * math.log10(255**2 * 12)
"""PSNR at the error of rounding alone, a twelfth of a squared grey level; patches that are restored better, or
perfectly, count as this."""

Plane = NDArray[np.float64]


def measure(request: Request) -> None:
    """Fill the request's file: per model and kind, one row per class.

    Raises:
        InvalidSetting: more than one quality factor.
    """
    folder = request.pictures()
    quality_factor, *others = request.quality_factors or (QUALITY_FACTOR,)
    if others:
        raise InvalidSetting(
            f"{1 + len(others)} quality factors were given. Patches are divided at one of them. Give one, or none "
            f"for {QUALITY_FACTOR}."
        )
    [condition] = recompressed(folder, quality_factors=(quality_factor,), limit=request.limit)
    scope = scope_of(folder, [condition]) | {"quality_factor": quality_factor}
    measurements = Measurements(request.file, scope)
    last = {"by": list(KINDS)[-1], "class": CLASSES[-1]}
    missing = [
        each
        for each in request.candidates()
        if not measurements.has({"model": each.name, "weights": each.weights, **last})
    ]
    if missing:
        _measure_missing(measurements, condition, missing)


def _measure_missing(measurements: Measurements, condition: Condition, missing: Sequence[Candidate]) -> None:
    classes = classes_of(condition)
    plain = _outcomes(condition, None)
    for candidate in (None, *missing):
        found = plain if candidate is None else _outcomes(condition, candidate)
        model, weights = (candidate.name, candidate.weights) if candidate else (DO_NOTHING, "")
        for kind, of_patch in classes.items():
            for number, name in enumerate(CLASSES):
                key = {"model": model, "weights": weights, "by": kind, "class": name}
                chosen = of_patch == number
                if chosen.any():
                    measurements.add(key, _values(found[chosen], plain[chosen]))


def _values(found: Plane, plain: Plane) -> dict[str, float]:
    """Means over the patches of one class; found, plain: (patches, metrics)."""
    means = found.mean(0)
    values = {metric.name: float(mean) for metric, mean in zip(fast_metrics(), means, strict=True)}
    return {"patches": len(found), **values, "gain_db": float(means[0]) - float(plain[:, 0].mean())}


def _outcomes(condition: Condition, candidate: Candidate | None) -> Plane:
    """(patches, metrics): every patch measured after a model, or after plain decoding; decibels are at most MOST_DB."""
    found = []
    ceilings = {metric: MOST_DB if metric.unit == "dB" else math.inf for metric in fast_metrics()}
    restorer = candidate.load() if candidate else None
    for case in progress(condition.cases(), f"{candidate.name if candidate else 'plain'}, {condition.label}"):
        pixels = restorer.restore(case.image).pixels if restorer else case.image.pixels
        pictures = (comparable(each, case.image, "y") for each in (pixels, case.reference))
        for restored, original in zip(*map(patches_of, pictures), strict=True):
            values = measure_pair(restored=restored, reference=original)
            found.append([min(values[metric.name], ceilings[metric]) for metric in fast_metrics()])
    return np.array(found)


def classes_of(condition: Condition) -> dict[str, NDArray[np.int64]]:
    """By kind, the number of every patch's class, 0 for the lowest; patches in the order of patches_of()."""
    frequencies, densities = [], []
    for case in condition.cases():
        original = comparable(case.reference, case.image, "y")
        frequencies += [frequency_content(patch) for patch in patches_of(original)]
        edges = canny(np.rint(original).astype(np.uint8))
        densities += [float(patch.mean()) for patch in patches_of(edges)]
    return {"frequency": equal_classes(frequencies), "detail": equal_classes(densities)}


def patches_of(plane: NDArray) -> Iterator[NDArray]:
    """The whole 64x64 patches of (rows, columns), row by row."""
    rows, columns = (size // SIDE * SIDE for size in plane.shape)
    for top in range(0, rows, SIDE):
        for left in range(0, columns, SIDE):
            yield plane[top : top + SIDE, left : left + SIDE]


def frequency_content(patch: Plane) -> float:
    """Where the spectrum of (rows, columns) has its centre: 0..0.71 cycles per pixel, 0 for a flat patch."""
    magnitude = np.abs(np.fft.fft2(patch - patch.mean()))
    vertical, horizontal = (np.fft.fftfreq(size) for size in patch.shape)
    total = magnitude.sum()
    weighted = (magnitude * np.hypot(vertical[:, None], horizontal)).sum()
    return float(weighted / total) if total > 1e-6 else 0.0


def equal_classes(values: Sequence[float] | NDArray[np.floating]) -> NDArray[np.int64]:
    """The class of every value, 0..4, in five classes of equal numbers; of equal values the earlier is lower."""
    ranks = np.empty(len(values), np.int64)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ranks * len(CLASSES) // max(len(values), 1)


def draw(content: dict[str, Any]) -> graph_objects.Figure:
    """Two panels, one per kind; under every class stands the PSNR of plain decoding."""
    rows, scope = content["rows"], content["scope"]
    figure = make_subplots(
        1,
        2,
        shared_yaxes=True,
        horizontal_spacing=0.04,
        subplot_titles=[f"By {each}" for each in KINDS.values()],
    )
    for column, kind in enumerate(KINDS, 1):
        own = [row for row in rows if row["by"] == kind]
        labels = {
            row["class"]: f"{row['class']}<br>{row['psnr_db']:.1f} dB"
            for row in own
            if row["model"] == DO_NOTHING
        }
        for model in reversed(weakest_first(gains(rows))):
            by_class = {row["class"]: row["gain_db"] for row in own if row["model"] == model}
            there = [each for each in CLASSES if each in by_class]
            points = [labels[each] for each in there], [by_class[each] for each in there]
            trace = curve(model, *points, look_of(model), unit="%{x} by plain decoding", shown=column == 1)
            figure.add_trace(trace.update(legendgroup=model), row=1, col=column)
        figure.update_xaxes(
            title_text=f"{KINDS[kind]}, and PSNR of plain decoding",
            categoryorder="array",
            categoryarray=[labels[each] for each in CLASSES if each in labels],
            row=1,
            col=column,
        )
    figure.update_yaxes(title_text="PSNR gain over plain decoding, dB", row=1, col=1)
    mark_zero(figure)
    count = fmean(row["patches"] for row in rows if row["model"] == DO_NOTHING)
    subtitle = (
        f"{scope['data']}, {scope['pictures']} pictures at quality factor {scope['quality_factor']}, "
        f"five classes of about {count:.0f} patches of {SIDE}×{SIDE}, PSNR of luma"
    )
    return dress(figure, "Gain by what a patch shows", subtitle)


def table(content: dict[str, Any]) -> str:
    """PSNR of plain decoding and gains by class, a table per kind."""
    columns = [(each, {"class": each}) for each in CLASSES]
    parts = []
    for kind, title in KINDS.items():
        own = [row for row in content["rows"] if row["by"] == kind]
        parts.append(table_of_gains(own, columns, title=f"gain in dB by {title}"))
    return "\n\n".join(parts)

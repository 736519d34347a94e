"""METRICS: how close a restored picture is to its reference. Tables, files, charts and reports loop over them.

SSIM: Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image Quality Assessment: From Error
Visibility to Structural Similarity", IEEE TIP 13(4), 2004.
PSNR-B: C. Yim and A. C. Bovik, "Quality Assessment of Deblocked Images", IEEE TIP 20(1), 2011.

Everything is summed up in strips of rows, so that a 24-megapixel picture costs a few megabytes. To add a metric, add an
entry to METRICS, and say in docs/glossary.md what it is.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.evaluation.ssimulacra2 import MIN_SIDE, ssimulacra2

PEAK = 255.0
SSIM_WINDOW = 11
SSIM_SIGMA = 1.5
BLOCK = 8
STRIP_ROWS = 128
STUDIO_LUMA = np.array([65.481, 128.553, 24.966]) / 255
"""BT.601 luma of R, G, B with 219 steps, without its offset of 16 (differences do not see it)."""

Picture = NDArray[np.generic]
"""(rows, columns) or (rows, columns, 3), any real type, 0..255."""


Measured = Mapping[str, float]
"""Values by Metric.name: of one restored picture against its reference, or the means over many."""


@dataclass(frozen=True)
class Metric:
    """A number that says how close a restored picture is to its reference.

    Attributes:
        name: its key in JSON, CSV and score files, with its unit.
        title: for people.
        unit: after every value, "" for none.
        digits: after the decimal point; tables of numbers for programs have four more.
        higher_is_better: what is good and what bad.
        of_color: how the three channels of a picture are joined, to stand after the title.
        hint: what it is, for who points at its title.
        brief: its convention in a few words, title and unit among them.
        convention: everything that decides its values, in whole sentences; scores of another convention are left out.
        compute: its value of a restored picture and its reference.
        slow: takes much longer than the others; computed once per finished picture, elsewhere where it is asked for.
    """

    name: str
    title: str
    unit: str
    digits: int
    higher_is_better: bool
    of_color: str
    hint: str
    brief: str
    convention: str
    compute: Callable[[Picture, Picture], float]
    slow: bool = False

    def number(self, value: float | None, missing: str = "–") -> str:
        """A value without its unit; `missing` where it is undefined."""
        return missing if value is None or math.isnan(value) else f"{value:.{self.digits}f}"

    def text(self, value: float | None) -> str:
        """A value for people; identical pictures have no finite PSNR."""
        if value is not None and math.isinf(value):
            return "identical"
        number = self.number(value)
        return f"{number} {self.unit}" if self.unit and number != "–" else number

    def exact(self, value: float) -> str:
        """A value for programs, as text."""
        return f"{value:.{self.digits + 4}f}"


def measure(
    *, restored: Picture, reference: Picture, metrics: Iterable[Metric] | None = None
) -> dict[str, float]:
    """The metrics of one picture, by their names.

    Args:
        restored: (rows, columns, 3) or (rows, columns), 0..255.
        reference: same shape.
        metrics: by default all that are not slow.

    Returns:
        Infinite for PSNR of identical pictures; not a number where a picture is too small for a metric.

    Raises:
        ValueError: if the shapes differ or the pictures are empty.
    """
    _check_comparable(restored, reference)
    chosen = fast_metrics() if metrics is None else metrics
    return {metric.name: metric.compute(restored, reference) for metric in chosen}


def fast_metrics() -> tuple[Metric, ...]:
    """Those that are computed wherever something is measured."""
    return tuple(metric for metric in METRICS if not metric.slow)


def slow_metrics() -> tuple[Metric, ...]:
    """The others."""
    return tuple(metric for metric in METRICS if metric.slow)


def convention(metrics: Iterable[Metric] | None = None) -> str:
    """How metrics are to be read, for people; by default those that are not slow."""
    return " ".join(metric.convention for metric in (fast_metrics() if metrics is None else metrics))


def convention_of(measured: Mapping[str, object]) -> str:
    """How values by name are to be read."""
    return convention(metric for metric in METRICS if metric.name in measured)


def as_json(measured: Measured) -> dict[str, float | None]:
    """The values by name; None where JSON has no number (infinite PSNR, undefined SSIM)."""
    return {name: value if math.isfinite(value) else None for name, value in measured.items()}


def psnr_db(restored: Picture, reference: Picture) -> float:
    """Peak signal-to-noise ratio over all pixels and channels, peak 255; infinite for identical pictures."""
    return decibels(mean_squared_error(restored, reference))


def psnr_b_db(restored: Picture, reference: Picture) -> float:
    """PSNR after the blocking effect factor of the restored picture is added to the mean squared error."""
    return decibels(mean_squared_error(restored, reference) + blocking_effect_factor(restored))


def mean_squared_error(restored: Picture, reference: Picture) -> float:
    """Mean of the squared differences over all pixels and channels, in squared gray levels."""
    _check_comparable(restored, reference)
    total = 0.0
    for rows in _strips(len(restored), overlap=0):
        difference = np.subtract(restored[rows], reference[rows], dtype=np.float64).ravel()
        # Not by BLAS, whose threads wait for each other on a busy machine, and for nobody else meanwhile.
        total += float(np.einsum("i,i->", difference, difference))
    return total / restored.size


def ssim(restored: Picture, reference: Picture) -> float:
    """Structural similarity, the mean over the valid region and the channels.

    Equal to scikit-image's with gaussian_weights=True, sigma=1.5, use_sample_covariance=False and
    data_range=255, to 1e-4 in the worst case of flat bright pictures and 1e-6 in photographs.

    Returns:
        -1..1, or not-a-number where a side is shorter than 11 pixels.
    """
    _check_comparable(restored, reference)
    if min(restored.shape[:2]) < SSIM_WINDOW:
        return math.nan
    total, count = 0.0, 0
    for rows in _strips(len(restored), overlap=SSIM_WINDOW - 1):
        similarity = _ssim_map(restored[rows], reference[rows])
        total += float(similarity.sum(dtype=np.float64))
        count += similarity.size
    return total / count


def mean_absolute_difference(one: Picture, other: Picture) -> float:
    """Of all values of two pictures of the same shape, in levels of 0..255."""
    total = 0.0
    for rows in _strips(len(one), overlap=0):
        total += float(np.abs(one[rows].astype(np.int16) - other[rows].astype(np.int16)).sum(dtype=np.int64))
    return total / one.size


def blocking_effect_factor(picture: Picture) -> float:
    """How much steps across the 8x8 grid exceed steps inside the blocks (Yim and Bovik, equations 8-13).

    Args:
        picture: (rows, columns), or (rows, columns, 3) of which the studio-range luma is taken; the grid
            starts at its top left corner.

    Returns:
        Squared gray levels, 0 or more; 0 where there are not two blocks in both directions.
    """
    shortest = min(picture.shape[:2])
    if shortest <= BLOCK:
        return 0.0
    across_sum, across_count, all_sum, all_count = 0.0, 0, 0.0, 0
    for rows in _strips(len(picture), overlap=1):
        strip = picture[rows].astype(np.float64)
        plane = strip @ STUDIO_LUMA if strip.ndim == 3 else strip
        down = np.square(np.diff(plane, axis=0))
        right = np.square(np.diff(plane[: len(down)] if rows.stop < len(picture) else plane, axis=1))
        for steps, across in ((down, down[BLOCK - 1 :: BLOCK]), (right, right[:, BLOCK - 1 :: BLOCK])):
            across_sum, across_count = across_sum + float(across.sum()), across_count + across.size
            all_sum, all_count = all_sum + float(steps.sum()), all_count + steps.size
    boundary = across_sum / across_count
    inside = (all_sum - across_sum) / (all_count - across_count)
    return math.log2(BLOCK) / math.log2(shortest) * max(0.0, boundary - inside)


def _strips(rows: int, overlap: int) -> Iterator[slice]:
    """Strips that start every STRIP_ROWS (a multiple of 8) and reach `overlap` rows into the next one."""
    start = 0
    while True:
        stop = min(start + STRIP_ROWS + overlap, rows)
        yield slice(start, stop)
        if stop == rows:
            return
        start += STRIP_ROWS


def _check_comparable(restored: Picture, reference: Picture) -> None:
    if restored.shape != reference.shape or restored.size == 0 or restored.ndim not in (2, 3):
        raise ValueError(
            f"Cannot compare pictures of shapes {restored.shape} and {reference.shape}; "
            "both must be (rows, columns) or (rows, columns, channels), equal and not empty."
        )


def decibels(squared_error: float) -> float:
    """A mean squared error in squared gray levels as PSNR, peak 255; infinite for none."""
    return math.inf if squared_error == 0 else 10 * math.log10(PEAK**2 / squared_error)


def _ssim_map(first: Picture, second: Picture) -> NDArray[np.floating]:
    """SSIM under every whole 11x11 window; moments are taken around mid-gray for precision."""
    middle = np.float32(128)
    first, second = first.astype(np.float32) - middle, second.astype(np.float32) - middle
    mean_first, mean_second = _window_mean(first), _window_mean(second)
    variance_sum = _window_mean(first * first + second * second) - mean_first**2 - mean_second**2
    covariance = _window_mean(first * second) - mean_first * mean_second
    mean_first, mean_second = mean_first + middle, mean_second + middle
    luminance_constant, contrast_constant = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    luminance = (2 * mean_first * mean_second + luminance_constant) / (
        mean_first**2 + mean_second**2 + luminance_constant
    )
    return luminance * (2 * covariance + contrast_constant) / (variance_sum + contrast_constant)


def _window_mean(picture: NDArray[np.floating]) -> NDArray[np.floating]:
    """Gaussian-weighted mean under every whole 11x11 window: 10 rows and columns fewer."""
    taps = cv2.getGaussianKernel(SSIM_WINDOW, SSIM_SIGMA, cv2.CV_32F)
    margin = SSIM_WINDOW // 2
    means = np.asarray(cv2.sepFilter2D(picture, cv2.CV_32F, taps, taps), np.float32)
    return means[margin:-margin, margin:-margin]


METRICS: tuple[Metric, ...] = (
    Metric(
        name="psnr_db",
        title="PSNR",
        unit="dB",
        digits=2,
        higher_is_better=True,
        of_color=" over R, G and B",
        hint="Peak signal-to-noise ratio over R, G and B together, in decibels. Higher is closer to the original.",
        brief="PSNR over R, G and B together, peak 255, in dB",
        convention="PSNR over all channels together, peak 255.",
        compute=psnr_db,
    ),
    Metric(
        name="ssim",
        title="SSIM",
        unit="",
        digits=4,
        higher_is_better=True,
        of_color=", mean of R, G and B",
        hint="Structural similarity, 1 is identical",
        brief="SSIM with an 11-tap Gaussian window, mean of R, G and B",
        convention="SSIM with an 11-tap Gaussian window (sigma 1.5), valid region, mean of the channels.",
        compute=ssim,
    ),
    Metric(
        name="psnr_b_db",
        title="PSNR-B",
        unit="dB",
        digits=2,
        higher_is_better=True,
        of_color=" over R, G and B",
        hint="PSNR that also counts visible 8x8 block edges as error",
        brief="PSNR-B also counts 8×8 block edges as error",
        convention=(
            "PSNR-B adds the blocking effect of the 8x8 grid (from the top left corner; of colour pictures measured on "
            "studio-range luma, as in the literature) to the mean squared error."
        ),
        compute=psnr_b_db,
    ),
    Metric(
        name="ssimulacra2",
        title="SSIMULACRA2",
        unit="",
        digits=1,
        higher_is_better=True,
        of_color=" of sRGB",
        hint="SSIMULACRA 2.1, what people would say: 90 no difference, 70 high quality, 50 medium, 30 low",
        brief="SSIMULACRA2 is what people would say, from 100 for identical pictures downwards",
        convention=(
            "SSIMULACRA 2.1 of sRGB, 100 for identical pictures; those with a side shorter than "
            f"{MIN_SIDE} pixels have none."
        ),
        compute=ssimulacra2,
        slow=True,
    ),
)
"""The first one is that of gains and of the best result. Names are keys that programs read: they never change."""

"""SSIMULACRA 2.1 against a plain second implementation, published figures, and what every such score promises."""

import io
import math
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tests.paths import SHARED, needs_shared_data
from training.evaluation.ssimulacra2 import MIN_SIDE, TAPS, WEIGHTS, ssimulacra2

NOISE = np.random.default_rng(7)


def scene(rows: int, columns: int) -> np.ndarray:
    """(rows, columns, 3) uint8: smooth colors, edges and texture."""
    down, right = np.mgrid[:rows, :columns] / 40
    planes = [120 + 60 * np.sin(down + number) * np.cos(right * (1 + number / 3)) for number in range(3)]
    picture = np.stack(planes, axis=-1) + NOISE.normal(0, 6, (rows, columns, 3))
    picture[rows // 3 : rows // 2, columns // 4 : columns // 2] += (50, -40, 10)
    return np.clip(picture, 0, 255).astype(np.uint8)


def saved(pixels: np.ndarray, quality_factor: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality_factor)
    return np.asarray(Image.open(buffer))


def blurred(planes: np.ndarray) -> np.ndarray:
    for axis in (0, 1):
        planes = ndimage.convolve1d(planes, TAPS, axis=axis, mode="constant")
    return planes


def xyb(light: np.ndarray) -> np.ndarray:
    mixing = np.array(
        [[0.3, 0.622, 0.078], [0.23, 0.692, 0.078], [0.24342268924547819, 0.20476744424496821, 0]]
    )
    mixing[2, 2] = 1 - mixing[2].sum()
    bias = 0.0037930732552754493
    long, middle, short = np.moveaxis(np.cbrt(light @ mixing.T + bias) - np.cbrt(bias), -1, 0)
    x, y = (long - middle) / 2, (long + middle) / 2
    return np.stack([14 * x + 0.42, y + 0.01, short - y + 0.55], axis=-1)


def oracle(restored: np.ndarray, reference: np.ndarray) -> float:
    """The metric in 64 bits, of whole pictures, as its description says it."""
    first, second = (picture / 255 for picture in (reference, restored))
    first, second = (
        np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4) for part in (first, second)
    )
    total = 0.0
    for scale in range(6):
        if scale:
            first, second = (halved(part) for part in (first, second))
        a, b = xyb(first), xyb(second)
        mean_a, mean_b = blurred(a), blurred(b)
        spread_a, spread_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
        together = blurred(a * b) - mean_a * mean_b
        structure = 1 - (1 - (mean_a - mean_b) ** 2) * (2 * together + 0.0009) / (
            spread_a + spread_b + 0.0009
        )
        edges = (1 + abs(b - mean_b)) / (1 + abs(a - mean_a)) - 1
        for number, error in enumerate((structure, edges, -edges)):
            error = np.maximum(error, 0)
            for power in (0, 1):
                norm = error.mean((0, 1)) if power == 0 else (error**4).mean((0, 1)) ** 0.25
                total += float(WEIGHTS[:, scale, power, number] @ norm)
    total *= 0.9562382616834844
    total = 2.326765642916932 * total - 0.020884521182843837 * total**2 + 6.248496625763138e-05 * total**3
    return 100 - 10 * total**0.6276336467831387 if total > 0 else 100.0


def halved(light: np.ndarray) -> np.ndarray:
    light = np.pad(light, [(0, size % 2) for size in light.shape[:2]] + [(0, 0)], mode="edge")
    rows, columns = light.shape[:2]
    return light.reshape(rows // 2, 2, columns // 2, 2, 3).mean((1, 3))


@pytest.mark.parametrize("size", [(113, 150), (211, 301), (320, 129), (1030, 117)])
@pytest.mark.parametrize("quality_factor", [5, 30, 95])
def test_strips_and_32_bits_give_what_whole_pictures_in_64_bits_give(size, quality_factor) -> None:
    reference = scene(*size)
    restored = saved(reference, quality_factor)
    assert ssimulacra2(restored, reference) == pytest.approx(oracle(restored, reference), abs=0.01)


def test_the_blur_is_the_truncated_cosine_gaussian_of_sigma_1_5() -> None:
    reach, sigma = 5, 1.5
    places = np.arange(1 - reach, reach)
    waves = np.cos(np.pi / (2 * reach) * np.outer([1, 3, 5], places))
    assert TAPS.sum() == pytest.approx(1)
    assert (TAPS * places**2).sum() == pytest.approx(sigma**2)
    fitted = np.linalg.lstsq(waves.T, TAPS, rcond=None)[0]
    assert waves.T @ fitted == pytest.approx(TAPS, abs=1e-9)
    gaussian = np.exp(-(places**2) / (2 * sigma**2))
    assert pytest.approx(gaussian / gaussian.sum(), abs=0.003) == TAPS


@needs_shared_data
def test_plain_decoding_of_live1_scores_as_published_for_libjpeg_turbo() -> None:
    """The metric's description: on the average 10 at quality factor 14, 30 at 20, and 50 at 35, of 4:2:0."""
    scores = {14: [], 20: [], 35: []}
    for path in sorted((SHARED / "benchmarks" / "LIVE1").iterdir())[::3]:
        reference = np.asarray(Image.open(path).convert("RGB"))
        for quality_factor, values in scores.items():
            values.append(ssimulacra2(saved(reference, quality_factor), reference))
    means = {quality_factor: np.mean(values) for quality_factor, values in scores.items()}
    assert means == {14: pytest.approx(10, abs=8), 20: pytest.approx(30, abs=8), 35: pytest.approx(50, abs=8)}


def test_scores_fall_with_the_quality_factor_from_100_for_identical_pictures() -> None:
    reference = scene(200, 240)
    scores = [ssimulacra2(saved(reference, quality_factor), reference) for quality_factor in (95, 70, 40, 10)]
    assert ssimulacra2(reference, reference.copy()) == 100
    assert scores[0] < 100 and scores == sorted(scores, reverse=True)


def test_gray_pictures_are_those_of_three_equal_channels_and_reals_those_of_bytes() -> None:
    gray = scene(150, 150)[..., 1]
    restored = saved(gray, 20)
    colored = [np.repeat(plane[..., None], 3, axis=2) for plane in (restored, gray)]
    assert ssimulacra2(restored, gray) == ssimulacra2(*colored)
    assert ssimulacra2(restored.astype(float), gray.astype(float)) == pytest.approx(
        ssimulacra2(restored, gray), abs=1e-4
    )


@pytest.mark.parametrize("size", [(MIN_SIDE - 1, 400), (400, MIN_SIDE - 1), (1, 1)])
def test_pictures_too_small_for_the_coarsest_scale_have_no_score(size) -> None:
    picture = scene(*size)
    assert math.isnan(ssimulacra2(picture, picture))


def test_24_megapixels_would_take_some_tens_of_megabytes() -> None:
    """A strip of that width takes what every strip takes."""
    reference = scene(300, 6000)
    restored = 255 - reference
    tracemalloc.start()
    ssimulacra2(restored, reference)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 100e6

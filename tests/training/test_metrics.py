"""Metrics against scikit-image, against figures worked out by hand, and against the published do-nothing row."""

import io
import json
import math
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tests.paths import SHARED, needs_shared_data
from training.evaluation.metrics import as_json, blocking_effect_factor, measure, psnr_b_db, psnr_db, ssim

PHOTOGRAPH = skimage.data.astronaut()


def saved(pixels: np.ndarray, quality_factor: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality_factor)
    return np.asarray(Image.open(buffer))


def oracle_ssim(first: np.ndarray, second: np.ndarray) -> float:
    found: Any = structural_similarity(
        first,
        second,
        channel_axis=2 if first.ndim == 3 else None,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
    )
    return found


@pytest.mark.parametrize("quality_factor", [5, 30, 95])
@pytest.mark.parametrize(
    "crop", [np.s_[:11, :11], np.s_[:139, :300], np.s_[100:357, 7:300], np.s_[:138, :40, 1]]
)
def test_psnr_and_ssim_agree_with_scikit_image(crop, quality_factor) -> None:
    reference = PHOTOGRAPH[crop]
    degraded = saved(np.ascontiguousarray(reference), quality_factor)
    found = measure(restored=degraded, reference=reference)
    assert found["psnr_db"] == pytest.approx(
        peak_signal_noise_ratio(reference, degraded, data_range=255), abs=1e-9
    )
    assert found["ssim"] == pytest.approx(oracle_ssim(degraded, reference), abs=1e-5)


def test_ssim_of_flat_and_of_noisy_pictures_agrees_with_scikit_image() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 50, 3), dtype=np.uint8)
    flat = np.full_like(noise, 251)
    for first, second in ((noise, flat), (flat, flat - 1), (noise, noise[::-1]), (flat, np.zeros_like(flat))):
        assert ssim(first, second) == pytest.approx(oracle_ssim(first, second), abs=1e-4)


def test_real_valued_planes_are_compared_without_rounding() -> None:
    assert psnr_db(np.full((4, 4), 100.5), np.full((4, 4), 100.0)) == pytest.approx(
        10 * math.log10(255**2 / 0.25)
    )


def test_the_order_of_the_two_matters_only_for_blocking() -> None:
    degraded = saved(PHOTOGRAPH, 10)
    one = measure(restored=degraded, reference=PHOTOGRAPH)
    other = measure(restored=PHOTOGRAPH, reference=degraded)
    assert one["psnr_db"] == other["psnr_db"]
    assert one["ssim"] == pytest.approx(other["ssim"])
    assert one["psnr_db"] - one["psnr_b_db"] > 1
    assert other["psnr_db"] - other["psnr_b_db"] < 0.3, "the photograph itself has hardly any blocks"


def test_the_blocking_effect_of_a_staircase_is_what_the_formula_says() -> None:
    """Steps of 10 between blocks, none inside: the mean squared step at borders, times log 8 / log 32."""
    levels = np.repeat(np.arange(0, 40, 10), 8)
    staircase = np.tile(levels, (32, 1)).astype(np.uint8)
    across = (3 * 32 * 100) / (3 * 32 + 3 * 32)
    assert blocking_effect_factor(staircase) == pytest.approx(across * 3 / 5)
    assert blocking_effect_factor(staircase.T) == pytest.approx(across * 3 / 5)
    colored = np.repeat(staircase[..., None], 3, axis=2)
    assert blocking_effect_factor(colored) == pytest.approx(across * 3 / 5 * (219 / 255) ** 2)
    assert blocking_effect_factor(np.roll(staircase, 4, axis=1)) == 0


def test_the_blocking_effect_does_not_depend_on_the_strips_it_is_summed_in() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (300, 70)).astype(float)
    picture[8::8] += 40
    steps = np.square(np.diff(picture, axis=0)), np.square(np.diff(picture, axis=1)).T
    border = np.concatenate([part[7::8].ravel() for part in steps])
    inside = np.concatenate([np.delete(part, np.s_[7::8], axis=0).ravel() for part in steps])
    expected = math.log2(8) / math.log2(70) * (border.mean() - inside.mean())
    assert expected > 0
    assert blocking_effect_factor(picture) == pytest.approx(expected)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (7, 9), (10, 200), (200, 10)])
def test_pictures_too_small_for_a_metric_say_so(size) -> None:
    found = measure(
        restored=PHOTOGRAPH[: size[0], : size[1]], reference=255 - PHOTOGRAPH[: size[0], : size[1]]
    )
    assert math.isnan(found["ssim"])
    assert math.isfinite(found["psnr_db"])
    assert as_json(found)["ssim"] is None


def test_identical_pictures_are_infinitely_good_and_can_be_written_as_json() -> None:
    slope = np.add.outer(np.arange(40), np.arange(40)).astype(np.uint8)
    found = measure(restored=slope, reference=slope)
    assert found == {"psnr_db": math.inf, "ssim": pytest.approx(1), "psnr_b_db": math.inf}
    read_back = json.loads(json.dumps(as_json(found), allow_nan=False))
    assert read_back == {"psnr_db": None, "ssim": found["ssim"], "psnr_b_db": None}


@pytest.mark.parametrize("shape", [(512, 511, 3), (512, 512), (0, 0, 3)])
def test_pictures_of_other_shapes_are_a_bug(shape) -> None:
    for metric in (psnr_db, ssim):
        with pytest.raises(ValueError, match="shapes"):
            metric(np.zeros(shape, np.uint8), PHOTOGRAPH)


@needs_shared_data
def test_plain_decoding_of_live1_at_quality_10_gives_the_published_figures() -> None:
    found = []
    for path in sorted((SHARED / "benchmarks" / "LIVE1").iterdir()):
        reference = np.asarray(Image.open(path).convert("RGB"))
        degraded = saved(reference, 10)
        found.append(
            (psnr_db(degraded, reference), ssim(degraded, reference), psnr_b_db(degraded, reference))
        )
    assert len(found) == 29
    psnr, similarity, psnr_b = np.mean(found, axis=0)
    assert psnr == pytest.approx(25.69, abs=0.005)
    assert similarity == pytest.approx(0.7433, abs=0.0001)
    assert psnr_b == pytest.approx(24.20, abs=0.006)

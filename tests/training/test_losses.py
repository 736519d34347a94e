"""Loss terms against their definitions."""

import numpy as np
import pytest
import torch

from models.errors import MissingExtra
from training.config import LossConfig
from training.losses import (
    LOGARITHM_SCALE,
    SQUARED_SCALE,
    CharbonnierLoss,
    FrequencyLoss,
    LogarithmicSquaredLoss,
    PerceptualLoss,
    RestorationLoss,
    SquaredLoss,
)


@pytest.fixture
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, 16, 16, generator=generator), torch.rand(2, 3, 16, 16, generator=generator)


def test_charbonnier_is_l1_away_from_zero(pair) -> None:
    restored, original = pair
    assert CharbonnierLoss()(restored, original) == pytest.approx(
        (restored - original).abs().mean().item(), rel=1e-3
    )
    assert CharbonnierLoss(1e-3)(original, original) == pytest.approx(1e-3)


def test_frequency_loss_is_the_l1_distance_of_the_spectra(pair) -> None:
    restored, original = (each.double().numpy() for each in pair)
    spectra = [np.fft.rfft2(each, norm="ortho") for each in (restored, original)]
    difference = spectra[0] - spectra[1]
    expected = np.stack([difference.real, difference.imag]).__abs__().mean()
    assert FrequencyLoss()(*pair).item() == pytest.approx(expected, rel=1e-4)


def test_the_total_is_the_weighted_sum_of_its_terms(pair) -> None:
    restored, original = pair
    stages = [restored, (restored + original) / 2]
    predicted, truth = torch.tensor([30.0, 50.0]), torch.tensor([40.0, 44.0])
    loss = RestorationLoss(LossConfig(stage_weights=(0.1, 0.3, 1.0), frequency=0.2, quality=0.4))
    for squared, spatial in ((False, CharbonnierLoss()), (True, SquaredLoss())):
        total, terms = loss(
            stages, original, predicted_quality_factor=predicted, quality_factor=truth, squared=squared
        )
        expected = 0.3 * spatial(stages[0], original) + spatial(stages[1], original)
        expected += 0.2 * FrequencyLoss()(stages[1], original) + 0.4 * 0.08
        assert total.item() == pytest.approx(expected.item(), rel=1e-5)
        assert set(terms) == {"spatial_1", "spatial_2", "frequency", "quality"}
    assert SquaredLoss()(restored, original).item() == pytest.approx(
        SQUARED_SCALE * (restored - original).square().mean().item()
    )


def test_the_logarithm_of_the_squared_error_is_minus_the_psnr(pair) -> None:
    restored, original = pair
    errors = (restored - original).square().mean((1, 2, 3))
    psnr_db = -10 * errors.log10()
    found = LogarithmicSquaredLoss()(restored, original).item() / LOGARITHM_SCALE
    assert found == pytest.approx(-psnr_db.mean().item() * np.log(10) / 10, rel=1e-2)  # but for the floor
    loss = RestorationLoss(LossConfig(stage_weights=(1.0,), frequency=0, logarithmic=True))
    total, _ = loss(
        [restored], original, predicted_quality_factor=None, quality_factor=torch.ones(2), squared=True
    )
    assert total.item() == pytest.approx(found * LOGARITHM_SCALE)


def test_the_perceptual_loss_works_or_says_what_is_missing(pair) -> None:
    try:
        loss = PerceptualLoss()
    except MissingExtra as error:
        assert "torchvision" in str(error) and "loss.perceptual" in str(error)
    else:
        assert loss(pair[0], pair[0]).item() == 0 and loss(*pair).item() > 0

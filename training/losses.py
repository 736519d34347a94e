"""What training minimises: spatial, frequency, quality and, on request, perceptual terms."""

import torch
from torch import Tensor, nn

from models.errors import MissingExtra
from training.config import LossConfig

SQUARED_SCALE = 16.0
"""Brings the squared error's gradient to the size of Charbonnier's at the errors that occur late in training."""

LOGARITHM_SCALE = 1 / 64
"""The same for the logarithm of the squared error."""

LOGARITHM_FLOOR = 1e-4
"""Mean squared error, of 0..1 values, below which a patch counts less; 40 dB."""


class CharbonnierLoss(nn.Module):
    """sqrt(difference² + epsilon²), averaged: an L1 distance that is smooth at zero."""

    def __init__(self, epsilon: float = 1e-3) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, restored: Tensor, original: Tensor) -> Tensor:
        """Both (batch, channels, rows, columns), 0..1."""
        return ((restored - original).square() + self.epsilon**2).sqrt().mean()


class SquaredLoss(nn.Module):
    """The mean squared error, scaled by SQUARED_SCALE; it is what PSNR measures."""

    def forward(self, restored: Tensor, original: Tensor) -> Tensor:
        """Both (batch, channels, rows, columns), 0..1."""
        return (restored - original).square().mean() * SQUARED_SCALE


class LogarithmicSquaredLoss(nn.Module):
    """The logarithm of each picture's mean squared error, averaged: what the mean PSNR of a set measures.

    Pictures with small errors weigh as much as those with large ones. LOGARITHM_FLOOR keeps flat patches, which are
    restored almost perfectly, from weighing more.
    """

    def forward(self, restored: Tensor, original: Tensor) -> Tensor:
        """Both (batch, channels, rows, columns), 0..1."""
        errors = (restored - original).square().mean((1, 2, 3))
        return (errors + LOGARITHM_FLOOR).log().mean() * LOGARITHM_SCALE


class FrequencyLoss(nn.Module):
    """Mean absolute difference of the orthonormal Fourier transforms, real and imaginary parts."""

    def forward(self, restored: Tensor, original: Tensor) -> Tensor:
        """Both (batch, channels, rows, columns), 0..1."""
        return torch.view_as_real(torch.fft.rfft2(restored - original, norm="ortho")).abs().mean()


class PerceptualLoss(nn.Module):
    """L1 distance of VGG-19 features (relu3_4), the perceptual term of the first paper; an option.

    Raises:
        MissingExtra: when torchvision or its weights are not on this machine.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        try:
            from torchvision.models import VGG19_Weights, vgg19  # pyright: ignore[reportMissingImports]  # optional

            features = vgg19(weights=VGG19_Weights.IMAGENET1K_V1).features[:18]
        except (
            Exception
        ) as error:  # torchvision fails in many ways: no package, no matching torch, no download
            raise MissingExtra(
                f"The perceptual loss needs torchvision and its VGG-19 weights, and they cannot be loaded ({error}). "
                "Any other loss works without them. Install torchvision and its weights, or set loss.perceptual to 0."
            ) from error
        self.features = features.eval().requires_grad_(False)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, restored: Tensor, original: Tensor) -> Tensor:
        """Both (batch, 3, rows, columns), 0..1."""
        first, second = ((each - self.mean) / self.deviation for each in (restored, original))
        return (self.features(first) - self.features(second)).abs().mean()


class RestorationLoss(nn.Module):
    """The weighted sum that a configuration asks for."""

    def __init__(self, config: LossConfig) -> None:
        super().__init__()
        self.config = config
        self.charbonnier, self.frequency = CharbonnierLoss(), FrequencyLoss()
        self.squared = LogarithmicSquaredLoss() if config.logarithmic else SquaredLoss()
        self.perceptual = PerceptualLoss() if config.perceptual else None

    def forward(
        self,
        pictures: list[Tensor],
        original: Tensor,
        *,
        predicted_quality_factor: Tensor | None,
        quality_factor: Tensor,
        squared: bool,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The total, and its unweighted terms for the log.

        Args:
            pictures: one (batch, channels, rows, columns), 0..1, per stage.
            original: the same shape.
            predicted_quality_factor: (batch,) 1..100, or None where the network does not estimate it.
            quality_factor: (batch,), the truth.
            squared: use the squared error instead of Charbonnier's.
        """
        spatial = self.squared if squared else self.charbonnier
        weights = self.config.stage_weights[-len(pictures) :]
        terms: dict[str, Tensor] = {
            f"spatial_{i + 1}": spatial(picture, original) for i, picture in enumerate(pictures)
        }
        first, *others = (weight * term for weight, term in zip(weights, terms.values(), strict=True))
        total = sum(others, first)
        if self.config.frequency:
            terms["frequency"] = self.frequency(pictures[-1], original)
            total = total + self.config.frequency * terms["frequency"]
        if predicted_quality_factor is not None and self.config.quality:
            terms["quality"] = (predicted_quality_factor - quality_factor).abs().mean() / 100
            total = total + self.config.quality * terms["quality"]
        if self.perceptual is not None:
            terms["perceptual"] = self.perceptual(pictures[-1], original)
            total = total + self.config.perceptual * terms["perceptual"]
        return total, terms

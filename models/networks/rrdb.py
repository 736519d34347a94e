"""The residual-in-residual dense block of ESRGAN, which other networks build their trunk of.

X. Wang, K. Yu, S. Wu, J. Gu, Y. Liu, C. Dong, Y. Qiao and C. C. Loy, "ESRGAN: Enhanced Super-Resolution Generative
Adversarial Networks", ECCV Workshops 2018.
"""

import torch
from torch import Tensor, nn

from models.networks.fused_convolution import convolve_and_add, convolve_and_rectify
from models.networks.layers import Layers, conv3x3, start_without_bias

NEGATIVE_SLOPE = 0.2
"""Of every leaky ReLU, as in ESRGAN."""

RESIDUAL_SCALE = 0.2
"""By which each correction is multiplied before it is added."""

WEIGHT_SCALE = 0.1
"""Dense blocks begin with weights that much smaller than Kaiming's, close to the identity."""


class DenseBlock(nn.Module):
    """Five 3x3 convolutions, each of which sees the block's input and everything computed since."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.layers = Layers(conv3x3(channels + i * growth, growth if i < 4 else channels) for i in range(5))
        for layer in self.layers:
            start_kaiming(layer, WEIGHT_SCALE)

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, channels, rows, columns) -> the same, corrected."""
        seen = features
        for layer in self.layers[:-1]:
            # (batch, growth, rows, columns)
            fresh = convolve_and_rectify(layer, seen, negative_slope=NEGATIVE_SLOPE)
            seen = torch.cat([seen, fresh], 1)
        return convolve_and_add(self.layers[-1], seen, features, output_scale=RESIDUAL_SCALE)


class ResidualInResidualDenseBlock(nn.Module):
    """Dense blocks in a row, with a scaled connection around them all."""

    def __init__(self, channels: int, growth: int, dense_blocks: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(channels, growth) for _ in range(dense_blocks)))

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, channels, rows, columns) -> the same, corrected."""
        return features + RESIDUAL_SCALE * self.blocks(features)


def start_kaiming(layer: nn.Conv2d, scale: float = 1.0) -> None:
    """Kaiming's normal initialisation for leaky ReLU, times scale; no bias."""
    nn.init.kaiming_normal_(layer.weight, a=NEGATIVE_SLOPE, nonlinearity="leaky_relu")
    start_without_bias(layer)
    with torch.no_grad():
        layer.weight.mul_(scale)

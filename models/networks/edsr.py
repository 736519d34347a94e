"""EDSR at half resolution, the baseline of the QGCN paper: its restoration branch without tables and global branch.

B. Lim, S. Son, H. Kim, S. Nah and K. M. Lee, "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPR
Workshops 2017, with a layer of stride 2 in front, as in J. Li et al.; see models.networks.qgcn_trunk for both and for
what was chosen.
"""

import torch
from torch import Tensor, nn

from models.networks.layers import mac_per_pixel
from models.networks.qgcn_trunk import OVERLAP, Trunk


class Edsr(nn.Module):
    """The trunk on pixels alone."""

    multiple = 8  # 2 would do; all networks of this trunk see the same tiles
    overlap = OVERLAP

    def __init__(self, channels: int = 3, width: int = 64, blocks: int = 32) -> None:
        """Build the network.

        Args:
            channels: of the picture: 3 for RGB, 1 for gray.
            width: channels of the features, a multiple of 4.
            blocks: residual blocks in each of the two groups.
        """
        super().__init__()
        self.channels = channels
        self.trunk = Trunk(channels, channels, width, blocks)

    def forward(self, pixels: Tensor) -> Tensor:
        """(batch, channels, rows, columns) 0..1, rows and columns even -> the same, float32, not clamped."""
        features = self.trunk.enter(pixels - 0.5)  # (batch, width, rows/2, columns/2)
        return self.trunk.output(pixels, self.trunk.second(self.trunk.first(features)))

    def mmac_per_pixel(self) -> float:
        """1e6 multiply-accumulates per pixel of the picture."""
        side = 16

        def run() -> int:
            self(torch.zeros(1, self.channels, side, side, device=self.trunk.enter.weight.device))
            return side * side

        return mac_per_pixel(self, run) / 1e6

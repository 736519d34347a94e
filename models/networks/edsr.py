"""EDSR at half resolution, the baseline of the QGCN paper: its restoration branch without tables and global branch.

B. Lim, S. Son, H. Kim, S. Nah and K. M. Lee, "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPR
Workshops 2017, with a layer of stride 2 in front, as in J. Li et al.; see models.networks.qgcn_trunk for both and for
what was chosen.
"""

from torch import Tensor

from models.networks.base import Network
from models.networks.qgcn_trunk import OVERLAP, Trunk


class Edsr(Network):
    """The trunk on pixels alone."""

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

    def forward(
        self, pixels: Tensor, /, condition: Tensor | None = None, stages: int | None = None
    ) -> list[Tensor]:
        """See Network.forward; even rows and columns would do, but all networks of this trunk see the same tiles."""
        features = self.trunk.enter(pixels - 0.5)  # (batch, width, rows/2, columns/2)
        return [self.trunk.output(pixels, self.trunk.second(self.trunk.first(features)))]

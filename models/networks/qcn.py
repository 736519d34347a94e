"""QCN: the trunk that also sees the file's quantization tables, tiled over the picture as further channels.

J. Li, Y. Wang, H. Xie and K.-K. Ma, "Learning a Single Model with a Wide Range of Quality Factors for JPEG Image
Artifacts Removal", section III-B; the layers are in models.networks.qgcn_trunk.

What the paper leaves open, and what was chosen here:

* Scale of the maps. Steps are divided by 255 like grey levels; larger ones, which 12-bit files and tables of 16 bits
  may have, count as 255.
* Files without tables (PNG, screenshots, files that store RGB) and runs that are to ignore them. The maps are
  zero, which no table can be, and training hides the tables of some patches in the same way
  (`tables_dropped_share`). So the network has learned what to do when it must judge by the picture alone.
* A quality factor set by hand. The tables that libjpeg makes of it take the place of the file's.
* Gray files in the colour network. The chroma map is zero, as in gray training patches.
"""

import torch
from torch import Tensor

from models.networks.base import Network
from models.networks.layers import table_maps
from models.networks.qgcn_trunk import OVERLAP, Trunk

LARGEST_STEP = 255.0


class Qcn(Network):
    """The trunk on pixels and table maps: 5 channels in colour (two tables), 2 in gray (one)."""

    overlap = OVERLAP
    uses_tables = True
    steerable = True
    stage_names = ("after group 1", "after group 2")

    def __init__(self, channels: int = 3, width: int = 64, blocks: int = 32) -> None:
        """Build the network.

        Args:
            channels: of the picture: 3 for RGB, 1 for gray.
            width: channels of the features, a multiple of 4.
            blocks: residual blocks in each of the two groups.
        """
        super().__init__()
        self.channels = channels
        self._tables = 1 if channels == 1 else 2
        self.trunk = Trunk(channels + self._tables, channels, width, blocks)

    def condition(
        self, summary: Tensor, *, quality_factor: Tensor | None = None, tables: Tensor | None = None
    ) -> Tensor:
        """See Network.condition; a network of gray pictures takes 64 steps.

        Returns:
            (batch, 128 or 64), 0..1: the tables as the maps hold them.
        """
        if tables is None:
            tables = summary.new_zeros(len(summary), 64 * self._tables)
        return tables.clamp(max=LARGEST_STEP) / LARGEST_STEP

    def forward(
        self, pixels: Tensor, /, condition: Tensor | None = None, stages: int | None = None
    ) -> list[Tensor]:
        """See Network.forward; the picture after group 1 is for looking at."""
        if condition is None:
            condition = self.condition(self.summarize(pixels))
        maps = table_maps(condition, *pixels.shape[2:])
        features = self.trunk.enter(torch.cat([pixels - 0.5, maps], 1))  # (batch, width, rows/2, columns/2)
        pictures = []
        for group in (self.trunk.first, self.trunk.second)[:stages]:
            features = group(features)
            pictures.append(self.trunk.output(pixels, features))
        return pictures

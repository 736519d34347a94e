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
from torch import Tensor, nn

from models.networks.layers import mac_per_pixel, table_maps
from models.networks.qgcn_trunk import OVERLAP, Trunk

LARGEST_STEP = 255.0


class Qcn(nn.Module):
    """The trunk on pixels and table maps: 5 channels in colour (two tables), 2 in gray (one)."""

    multiple = 8
    overlap = OVERLAP
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
        self.tables = 1 if channels == 1 else 2
        self.trunk = Trunk(channels + self.tables, channels, width, blocks)

    def condition(self, summary: Tensor | None, tables: Tensor | None = None) -> Tensor:
        """The tables as the maps hold them.

        Args:
            summary: nothing; the network does not look at the whole picture.
            tables: (batch, 128) steps, luma then chroma, 64 for gray; zeros where unknown. None: all unknown, for
                one picture.

        Returns:
            (batch, 128 or 64), 0..1.
        """
        if tables is None:
            tables = self.trunk.enter.weight.new_zeros(1, 64 * self.tables)
        return tables.clamp(max=LARGEST_STEP) / LARGEST_STEP

    def forward(self, pixels: Tensor, condition: Tensor, stages: int | None = None) -> list[Tensor]:
        """Restore pictures.

        Args:
            pixels: (batch, channels, rows, columns), 0..1; rows and columns multiples of 8, on the block grid.
            condition: from condition().
            stages: stop after that many groups, 1 or 2; None runs both.

        Returns:
            One float32 picture per group, like pixels, not clamped.
        """
        maps = table_maps(condition, *pixels.shape[2:])
        features = self.trunk.enter(torch.cat([pixels - 0.5, maps], 1))  # (batch, width, rows/2, columns/2)
        pictures = []
        for group in (self.trunk.first, self.trunk.second)[:stages]:
            features = group(features)
            pictures.append(self.trunk.output(pixels, features))
        return pictures

    def mmac_per_pixel(self) -> float:
        """1e6 multiply-accumulates per pixel of the result; the picture after group 1 is for looking at."""
        side = 16

        def run() -> int:
            pixels = torch.zeros(1, self.channels, side, side, device=self.trunk.enter.weight.device)
            maps = table_maps(self.condition(None), side, side)
            features = self.trunk.enter(torch.cat([pixels, maps], 1))
            self.trunk.output(pixels, self.trunk.second(self.trunk.first(features)))
            return side * side

        return mac_per_pixel(self, run) / 1e6

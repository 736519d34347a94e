"""QGCN: QCN and a second branch that looks at the whole picture, shrunk to 112x112.

J. Li, Y. Wang, H. Xie and K.-K. Ma, "Learning a Single Model with a Wide Range of Quality Factors for JPEG Image
Artifacts Removal", section III-C and Table I; the restoration branch is in models.networks.qgcn_trunk, the tables in
models.networks.qcn.

As published: eight convolutions, by turns 4x4 of stride 2 and 3x3, with 32, 64, 128 and 256 channels, then two fully
connected layers of 1024 and 64, make a vector of 64 of the picture resized to 112x112. It is repeated at every
position of the first group's features and concatenated to them; the second group processes both.

What the paper leaves open, and what was chosen here:

* From 128 channels back to 64. The paper feeds the concatenation "into the second group", but groups add their input
  to their output and have 64 channels throughout. With 128 in the second group the network would have 26 M parameters
  and cost 3 MMAC per pixel, which is neither figure given for it (19 M, 1.18). So one more 3x3 convolution merges 128
  channels to 64. It begins by handing on the local features and adding a little of the vector.
* How the global branch begins: as He et al. start plain stacks with ReLU. Gaussian weights of 0.01, as published, or
  PyTorch's own leave nothing of the picture in the vector after ten layers, and no gradient to change that.
* What the global branch sees: the decoded RGB picture, resized by area, aspect ratio lost; no table maps. ReLU
  follows all its layers but the last.
* Where it is computed: once for the whole picture, so that a picture restored in tiles equals one restored whole.
* Pictures without and with the global vector: the output layers on the first group's features before the vector is
  joined (which is the picture after group 1), and right after.
* Narrower variants. All channels of the global branch shrink in proportion to `width`, and `global_hidden` is its first
  fully connected layer, which holds two thirds of all parameters as published.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.base import Network
from models.networks.layers import conv3x3, start_plain, start_without_bias, table_maps
from models.networks.qcn import LARGEST_STEP
from models.networks.qgcn_trunk import OVERLAP, Trunk

TABLE_VALUES = 128  # 64 luma steps, then 64 chroma steps, in row order


class GlobalBranch(nn.Module):
    """Table I: from the whole picture at 112x112 to a vector."""

    side = 112

    def __init__(self, width: int, hidden: int) -> None:
        """width: of the first layers is half of this and doubles three times; of the vector it is this."""
        super().__init__()
        channels = [3, width // 2, width, 2 * width, 4 * width]
        layers: list[nn.Module] = []
        for before, after in zip(channels, channels[1:], strict=False):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.ReLU(inplace=True)]
            layers += [conv3x3(after, after), nn.ReLU(inplace=True)]
        self.convolutions = nn.Sequential(*layers)
        self.fc1 = nn.Linear(channels[-1] * (self.side // 16) ** 2, hidden)
        self.fc2 = nn.Linear(hidden, width)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                start_plain(layer)

    def forward(self, overview: Tensor) -> Tensor:
        """(batch, 3, 112, 112) 0..1 -> (batch, width)."""
        features = self.convolutions(overview - 0.5)  # (batch, 4 * width, 7, 7)
        return self.fc2(functional.relu(self.fc1(features.flatten(1))))


class Qgcn(Network):
    """Restoration branch and global branch; see the module's text."""

    overlap = OVERLAP
    uses_tables = True
    steerable = True
    overview_side = GlobalBranch.side
    stage_names = ("after group 1, without the global vector", "with the global vector", "after group 2")

    def __init__(self, width: int = 64, blocks: int = 32, global_hidden: int = 1024) -> None:
        """Build the network.

        Args:
            width: channels of the features and length of the global vector, a multiple of 4.
            blocks: residual blocks in each of the two groups.
            global_hidden: first fully connected layer of the global branch.
        """
        super().__init__()
        self._width = width
        self.trunk = Trunk(3 + 2, 3, width, blocks)
        self.globally = GlobalBranch(width, global_hidden)
        self.merge = conv3x3(2 * width, width)
        nn.init.dirac_(self.merge.weight)
        start_without_bias(self.merge)

    def condition(
        self, summary: Tensor, *, quality_factor: Tensor | None = None, tables: Tensor | None = None
    ) -> Tensor:
        """See Network.condition.

        Returns:
            (batch, 128 + width): the tables as their maps hold them, and the global vector.
        """
        if tables is None:
            tables = summary.new_zeros(len(summary), TABLE_VALUES)
        return torch.cat([tables.clamp(max=LARGEST_STEP) / LARGEST_STEP, self.globally(summary)], 1)

    def forward(
        self, pixels: Tensor, /, condition: Tensor | None = None, stages: int | None = None
    ) -> list[Tensor]:
        """See Network.forward; pictures before the last are for looking at."""
        if condition is None:
            condition = self.condition(self.summarize(pixels))
        tables, vector = condition.split([TABLE_VALUES, self._width], 1)
        maps = table_maps(tables, *pixels.shape[2:])
        local = self.trunk.first(self.trunk.enter(torch.cat([pixels - 0.5, maps], 1)))
        pictures = [self.trunk.output(pixels, local)]  # local: (batch, width, rows/2, columns/2)
        if stages == 1:
            return pictures
        merged = self._merged(local, vector)
        pictures.append(self.trunk.output(pixels, merged))
        if stages == 2:
            return pictures
        pictures.append(self.trunk.output(pixels, self.trunk.second(merged)))
        return pictures

    def _merged(self, local: Tensor, vector: Tensor) -> Tensor:
        """The first group's features with the vector joined at every position."""
        repeated = vector[:, :, None, None].expand(-1, -1, *local.shape[2:]).to(local)
        return self.merge(torch.cat([local, repeated], 1))

"""The restoration branch that EDSR (as the QGCN paper trains it), QCN and QGCN share.

J. Li, Y. Wang, H. Xie and K.-K. Ma, "Learning a Single Model with a Wide Range of Quality Factors for JPEG Image
Artifacts Removal", section III-C; after B. Lim et al., "Enhanced Deep Residual Networks for Single Image
Super-Resolution", CVPR Workshops 2017.

As published: a convolution of stride 2; two groups of 32 residual blocks (3x3, ReLU, 3x3, times 0.1; no batch
normalization) at half resolution, each group with a skip connection around it; sub-pixel upsampling; all layers 3x3
with 64 channels but the last, which has those of the picture.

The paper prints neither parameters nor operations. Others give 4.7 M and 1.2 MMAC per pixel for EDSR and QCN, 19 M and
1.18 MMAC for QGCN. Counted here: 4.765 M and 1.190 MMAC (EDSR), 4.767 M and 1.190 (QCN), 19.23 M and 1.208 (QGCN). The
residual blocks alone make 4.727 M and 1.180 MMAC; QGCN cannot cost less than QCN, which it contains, so its
1.18 is probably the blocks.

What the paper leaves open, and what was chosen here:

* Sub-pixel upsampling. "64 channels in every layer" is taken at its word: a convolution 64 -> 64 at half
  resolution, a shuffle to 16 channels at full resolution, and the last convolution 16 -> 3. Four times as many
  channels, as in super-resolution networks, would be 4.88 M.
* Picture-level skip. The text names skips around the groups only. Here the last convolution begins at zero and its
  output is added to the picture, so that training begins at a gain of 0 dB and the features may run in bfloat16.
* Pictures after a group. The same output layers applied to that group's features: no parameter more. The paper has no
  such pictures and no loss on them; our configurations give the early ones a small weight, without which they
  would show features that nothing ever asked to be a picture.
* Initialisation. PyTorch's, not the paper's Gaussian of deviation 0.01, with which signals all but vanish.
"""

from torch import Tensor, nn
from torch.nn import functional

from models.networks.layers import ConstantScaleResidualBlock, conv3x3, start_without_bias

OVERLAP = 64
"""Pixels around a tile that a result noticeably depends on. All layers together reach 266 pixels; but a residual block
adds a tenth of what it sees, so that little comes from far away."""


class ResidualGroup(nn.Module):
    """Residual blocks, and a skip connection around all of them."""

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(ConstantScaleResidualBlock(channels) for _ in range(blocks)))

    def forward(self, features: Tensor) -> Tensor:
        """(batch, channels, rows/2, columns/2) -> the same."""
        return features + self.blocks(features)


class Output(nn.Module):
    """From features at half resolution to a correction of the picture."""

    def __init__(self, channels: int, picture_channels: int) -> None:
        super().__init__()
        self.enlarge = conv3x3(channels, channels)
        self.last = conv3x3(channels // 4, picture_channels)
        nn.init.zeros_(self.last.weight)
        start_without_bias(self.last)

    def forward(self, pixels: Tensor, features: Tensor) -> Tensor:
        """pixels (batch, channels, rows, columns), features at half of that -> float32 like pixels, not clamped."""
        enlarged = functional.pixel_shuffle(self.enlarge(features), 2)  # (batch, width/4, rows, columns)
        return pixels.float() + self.last(enlarged).float()


class Trunk(nn.Module):
    """Entrance, two groups and output; networks put together what they need of it."""

    def __init__(self, inputs: int, picture_channels: int, width: int, blocks: int) -> None:
        """Build the branch.

        Args:
            inputs: channels of what enters.
            picture_channels: 3 for RGB, 1 for gray.
            width: channels of all features, a multiple of 4.
            blocks: residual blocks in each group.
        """
        super().__init__()
        self.enter = nn.Conv2d(inputs, width, 3, stride=2, padding=1)
        self.first = ResidualGroup(width, blocks)
        self.second = ResidualGroup(width, blocks)
        self.output = Output(width, picture_channels)

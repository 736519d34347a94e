"""Luma first, then chroma with the restored luma as its guide: two autoencoders with dense trunks.

S. Zini, S. Bianco and R. Schettini, "Deep Residual Autoencoder for quality independent JPEG restoration", 2019.

Input: Y, Cb and Cr at the picture's full size, chroma as the decoder upsampled it. No tables, no quality factor.

The paper prints no numbers of parameters. From its Table I and its text they are (weights + biases):

    layer                    LumiNet                             ChromaNet
    first, 3x3               9*1*64 + 64             =       640   27*1*64 + 64             =     1,792
    encoder, 5x5 -> 128      25*64*128 + 128         =   204,928   25*192*128 + 128         =   614,528
    encoder, 3x3 -> 64       9*128*64 + 64           =    73,792                                 73,792
    RRDB                     5 * 2,766,400           = 13,832,000  3 * 2,766,400            = 8,299,200
    decoder, 3x3 -> 128      9*64*128 + 128          =    73,856                                 73,856
    decoder, 5x5 -> 64       25*128*64 + 64          =   204,864                                204,864
    decoder, 3x3, picture    9*64*1 + 1              =       577   9*64*2 + 2               =     1,154
    together                                           14,390,657                             9,269,186

    RRDB: five dense blocks of 9*64*(64 + 128 + 192 + 256 + 320) + 5*64 = 553,280; 23,659,843 in all.

What the paper leaves open, and what was chosen here:

* Dense blocks. The text says five in each RRDB, where ESRGAN, which it cites, has three; the text counts. Every
  convolution of a dense block has 64 filters, as the text says, where ESRGAN grows by 32.
* The 3-D convolution. Kernels of 3x3x3 run over Y, Cb, Cr as over three slices, padded by one empty slice at either
  end, so that the same kernels see all three, as the text asks. The paper does not say how slices become channels
  again: here the 64 features of the three slices are put side by side, and the next layer sees 192 channels.
* The final tanh. Whether it gives the picture or its correction is not said. It gives the correction here: the
  difference of two pictures in 0..1 fills tanh's range exactly, while black and white themselves would be out of
  its reach; and features may run in bfloat16 around a float32 picture. Pictures enter the layers as -1..1.
* Initialisation. Kaiming's, a tenth of it in the dense blocks; a tenth everywhere would leave a millionth of the
  signal after the six layers around them. The last layer begins with zeros: untrained, a picture stays as it is.
* Chroma that is guided by the restored luma passes its gradient on to LumiNet: the paper calls it trainable end
  to end.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.base import ColorRule, Network
from models.networks.fused_convolution import convolve_and_rectify
from models.networks.layers import Layers, conv3x3
from models.networks.rrdb import NEGATIVE_SLOPE, ResidualInResidualDenseBlock, start_kaiming

LARGEST_OVERLAP = 48
"""At the paper's depth something could arrive from 216 pixels away; with random weights (and 32 channels) less than a
hundredth of a grey level came from beyond 32, with the small network's trained ones less than a thousandth from beyond
24 (six photographs at quality factors 5, 10 and 40)."""


@dataclass(frozen=True)
class Widths:
    """What both networks have in common.

    Attributes:
        channels: features of the trunk.
        hidden: features inside encoder and decoder.
        growth: features that each convolution of a dense block adds.
        dense_blocks: dense blocks in each residual-in-residual dense block.
    """

    channels: int
    hidden: int
    growth: int
    dense_blocks: int


class Autoencoder(nn.Module):
    """Encoder, RRDB trunk and decoder of Table I, after its first layer: features in, a correction out."""

    def __init__(self, inputs: int, outputs: int, widths: Widths, blocks: int) -> None:
        """Build the layers.

        Args:
            inputs: features that the first layer hands over.
            outputs: planes to correct.
            widths: of the layers.
            blocks: residual-in-residual dense blocks.
        """
        super().__init__()
        channels, hidden = widths.channels, widths.hidden
        self.encode = Layers([nn.Conv2d(inputs, hidden, 5, padding=2), conv3x3(hidden, channels)])
        self.trunk = nn.Sequential(
            *(
                ResidualInResidualDenseBlock(channels, widths.growth, widths.dense_blocks)
                for _ in range(blocks)
            )
        )
        self.decode = Layers([conv3x3(channels, hidden), nn.Conv2d(hidden, channels, 5, padding=2)])
        self.leave = conv3x3(channels, outputs)
        for layer in (*self.encode, *self.decode):
            start_kaiming(layer)
        start_kaiming(self.leave, 0.0)
        self.reach = 1 + 3 + 5 * widths.dense_blocks * blocks + 3 + 1  # pixels, with the first layer's

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, inputs, rows, columns) -> correction (batch, outputs, rows, columns) float32, -1..1."""
        for layer in self.encode:
            features = convolve_and_rectify(layer, features, negative_slope=NEGATIVE_SLOPE)
        features = self.trunk(features)  # (batch, channels, rows, columns)
        for layer in self.decode:
            features = convolve_and_rectify(layer, features, negative_slope=NEGATIVE_SLOPE)
        return torch.tanh(self.leave(features).float())


class LumiNet(nn.Module):
    """Restores the luma plane."""

    def __init__(self, widths: Widths, blocks: int) -> None:
        """Args: as Autoencoder."""
        super().__init__()
        self.enter = conv3x3(1, widths.channels)
        start_kaiming(self.enter)
        self.correct = Autoencoder(widths.channels, 1, widths, blocks)

    def forward(self, luma: Tensor) -> Tensor:
        """Luma (batch, 1, rows, columns) float32, 0..1 -> the same, restored, not clamped."""
        return luma + self.correct(self.enter(2 * luma - 1))


class ChromaNet(nn.Module):
    """Restores the chroma planes, guided by restored luma."""

    def __init__(self, widths: Widths, blocks: int) -> None:
        """Args: as Autoencoder."""
        super().__init__()
        self.enter = conv3x3(3, widths.channels)  # 3x3x3 over the slices Y, Cb, Cr: three of them at a time
        start_kaiming(self.enter)
        self.correct = Autoencoder(3 * widths.channels, 2, widths, blocks)

    def forward(self, luma: Tensor, chroma: Tensor) -> Tensor:
        """Restore chroma.

        Args:
            luma: (batch, 1, rows, columns) float32, 0..1, restored.
            chroma: (batch, 2, rows, columns) float32, 0..1, as decoded.

        Returns:
            Like chroma, restored, not clamped.
        """
        return chroma + self.correct(self.convolve_slices(2 * torch.cat([luma, chroma], 1) - 1))

    def convolve_slices(self, planes: Tensor) -> Tensor:
        """The 3-D convolution, as a 2-D one on every three neighbouring slices.

        Written so because a five-dimensional weight cannot be kept in the channels-last format.

        Args:
            planes: (batch, 3, rows, columns).

        Returns:
            (batch, 3 * channels, rows, columns): the features of the slices Y, Cb and Cr one after the other.
        """
        slices = functional.pad(planes, (0, 0, 0, 0, 1, 1))  # (batch, 5, rows, columns)
        return torch.cat([self.enter(slices[:, first : first + 3]) for first in range(3)], 1)


class LumaChroma(Network):
    """LumiNet, then ChromaNet; see the module's text."""

    color = ColorRule.YCBCR
    multiple = 1
    full_resolution = True
    stage_names = ("restored luma", "restored luma and chroma")

    def __init__(
        self,
        channels: int = 64,
        hidden: int = 128,
        growth: int = 64,
        dense_blocks: int = 5,
        luma_blocks: int = 5,
        chroma_blocks: int = 3,
    ) -> None:
        """Build both networks; the defaults are the paper's.

        Args:
            channels, hidden, growth, dense_blocks: as Widths, for both.
            luma_blocks: residual-in-residual dense blocks of LumiNet.
            chroma_blocks: the same of ChromaNet.
        """
        super().__init__()
        widths = Widths(channels, hidden, growth, dense_blocks)
        self.luma = LumiNet(widths, luma_blocks)
        self.chroma = ChromaNet(widths, chroma_blocks)
        self.overlap = min(self.luma.correct.reach + self.chroma.correct.reach, LARGEST_OVERLAP)

    def forward(
        self, ycbcr: Tensor, /, condition: Tensor | None = None, stages: int | None = None
    ) -> list[Tensor]:
        """See Network.forward; the first stage is restored luma with the old chroma. Pictures may have any size."""
        luma, chroma = ycbcr.float().split([1, 2], 1)
        luma = self.luma(luma)
        pictures = [torch.cat([luma, chroma], 1)]
        if stages != 1:
            pictures.append(torch.cat([luma, self.chroma(luma, chroma)], 1))
        return pictures

"""The quality-aware cascade: estimate how strongly a picture was compressed, then restore it in three stages.

After A. Atherya, A. Kumaran, G. Kishore and S. Geetha, "Quality-Aware JPEG Restoration Using a Cascaded Deep
Network with Hybrid Spatial-Frequency Loss", and the work it simplifies: S. Ezumi and M. Ikehara, "Efficient and
Effective Blind JPEG Image Improvement With Sequential Feature Processing", IEEE Access 12, 2024.

What the paper leaves open, and what was chosen here:

* Resolution. The trunk works at half resolution (pixel-unshuffle by 2) and goes down to 1/8, where one position
  is one 8x8 block; the same layers cost a quarter of what they would cost at full resolution.
* Quality estimation. The small CNN begins with an 8x8 DCT on the picture's own block grid, because quantization
  leaves its mark there: coefficients sit on multiples of the quantization step. Cosines of the coefficient at
  learned periods see such a comb without needing the coefficient's sign.
* Global context. The pooled vector that the Global Processing Blocks receive is pooled from the same per-block
  features, once for the whole picture. A picture restored in tiles is therefore restored as in one piece.
* Pictures without damage. Above quality 97 all corrections fade, and at 100, the quality factor that stands for
  "never compressed", a picture is left as it is. Tables decide where they are known, else the quality factor.
* The file's coefficients. Where the file's own tables steer, the last picture is moved into its quantization cells
  (models.quantization_cells), unless they turn out to be those of a picture saved before.
* Steering. The scale of every Basic Processing Block is a linear function of one embedding, made from the quality
  factor and, where they are known, the 128 quantization steps of the file.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.base import Network
from models.networks.fused_convolution import convolve_and_add
from models.networks.layers import (
    Layers,
    ScaledResidualBlock,
    conv3x3,
    multilayer_perceptron,
    start_without_bias,
)

_RGB_TO_YCBCR = torch.tensor(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], dtype=torch.float64
)
TABLE_VALUES = 128  # 64 luma steps, then 64 chroma steps, in row order
FADED_FROM, FADED_TO = 97.0, 100.0  # quality factors between which corrections fade to nothing
FADED_FROM_STEP = 3.5  # mean luma step of libjpeg's table at FADED_FROM; at FADED_TO all steps are 1
UNKNOWN_QUALITY_FACTOR = 50.0  # stands for every picture's where quality is not to steer


def _dct_kernels() -> Tensor:
    """(192, 3, 8, 8): the orthonormal 8x8 DCT of Y, Cb and Cr as one convolution on RGB."""
    index = torch.arange(8, dtype=torch.float64)
    basis = torch.cos((2 * index[None, :] + 1) * index[:, None] * math.pi / 16) * 0.5
    basis[0] *= math.sqrt(0.5)
    planar = torch.einsum("ui,vj->uvij", basis, basis).reshape(64, 8, 8)
    return torch.einsum("pc,kij->pkcij", _RGB_TO_YCBCR.to(planar), planar).reshape(192, 3, 8, 8).float()


class QualityEstimation(nn.Module):
    """A small CNN from pixels to a pooled description of the picture and its quality factor.

    Runs in float32: the comb it looks for is finer than bfloat16 can hold.
    """

    dct: Tensor

    def __init__(self, periods: int, channels: int) -> None:
        super().__init__()
        self.register_buffer("dct", _dct_kernels(), persistent=False)
        start = torch.logspace(math.log2(2), math.log2(128), periods, base=2)
        self.log_period = nn.Parameter(start.log()[None, :, None, None].repeat(64, 1, 1, 1))
        self.mix = nn.Sequential(
            nn.Conv2d(64 * periods + 192, channels, 1), nn.ReLU(), nn.Conv2d(channels, channels, 1), nn.ReLU()
        )
        self.head = multilayer_perceptron(channels, channels, 1)

    def summarize(self, pixels: Tensor) -> Tensor:
        """Pixels (batch, 3, rows, columns) in 0..1 -> (batch, channels), a mean over whole 8x8 blocks."""
        coefficients = functional.conv2d(pixels.float() * 255 - 128, self.dct, stride=8)
        batch, _, rows, columns = coefficients.shape  # (batch, 192, rows/8, columns/8)
        luma = coefficients[:, :64].unsqueeze(2)
        comb = torch.cos(
            luma * (2 * math.pi / self.log_period.exp())
        )  # (batch, 64, periods, rows/8, columns/8)
        features = torch.cat([comb.reshape(batch, -1, rows, columns), coefficients.abs().log1p() * 0.5], 1)
        return self.mix(features).mean((2, 3))

    def forward(self, summary: Tensor) -> Tensor:
        """Summary (batch, channels) -> quality factor (batch,), 1..100."""
        return 1 + 99 * torch.sigmoid(self.head(summary).squeeze(1))


class GlobalProcessingBlock(nn.Module):
    """A residual block whose inner channels are scaled and shifted by the picture's pooled context."""

    def __init__(self, channels: int, context: int) -> None:
        super().__init__()
        self.block = ScaledResidualBlock(channels)
        self.gate = nn.Linear(context, 2 * channels)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def forward(self, features: Tensor, context: Tensor) -> Tensor:
        """features (batch, channels, rows, columns), context (batch, context)."""
        scale, shift = self.gate(context)[:, :, None, None].chunk(2, 1)
        inner = functional.relu(self.block.first(features) * (1 + scale) + shift)
        return features + self.block.second(inner)


class RestorationStage(nn.Module):
    """A shallow encoder-decoder of Basic Processing Blocks at 1/2, 1/4 and 1/8 of the picture's size.

    Takes a picture and the three feature maps of the stage before; hands on both.
    """

    def __init__(self, widths: Sequence[int], blocks: Sequence[int], context: int) -> None:
        """Args: as Cascade, three widths and three numbers of blocks; context: size of the pooled context."""
        super().__init__()
        half, quarter, eighth = widths

        def stack(channels: int, count: int) -> "Layers[ScaledResidualBlock]":
            return Layers(ScaledResidualBlock(channels) for _ in range(count))

        self.enter = conv3x3(12, half)
        self.encode_half = stack(half, blocks[0])
        self.down_quarter = nn.Conv2d(half, quarter, 2, stride=2)
        self.encode_quarter = stack(quarter, blocks[1])
        self.down_eighth = nn.Conv2d(quarter, eighth, 2, stride=2)
        self.bottom = stack(eighth, blocks[2])
        self.globally = GlobalProcessingBlock(eighth, context)
        self.up_quarter = nn.ConvTranspose2d(eighth, quarter, 2, stride=2)
        self.decode_quarter = stack(quarter, blocks[1])
        self.up_half = nn.ConvTranspose2d(quarter, half, 2, stride=2)
        self.decode_half = stack(half, blocks[0])
        self.leave = conv3x3(half, 12)
        nn.init.zeros_(self.leave.weight)
        start_without_bias(self.leave)

    def scaled_channels(self) -> list[int]:
        """Channel counts of the Basic Processing Blocks, in the order forward uses them."""
        stacks = (self.encode_half, self.encode_quarter, self.bottom, self.decode_quarter, self.decode_half)
        return [block.first.in_channels for stack in stacks for block in stack]

    def forward(
        self,
        picture: Tensor,
        carried: tuple[Tensor, ...] | None,
        scales: list[Tensor],
        context: Tensor,
        strength: Tensor,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One round of restoration.

        Args:
            picture: (batch, 3, rows, columns), 0..1.
            carried: the features of the stage before at 1/2, 1/4, 1/8, or None for the first.
            scales: one (batch, channels, 1, 1) for every Basic Processing Block.
            context: (batch, context), pooled over the whole picture.
            strength: (batch, 1, 1, 1), 0..1; the correction is multiplied by it.

        Returns:
            The restored picture, float32 and not clamped, and the three feature maps to carry on.
        """
        remaining = iter(scales)

        def through(stack: "Layers[ScaledResidualBlock]", features: Tensor) -> Tensor:
            for block in stack:
                features = block(features, next(remaining))
            return features

        def joined(scale: int, convolution: nn.Conv2d, features: Tensor) -> Tensor:
            if carried is None:
                return convolution(features)
            return convolve_and_add(convolution, features, carried[scale])

        x = joined(0, self.enter, functional.pixel_unshuffle(picture - 0.5, 2))
        half = through(self.encode_half, x)  # (batch, half, rows/2, columns/2)
        quarter = through(self.encode_quarter, joined(1, self.down_quarter, half))  # rows/4, columns/4
        eighth = through(self.bottom, joined(2, self.down_eighth, quarter))  # rows/8, columns/8
        eighth = self.globally(eighth, context)
        quarter = through(self.decode_quarter, quarter + self.up_quarter(eighth))
        half = through(self.decode_half, half + self.up_half(quarter))
        correction = functional.pixel_shuffle(self.leave(half), 2)
        return picture + strength * correction.float(), (half, quarter, eighth)


class Cascade(Network):
    """Quality estimation and restoration stages; see the module's text."""

    overlap = 96
    uses_tables = True
    steerable = True

    def __init__(
        self,
        stages: int = 3,
        widths: tuple[int, int, int] = (64, 96, 128),
        blocks: tuple[int, int, int] = (1, 1, 2),
        embedding: int = 64,
        periods: int = 12,
        summary: int = 128,
        use_quality: bool = True,
        use_tables: bool = True,
        use_context: bool = True,
    ) -> None:
        """Build the cascade.

        What the last three switch off is built all the same and left idle, so that the variants of an ablation begin
        with the same weights.

        Args:
            stages: number of restoration stages.
            widths: channels at 1/2, 1/4 and 1/8 of the picture's size.
            blocks: Basic Processing Blocks in each encoder and decoder at 1/2 and 1/4, and in all at 1/8.
            embedding: size of the steering vector, and of the pooled context.
            periods: cosine periods per DCT frequency in the quality estimation.
            summary: channels pooled over the picture.
            use_quality: steer by the quality factor.
            use_tables: steer by the quantization tables, where they are known.
            use_context: let the Global Processing Blocks see the pooled context.
        """
        super().__init__()
        self.stage_names = tuple(f"stage {number}" for number in range(1, stages + 1))
        self._embedding = embedding
        self._use_quality, self._use_tables, self._use_context = use_quality, use_tables, use_context
        self.quality = QualityEstimation(periods, summary)
        self.steer = multilayer_perceptron(2 + 1 + TABLE_VALUES, 128, embedding)
        self.contextualize = multilayer_perceptron(summary, 128, embedding)
        self.stages = Layers(RestorationStage(widths, blocks, embedding) for _ in range(stages))
        self.scale = nn.Linear(embedding, sum(self._scale_sizes()))
        nn.init.zeros_(self.scale.weight)
        nn.init.zeros_(self.scale.bias)

    def summarize(self, pixels: Tensor) -> Tensor:
        """Describe a picture, or a strip of whole 8-row blocks of one: (batch, summary), a mean over blocks."""
        return self.quality.summarize(pixels)

    def predicted_quality_factor(self, summary: Tensor) -> Tensor:
        """The quality factor estimated from pixels alone: (batch,), 1..100."""
        return self.quality(summary)

    def condition(
        self, summary: Tensor, *, quality_factor: Tensor | None = None, tables: Tensor | None = None
    ) -> Tensor:
        """See Network.condition.

        Returns:
            (batch, 2 * embedding + 1): steering vector, pooled context, strength of the corrections (0..1).
        """
        if not self._use_quality:
            quality_factor = summary.new_full((len(summary),), UNKNOWN_QUALITY_FACTOR)
        elif quality_factor is None:
            quality_factor = self.predicted_quality_factor(summary)
        if tables is None or not self._use_tables:
            tables = summary.new_zeros(len(summary), TABLE_VALUES)
        quality_factor = quality_factor.to(summary)
        usable = quality_factor.clamp(1, 99.75)
        step_scale = torch.where(usable < 50, 5000 / usable, 200 - 2 * usable)
        known = (tables > 0).any(1, keepdim=True).to(summary)
        by_quality = ((FADED_TO - quality_factor) / (FADED_TO - FADED_FROM))[:, None]
        by_tables = (tables[:, :64].to(summary).mean(1, keepdim=True) - 1) / (FADED_FROM_STEP - 1)
        strength = torch.where(known > 0, by_tables, by_quality).clamp(0, 1)
        described = torch.cat(
            [
                usable[:, None] / 50 - 1,
                step_scale[:, None].log2() / 6 - 1,
                known,
                (tables.to(summary).clamp(min=1).log2() / 4 - 1) * known,
            ],
            1,
        )
        context = summary.new_zeros(len(summary), self._embedding)
        if self._use_context:
            context = self.contextualize(summary)
        return torch.cat([self.steer(described), context, strength], 1)

    def forward(
        self, pixels: Tensor, /, condition: Tensor | None = None, stages: int | None = None
    ) -> list[Tensor]:
        """See Network.forward."""
        if condition is None:
            condition = self.condition(self.summarize(pixels))
        steering, context, strength = condition.split([self._embedding, self._embedding, 1], 1)
        scales = list((1 + self.scale(steering))[:, :, None, None].split(self._scale_sizes(), 1))
        picture, carried, pictures = pixels.float(), None, []
        for stage in self.stages[:stages]:
            own = [scales.pop(0) for _ in stage.scaled_channels()]
            picture, carried = stage(picture, carried, own, context, strength[:, :, None, None])
            pictures.append(picture)
        return pictures

    def _scale_sizes(self) -> list[int]:
        return [channels for stage in self.stages for channels in stage.scaled_channels()]

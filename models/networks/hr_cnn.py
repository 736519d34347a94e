"""HR-CNN: from a JPEG's DCT coefficients straight to a restored plane, without a decoder in between.

J. Niu, "End-to-End JPEG Decoding and Artifacts Suppression Using Heterogeneous Residual Convolutional Neural
Network".

Input: the coefficients of one plane, dequantized, one channel per frequency (`JpegComponent.coefficients` times
`JpegComponent.quantization_table`). No pixels, no quality factor.

The layers are the paper's, and give its printed numbers of trainable parameters (weights + biases):

    layer      kernel                               parameters
    1          64 coded masks, stride 8             0 (fixed)
    2          64 -> 64, 8x8 transposed, stride 8   64*64*8*8 + 64 = 262,208
    3          64 -> 8, 5x5                         64*8*5*5 + 8   =  12,808
    4          8 -> 1, 3x3                          8*1*3*3 + 1    =      73    decoding: 275,089
    5 (8 ...)  1 -> 64, 11x11                       1*64*11*11 + 64 = 7,808
    6 (9 ...)  64 -> 16, 7x7                        64*16*7*7 + 16 = 50,192
    7 (10 ..)  16 -> 1, 1x1                         16*1*1*1 + 1   =     17    4 * 58,017 = 232,068

What the paper leaves open, and what was chosen here:

* The quantization table. The paper feeds quantized numbers and trains one network per quality factor, which can
  learn its one table by heart. Here one network serves all quality factors, so the numbers are multiplied by the
  file's table first: the paper gives layer 1 the task of "channel extraction and scaling", and this is the scale.
  It costs no parameter. The amplitudes are then divided by 1024, the largest there can be, and the learned layers
  see -1..1 whatever the table.
* Layer 1. Masks with a single 1 at stride 8 only sort coefficients into channels. The file's reader delivers them
  sorted, so nothing is left to compute; the first picture that forward returns is the plane before the sorting.
* ReLU. The paper names two: after "F5", introduced as the end of decoding, which is layer 4 by its own numbering
  and is used so here; and after the last layer. Its formula for the detail blocks has none. Taken literally, three
  convolutions in a row are a single linear filter, and it could not have the nonlinearity that the paper claims;
  so the first two layers of a detail block are followed by ReLU. Decoding stays linear, as the inverse DCT is.
* Borders are padded with zeros, which for snapshots is mid-gray.
* Initialisation. Layer 2 begins with the basis functions of the inverse DCT, the first filter of layer 3 with
  their sum, layer 4 with that filter plus mid-gray, and the last layer of each detail block with zeros. An
  untrained network is therefore a plain JPEG decoder, and training begins at a gain of 0 dB.
* Colour. Published for the green channel; here Y, Cb and Cr are restored one by one, each at its own size.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.base import ColorRule, Network
from models.networks.layers import Layers, start_without_bias

BLOCK = 8
FREQUENCIES = BLOCK * BLOCK
LARGEST_AMPLITUDE = 1024.0
"""No dequantized coefficient of 8-bit samples is larger: 8 times the level shift of 128."""

LEVELS = 255.0
MID_GRAY = 128 / LEVELS


class DetailBlock(nn.Module):
    """Layers 5 to 7 of the paper: 11-7-1 convolutions with 64-16-1 filters that correct a plane."""

    def __init__(self) -> None:
        super().__init__()
        self.extract = nn.Conv2d(1, 64, 11, padding=5)
        self.enhance = nn.Conv2d(64, 16, 7, padding=3)
        self.smooth = nn.Conv2d(16, 1, 1)
        for layer in (self.extract, self.enhance):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            start_without_bias(layer)
        nn.init.zeros_(self.smooth.weight)
        start_without_bias(self.smooth)

    def forward(self, plane: Tensor) -> Tensor:
        """Plane (batch, 1, rows, columns) float32 -> the same, corrected."""
        features = functional.relu(self.extract(plane))  # (batch, 64, rows, columns)
        features = functional.relu(self.enhance(features))  # (batch, 16, rows, columns)
        return plane + self.smooth(features).float()


class HrCnn(Network):
    """Heterogeneous residual network on the coefficients of one plane; see the module's text."""

    color = ColorRule.COEFFICIENTS
    full_resolution = True
    channels = FREQUENCIES
    overlap = 40  # decoding 2 + 1, four detail blocks of 5 + 3: 35 pixels, and the whole block they end in
    stage_names = (
        "channel split",
        "spectral reconstruction",
        "decoded",
        "detail 1",
        "detail 2",
        "detail 3",
        "detail 4",
    )

    def __init__(self) -> None:
        super().__init__()
        self.reconstruct = nn.ConvTranspose2d(FREQUENCIES, FREQUENCIES, BLOCK, stride=BLOCK)
        merge, leave = nn.Conv2d(FREQUENCIES, 8, 5, padding=2), nn.Conv2d(8, 1, 3, padding=1)
        self.decode = nn.Sequential(merge, leave)
        self.details = Layers(DetailBlock() for _ in range(4))
        self._start_at_inverse_dct(merge, leave)

    def forward(
        self, coefficients: Tensor, /, condition: Tensor | None = None, stages: int | None = None
    ) -> list[Tensor]:
        """Decode and restore planes.

        Decoding runs in float32 even under autocast: everything later is added to its picture.

        Args:
            coefficients: (batch, 64, block rows, block columns), dequantized amplitudes as the JPEG standard
                scales them (about -1024..1024, for samples 0..255 less 128). Channel 8 * u + v holds vertical
                frequency u and horizontal frequency v, so channel 0 is 8 times the block's mean.
            condition: nothing steers it.
            stages: return only the first that many pictures, 1 to 7; None returns all.

        Returns:
            One picture per stage name, (batch, 1, 8 * block rows, 8 * block columns) float32, not clamped at 1.
            From "decoded" on they are the plane, 0..1. The first two are for looking at, 0..1 as well:
            the coefficients where they lie in their blocks, gray for 0 and logarithmic; and the summed
            magnitudes of all snapshots but the first, which begins as the blocks' means.
        """
        coefficients = coefficients.float()
        device = coefficients.device.type
        with torch.autocast("cpu" if device == "meta" else device, enabled=False):
            snapshots = self.reconstruct(coefficients / LARGEST_AMPLITUDE)  # (batch, 64, rows, columns)
            plane = functional.relu(self.decode(snapshots))  # (batch, 1, rows, columns)
        strength = snapshots.detach()[:, 1:].abs().sum(1, keepdim=True).clamp(max=1)
        pictures = [_spectrum_picture(coefficients), strength, plane]
        for block in self.details if stages is None else self.details[: max(stages - len(pictures), 0)]:
            plane = block(plane)
            pictures.append(functional.relu(plane) if block is self.details[-1] else plane)
        return pictures[:stages]

    def _start_at_inverse_dct(self, merge: nn.Conv2d, leave: nn.Conv2d) -> None:
        """Weights that make the untrained network a plain JPEG decoder; the two convolutions are those that decode."""
        for layer in (self.reconstruct, merge, leave):
            start_without_bias(layer)
        assert leave.bias is not None  # as every convolution has, unless it is told to do without
        nn.init.zeros_(self.reconstruct.weight)
        nn.init.kaiming_normal_(merge.weight, nonlinearity="linear")
        nn.init.zeros_(leave.weight)
        channel = torch.arange(FREQUENCIES)
        with torch.no_grad():
            scale = LARGEST_AMPLITUDE / LEVELS
            self.reconstruct.weight[channel, channel] = _basis_functions() * scale
            merge.weight[0] = 0
            merge.weight[0, :, 2, 2] = 1
            leave.weight[0, 0, 1, 1] = 1
            leave.bias.fill_(MID_GRAY)


def _basis_functions() -> Tensor:
    """(64, 8, 8): the block that each coefficient of amplitude 1 stands for, in the order of the channels."""
    index = torch.arange(BLOCK, dtype=torch.float64)
    cosines = torch.cos((2 * index[None, :] + 1) * index[:, None] * math.pi / (2 * BLOCK)) / 2
    cosines[0] *= math.sqrt(0.5)
    return torch.einsum("ui,vj->uvij", cosines, cosines).reshape(FREQUENCIES, BLOCK, BLOCK).float()


def _spectrum_picture(coefficients: Tensor) -> Tensor:
    """(batch, 64, block rows, block columns) amplitudes -> (batch, 1, rows, columns), 0..1, every one in its place."""
    compressed = coefficients.sign() * coefficients.abs().log1p() / math.log1p(LARGEST_AMPLITUDE)
    return functional.pixel_shuffle(0.5 + 0.5 * compressed.clamp(-1, 1), BLOCK)

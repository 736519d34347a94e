"""DnCNN-3: twenty plain convolutions that predict what compression added to a picture.

K. Zhang, W. Zuo, Y. Chen, D. Meng and L. Zhang, "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image
Denoising", IEEE Transactions on Image Processing 26 (7), 2017.

As published: 20 layers of 3x3 with 64 channels; ReLU after the first 19; batch normalization in the middle 18, whose
convolutions therefore have no bias of their own; the output is subtracted from the input. 667,073 parameters for
one channel, 669,379 for three.

What the paper leaves open, and what was chosen here:

* Colour. DnCNN-3 was published for one gray channel (one network for noise, super-resolution and JPEG), a colour
  variant with three channels in and out for noise only. Here it is that variant, trained on JPEG alone.
* Batch normalization in use. Running statistics, gathered in training, are part of the weights; a picture is
  thus restored in tiles as in one piece. They take part in the averaging of the weights like any parameter.
* Initialisation. He's, as in the paper, but for the last layer, which begins at zero: an untrained network returns its
  input, and training begins at a gain of 0 dB.
"""

from torch import Tensor, nn

from models.networks.base import Network
from models.networks.layers import conv3x3


class DnCnn(Network):
    """Twenty layers, residual, batch-normalized; see the module's text."""

    multiple = 1
    full_resolution = True

    def __init__(self, channels: int = 3, layers: int = 20, width: int = 64) -> None:
        """Build the network.

        Args:
            channels: of the picture: 3 for RGB, 1 for gray.
            layers: convolutions, the first and the last included.
            width: channels between them.
        """
        super().__init__()
        self.channels = channels
        self.overlap = layers  # receptive field radius: one pixel per layer
        middle = (
            layer
            for _ in range(layers - 2)
            for layer in (
                nn.Conv2d(width, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            )
        )
        self.body = nn.Sequential(
            conv3x3(channels, width), nn.ReLU(inplace=True), *middle, conv3x3(width, channels)
        )
        for layer in self.body:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        for value in self.body[-1].parameters():
            nn.init.zeros_(value)

    def forward(
        self, pixels: Tensor, /, condition: Tensor | None = None, stages: int | None = None
    ) -> list[Tensor]:
        """See Network.forward; pictures may have any size."""
        return [pixels.float() - self.body(pixels - 0.5).float()]

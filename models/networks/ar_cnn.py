"""AR-CNN, the first convolutional network for JPEG artifacts, which everyone compares with.

C. Dong, Y. Deng, C. C. Loy and X. Tang, "Compression Artifacts Reduction by a Deep Convolutional Network",
ICCV 2015.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.base import ColorRule, Network
from models.networks.layers import start_without_bias


class ArCnn(Network):
    """Four convolutions, 9-7-1-5 with 64-32-16-1 filters, on one plane: the architecture as published.

    Colour is restored plane by plane: Y, Cb and Cr each at its own size.

    Only the initialisation differs from the paper's small Gaussian noise: each layer hands the plane on in
    its first filter (values in 0..1 pass ReLU unharmed), and the last layer reads that filter alone. An
    untrained network therefore returns its input, and training begins at a gain of 0 dB instead of far below.
    """

    color = ColorRule.PLANES
    full_resolution = True
    channels = 1
    full_precision = True
    multiple = 1
    overlap = 9  # receptive field radius: 4 + 3 + 0 + 2

    def __init__(self) -> None:
        super().__init__()
        self.extract = nn.Conv2d(1, 64, 9, padding=4)
        self.enhance = nn.Conv2d(64, 32, 7, padding=3)
        self.map = nn.Conv2d(32, 16, 1)
        self.reconstruct = nn.Conv2d(16, 1, 5, padding=2)
        self._start_at_identity()

    def forward(
        self, plane: Tensor, /, condition: Tensor | None = None, stages: int | None = None
    ) -> list[Tensor]:
        """See Network.forward; planes may have any size."""
        features = functional.relu(self.extract(plane), inplace=True)  # (batch, 64, rows, columns)
        features = functional.relu(self.enhance(features), inplace=True)  # (batch, 32, rows, columns)
        features = functional.relu(self.map(features), inplace=True)  # (batch, 16, rows, columns)
        return [self.reconstruct(features)]

    def _start_at_identity(self) -> None:
        """He initialisation everywhere, then one filter per layer that passes the plane through."""
        for layer in (self.extract, self.enhance, self.map, self.reconstruct):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            start_without_bias(layer)
            middle = layer.kernel_size[0] // 2
            with torch.no_grad():
                layer.weight[0] = 0
                layer.weight[0, 0, middle, middle] = 1

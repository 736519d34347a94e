"""Layers that several networks share."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar, overload

import torch
from torch import Tensor, nn

from models.networks.fused_convolution import convolve_and_add, convolve_and_rectify

Layer = TypeVar("Layer", bound=nn.Module)

if TYPE_CHECKING:

    class Layers(nn.ModuleList, Generic[Layer]):
        """A ModuleList whose modules are of one kind, which torch's own does not tell type checkers."""

        def __init__(self, modules: Iterable[Layer]) -> None: ...
        def __iter__(self) -> Iterator[Layer]: ...
        @overload
        def __getitem__(self, idx: slice) -> "Layers[Layer]": ...
        @overload
        def __getitem__(self, idx: int) -> Layer: ...
        def __getitem__(self, idx: int | slice) -> "Layer | Layers[Layer]": ...

else:
    Layers = nn.ModuleList


def conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3x3 convolution that keeps rows and columns."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def start_without_bias(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """Zeros where a convolution has a bias."""
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def start_plain(layer: nn.Conv2d | nn.Linear) -> None:
    """Weights for a stack without shortcuts, which keep the spread of what passes through ReLUs; no bias.

    K. He, X. Zhang, S. Ren and J. Sun, "Delving Deep into Rectifiers", 2015.
    """
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class ScaledResidualBlock(nn.Module):
    """Two plain 3x3 convolutions around inner channels that are scaled one by one.

    The scale sits on the inner channels, not on the correction: the same steering, and the backward pass need not
    keep the correction. The second convolution starts near zero, so that a deep stack begins close to the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv3x3(channels, channels)
        self.second = conv3x3(channels, channels)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        start_without_bias(self.first)
        nn.init.normal_(self.second.weight, std=0.1 * (2 / (9 * channels)) ** 0.5)
        start_without_bias(self.second)

    def forward(self, features: Tensor, scale: Tensor) -> Tensor:
        """features (batch, channels, rows, columns); scale (batch, channels, 1, 1), 1 leaves the block as it is."""
        inner = convolve_and_rectify(self.first, features)
        return convolve_and_add(self.second, inner, features, input_scale=scale)


class ConstantScaleResidualBlock(nn.Module):
    """EDSR's block: two 3x3 convolutions around a ReLU, their correction multiplied by a constant."""

    def __init__(self, channels: int, scale: float = 0.1) -> None:
        super().__init__()
        self.first = conv3x3(channels, channels)
        self.second = conv3x3(channels, channels)
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        """(batch, channels, rows, columns) -> the same."""
        inner = convolve_and_rectify(self.first, features)
        return convolve_and_add(self.second, inner, features, output_scale=self.scale)


def multilayer_perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Linear, ReLU, Linear on (batch, inputs)."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def table_maps(tables: Tensor, rows: int, columns: int) -> Tensor:
    """Tile 8x8 quantization tables over a picture, on its block grid.

    Args:
        tables: (batch, 64 * tables), each in row order.
        rows, columns: size of the picture, multiples of 8.

    Returns:
        (batch, tables, rows, columns).
    """
    return tables.unflatten(1, (-1, 8, 8)).repeat(1, 1, rows // 8, columns // 8)


def macs_of(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> int:
    """Multiply-accumulates of one call of a convolution or a linear layer; 0 for other modules."""
    if isinstance(module, nn.ConvTranspose2d):
        return inputs[0].numel() * module.weight[0].numel()
    if isinstance(module, nn.Conv2d):
        return output.numel() * module.weight[0].numel()
    return output.numel() * module.in_features if isinstance(module, nn.Linear) else 0


def mac_per_pixel(network: nn.Module, run: Callable[[], float]) -> float:
    """Multiply-accumulates of all convolutions and linear layers during `run()`, divided by what run() returns.

    Args:
        network: the module to watch.
        run: runs the network once and returns the number of input pixels it covered.
    """
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += macs_of(module, inputs, output)

    hooks = [module.register_forward_hook(count) for module in network.modules()]
    try:
        with torch.no_grad():
            pixels = run()
    finally:
        for hook in hooks:
            hook.remove()
    return total / pixels

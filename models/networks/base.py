"""What every network of the zoo is, so that one restorer and one trainer serve them all: Network and ColorRule."""

import copy
from enum import Enum
from typing import Any

import torch
from torch import Tensor, nn

from models.canvas import Canvas, CoefficientCanvas, ColorCanvas, PlaneCanvas
from models.jpeg import JpegImage
from models.jpeg.dct import BLOCK
from models.networks.layers import macs_of
from models.orientations import Orientation, turn, turn_coefficients
from models.tensors import area_weights, pixels_to_ycbcr, ycbcr_to_pixels

COUNTING_SIDE = 128
"""Rows and columns of the picture whose operations are counted."""

LARGE_PICTURE = 1_000_000
"""Pixels over which the look at an overview is spread where operations are told per pixel: it costs the same for all
pictures."""


class ColorRule(Enum):
    """What a network is called with, and how its outputs become pictures; the values are the words of model cards.

    RGB           (batch, 3, rows, columns), the decoded picture, 0..1
    YCBCR         the same as full-range Y, Cb, Cr
    PLANES        (batch, 1, rows, columns), Y, Cb or Cr at its own size, 0..1
    COEFFICIENTS  (batch, 64, rows/8, columns/8), dequantized DCT amplitudes of Y, Cb or Cr in units of gray levels,
                  channel 8 * vertical + horizontal frequency; the outputs are planes
    """

    RGB = "rgb"
    YCBCR = "ycbcr"
    PLANES = "planes"
    COEFFICIENTS = "coefficients"

    @property
    def plane_by_plane(self) -> bool:
        """Whether Y, Cb and Cr are restored one by one."""
        return self in (ColorRule.PLANES, ColorRule.COEFFICIENTS)

    @property
    def samples_per_pixel(self) -> float:
        """Of what the network runs on: planes of a 4:2:0 picture have one and a half per pixel."""
        return 1.5 if self.plane_by_plane else 1.0

    def canvas(self, image: JpegImage, stages: int) -> Canvas:
        """The picture as the network is shown it, tile by tile, and where its `stages` pictures are put together."""
        if self is ColorRule.COEFFICIENTS:
            return CoefficientCanvas(image, stages)
        return PlaneCanvas(image, stages) if self is ColorRule.PLANES else ColorCanvas(image, stages)

    def encode(self, pixels: Tensor) -> Tensor:
        """From a canvas or a batch of patches, (batch, channels, rows, columns), to what the network is called with."""
        if self is ColorRule.YCBCR:
            return pixels_to_ycbcr(pixels).contiguous(memory_format=torch.channels_last)
        return pixels

    def decode(self, outputs: list[Tensor]) -> list[Tensor]:
        """From what the network returns to RGB pictures or single planes, (batch, 3 or 1, rows, columns)."""
        return [ycbcr_to_pixels(output) for output in outputs] if self is ColorRule.YCBCR else outputs

    def turn(self, inputs: Tensor, orientation: Orientation) -> Tensor:
        """A canvas's inputs of the picture that models.orientations.turn makes."""
        return (turn_coefficients if self is ColorRule.COEFFICIENTS else turn)(inputs, orientation)


class Network(nn.Module):
    """Any network of the zoo; what is optional has a default here.

    A subclass has no other public names than these, besides layers, so that none of them can be misspelt.

    Attributes:
        color: what it is called with.
        channels: of what it is called with.
        multiple: rows and columns must be multiples of this; of 8, or 1 where blocks do not matter. 8 for networks of
            coefficients.
        overlap: pixels around a tile that its result noticeably depends on; every network says it.
        full_resolution: it keeps its features at the size of the picture, so that its tiles must be smaller.
        full_precision: all of it runs in float32; otherwise its convolutions may run in bfloat16, and it adds their
            corrections to a float32 picture.
        stage_names: names of the pictures that it returns, the last being the result; empty where it is the only one.
        overview_side: rows and columns of the overview of the whole picture that it looks at; None where it takes a
            mean over blocks instead, or does not look.
        uses_tables: the file's quantization tables steer it.
        steerable: a quality factor set by hand steers it.
        estimates_quality: it sees the quality factor in the picture; follows from predicted_quality_factor.
    """

    color: ColorRule = ColorRule.RGB
    channels: int = 3
    multiple: int = 8
    overlap: int
    full_resolution: bool = False
    full_precision: bool = False
    stage_names: tuple[str, ...] = ()
    overview_side: int | None = None
    uses_tables: bool = False
    steerable: bool = False
    estimates_quality: bool = False

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        for name in vars(cls):
            _check_name(cls, name)
        cls.estimates_quality = cls.predicted_quality_factor is not Network.predicted_quality_factor

    def __setattr__(self, name: str, value: Any) -> None:
        if not isinstance(value, nn.Module | Tensor):
            _check_name(type(self), name)
        super().__setattr__(name, value)

    def summarize(self, pixels: Tensor) -> Tensor:
        """What the network sees of whole pictures before their first tile.

        Without an overview it is a mean over 8x8 blocks, so that a picture can be summarized in strips.

        Args:
            pixels: (batch, 3, rows, columns), 0..1.

        Returns:
            (batch, summary), with nothing in it for networks that do not look; or the overview,
            (batch, 3, overview_side, overview_side).
        """
        if self.overview_side is None:
            return pixels.new_empty(len(pixels), 0)
        rows, columns = (area_weights(size, self.overview_side).to(pixels) for size in pixels.shape[2:])
        return rows @ (pixels @ columns.T)

    def predicted_quality_factor(self, summary: Tensor) -> Tensor | None:
        """(batch,), 1..100, from summarize(); None for networks that do not estimate it."""
        return None

    def condition(
        self, summary: Tensor, *, quality_factor: Tensor | None = None, tables: Tensor | None = None
    ) -> Tensor:
        """What steers the restoration of whole pictures; all tiles share it.

        Args:
            summary: from summarize().
            quality_factor: (batch,) 1..100, None for the network's own estimate; for networks that estimate it.
            tables: (batch, 128) quantization steps, luma then chroma, zeros in a half that does not exist; a row of
                zeros, or None for all, where nothing is known.

        Returns:
            (batch, anything), with nothing in it for networks that nothing steers.
        """
        return summary.new_empty(len(summary), 0)

    def forward(
        self, inputs: Tensor, /, condition: Tensor | None = None, stages: int | None = None
    ) -> list[Tensor]:
        """Restore pictures or planes.

        Args:
            inputs: as `color` says.
            condition: from condition(); None works it out from the inputs alone.
            stages: stop after that many of stage_names, 1 or more; None runs all.

        Returns:
            One float32 picture or plane per stage, (batch, 3 or 1, rows, columns), in the colors of the inputs and not
            clamped.
        """
        raise NotImplementedError

    def mmac_per_pixel(self) -> float:
        """1e6 multiply-accumulates that the result takes per pixel of the picture; of a 4:2:0 picture for planes.

        Convolutions and linear layers count. Batch normalization, which could be folded away, does not, and neither do
        earlier pictures that are made for looking at alone.
        """
        network = _described(self)
        conditioning, totals = True, {True: 0, False: 0}

        def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            macs, part = macs_of(module, inputs, output), conditioning

            def add(_gradient: Tensor) -> None:  # called where the result depends on the output
                totals[part] += macs

            if macs:
                output.register_hook(add)

        for module in network.modules():
            module.register_forward_hook(count)
        side = COUNTING_SIDE // (BLOCK if self.color is ColorRule.COEFFICIENTS else 1)
        inputs = torch.zeros(1, self.channels, side, side, device="meta")
        with torch.enable_grad():
            condition = network.condition(network.summarize(inputs))
            conditioning = False
            network(inputs, condition)[-1].sum().backward()
        pixels = COUNTING_SIDE**2 / self.color.samples_per_pixel
        pixels_of_condition = pixels if self.overview_side is None else LARGE_PICTURE
        return (totals[False] / pixels + totals[True] / pixels_of_condition) / 1e6


def _check_name(kind: type[Network], name: str) -> None:
    """Refuse public names that networks do not have.

    Raises:
        TypeError: with those that they have.
    """
    names = [{*vars(base), *vars(base).get("__annotations__", ())} for base in Network.__mro__]
    if name.startswith("_") or any(name in own for own in names):
        return
    known = sorted(own for own in names[0] if not own.startswith("_"))
    raise TypeError(
        f"{kind.__name__} sets {name}, which is no name of a network. Networks have {', '.join(known)}. Correct the "
        "name, or begin it with _ if it is the network's own."
    )


def _described(network: Network) -> Network:
    """A copy for running through, whose tensors have sizes but no memory."""
    tensors: dict[int, Any] = {
        id(parameter): nn.Parameter(torch.empty_like(parameter, device="meta"))
        for parameter in network.parameters()
    }
    tensors |= {id(buffer): torch.empty_like(buffer, device="meta") for buffer in network.buffers()}
    return copy.deepcopy(network, tensors).eval()

"""Timing beside a network of FBCNN's published shape, with random weights: for speed only, its pictures mean nothing.

python -m training.fbcnn_timing

J. Jiang, K. Zhang and R. Timofte, "Towards Flexible Blind JPEG Artifacts Removal", ICCV 2021: four scales of 64, 128,
256 and 512 channels with four residual blocks each on the way down and up, strided and transposed 2x2 convolutions
between them, four more blocks and a perceptron that predict the quality factor, and one that turns it into a scale and
a shift for every channel of every block on the way up. 71.9 million parameters, 2.71 MMAC per pixel.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.card import ModelCard
from models.command_line import begin
from models.errors import InvalidSetting, RestorationError
from models.jpeg import JpegEncoding, JpegImage, encode
from models.network_restorer import NetworkRestorer
from models.networks.layers import conv3x3
from models.places import shipped
from models.zoo import Zoo
from training.markdown_cells import markdown
from training.scoring import Options, cost_of
from training.sweep import machine_of

DEFAULT_CHECKPOINTS = shipped("checkpoints")
LARGEST_SIDE = 4000
CARD = ModelCard(
    name="fbcnn-shape",
    title="A network of FBCNN's shape",
    architecture="",
    summary="Random weights, for timing only.",
    paper="J. Jiang, K. Zhang, R. Timofte, ICCV 2021.",
)


class Block(nn.Module):
    """Two 3x3 convolutions around a ReLU; their correction may be scaled and shifted channel by channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = conv3x3(channels, channels), conv3x3(channels, channels)

    def forward(self, features: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        """(batch, channels, rows, columns) -> the same; scale and shift are (batch, channels, 1, 1)."""
        correction = self.second(functional.relu(self.first(features)))
        return features + (correction if scale is None else scale * correction + shift)


class FbcnnShape(nn.Module):
    """Layers of FBCNN's number, kind and size; see the module's text.

    Args:
        channels: of the scales, the finest first.
        blocks: residual blocks of each group.
        hidden: width of both perceptrons.
    """

    multiple = 8
    overlap = 64

    def __init__(
        self, channels: Sequence[int] = (64, 128, 256, 512), blocks: int = 4, hidden: int = 512
    ) -> None:
        super().__init__()
        steps, deepest = list(zip(channels, channels[1:], strict=False)), channels[-1]

        def group(width: int) -> nn.ModuleList:
            return nn.ModuleList(Block(width) for _ in range(blocks))

        self.head, self.tail = conv3x3(3, channels[0]), conv3x3(channels[0], 3)
        self.encoders = nn.ModuleList(group(width) for width in channels)
        self.shrink = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.deepest_decoder, self.quality_blocks = group(deepest), group(deepest)
        self.predict = nn.Sequential(
            *(
                nn.Linear(deepest, hidden),
                nn.ReLU(),
                nn.Linear(hidden, hidden),
                nn.ReLU(),
                nn.Linear(hidden, 1),
            )
        )
        self.embed = nn.Sequential(
            *(nn.Linear(1, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()),
            *(nn.Linear(hidden, hidden), nn.ReLU()),
        )
        self.grow = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in steps)
        self.decoders = nn.ModuleList(group(fine) for fine, _ in steps)
        self.scales = nn.ModuleList(nn.Linear(hidden, fine) for fine, _ in steps)
        self.shifts = nn.ModuleList(nn.Linear(hidden, fine) for fine, _ in steps)

    def forward(self, pixels: Tensor) -> Tensor:
        """(batch, 3, rows, columns) -> the same; sides are multiples of 8."""
        features, passed = self.head(pixels), []
        for scale, encoder in enumerate(self.encoders):
            if scale:
                features = self.shrink[scale - 1](features)
            passed.append(features)
            for block in encoder:
                features = block(features)
        seen = features
        for block in self.quality_blocks:
            seen = block(seen)
        embedded = self.embed(self.predict(seen.mean((2, 3))))
        for block in self.deepest_decoder:
            features = block(features)
        features = features + passed.pop()
        for scale in reversed(range(len(self.decoders))):
            features = self.grow[scale](features)
            factor = self.scales[scale](embedded).sigmoid()[..., None, None]
            shift = self.shifts[scale](embedded).tanh()[..., None, None]
            for block in self.decoders[scale]:
                features = block(features, factor, shift)
            features = features + passed.pop()
        return self.tail(features)


def time_alternately(
    restorers: Sequence[NetworkRestorer], image: JpegImage, repeats: int
) -> list[list[float]]:
    """Milliseconds per megapixel of every run, restorer by restorer; they take turns after a run each to warm up.

    Args:
        restorers: what to time.
        image: what they restore.
        repeats: runs of each.
    """
    megapixels = image.pixels.shape[0] * image.pixels.shape[1] / 1e6
    for restorer in restorers:
        restorer.restore(image)
    runs = [[1000 * each.restore(image).seconds / megapixels for each in restorers] for _ in range(repeats)]
    return [list(times) for times in zip(*runs, strict=True)]


def report(restorers: Sequence[NetworkRestorer], times: Sequence[Sequence[float]]) -> str:
    """A table of cost and time, and how many times faster the first restorer is than the last."""
    lines = []
    for restorer, runs in zip(restorers, times, strict=True):
        cost = cost_of(restorer, Options())
        numbers = [f"{cost.parameters / 1e6:.2f}", f"{cost.mmac_per_pixel:.3f}"]
        lines.append([restorer.card.name, *numbers, f"{statistics.median(runs):.0f}", f"{min(runs):.0f}"])
    heading = ["network", "M parameters", "MMAC/px", "ms/MP, median", "ms/MP, best"]
    ours, theirs = times[0], times[-1]
    ratio = statistics.median(theirs) / statistics.median(ours)
    sentence = (
        f"{restorers[0].card.name} is {ratio:.1f} times faster by the medians and {min(theirs) / min(ours):.1f} times "
        f"by the best of {len(ours)} runs each, in turns, on {machine_of(restorers[0])}. {CARD.name} has FBCNN's "
        "published layers with random weights: its time is meant, its pictures are not."
    )
    return "\n".join([*markdown(heading, lines), "", sentence])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    begin()
    parser = argparse.ArgumentParser(
        prog="python -m training.fbcnn_timing", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--model", default="cascade", metavar="NAME", help="a checkpoint (default cascade)")
    parser.add_argument(
        "--side", type=int, default=1000, help="rows and columns of the picture (default 1000)"
    )
    parser.add_argument("--repeats", type=int, default=5, help="runs of each network (default 5)")
    parser.add_argument("--device", help="cpu, cuda, ... (default: the fastest there is)")
    parser.add_argument("--checkpoints", type=Path, default=DEFAULT_CHECKPOINTS, metavar="FOLDER")
    asked = parser.parse_args(arguments)
    try:
        restorers = _restorers(asked)
        generator = np.random.default_rng(0)
        pixels = generator.integers(0, 256, (asked.side, asked.side, 3), np.uint8)
        times = time_alternately(restorers, encode(pixels, JpegEncoding(40)), asked.repeats)
    except RestorationError as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 2
    print(report(restorers, times))
    return 0


def _restorers(asked: argparse.Namespace) -> list[NetworkRestorer]:
    """Ours and FBCNN's shape, each seeing the whole picture as a single tile.

    Raises:
        RestorationError: numbers out of range, or a model that is no network or not there.
    """
    if not 16 <= asked.side <= LARGEST_SIDE or asked.repeats < 1:
        raise InvalidSetting(
            f"A side of {asked.side} pixels and {asked.repeats} runs were asked for. Sides from 16 to {LARGEST_SIDE}, "
            "and 1 run or more, are allowed. Correct --side or --repeats."
        )
    zoo = Zoo(asked.checkpoints, asked.device)
    ours = zoo.load(asked.model)
    if not isinstance(ours, NetworkRestorer):
        raise InvalidSetting(
            f"{asked.model!r} is no network. A checkpoint is compared with FBCNN's shape. Name one with --model."
        )
    torch.manual_seed(0)
    network = FbcnnShape().requires_grad_(False).eval()
    network = network.to(zoo.device, memory_format=torch.channels_last)
    theirs = NetworkRestorer(network, CARD, zoo.device, longest_tile=LARGEST_SIDE)
    return [replace(ours, longest_tile=LARGEST_SIDE), theirs]


if __name__ == "__main__":
    sys.exit(main())

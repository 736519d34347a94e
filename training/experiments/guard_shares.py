"""How much of what a network changes is right, which is what models.guard goes by; and the errors that files leave.

    python -m training.experiments.guard_shares FOLDER [FOLDER ...] --model cascade --quality-factors 75 95
    python -m training.experiments.guard_shares FOLDER --expected

The first prints the share of each network's change that is right: the projection of the true error on it, 1 where it is
just right, below a half where it does harm. The second prints models.quantization_cells.EXPECTED anew.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.command_line import begin
from models.errors import InvalidSetting, RestorationError
from models.guard import Guard
from models.images import RgbImage
from models.jpeg import JpegImage, Save, encode
from models.jpeg.encoder_planes import encoder_coefficients
from models.quantization_cells import EXPECTED, contexts
from models.zoo import Zoo
from training.data import central_crop
from training.pictures import picture_paths, read_picture

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
RATIOS = (0, 0.4, 0.7, 1, 1.3, 2, np.inf)
DENSITIES = (1, 10, 20, 30, 40, 50, 58, 65)
FEWEST_BLOCKS = 50
"""A share of fewer says nothing."""


@dataclass
class Shares:
    """Sums over blocks of luma that hold more than a DC, by density and ratio.

    Attributes:
        right: the true error times what the network changed.
        changed: the square of what it changed.
        blocks: how many.
    """

    right: NDArray[np.float64] = field(
        default_factory=lambda: np.zeros((len(DENSITIES) - 1, len(RATIOS) - 1))
    )
    changed: NDArray[np.float64] = field(
        default_factory=lambda: np.zeros((len(DENSITIES) - 1, len(RATIOS) - 1))
    )
    blocks: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((len(DENSITIES) - 1, len(RATIOS) - 1), np.int64)
    )

    def add(self, image: JpegImage, restored: RgbImage, clean: RgbImage) -> None:
        """Count one picture; rows and columns are multiples of 16."""
        luma = Guard(image, None).compared(image.decoded_pixels, restored)[0]
        original = torch.from_numpy(encoder_coefficients(clean, 0).reshape(*luma.ratio.shape, -1)).permute(
            2, 0, 1
        )
        wrong = original - luma.integers * luma.cells.steps - luma.own_off
        change = luma.off - luma.own_off
        sums = [(wrong * change).sum(0), change.square().sum(0), torch.ones_like(luma.ratio)]
        place = np.digitize(luma.density, DENSITIES[1:-1]), np.digitize(luma.ratio, RATIOS[1:-1])
        busy = ~luma.flat.numpy()
        for total, values in zip((self.right, self.changed, self.blocks), sums, strict=True):
            np.add.at(total, (place[0][busy], place[1][busy]), values.numpy()[busy].astype(total.dtype))

    def rows(self, title: str) -> Iterator[str]:
        """Of a Markdown table, one for each density that occurs."""
        for (low, high), right, changed, blocks in zip(
            pairwise(DENSITIES), self.right, self.changed, self.blocks, strict=True
        ):
            cells = [
                f"{share:.2f}" if count >= FEWEST_BLOCKS else "–"
                for share, count in zip(right / np.maximum(changed, 1e-9), blocks, strict=True)
            ]
            if any(cell != "–" for cell in cells):
                yield f"| {title}, density {low} to {high - 1} | " + " | ".join(cells) + " |"


def expected_errors(pictures: Sequence[RgbImage], quality_factors: Sequence[int]) -> NDArray[np.float64]:
    """EXPECTED as these pictures say: mean squares of luma errors in steps; NaN where too few were seen."""
    sums, counts = np.zeros(EXPECTED.numel()), np.zeros(EXPECTED.numel())
    for clean in pictures:
        coefficients = encoder_coefficients(clean, 0)
        for quality_factor in quality_factors:
            part = encode(clean, Save(quality_factor, "4:4:4")).components[0]
            steps = coefficients / part.quantization_table
            integers = torch.from_numpy(part.coefficients.reshape(*steps.shape[:2], -1).astype(np.float32))
            place = contexts(integers.permute(2, 0, 1)).reshape(-1)
            squares = np.square(steps - part.coefficients).reshape(-1)
            sums += np.bincount(place, squares, minlength=len(sums))
            counts += np.bincount(place, minlength=len(sums))
    means = np.where(counts >= FEWEST_BLOCKS, sums / np.maximum(counts, 1), np.nan)
    return means.reshape(tuple(EXPECTED.shape))


def pictures_of(folders: Sequence[Path], side: int, limit: int | None) -> list[RgbImage]:
    """The middles of the pictures in some folders that are large enough.

    Raises:
        InvalidSetting: a folder without pictures.
    """
    found = []
    for folder in folders:
        whole = [read_picture(path) for path in picture_paths(folder)[:limit]]
        found += [central_crop(picture, side, (0, 0)) for picture in whole if min(picture.shape[:2]) >= side]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    begin()
    parser = argparse.ArgumentParser(
        prog="python -m training.experiments.guard_shares", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="clean pictures")
    parser.add_argument("--model", action="append", metavar="NAME", help="may be repeated (default: cascade)")
    parser.add_argument("--quality-factors", type=int, nargs="+", default=[50, 75, 90, 95, 97], metavar="QF")
    parser.add_argument("--side", type=int, default=256, help="of the crops, a multiple of 16")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N pictures of each folder")
    parser.add_argument("--expected", action="store_true", help="print the table of expected errors instead")
    options = parser.parse_args(arguments)
    try:
        pictures = pictures_of(options.folders, options.side, options.limit)
        if options.expected:
            print(np.array2string(expected_errors(pictures, options.quality_factors), precision=4))
            return 0
        zoo = Zoo(CHECKPOINTS, "cpu")
        for name in options.model or ["cascade"]:
            restorer = zoo.load(name)
            print(
                f"\n| `{name}`, luma | "
                + " | ".join(f"ratio {a:g} to {b:g}" for a, b in pairwise(RATIOS))
                + " |"
            )
            print("| --- |" + " ---: |" * (len(RATIOS) - 1))
            for quality_factor in options.quality_factors:
                shares = Shares()
                for clean in pictures:
                    image = encode(clean, Save(quality_factor, "4:4:4"))
                    restored = restorer.restore(image).unguarded
                    if restored is None:
                        raise InvalidSetting(
                            f"{name} has no guard, so there is nothing to measure. Networks have one. Name one of them."
                        )
                    shares.add(image, restored, clean)
                print("\n".join(shares.rows(f"QF {quality_factor}")), flush=True)
    except RestorationError as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How often models.jpeg.double is right: measured on clean pictures that are saved once and twice.

    python -m training.experiments.double_rates FOLDER [--write docs/anatomy.md]

The first, third, fifth ... picture of the folder were used to choose the thresholds; the rates are those of the others.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from models.command_line import begin
from models.errors import RestorationError
from models.images import RgbImage
from models.jpeg import Degradation, Resize, Save, degrade, read
from models.jpeg.double import EarlierSave, gather, judge

SINGLE_FACTORS = tuple(range(5, 100, 5))
PAIR_FACTORS = tuple(range(10, 100, 10))
RESIZES, RESIZED_FACTORS = (0.5, 0.75, 1.5, 2.0), (20, 50, 80)
LARGEST_ROWS, LARGEST_COLUMNS = 512, 768
NEAR = 2
"""A first quality factor this close to the truth counts as right."""

BEGIN, END = "<!-- rates: python -m training.experiments.double_rates -->", "<!-- end of rates -->"


@dataclass(frozen=True)
class Case:
    """One picture, broken in one way, with what was concluded.

    Attributes:
        picture: its number in the folder.
        degradation: what was done to it.
        named: the earlier save that judge() named.
    """

    picture: int
    degradation: Degradation
    named: EarlierSave | None

    @property
    def factors(self) -> tuple[int, ...]:
        """Quality factors of the saves."""
        return tuple(save.quality_factor for save in self.degradation.saves)

    @property
    def kind(self) -> str:
        """What happened: "once", "resized", "aligned" or "shifted"."""
        if len(self.factors) == 1:
            return "once"
        if not self.degradation.keeps_grid:
            return "resized"
        return "shifted" if any(self.degradation.total_shift) else "aligned"

    @property
    def found(self) -> bool:
        """True where an earlier save was found on the right grid."""
        named = self.named
        if named is None:
            return False
        return named.kind == self.kind and named.grid_shift == self.degradation.total_shift


def degradations(seed: int) -> Iterator[Degradation]:
    """Every way in which one picture is broken: once, twice on one grid, on grids shifted at random, or resized."""
    rng = np.random.default_rng(seed)
    for factor in SINGLE_FACTORS:
        yield Degradation((Save(factor),))
    for first, second in product(PAIR_FACTORS, repeat=2):
        place = int(rng.integers(1, 64))
        for shift in ((0, 0), (place // 8, place % 8)):
            yield Degradation((Save(first), Save(second, grid_shift=shift)))
    for first, second in product(RESIZED_FACTORS, repeat=2):
        for resize in RESIZES:
            yield Degradation((Save(first), Resize(resize), Save(second)))


def cases(number: int, pixels: RgbImage) -> Iterator[Case]:
    """All cases of one picture.

    Args:
        number: of the picture; seeds the shifts.
        pixels: (rows, columns, 3) uint8, never compressed.
    """
    for degradation in degradations(number):
        evidence = gather(degrade(pixels, degradation).image.components[0])
        if evidence is not None:
            yield Case(number, degradation, judge(evidence))


def centre(pixels: RgbImage) -> RgbImage:
    """The middle of a picture, at most LARGEST_ROWS x LARGEST_COLUMNS."""
    rows, columns = min(pixels.shape[0], LARGEST_ROWS), min(pixels.shape[1], LARGEST_COLUMNS)
    top, left = (pixels.shape[0] - rows) // 2, (pixels.shape[1] - columns) // 2
    return np.ascontiguousarray(pixels[top : top + rows, left : left + columns])


def report(found: Sequence[Case]) -> str:
    """The rates as Markdown.

    Args:
        found: cases of as many pictures as there are.
    """
    once, resized = ([case for case in found if case.kind == kind] for kind in ("once", "resized"))
    twice = [case for case in found if case.kind in ("aligned", "shifted")]
    alarms, misplaced = ([case for case in some if case.named] for some in (once, resized))
    named = [case for case in twice if case.named]
    right = [case for case in named if case.found]
    near = [case for case in right if case.named and abs(case.named.quality_factor - case.factors[0]) <= NEAR]
    pictures = len({case.picture for case in found})
    lines = [
        f"Measured on {pictures} photographs of at most {LARGEST_COLUMNS} × {LARGEST_ROWS} pixels, 4:2:0, none of "
        "which helped to choose the thresholds.",
        "",
        f"- Saved once, at {len(SINGLE_FACTORS)} quality factors from {SINGLE_FACTORS[0]} to {SINGLE_FACTORS[-1]}: "
        f"{_of(alarms, once)} were taken for saved twice.",
        f"- Saved twice: an earlier save was named in {_of(named, twice)}, and of these "
        f"{_of(right, named)} on the right grid.",
        f"- Where the grid was right, the first quality factor was within {NEAR} of the truth in {_of(near, right)}.",
        f"- Resized between two saves, which leaves no 8×8 grid to find: {_of(misplaced, resized)} were said to have "
        "one.",
    ]
    for kind, words in (("aligned", "on the same grid"), ("shifted", "on a grid shifted at random")):
        lines += ["", f"Found of {pictures}, second save {words}:", "", *_table(found, kind)]
    return "\n".join(lines)


def _of(part: Sequence[Case], whole: Sequence[Case]) -> str:
    return f"{len(part)} of {len(whole)} ({len(part) / max(len(whole), 1):.1%})"


def _table(found: Sequence[Case], kind: str) -> list[str]:
    """Rows: first quality factor; columns: second."""
    head = " | ".join(
        f"second {factor}" if factor == PAIR_FACTORS[0] else str(factor) for factor in PAIR_FACTORS
    )
    lines = [f"| first | {head} |", "| ---: |" + " ---: |" * len(PAIR_FACTORS)]
    for first in PAIR_FACTORS:
        counts = [
            sum(case.found for case in found if case.kind == kind and case.factors == (first, second))
            for second in PAIR_FACTORS
        ]
        lines.append(f"| {first} | " + " | ".join(map(str, counts)) + " |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print, or set the rates in a document."""
    begin()
    parser = argparse.ArgumentParser(
        prog="python -m training.experiments.double_rates", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="clean pictures; every second one is measured")
    parser.add_argument("--write", type=Path, help="a document with the marks around its rates")
    options = parser.parse_args(arguments)
    found: list[Case] = []
    paths = sorted(path for path in options.folder.iterdir() if path.is_file())
    for number, path in list(enumerate(paths))[1::2]:
        try:
            found += cases(number, centre(read(path.read_bytes()).pixels))
        except RestorationError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
    text = report(found)
    if options.write is None:
        print(text)
        return 0
    document = options.write.read_text("utf-8")
    marked = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.S)
    if not marked.search(document):
        parser.error(f"{options.write} lacks the lines {BEGIN} and {END}; add them where the rates belong")
    options.write.write_text(marked.sub(lambda _: f"{BEGIN}\n{text}\n{END}", document), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

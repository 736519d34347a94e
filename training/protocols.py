"""How each benchmark is measured, looked up by the name of its folder."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from models.errors import InvalidSetting

COLORS = ("rgb", "y", "gray")
"""What can be compared; see training.benchmarks.comparable."""

DoubleSave = tuple[int, int, int, int]
"""First and second quality factor, rows and columns of grid shift between."""

TENS = tuple(range(10, 100, 10))
GRAY = (10, 20, 30, 40, 50, 70, 90)
PAIRS = tuple(product((10, 30, 50), repeat=2))
SHIFTS = ((4, 4), (1, 1), (0, 0))
DOUBLES = tuple((*pair, *shift) for shift in SHIFTS for pair in PAIRS)


@dataclass(frozen=True)
class Protocol:
    """What is measured on a benchmark.

    Attributes:
        color: what is compared, one of COLORS.
        quality_factors: of single saves.
        doubles: double saves.
        uncompressed: also hand the pictures to the models as they are.
    """

    color: str
    quality_factors: tuple[int, ...]
    doubles: tuple[DoubleSave, ...] = ()
    uncompressed: bool = False


PROTOCOLS = {
    # 95 belongs to the share of pictures that a model makes worse between quality factors 80 and 95.
    "LIVE1": Protocol("rgb", (*TENS, 95), uncompressed=True),
    "BSDS500_test": Protocol("rgb", TENS),
    "LIVE1_gray": Protocol("gray", GRAY, DOUBLES),
    "Classic5": Protocol("gray", GRAY),
}


def protocol_of(folder: Path) -> Protocol:
    """The protocol of a benchmark's folder.

    Raises:
        InvalidSetting: no benchmark of that name.
    """
    name = folder.resolve().name
    if name not in PROTOCOLS:
        raise InvalidSetting(
            f"There is no protocol for a data set called {name!r}. There are protocols for "
            f"{', '.join(PROTOCOLS)}. Name one of these folders, or say what to measure with --quality-factors "
            "or --double."
        )
    return PROTOCOLS[name]

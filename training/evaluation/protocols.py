"""How each benchmark is measured, looked up by the name of its folder."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from models.errors import InvalidSetting

COLORS = ("rgb", "y", "gray")
"""What can be compared; see training.evaluation.benchmarks.comparable."""

TABLES = ("flat", "editor", "phone", "camera")
"""Sets of tables of no quality factor, see training.evaluation.table_sets."""

DoubleSave = tuple[int, int, int, int]
"""First and second quality factor, rows and columns of grid shift between."""

TENS = tuple(range(10, 100, 10))
GRAY = (10, 20, 30, 40, 50, 70, 90)
HIGH = (92, 95, *range(96, 101))
"""As cameras, phones and editors save; there is little to repair and much to spoil."""
HIGHEST = tuple(range(96, 101))
KINDS = (30, 50, 75, 90, 97)
PAIRS = tuple(product((10, 30, 50), repeat=2))
SHIFTS = ((4, 4), (1, 1), (0, 0))
DOUBLES: tuple[DoubleSave, ...] = tuple(
    (first, second, down, right) for down, right in SHIFTS for first, second in PAIRS
)


@dataclass(frozen=True)
class Protocol:
    """What is measured on a benchmark.

    Attributes:
        color: what is compared, one of COLORS.
        quality_factors: of single saves at 4:2:0.
        quality_factors_444: of single saves at 4:4:4.
        tables: single saves with tables of no quality factor, by the names in TABLES.
        doubles: double saves.
        uncompressed: also hand the pictures to the models as they are.
    """

    color: str
    quality_factors: tuple[int, ...]
    quality_factors_444: tuple[int, ...] = ()
    tables: tuple[str, ...] = ()
    doubles: tuple[DoubleSave, ...] = ()
    uncompressed: bool = False


PROTOCOLS = {
    "LIVE1": Protocol("rgb", (*TENS, *HIGH), HIGHEST, TABLES, uncompressed=True),
    # Its originals were JPEG files of quality factor 95, so what is measured above 90 would mislead.
    "BSDS500_test": Protocol("rgb", TENS),
    "LIVE1_gray": Protocol("gray", GRAY, doubles=DOUBLES),
    "Classic5": Protocol("gray", GRAY),
    # Twelve kinds of pictures that are no photographs, or no usual ones.
    "kinds": Protocol("rgb", KINDS, KINDS, uncompressed=True),
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
            f"{', '.join(PROTOCOLS)}. Name one of these folders, or say what to measure with --quality-factors, "
            "--quality-factors-444, --tables or --double."
        )
    return PROTOCOLS[name]

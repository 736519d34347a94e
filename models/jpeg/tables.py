"""Quantization tables: from a quality factor to the tables it means, and from a file's tables back to it.

The standard tables are those of ITU-T T.81 (1992), Annex K, scaled as the Independent JPEG Group does.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.errors import InvalidSetting

QuantizationTable = NDArray[np.int64]
"""(8, 8) int, rows are vertical frequencies; 1..255 in baseline files, up to 65535 in others."""

ANNEX_K_LUMA = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
ANNEX_K_CHROMA = np.full((8, 8), 99)
ANNEX_K_CHROMA[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]

_BASELINE_LARGEST = 255
_EXTENDED_LARGEST = 32767
_HOPELESS_CONFIDENCE = 0.25


@dataclass(frozen=True)
class QualityEstimate:
    """What a file's quantization tables say about the quality it was saved with.

    Attributes:
        quality_factor: 1..100, the standard tables nearest to the file's; None where nothing comes near. Of luma
            where both are exact and chroma was saved with another.
        chroma_quality_factor: 1..100 where chroma's table is exactly that of a quality factor, as luma's is; else None.
        confidence: 0..1; 1 for an exact match, else 1 minus the relative distance to the nearest tables.
        standard: True where every table is exactly that of a quality factor.
        description: one sentence for people.
    """

    quality_factor: int | None
    confidence: float
    standard: bool
    description: str
    chroma_quality_factor: int | None = None

    @property
    def separate(self) -> bool:
        """True where luma and chroma were saved with different quality factors."""
        return self.chroma_quality_factor not in (None, self.quality_factor)


def check_quality_factor(quality_factor: int) -> int:
    """Return the quality factor as an int if it is a whole number from 1 to 100.

    Raises:
        InvalidSetting: for anything else.
    """
    whole = isinstance(quality_factor, (int, float, np.number)) and not isinstance(quality_factor, bool)
    if not whole or quality_factor != quality_factor or not 1 <= quality_factor <= 100 or quality_factor % 1:
        raise InvalidSetting(
            f"The quality factor is {quality_factor!r}. Whole numbers from 1 to 100 are allowed. "
            "Choose one of them; 10 is heavily compressed, 90 nearly clean."
        )
    return int(quality_factor)


def quantization_tables(quality_factor: int) -> tuple[QuantizationTable, QuantizationTable]:
    """The luma and chroma tables libjpeg writes for a quality factor.

    Args:
        quality_factor: 1..100.

    Returns:
        Two (8, 8) int64 arrays, 1..255, read-only because they are shared.

    Raises:
        InvalidSetting: for a quality factor outside 1..100.
    """
    luma, chroma = _scaled_tables(check_quality_factor(quality_factor), _BASELINE_LARGEST)
    return luma, chroma


@lru_cache(maxsize=256)
def _scaled_tables(quality_factor: int, largest: int) -> NDArray[np.int64]:
    """Annex K tables scaled to a quality factor; (2, 8, 8) int64, 1..largest, read-only."""
    percent = 5000 // quality_factor if quality_factor < 50 else 200 - 2 * quality_factor
    tables = np.stack([ANNEX_K_LUMA, ANNEX_K_CHROMA]) * percent
    scaled = np.clip((tables + 50) // 100, 1, largest)
    scaled.setflags(write=False)
    return scaled


@lru_cache(maxsize=1)
def _all_scaled_tables() -> NDArray[np.int64]:
    """All standard tables, quality factor 1 first; (200, 2, 8, 8) int64: 100 baseline, 100 extended."""
    limits = (_BASELINE_LARGEST, _EXTENDED_LARGEST)
    return np.stack([_scaled_tables(factor, largest) for largest in limits for factor in range(1, 101)])


def estimated_quality_factor(
    luma_table: QuantizationTable, chroma_table: QuantizationTable | None = None
) -> QualityEstimate:
    """The quality factor whose standard tables are nearest to the given ones in the least-squares sense.

    Exact for every file libjpeg wrote with a quality factor, or with one for luma and another for chroma, with tables
    limited to 255 (baseline) or not.

    Args:
        luma_table: (8, 8) int, 1..65535.
        chroma_table: (8, 8) int, 1..65535, or None for gray files.

    Returns:
        The estimate with its confidence and a sentence for people.
    """
    given = [luma_table] if chroma_table is None else [luma_table, chroma_table]
    measured = np.stack(given).astype(np.float64)  # (1 or 2, 8, 8)
    candidates = _all_scaled_tables()
    squared_distances = ((candidates[:, : len(measured)] - measured) ** 2).sum(axis=(1, 2, 3))
    nearest = int(squared_distances.argmin())
    quality_factor = nearest % 100 + 1
    if squared_distances[nearest] == 0:
        description = f"standard tables of quality factor {quality_factor}"
        of_chroma = None if chroma_table is None else quality_factor
        return QualityEstimate(quality_factor, 1.0, True, description, of_chroma)
    if chroma_table is not None and (exact := _exact_factors(luma_table, chroma_table)):
        luma, chroma = exact
        description = f"standard tables of quality factor {luma} for luma and {chroma} for chroma"
        return QualityEstimate(luma, 1.0, True, description, chroma)
    relative_distance = float(np.sqrt(squared_distances[nearest] / (measured**2).sum()))
    confidence = max(0.0, 1.0 - relative_distance)
    if confidence < _HOPELESS_CONFIDENCE:
        return QualityEstimate(None, confidence, False, "non-standard table, like no quality factor")
    confidence = min(confidence, 0.99)  # an inexact match must never read as certainty
    description = f"non-standard table, nearest quality factor {quality_factor}, confidence {confidence:.0%}"
    return QualityEstimate(quality_factor, confidence, False, description)


def _exact_factors(luma_table: QuantizationTable, chroma_table: QuantizationTable) -> tuple[int, int] | None:
    """The quality factors of two tables that are standard each by itself, the two nearest to each other."""
    candidates = _all_scaled_tables()
    luma, chroma = (
        [int(place) % 100 + 1 for place in np.flatnonzero((candidates[:, number] == table).all(axis=(1, 2)))]
        for number, table in enumerate((luma_table, chroma_table))
    )
    pairs = [(one, other) for one in luma for other in chroma]
    return min(pairs, key=lambda pair: abs(pair[0] - pair[1]), default=None)

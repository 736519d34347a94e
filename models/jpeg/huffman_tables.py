"""Huffman tables of JPEG files, looked up by the next sixteen bits."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

WINDOW = 1 << 16

NO_CODE = 17
"""So many bits libjpeg passes over before it gives up looking for a code, and takes the symbol for 0."""

Step = tuple[int, int, int | None]
"""What sixteen bits begin with: bits to go on by, coefficients to go on by, and a value; see stepping_table()."""


class DamagedData(Exception):
    """Bits or tables that mean nothing."""


@lru_cache(maxsize=16)
def code_table(counts: bytes, symbols: bytes) -> tuple[bytes, bytes]:
    """Length and symbol of the code that every sixteen bits begin with.

    Args:
        counts: how many codes have 1..16 bits.
        symbols: of the codes in order.

    Returns:
        65,536 lengths and as many symbols; NO_CODE and 0 where no code fits.

    Raises:
        DamagedData: more codes than there can be, or fewer symbols than codes.
    """
    lengths, values = np.full(WINDOW, NO_CODE, np.uint8), np.zeros(WINDOW, np.uint8)
    place = taken = 0
    for length, count in enumerate(counts, start=1):
        width = WINDOW >> length
        end = place + count * width
        if end > WINDOW or taken + count > len(symbols):
            raise DamagedData
        lengths[place:end] = length
        values[place:end] = np.repeat(np.frombuffer(symbols, np.uint8, count, taken), width)
        place, taken = end, taken + count
    return lengths.tobytes(), values.tobytes()


@lru_cache(maxsize=16)
def stepping_table(counts: bytes, symbols: bytes, *, dc: bool) -> list[Step]:
    """Codes and the values behind them in one look.

    Returns:
        For every sixteen bits: how many of them code and value take; how many coefficients are passed over, 64 where
        the block ends; and the value, 0 where there is none. None as the value where it reaches beyond sixteen bits:
        then the first number is the code's length, and the second its symbol.

    Raises:
        DamagedData: see code_table(), or a DC code of more bits than there are.
    """
    lengths, values = (np.frombuffer(part, np.uint8).astype(np.int64) for part in code_table(counts, symbols))
    if dc and symbols and max(symbols[: sum(counts)], default=0) > 15:
        raise DamagedData
    sizes, runs = values & 15, values >> 4
    advance = lengths + sizes
    fits = (advance <= 16) | (lengths == NO_CODE)
    bits = np.arange(WINDOW) >> np.maximum(16 - advance, 0) & (1 << sizes) - 1
    amplitudes = extended(bits, sizes)
    if not dc:
        runs = np.where(sizes > 0, runs, np.where(runs == 15, 16, 64))
    steps = zip(advance.tolist(), runs.tolist(), amplitudes.tolist(), strict=True)
    if fits.all():
        return list(steps)
    beyond = zip(lengths.tolist(), values.tolist(), fits.tolist(), strict=True)
    return [
        step if whole else (length, symbol, None)
        for step, (length, symbol, whole) in zip(steps, beyond, strict=True)
    ]


def extended(bits: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Values from their bits: of the lower half of each size's range, the negative ones."""
    half = np.where(sizes > 0, 1 << np.maximum(sizes - 1, 0), 0)
    return np.where(bits < half, bits - (1 << sizes) + 1, bits)

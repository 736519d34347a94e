"""How many bits of a JPEG's entropy-coded data each 8x8 block takes, counted from its integers and code lengths."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.jpeg.anatomy import CodeLengths, FileAnatomy, Scan
from models.jpeg.coefficients import JpegComponent
from models.jpeg.dct import BLOCK
from models.jpeg.header import NATURAL_ORDER, JpegHeader
from models.jpeg.look_alikes import scanned_components
from models.jpeg.standard_huffman import STANDARD_COUNTS_AND_SYMBOLS

_ZERO_RUN, _END_OF_BLOCK = 0xF0, 0x00
_NO_CODE_BITS = 16
"""Counted for a symbol that a file's table has no code for: the longest code there is."""


@dataclass(frozen=True, eq=False)
class BlockBits:
    """What every block costs.

    Attributes:
        components: in the file's order, (block rows, block columns) int64 bits of each block.
        from_file: True where the file's own codes were counted; False where the file is coded in another way and
            this is what the blocks would cost in a baseline file with the standard tables.
        filler: bits of the blocks beyond the picture's edge that complete a minimum coded unit.
        data_bits: bits that the file's scans hold, without stuffing and restart markers; 0 unless from_file.
        padding: the most of them that can be padding: up to 7 at the end of each scan and before each restart.
    """

    components: tuple[NDArray[np.int64], ...]
    from_file: bool
    filler: int = 0
    data_bits: int = 0
    padding: int = 0

    @property
    def total(self) -> int:
        """Bits of all blocks of the picture."""
        return sum(int(bits.sum()) for bits in self.components)

    @property
    def accounted(self) -> bool:
        """True where the count explains the file's data to the last bit, padding aside."""
        return self.from_file and 0 <= self.data_bits - self.total - self.filler <= self.padding


@lru_cache(maxsize=4)
def standard_lengths(kind: str, number: int) -> CodeLengths:
    """Code lengths of a standard Huffman table.

    Args:
        kind: "DC" or "AC".
        number: 0 for luma, 1 for chroma.

    Returns:
        (256,) uint8, read-only.
    """
    counts, symbols = (bytes.fromhex(text) for text in STANDARD_COUNTS_AND_SYMBOLS[kind, number])
    lengths = np.zeros(256, np.uint8)
    lengths[np.frombuffer(symbols, np.uint8)] = np.repeat(np.arange(1, 17), list(counts))
    lengths.setflags(write=False)
    return lengths


def bits_per_block(
    components: tuple[JpegComponent, ...], header: JpegHeader, anatomy: FileAnatomy
) -> BlockBits:
    """Count the bits of every block.

    For sequential Huffman files with the file's own tables, restarts included. Progressive files spread a block
    over several scans, and arithmetic coding has no whole bits for a block: there the standard tables are used.

    Args:
        components: with coefficients from the bitstream, in the file's order.
        header, anatomy: of the same file.
    """
    if header.progressive or header.arithmetic or not anatomy.scans:
        return _with_standard_tables(components, header)
    identifiers = [part.identifier for part in header.components]
    counted: dict[int, NDArray[np.int64]] = {}
    filler = padding = data_bits = 0
    for scan in anatomy.scans:
        places = scanned_components(identifiers, [table[0] for table in scan.tables])
        for place, (_, dc_table, ac_table) in zip(places, scan.tables, strict=True):
            if place is None:
                continue
            layout = _layout(header, place, interleaved=len(scan.tables) > 1)
            dc_lengths = _table(scan.dc_lengths, "DC", dc_table)
            ac_lengths = _table(scan.ac_lengths, "AC", ac_table)
            integers = components[place].coefficients
            counted[place] = _component_bits(integers, layout, scan, dc_lengths, ac_lengths)
            # An encoder repeats the last DC value there, so that the difference is 0 and the block ends at once.
            empty = _costs(dc_lengths)[0] + _costs(ac_lengths)[_END_OF_BLOCK]
            filler += int(empty) * (layout.coded_blocks - integers.shape[0] * integers.shape[1])
        data_bits += scan.code_bits
        padding += 7 * (scan.restart_markers + 1)
    if len(counted) < len(components):
        return _with_standard_tables(components, header)
    ordered = tuple(counted[place] for place in range(len(components)))
    return BlockBits(ordered, True, filler, data_bits, padding)


def _table(lengths: Mapping[int, CodeLengths], kind: str, number: int) -> CodeLengths:
    """A table in force; decoders take the standard one where a file, such as a video frame, leaves it out."""
    return lengths[number] if number in lengths else standard_lengths(kind, min(number, 1))


@dataclass(frozen=True, eq=False)
class _Layout:
    """In which order a scan codes the blocks of one component.

    Attributes:
        unit: (block rows, block columns) int64, number of the minimum coded unit that holds each block.
        rank: the same shape, position among the component's blocks inside that unit.
        coded_blocks: how many blocks are coded, those beyond the picture's edge included.
    """

    unit: NDArray[np.int64]
    rank: NDArray[np.int64]
    coded_blocks: int


def _layout(header: JpegHeader, place: int, *, interleaved: bool) -> _Layout:
    part = header.components[place]
    tallest = max(one.vertical for one in header.components)
    widest = max(one.horizontal for one in header.components)
    rows = -(-header.rows * part.vertical // (BLOCK * tallest))
    columns = -(-header.columns * part.horizontal // (BLOCK * widest))
    row, column = np.mgrid[:rows, :columns]
    if not interleaved:
        return _Layout(row * columns + column, np.zeros_like(row), rows * columns)
    units_down = -(-header.rows // (BLOCK * tallest))
    units_across = -(-header.columns // (BLOCK * widest))
    unit = row // part.vertical * units_across + column // part.horizontal
    rank = row % part.vertical * part.horizontal + column % part.horizontal
    return _Layout(unit, rank, units_down * units_across * part.vertical * part.horizontal)


def _component_bits(
    integers: NDArray[np.int16], layout: _Layout, scan: Scan, dc_lengths: CodeLengths, ac_lengths: CodeLengths
) -> NDArray[np.int64]:
    """(block rows, block columns) bits of one component in one scan."""
    order = np.lexsort((layout.rank.ravel(), layout.unit.ravel()))
    values = integers[..., 0, 0].ravel().astype(np.int64)[order]
    differences = np.diff(values, prepend=0)
    if scan.restart_interval:
        stretch = layout.unit.ravel()[order] // scan.restart_interval
        fresh = np.diff(stretch, prepend=-1) > 0
        differences[fresh] = values[fresh]
    dc_bits = np.empty(len(values), np.int64)
    dc_bits[order] = dc_cost(differences, dc_lengths)
    return (dc_bits + ac_cost(integers, ac_lengths)).reshape(integers.shape[:2])


def dc_cost(differences: NDArray[np.int64], lengths: CodeLengths) -> NDArray[np.int64]:
    """Bits of DC differences: the code of their size, and as many bits as that size.

    Args:
        differences: (blocks,) whole numbers.
        lengths: of the DC table.
    """
    sizes = bit_lengths(differences)
    return _costs(lengths)[sizes] + sizes


def ac_cost(integers: NDArray, lengths: CodeLengths) -> NDArray[np.int64]:
    """Bits of the AC coefficients of blocks: run lengths and sizes, magnitudes, and the end of the block.

    Args:
        integers: (..., 8, 8) quantized coefficients; DC is ignored.
        lengths: of the AC table.

    Returns:
        (blocks,) int64.
    """
    zigzag = integers.reshape(-1, BLOCK * BLOCK)[:, NATURAL_ORDER[1:]]  # (blocks, 63)
    block, place = np.nonzero(zigzag)
    sizes = bit_lengths(zigzag[block, place])
    first = np.diff(block, prepend=-1) > 0
    runs = np.where(first, place, np.diff(place, prepend=0) - 1)
    costs = _costs(lengths)
    symbols = (runs % 16 << 4 | np.minimum(sizes, 15)).astype(np.int64)
    bits = costs[symbols] + sizes + runs // 16 * costs[_ZERO_RUN]
    totals = np.bincount(block, weights=bits, minlength=len(zigzag)).astype(np.int64)
    return totals + np.where(zigzag[:, -1] == 0, costs[_END_OF_BLOCK], 0)


def bit_lengths(values: NDArray) -> NDArray[np.int64]:
    """How many bits the magnitude of each value takes: 0 for 0, 1 for 1, 2 for 2 and 3, ..."""
    return np.frexp(np.abs(values.astype(np.float64)))[1].astype(np.int64)


def _costs(lengths: CodeLengths) -> NDArray[np.int64]:
    """Code lengths with something for symbols that have no code."""
    return np.where(lengths > 0, lengths, _NO_CODE_BITS).astype(np.int64)


def _with_standard_tables(components: tuple[JpegComponent, ...], header: JpegHeader) -> BlockBits:
    """What the blocks would cost in a baseline file with the standard tables, all components in one scan."""
    scan = Scan((), {}, {}, 0, 0, 0, 0)
    counted = []
    for i, component in enumerate(components):
        number = 1 if i in (1, 2) else 0
        layout = _layout(header, i, interleaved=len(components) > 1)
        tables = standard_lengths("DC", number), standard_lengths("AC", number)
        counted.append(_component_bits(component.coefficients, layout, scan, *tables))
    return BlockBits(tuple(counted), False)

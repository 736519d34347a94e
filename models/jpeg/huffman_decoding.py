"""Quantized coefficients out of a JPEG file in Python alone: for systems that have no wheel of pyjpegio.

Sequential and progressive files with Huffman codes, to the bit what libjpeg reads, also where a file ends too early or
restarts; arithmetic coding, and data that no decoder can make sense of, are left alone. ITU-T T.81, Annexes F and G.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.jpeg.header import NATURAL_ORDER, FrameComponent, JpegHeader
from models.jpeg.huffman_tables import NO_CODE, DamagedData, code_table, stepping_table
from models.jpeg.look_alikes import scanned_components
from models.jpeg.standard_huffman import STANDARD_COUNTS_AND_SYMBOLS

_SOI, _EOI, _SOS, _DHT, _DRI = 0xD8, 0xD9, 0xDA, 0xC4, 0xDD
_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_AFTER_SCAN = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
_RESTART = re.compile(rb"\xff+([\xd0-\xd7])")
_PLACES = [int(place) for place in NATURAL_ORDER] + [63] * 16
"""Where the coefficients of a zigzag go; a run beyond the end meets the last one, as in libjpeg."""
_ZEROS = bytes(4096)
"""What follows data that ends too early: enough for the blocks of one unit."""

Table = tuple[bytes, bytes]
"""Counts and symbols, as they stand in the file."""
Block = Callable[["_Bits", "_Plane", int], None]
"""Reads what a scan says of one block; the number is the place of its DC coefficient."""


def decoded_coefficients(stream: bytes, header: JpegHeader) -> list[NDArray[np.int16]] | None:
    """The quantized coefficients of every component.

    Args:
        stream: a JPEG file up to its end marker.
        header: its header.

    Returns:
        (block rows, block columns, 8, 8) each, in the file's order, or None where this decoder gives up.
    """
    if header.arithmetic:
        return None
    try:
        return _Picture(stream, header).decoded()
    except (DamagedData, IndexError):
        return None


@dataclass(eq=False)
class _Bits:
    """Bits of one stretch between restarts, and what is remembered from block to block."""

    windows: memoryview  # of 32 bits, one for every byte
    count: int
    position: int = 0
    end_of_band: int = 0

    def take(self, count: int) -> int:
        """The next bits as a number; at most 16."""
        place = self.position
        self.position += count
        return self.windows[place >> 3] >> 32 - count - (place & 7) & (1 << count) - 1

    def symbol(self, lengths: bytes, symbols: bytes) -> int:
        window = self.windows[self.position >> 3] >> 16 - (self.position & 7) & 0xFFFF
        if lengths[window] == NO_CODE:
            raise DamagedData  # the scans that follow would refine what is wrong
        self.position += lengths[window]
        return symbols[window]

    def value(self, size: int) -> int:
        """A value of so many bits."""
        bits = self.take(size) if size else 0
        return bits if not size or bits >> size - 1 else bits - (1 << size) + 1


@dataclass(eq=False)
class _Plane:
    """Coefficients of one component, its units at the edges complete."""

    part: FrameComponent
    blocks: NDArray[np.int16]
    values: memoryview = field(init=False)
    last_dc: int = 0

    def __post_init__(self) -> None:
        self.values = self.blocks.reshape(-1).data

    def next_dc(self, difference: int) -> int:
        self.last_dc += difference
        return self.last_dc


class _Picture:
    """One file on its way from segments to coefficients."""

    def __init__(self, stream: bytes, header: JpegHeader) -> None:
        self.stream, self.header = stream, header
        self.tallest = max(part.vertical for part in header.components)
        self.widest = max(part.horizontal for part in header.components)
        self.units = (-(-header.rows // (8 * self.tallest)), -(-header.columns // (8 * self.widest)))
        self.tables: dict[tuple[str, int], Table] = {}
        if not header.progressive:
            for key, texts in STANDARD_COUNTS_AND_SYMBOLS.items():
                self.tables[key] = (bytes.fromhex(texts[0]), bytes.fromhex(texts[1]))
        self.restart_interval = 0
        self.planes = [self._plane(part) for part in header.components]

    def _plane(self, part: FrameComponent) -> _Plane:
        shape = (self.units[0] * part.vertical, self.units[1] * part.horizontal, 8, 8)
        return _Plane(part, np.zeros(shape, np.int16))

    def _size(self, part: FrameComponent) -> tuple[int, int]:
        """Blocks that hold samples of the picture, down and across."""
        rows = -(-self.header.rows * part.vertical // (8 * self.tallest))
        return rows, -(-self.header.columns * part.horizontal // (8 * self.widest))

    def decoded(self) -> list[NDArray[np.int16]]:
        position = 2
        while found := _MARKER.search(self.stream, position):
            marker, position = found[1][0], found.end()
            if marker == _EOI:
                break
            if marker in (_SOI, 0x01) or 0xD0 <= marker <= 0xD7:
                continue
            length = int.from_bytes(self.stream[position : position + 2], "big")
            body = self.stream[position + 2 : position + length]
            position += length
            if length < 2 or position > len(self.stream):
                break
            if marker == _DHT:
                self._take_tables(body)
            elif marker == _DRI:
                self.restart_interval = int.from_bytes(body[:2], "big")
            elif marker == _SOS:
                end = _AFTER_SCAN.search(self.stream, position)
                stop = end.start() if end else len(self.stream)
                self._read_scan(body, self.stream[position:stop])
                position = stop
        return [self._cropped(plane) for plane in self.planes]

    def _cropped(self, plane: _Plane) -> NDArray[np.int16]:
        rows, columns = self._size(plane.part)
        return plane.blocks[:rows, :columns]

    def _take_tables(self, body: bytes) -> None:
        position = 0
        while position + 17 <= len(body):
            kind = "AC" if body[position] >> 4 else "DC"
            counts = body[position + 1 : position + 17]
            symbols = body[position + 17 : position + 17 + sum(counts)]
            self.tables[kind, body[position] & 15] = (counts, symbols)
            position += 17 + sum(counts)

    def _read_scan(self, head: bytes, data: bytes) -> None:
        count = head[0]
        first, last, bits = head[1 + 2 * count : 4 + 2 * count]
        identifiers = [part.identifier for part in self.header.components]
        scanned = scanned_components(identifiers, head[1 : 1 + 2 * count : 2])
        places = [place for place in scanned if place is not None]
        tables = head[2 : 2 + 2 * count : 2]
        if not places or len(places) < len(scanned):
            raise DamagedData
        parts = [
            (self.planes[place], both >> 4, both & 15) for place, both in zip(places, tables, strict=True)
        ]
        if self.header.progressive:
            readers = [self._progressive(part, first, last, bits >> 4, bits & 15) for part in parts]
            if first and count > 1:
                raise DamagedData
        else:
            readers = [self._sequential(part) for part in parts]
        units = self._units([(part[0], reader) for part, reader in zip(parts, readers, strict=True)])
        stretches = _stretches(data, self.restart_interval)
        bits_left = _Bits(memoryview(b""), 0)
        for stretch, unit in enumerate(units):
            if stretch % self.restart_interval == 0 if self.restart_interval else not stretch:
                bits_left = _restarted(stretches, bits_left)
                for plane, _, _ in parts:
                    plane.last_dc = 0
            if bits_left.position <= bits_left.count:
                for plane, reader, place in unit:
                    reader(bits_left, plane, place)

    def _units(self, parts: list[tuple[_Plane, Block]]) -> Iterator[list[tuple[_Plane, Block, int]]]:
        """The blocks of each coded unit: whose, how they are read, and where they lie."""
        if len(parts) == 1:
            plane, reader = parts[0]
            rows, columns = self._size(plane.part)
            width = plane.blocks.shape[1]
            for row in range(rows):
                for place in range(64 * row * width, 64 * (row * width + columns), 64):
                    yield [(plane, reader, place)]
            return
        for row in range(self.units[0]):
            for column in range(self.units[1]):
                yield [
                    (
                        plane,
                        reader,
                        64 * (down * plane.blocks.shape[1] + column * plane.part.horizontal + across),
                    )
                    for plane, reader in parts
                    for down in range(row * plane.part.vertical, (row + 1) * plane.part.vertical)
                    for across in range(plane.part.horizontal)
                ]

    def _table(self, kind: str, number: int) -> Table:
        if (kind, number) not in self.tables:
            raise DamagedData
        return self.tables[kind, number]

    def _sequential(self, part: tuple[_Plane, int, int]) -> Block:
        dc = stepping_table(*self._table("DC", part[1]), dc=True)
        ac = stepping_table(*self._table("AC", part[2]), dc=False)

        def read(bits: _Bits, plane: _Plane, place: int) -> None:
            windows, values, position = bits.windows, plane.values, bits.position
            advance, symbol, value = dc[windows[position >> 3] >> 16 - (position & 7) & 0xFFFF]
            position += advance
            if value is None:
                value = _beyond(bits, advance, symbol, position)
                position = bits.position
            values[place] = _int16(plane.next_dc(value))
            k = 1
            while k < 64:
                advance, run, value = ac[windows[position >> 3] >> 16 - (position & 7) & 0xFFFF]
                position += advance
                if value:
                    k += run
                    values[place + _PLACES[k]] = value
                    k += 1
                elif value is None:
                    k += run >> 4
                    value = _beyond(bits, advance, run, position)
                    position = bits.position
                    values[place + _PLACES[k]] = value
                    k += 1
                else:
                    k += run
            bits.position = position

        return read

    def _progressive(
        self, part: tuple[_Plane, int, int], first: int, last: int, high: int, low: int
    ) -> Block:
        if low > 13 or (high and low != high - 1) or not (first <= last <= 63) or (not first and last):
            raise DamagedData
        if not first:
            return _refined_dc(low) if high else _first_dc(code_table(*self._table("DC", part[1])), low)
        table = code_table(*self._table("AC", part[2]))
        return _refined_ac(table, first, last, low) if high else _first_ac(table, first, last, low)


def _stretches(data: bytes, restart_interval: int) -> Iterator[bytes]:
    """The data between restart markers.

    Raises:
        DamagedData: the markers are not in order.
    """
    start = 0
    for number, found in enumerate(_RESTART.finditer(data)):
        if not restart_interval or found[1][0] != 0xD0 + number % 8:
            raise DamagedData
        yield data[start : found.start()]
        start = found.end()
    yield data[start:]


def _restarted(stretches: Iterator[bytes], before: _Bits) -> _Bits:
    """The next stretch; where there is none any more, zeros as long as those before sufficed."""
    data = next(stretches, None)
    if data is None and before.position > before.count:
        return before
    plain = (data or b"").replace(b"\xff\x00", b"\xff")
    padded = np.frombuffer(plain + _ZEROS, np.uint8).astype(np.uint32)
    windows = padded[:-3] << 24 | padded[1:-2] << 16 | padded[2:-1] << 8 | padded[3:]
    return _Bits(windows.data, 8 * len(plain))


def _beyond(bits: _Bits, length: int, symbol: int, position: int) -> int:
    """A value that reaches beyond sixteen bits; its code has been passed."""
    bits.position = position
    return bits.value(symbol & 15)


def _int16(value: int) -> int:
    return (value + 0x8000 & 0xFFFF) - 0x8000


def _first_dc(table: tuple[bytes, bytes], low: int) -> Block:
    def read(bits: _Bits, plane: _Plane, place: int) -> None:
        size = bits.symbol(*table)
        if size > 15:
            raise DamagedData
        plane.values[place] = _int16(plane.next_dc(bits.value(size)) << low)

    return read


def _refined_dc(low: int) -> Block:
    def read(bits: _Bits, plane: _Plane, place: int) -> None:
        if bits.take(1):
            plane.values[place] = _int16(plane.values[place] | 1 << low)

    return read


def _first_ac(table: tuple[bytes, bytes], first: int, last: int, low: int) -> Block:
    def read(bits: _Bits, plane: _Plane, place: int) -> None:
        if bits.end_of_band:
            bits.end_of_band -= 1
            return
        k = first
        while k <= last:
            symbol = bits.symbol(*table)
            run, size = symbol >> 4, symbol & 15
            if size:
                k += run
                plane.values[place + _PLACES[k]] = _int16(bits.value(size) << low)
                k += 1
            elif run == 15:
                k += 16
            else:
                bits.end_of_band = (1 << run) - 1 + (bits.take(run) if run else 0)
                return

    return read


def _refined_ac(table: tuple[bytes, bytes], first: int, last: int, low: int) -> Block:
    def read(bits: _Bits, plane: _Plane, place: int) -> None:
        values, k = plane.values, first
        while not bits.end_of_band and k <= last:
            symbol = bits.symbol(*table)
            run, value = symbol >> 4, 0
            if symbol & 15:
                value = 1 << low if bits.take(1) else -1 << low
            elif run < 15:
                bits.end_of_band = (1 << run) + (bits.take(run) if run else 0)
                break
            k = _refine(bits, values, place, k, last, low, run)
            if value:
                values[place + _PLACES[k]] = value
            k += 1
        if bits.end_of_band:
            _refine(bits, values, place, k, last, low, 64)
            bits.end_of_band -= 1

    return read


def _refine(bits: _Bits, values: memoryview, place: int, k: int, last: int, low: int, zeros: int) -> int:
    """Give a further bit to every coefficient that is there, up to the zero after so many; returns where that is."""
    step = 1 << low
    while k <= last:
        at = place + _PLACES[k]
        known = values[at]
        if known:
            if bits.take(1) and not known & step:
                values[at] = _int16(known + (step if known > 0 else -step))
        elif zeros == 0:
            break
        else:
            zeros -= 1
        k += 1
    return k

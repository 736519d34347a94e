"""The first directory of a TIFF file, and whether JPEG data in it are as large as the strips that they fill.

Where they are smaller, libtiff leaves the rest as it lay in memory: the decoder's own, and what was there before.
"""

import struct

from models.jpeg.header import END_MARKER

_MAX_VALUES = 1_000_000
_CODES = {3: "H", 4: "I"}
"""Of SHORT and LONG, the kinds of such numbers."""
_UNDEFINED = 7
_BYTE_KINDS = (1, 2, 6, _UNDEFINED)  # read in one piece, so their length does no harm
_COMPRESSION, _ROWS_PER_STRIP = 259, 278
_STRIPS, _TILES = (273, 279), (324, 325)
"""Where they lie, and how many bytes each has."""
_TILE_COLUMNS, _TILE_ROWS = 322, 323
_JPEG_TABLES = 347
"""A JPEG stream of its own without a picture: what all of them share."""
_READ_TWICE = frozenset(
    (256, 257, 258, _COMPRESSION, _ROWS_PER_STRIP, *_STRIPS, *_TILES, _TILE_COLUMNS, _TILE_ROWS)
)
"""Of a tag that stands there twice, Pillow takes the last and libtiff the first."""
_JPEG = 7
_MAX_SEGMENTS = 100
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEGMENTS = _FRAMES | {0xC4, 0xCC, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)}
"""Markers that stand before the data: of the frame, of tables, of what other programs wrote."""


class TiffTags:
    """What the first directory says.

    Raises:
        ValueError, struct.error: it is cut off, wrong, or made to keep a decoder busy.
    """

    def __init__(self, data: bytes) -> None:
        """Walk over the entries; values are read when they are asked for."""
        self.data = data
        self._order = "<" if data[:2] == b"II" else ">"
        self._entries: dict[int, tuple[int, int, int]] = {}
        (directory,) = struct.unpack_from(self._order + "I", data, 4)
        (entries,) = struct.unpack_from(self._order + "H", data, directory)
        values = 0
        for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, kind, count = struct.unpack_from(self._order + "HHI", data, entry)
            values += 0 if kind in _BYTE_KINDS else count
            if values > _MAX_VALUES:
                raise ValueError("too many values")
            if tag in _READ_TWICE and tag in self._entries:
                raise ValueError("two values of one tag")
            self._entries[tag] = kind, count, entry + 8

    def __contains__(self, tag: int) -> bool:
        return tag in self._entries

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The whole numbers of a tag; empty where it is missing, or of a kind that such numbers never have.

        Raises:
            struct.error: they lie outside the file.
        """
        kind, count, place = self._entries.get(tag, (0, 0, 0))
        if kind not in _CODES:
            return ()
        code = f"{self._order}{count}{_CODES[kind]}"
        if struct.calcsize(code) > 4:
            (place,) = struct.unpack_from(self._order + "I", self.data, place)
        return struct.unpack_from(code, self.data, place)

    def bytes_of(self, tag: int) -> bytes:
        """The bytes of a tag that is no number; none where it is missing or of another kind."""
        kind, count, place = self._entries.get(tag, (0, 0, 0))
        if kind != _UNDEFINED or count <= 4:
            return b""
        (place,) = struct.unpack_from(self._order + "I", self.data, place)
        return self.data[place : place + count]


def jpeg_streams(data: bytes) -> list[bytes]:
    """The JPEG data in a TIFF file that check_strips has passed, as streams with all that decoding takes; else none.

    Each has an end marker behind it, whatever comes before.
    """
    tags = TiffTags(data)
    if tags.numbers(_COMPRESSION)[:1] != (_JPEG,):
        return []
    tables = tags.bytes_of(_JPEG_TABLES)[2:-2]
    places, lengths = (tags.numbers(tag) for tag in (_TILES if _TILES[0] in tags else _STRIPS))
    return [
        b"\xff\xd8" + tables + data[place + 2 : place + length] + END_MARKER
        for place, length in zip(places, lengths, strict=True)
    ]


def check_strips(tags: TiffTags, rows: int, columns: int) -> None:
    """Look at the size that every JPEG inside says of itself; nothing where others than these fill the picture.

    Args:
        tags: of the file.
        rows, columns: of its picture.

    Raises:
        ValueError, IndexError, struct.error: one is smaller than the strip or tile it fills, or cannot be found.
    """
    if not tags.numbers(_COMPRESSION) and _COMPRESSION in tags:
        raise ValueError("compression of no known kind")
    if tags.numbers(_COMPRESSION)[:1] != (_JPEG,):
        return
    tiled = _TILE_COLUMNS in tags or _TILE_ROWS in tags
    places, lengths = (tags.numbers(tag) for tag in (_TILES if tiled else _STRIPS))
    if not places or len(places) != len(lengths) or sum(lengths) > len(tags.data):
        raise ValueError("places of JPEG data that cannot be")
    if tiled:
        columns, height = tags.numbers(_TILE_COLUMNS)[0], tags.numbers(_TILE_ROWS)[0]
    else:
        height = min(rows, *tags.numbers(_ROWS_PER_STRIP)[:1] or (rows,))
    if not height:
        raise ValueError("strips of no size")
    down = -(-rows // height)
    for index, (place, length) in enumerate(zip(places, lengths, strict=True)):
        needed = height if tiled else min(height, rows - index % down * height)
        tall, wide = _frame_size(tags.data, place, place + length)
        if tall < needed or wide < columns:
            raise ValueError("JPEG data that do not fill their place")


def _frame_size(data: bytes, start: int, end: int) -> tuple[int, int]:
    """(rows, columns) of a JPEG stream; only the plainest kind of head is read, so that all decoders agree on it."""
    if data[start : start + 2] != b"\xff\xd8":
        raise ValueError("no JPEG data")
    at = start + 2
    for _ in range(_MAX_SEGMENTS):
        mark, marker, length, _, tall, wide = struct.unpack_from(">BBHBHH", data, at)
        if at + 9 > end or mark != 0xFF or marker not in _SEGMENTS or length < 2:
            break
        if marker in _FRAMES:
            return tall, wide
        at += 2 + length
    raise ValueError("no size in JPEG data")

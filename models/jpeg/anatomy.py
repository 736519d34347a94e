"""A JPEG file as it lies there: its markers in order, with places, sizes and what each says, and its scans."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from models.jpeg.limits import MAX_SEGMENTS

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI, _COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xFE
_NAMES = {
    _SOI: "SOI",
    _EOI: "EOI",
    _SOS: "SOS",
    _DQT: "DQT",
    _DHT: "DHT",
    _DRI: "DRI",
    _COM: "COM",
    0x01: "TEM",
    0xC8: "JPG",
    0xCC: "DAC",
    0xDC: "DNL",
    0xDE: "DHP",
    0xDF: "EXP",
}
_FRAMES = {
    0xC0: "baseline, Huffman",
    0xC1: "extended sequential, Huffman",
    0xC2: "progressive, Huffman",
    0xC3: "lossless, Huffman",
    0xC9: "sequential, arithmetic",
    0xCA: "progressive, arithmetic",
    0xCB: "lossless, arithmetic",
}
# One 0xFF only: with "+" a long run of fill bytes is gone through again from each of its bytes.
_MARKER = re.compile(rb"\xff([^\x00\xff])")
_AFTER_SCAN = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_EXIF, _XMP, _ICC = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_APP_NAMES = {
    b"MPF\0": "list of further pictures (MPF)",
    b"Photoshop 3.0\0": "Photoshop",
    b"Ducky": "Photoshop, save for web",
    b"JFXX\0": "JFIF extension, a thumbnail",
    b"http://ns.adobe.com/xmp/extension/\0": "XMP metadata, continued",
    b"urn:iso:std:iso:ts:21496:-1\0": "gain map description",
    b"FPXR\0": "FlashPix",
    b"AMPF": "thermal camera",
}

CodeLengths = NDArray[np.uint8]
"""(256,) uint8: how many bits the Huffman code of each symbol has, 0 where the table has no code for it."""


@dataclass(frozen=True)
class Segment:
    """One piece of the file; the pieces follow each other without a gap.

    Attributes:
        name: "SOI", "APP1", "DQT", "SOF0", ...; "picture data", "stray bytes" and "after the end" are no markers.
        offset: where it begins, in bytes.
        size: in bytes, its marker included.
        words: what it says, in a few words; never text out of the file.
    """

    name: str
    offset: int
    size: int
    words: str


@dataclass(frozen=True, eq=False)
class Scan:
    """One pass over the picture, as its header and the tables in force describe it.

    Attributes:
        tables: identifier, number of the DC and of the AC Huffman table of each component; in the scan's order.
        dc_lengths, ac_lengths: by table number, the tables in force.
        restart_interval: in minimum coded units, 0 for none.
        data_bytes: of its entropy-coded data, everything included.
        stuffed_bytes, restart_markers: zero bytes after 0xFF, and restart markers, inside that data.
    """

    tables: tuple[tuple[int, int, int], ...]
    dc_lengths: Mapping[int, CodeLengths]
    ac_lengths: Mapping[int, CodeLengths]
    restart_interval: int
    data_bytes: int
    stuffed_bytes: int
    restart_markers: int

    @property
    def code_bits(self) -> int:
        """Bits that codes can take up: the data without stuffing and restart markers; padding is in it."""
        return 8 * (self.data_bytes - self.stuffed_bytes - 2 * self.restart_markers)


@dataclass(frozen=True, eq=False)
class FileAnatomy:
    """A JPEG file taken apart.

    Attributes:
        segments: in order; together they are the whole file.
        scans: in order.
        problem: "" or one sentence on what is wrong with the file's structure.
    """

    segments: tuple[Segment, ...]
    scans: tuple[Scan, ...]
    problem: str = ""

    @property
    def picture_bytes(self) -> int:
        """Bytes of entropy-coded data, of all scans."""
        return sum(segment.size for segment in self.segments if segment.name == "picture data")

    @property
    def metadata_bytes(self) -> int:
        """Bytes that no decoder needs: application segments and comments."""
        wanted = ("APP", "COM", "after the end", "stray bytes")
        return sum(segment.size for segment in self.segments if segment.name.startswith(wanted))

    @property
    def restart_interval(self) -> int:
        """Of the first scan, in minimum coded units; 0 for none."""
        return self.scans[0].restart_interval if self.scans else 0


def anatomy_of(data: bytes) -> FileAnatomy:
    """Take a JPEG file apart, however damaged it is; decodes nothing and raises nothing.

    Args:
        data: the whole file.
    """
    return _Walk(data).finish()


@dataclass(eq=False)
class _Walk:
    """One pass over the file."""

    data: bytes
    segments: list[Segment] = field(default_factory=list)
    scans: list[Scan] = field(default_factory=list)
    problem: str = ""
    dc_lengths: dict[int, CodeLengths] = field(default_factory=dict)
    ac_lengths: dict[int, CodeLengths] = field(default_factory=dict)
    restart_interval: int = 0

    def finish(self) -> FileAnatomy:
        position = 0
        while not self.problem and position < len(self.data):
            found = _MARKER.search(self.data, position)
            if found is None:
                self.problem = f"No end marker follows: the file stops after {len(self.data)} bytes."
                break
            start = found.end() - 2
            self._add("stray bytes", position, start, "between two segments")
            position = self._segment(found[1][0], start)
            if self.segments[-1].name == "EOI":
                self._add("after the end", position, len(self.data), self._words_after(position))
                position = len(self.data)
            elif len(self.segments) >= MAX_SEGMENTS:
                self.problem = f"Only the first {MAX_SEGMENTS} segments are listed."
        if not self.problem and (not self.segments or self.segments[-1].name not in ("EOI", "after the end")):
            self.problem = f"No end marker follows: the file stops after {len(self.data)} bytes."
        end = self.segments[-1].offset + self.segments[-1].size if self.segments else 0
        self._add("stray bytes", end, len(self.data), "not taken apart")
        return FileAnatomy(tuple(self.segments), tuple(self.scans), self.problem)

    def _add(self, name: str, start: int, end: int, words: str) -> None:
        if end > start:
            self.segments.append(Segment(name, start, end - start, words))

    def _words_after(self, position: int) -> str:
        return (
            "another JPEG picture"
            if self.data[position : position + 2] == b"\xff\xd8"
            else "no decoder reads it"
        )

    def _segment(self, marker: int, start: int) -> int:
        """List the segment whose marker lies at `start`; returns where the next one begins."""
        name = marker_name(marker)
        if marker in (_SOI, _EOI, 0x01) or 0xD0 <= marker <= 0xD7:
            words = {_SOI: "start of image", _EOI: "end of image"}.get(marker, "without a body")
            self._add(name, start, start + 2, words)
            return start + 2
        length = int.from_bytes(self.data[start + 2 : start + 4], "big")
        end = start + 2 + length
        if length < 2 or end > len(self.data):
            left = max(0, len(self.data) - start - 2)
            why = f"but {left} are left" if end > len(self.data) else "and 2 is the least"
            self.problem = f"{name} at byte {start} claims a length of {length} bytes, {why}."
            self._add(name, start, len(self.data), "damaged from here on")
            return len(self.data)
        body = self.data[start + 4 : end]
        self._add(name, start, end, self._words(marker, body))
        return self._picture_data(body, end) if marker == _SOS else end

    def _words(self, marker: int, body: bytes) -> str:
        if marker == _DHT:
            return self._take_huffman(body)
        if marker == _DRI and len(body) >= 2:
            self.restart_interval = int.from_bytes(body[:2], "big")
            return (
                f"a restart marker every {self.restart_interval} units"
                if self.restart_interval
                else "no restarts"
            )
        if marker == _DQT:
            return _quantization_words(body)
        if marker == _SOS:
            return _scan_words(body)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC8, 0xCC):
            return _frame_words(marker, body)
        if 0xE0 <= marker <= 0xEF:
            return _application_words(marker, body)
        return "comment" if marker == _COM else ""

    def _take_huffman(self, body: bytes) -> str:
        """Remember the Huffman tables of a DHT segment and say which they are."""
        words, position = [], 0
        while position + 17 <= len(body):
            kind, number = body[position] >> 4, body[position] & 15
            counts = body[position + 1 : position + 17]
            symbols = np.frombuffer(body[position + 17 : position + 17 + sum(counts)], np.uint8)
            position += 17 + sum(counts)
            lengths = np.zeros(256, np.uint8)
            lengths[symbols] = np.repeat(np.arange(1, 17), list(counts))[: len(symbols)]
            (self.ac_lengths if kind else self.dc_lengths)[number] = lengths
            words.append(f"{'AC' if kind else 'DC'} {number}: {len(symbols)} codes")
        return "Huffman tables " + ", ".join(words) if words else "Huffman tables, damaged"

    def _picture_data(self, header: bytes, start: int) -> int:
        found = _AFTER_SCAN.search(self.data, start)
        end = start + len(self.data[start : found.start()].rstrip(b"\xff")) if found else len(self.data)
        coded = np.frombuffer(self.data, np.uint8, end - start, start)
        restarts = int(np.count_nonzero((coded[:-1] == 0xFF) & (coded[1:] & 0xF8 == 0xD0)))
        words = f"{restarts} restart markers" if restarts else "entropy-coded"
        self._add("picture data", start, end, words)
        count = header[0] if header else 0
        tables = tuple((name, both >> 4, both & 15) for name, both in _pairs(header[1 : 1 + 2 * count]))
        self.scans.append(
            Scan(
                tables,
                MappingProxyType(dict(self.dc_lengths)),
                MappingProxyType(dict(self.ac_lengths)),
                self.restart_interval,
                end - start,
                self.data.count(b"\xff\x00", start, end),
                restarts,
            )
        )
        return end


def marker_name(marker: int) -> str:
    """What the standard calls the marker 0xFF `marker`, such as "SOF0" for 0xC0."""
    if marker in _NAMES:
        return _NAMES[marker]
    for first, last, name in (
        (0xC0, 0xCF, "SOF"),
        (0xD0, 0xD7, "RST"),
        (0xE0, 0xEF, "APP"),
        (0xF0, 0xFD, "JPG"),
    ):
        if first <= marker <= last:
            return f"{name}{marker - first}"
    return f"0xFF{marker:02X}"


def _pairs(body: bytes) -> list[tuple[int, int]]:
    return list(zip(body[0::2], body[1::2], strict=False))


def _quantization_words(body: bytes) -> str:
    words, position = [], 0
    while position < len(body):
        wide = body[position] >> 4
        words.append(f"{body[position] & 15}" + (" (16-bit)" if wide else ""))
        position += 129 if wide else 65
    return "quantization table" + ("s " if len(words) > 1 else " ") + ", ".join(words)


def _frame_words(marker: int, body: bytes) -> str:
    kind = _FRAMES.get(marker, "hierarchical")
    if len(body) < 6:
        return f"frame: {kind}, damaged"
    rows, columns = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    parts = [body[i : i + 3] for i in range(6, 6 + 3 * body[5], 3) if len(body) >= i + 3]
    samplings = ", ".join(f"{part[1] >> 4}×{part[1] & 15}" for part in parts)
    return f"frame: {kind}, {body[0]}-bit, {columns} × {rows}, sampling {samplings}"


def _scan_words(body: bytes) -> str:
    count = body[0] if body else 0
    rest = body[1 + 2 * count :]
    which = ", ".join(str(part[0]) for part in _pairs(body[1 : 1 + 2 * count]))
    words = f"scan of component{'s' if count != 1 else ''} {which}"
    if len(rest) >= 3 and (rest[0], rest[1], rest[2]) != (0, 63, 0):
        words += f", frequencies {rest[0]} to {rest[1]}"
        high, low = rest[2] >> 4, rest[2] & 15
        words += f", bit {low}" if high else f", down to bit {low}" if low else ""
    return words


def _application_words(marker: int, body: bytes) -> str:
    if body[:5] == b"JFIF\0":
        return f"JFIF {body[5]}.{body[6]:02d}" if len(body) >= 7 else "JFIF, damaged"
    if marker == 0xE1 and body[:6] == _EXIF:
        return "Exif: camera, time, rotation, perhaps a thumbnail"
    if marker == 0xE1 and body.startswith(_XMP):
        return "XMP metadata"
    if marker == 0xE2 and body.startswith(_ICC):
        part = body[len(_ICC) : len(_ICC) + 2]
        return "colour profile (ICC)" + (f", part {part[0]} of {part[1]}" if len(part) == 2 else "")
    if body[:5] == b"Adobe" and len(body) >= 12:
        return f"Adobe, colour transform {body[11]}"
    for start, words in _APP_NAMES.items():
        if body.startswith(start):
            return words
    return "application data"

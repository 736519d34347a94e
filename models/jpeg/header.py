"""Walk a JPEG file's markers and count its scans before anything is decoded: facts or a refusal."""

import re
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import ImageTooLarge, UnreadableImage, UnsupportedImage
from models.jpeg.limits import MAX_SCANNED_PIXELS, MAX_SCANS, MAX_SEGMENTS, TRY_ANOTHER, check_dimensions
from models.jpeg.look_alikes import may_stand_between_scans, scanned_components
from models.jpeg.tables import QuantizationTable

END_MARKER = b"\xff\xd9"

_SOI, _EOI, _SOS, _DQT, _DRI, _COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xFE
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES_READ = {
    0xC0: "baseline",
    0xC1: "extended sequential",
    0xC2: "progressive",
    0xC9: "arithmetic sequential",
    0xCA: "arithmetic progressive",
}
_FRAMES_REFUSED = {
    0xC3: "lossless",
    0xC5: "hierarchical",
    0xC6: "hierarchical",
    0xC7: "hierarchical lossless",
    0xCB: "arithmetic lossless",
    0xCD: "arithmetic hierarchical",
    0xCE: "arithmetic hierarchical",
    0xCF: "arithmetic hierarchical lossless",
    0xDE: "hierarchical",  # DHP, which begins such files before their first frame
}
_METADATA = {_COM, *range(0xE1, 0xF0)} - {_APP14}  # Adobe's APP14 says how colours are stored: it stays
_SUBSAMPLING_NAMES: dict[tuple[float, float], str] = {
    (1, 1): "4:4:4",
    (2, 1): "4:2:2",
    (2, 2): "4:2:0",
    (1, 2): "4:4:0",
    (4, 1): "4:1:1",
    (4, 2): "4:1:0",
}
"""By luma's horizontal and vertical resolution as a multiple of chroma's."""
# One 0xFF only: with "+" a long run of fill bytes is gone through again from each of its bytes.
_NEXT_MARKER = re.compile(rb"\xff([^\x00\xff])")
_NEXT_MARKER_AFTER_SCAN = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
NATURAL_ORDER = np.array(
    sorted(range(64), key=lambda i: (i // 8 + i % 8, i // 8 if (i // 8 + i % 8) % 2 else i % 8))
)
"""Position k of the zigzag holds the coefficient with this row-major index."""


@dataclass(frozen=True, eq=False)
class FrameComponent:
    """One component as the frame header declares it.

    Attributes:
        identifier: the number the file gives it.
        horizontal, vertical: sampling factors, 1..4.
        table_number: which of the four quantization tables it uses.
        table: that table at the component's first scan, (8, 8) int64.
    """

    identifier: int
    horizontal: int
    vertical: int
    table_number: int
    table: QuantizationTable


@dataclass(frozen=True, eq=False)
class JpegHeader:
    """What the markers of a JPEG file say, without any pixel.

    Attributes:
        rows, columns: size in the file's own grid, before any EXIF rotation.
        coding: "baseline", "progressive", "arithmetic sequential", ...
        components: one, three or four, in the file's order.
        color_model: "gray", "YCbCr", "RGB", "CMYK" or "YCCK", by libjpeg's rules.
        scans: how many scans were found.
        complete: True where the end marker was found.
        end: offset where this picture ends: after its end marker, or before what a decoder would stumble over.
        refined: True where the scans promise every coefficient of every component in full.
        look_alikes: markers inside the picture data that are damaged data; decoders do not see them.
        stray_bytes: bytes of the header that belong to no segment.
        density: (horizontal, vertical, unit) of the JFIF segment, unit 0 for an aspect ratio, 1 per inch, 2 per
            centimeter; None where there is none.
        several: True for files with more pictures inside (MPO, gain maps).
        exif: the EXIF block without its "Exif" prefix, or None.
        icc_profile: the colour profile put together from its chunks, or None.
        metadata_spans: (start, end) of the segments that a decoder does not need.
    """

    rows: int
    columns: int
    coding: str
    components: tuple[FrameComponent, ...]
    color_model: str
    scans: int
    complete: bool
    end: int
    several: bool
    exif: bytes | None
    icc_profile: bytes | None
    metadata_spans: tuple[tuple[int, int], ...]
    refined: bool = True
    look_alikes: int = 0
    stray_bytes: int = 0
    density: tuple[int, int, int] | None = None

    @property
    def progressive(self) -> bool:
        """True where later scans refine earlier ones."""
        return "progressive" in self.coding

    @property
    def arithmetic(self) -> bool:
        """True for arithmetic instead of Huffman coding."""
        return "arithmetic" in self.coding

    @property
    def subsampling(self) -> str:
        """A name such as "gray" or "4:2:0"; the factors, such as "2x2,1x2,1x1", where there is no name."""
        if len(self.components) == 1:
            return "gray"
        luma, *chroma = self.components[:3]
        ratios = {(luma.horizontal / other.horizontal, luma.vertical / other.vertical) for other in chroma}
        if len(ratios) == 1 and (ratio := ratios.pop()) in _SUBSAMPLING_NAMES:
            return _SUBSAMPLING_NAMES[ratio]
        return ",".join(f"{part.horizontal}x{part.vertical}" for part in self.components)


def read_header(data: bytes) -> JpegHeader:
    """Walk the markers of a JPEG file up to its end marker; nothing is decoded.

    Args:
        data: the whole file, beginning with the JPEG signature.

    Raises:
        UnreadableImage: damaged before the first scan.
        UnsupportedImage: lossless, hierarchical or 12-bit files, or a number of components nobody uses.
        ImageTooLarge: more than MAX_PIXELS pixels, or more scans than are allowed at this size.
    """
    return _HeaderWalk(data).finish()


def _is_jfif(body: bytes) -> bool:
    """True for what libjpeg takes for a JFIF segment, too."""
    return body[:5] == b"JFIF\0" and len(body) >= 14


def _damaged(what: str) -> UnreadableImage:
    return UnreadableImage(
        f"This JPEG file is damaged: {what}. A JPEG needs a whole header with its size, its tables and at "
        f"least one scan. {TRY_ANOTHER}"
    )


class _HeaderWalk:
    """One pass over the markers of one file, collecting what JpegHeader holds."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.rows = self.columns = self.scans = 0
        self.coding = ""
        self.declared: list[tuple[int, int, int, int]] = []
        self.tables: dict[int, QuantizationTable] = {}
        self.component_tables: dict[int, QuantizationTable] = {}
        self.exif: bytes | None = None
        self.icc_chunks: dict[int, bytes] = {}
        self.saw_jfif = self.complete = self.saw_mpf = False
        self.adobe_transform: int | None = None
        self.spans: list[tuple[int, int]] = []
        self.end = len(data)
        self.restart_interval = self.look_alikes = self.stray_bytes = 0
        self.density: tuple[int, int, int] | None = None
        self.missing_bits: list[NDArray[np.int64]] = []
        self._walk()

    def _walk(self) -> None:
        position = 2
        segments = 0
        while found := (_NEXT_MARKER_AFTER_SCAN if self.scans else _NEXT_MARKER).search(self.data, position):
            marker = found[1][0]
            segments += 1
            if segments > MAX_SEGMENTS:
                if self.scans:
                    self.end = found.start()
                    return
                raise _damaged(f"it has more than {MAX_SEGMENTS} segments")
            if not self.scans:
                self._pass_over(position, found.start())
            if marker == _EOI:
                self.complete = True
                self.end = found.end()
                return
            if marker == _SOI:
                if self.scans:
                    self.end = found.start()
                    return  # another picture begins without this one's end
                raise _damaged("a second picture begins inside its header")
            if marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers without a body
                position = found.end()
                continue
            body_start = found.end() + 2
            length = int.from_bytes(self.data[found.end() : body_start], "big")
            if length < 2 and not self.scans and marker in (_APP0, *_METADATA):
                length = 2  # whatever it holds is passed over like other bytes that belong to no segment
            position = found.end() + length
            cut = length < 2 or position > len(self.data) or body_start > len(self.data)
            if self.scans and (cut or not self._is_segment(marker, body_start, position)):
                if not self._look_past(found.start(), found.end()):
                    return  # there is something to show
                position = found.end()
                continue
            if cut:
                raise _damaged(f"its header breaks off after {len(self.data)} bytes")
            body = self.data[body_start:position]
            if marker in _METADATA or (marker == _APP0 and not _is_jfif(body)):
                self.spans.append((found.start(), position))
            self._take(marker, body)

    def _pass_over(self, start: int, end: int) -> None:
        """Keep bytes between two segments of the header from decoders, which disagree about them."""
        if end > start:
            self.stray_bytes += (
                end - start - self.data.count(b"\xff", start, end)
            )  # fill bytes may stand there
            self.spans.append((start, end))

    def _is_segment(self, marker: int, start: int, end: int) -> bool:
        identifiers = [part[0] for part in self.declared]
        return may_stand_between_scans(marker, self.data[start:end], self.data[end : end + 16], identifiers)

    def _look_past(self, start: int, end: int) -> bool:
        """Deal with damaged picture data that looks like a marker; False where the picture has to end there.

        With restart markers only one interval is lost: the decoder finds its place again at the next.
        """
        self.look_alikes += 1
        if not self.restart_interval:
            self.end = start
            return False
        self.spans.append((start, end))
        return True

    def _take(self, marker: int, body: bytes) -> None:
        if marker in _FRAMES_REFUSED:  # never behind the first scan, see _is_segment
            raise UnsupportedImage(
                f"This is a JPEG with {_FRAMES_REFUSED[marker]} coding. Baseline, extended, progressive and "
                f"arithmetic coding with 8 bits are supported. {TRY_ANOTHER}"
            )
        if marker in _FRAMES_READ:
            self._take_frame(marker, body)
        elif marker == _DQT:
            self._take_tables(body)
        elif marker == _SOS:
            self._take_scan(body)
        elif marker == _APP0:
            if _is_jfif(body):
                self.saw_jfif = True
                self.density = self.density or (*struct.unpack_from(">HH", body, 8), body[7])
        elif marker == _DRI and len(body) >= 2:
            self.restart_interval = int.from_bytes(body[:2], "big")
        elif marker == _APP14 and body[:5] == b"Adobe" and len(body) >= 12:
            self.adobe_transform = body[11]
        elif marker == _APP1 and body[:6] == b"Exif\0\0" and self.exif is None:
            self.exif = body[6:]
        elif marker == _APP2:
            self.saw_mpf = self.saw_mpf or body[:4] == b"MPF\0"
            if body[:12] == b"ICC_PROFILE\0" and len(body) > 14:
                self.icc_chunks.setdefault(body[12], body[14:])

    def _take_frame(self, marker: int, body: bytes) -> None:
        if self.coding:
            if self.scans:
                return
            raise _damaged("it declares its size twice")
        if len(body) < 6 or len(body) < 6 + 3 * body[5]:
            raise _damaged("its frame header is too short")
        if body[0] == 8 and not any(body[1:3]) and any(body[3:5]):
            raise UnreadableImage(
                f"This JPEG says that its picture is {int.from_bytes(body[3:5], 'big')} x 0 pixels: it leaves its "
                f"height to a DNL segment behind the first scan. Only sizes in the header are supported. {TRY_ANOTHER}"
            )
        if body[0] != 8:
            raise UnsupportedImage(
                f"This JPEG stores {body[0]} bits per sample. Only 8 bits are supported. {TRY_ANOTHER}"
            )
        self.rows, self.columns = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        check_dimensions(self.rows, self.columns)
        if body[5] not in (1, 3, 4):
            raise UnsupportedImage(
                f"This JPEG has {body[5]} colour components. One (gray), three (colour) or four (CMYK) are "
                f"supported. {TRY_ANOTHER}"
            )
        for i in range(6, 6 + 3 * body[5], 3):
            self.declared.append((body[i], body[i + 1] >> 4, body[i + 1] & 15, body[i + 2]))
        if any(not (1 <= part[1] <= 4 and 1 <= part[2] <= 4) for part in self.declared):
            raise _damaged("its colour sampling factors are outside 1 to 4")
        self.coding = _FRAMES_READ[marker]
        self.missing_bits = [np.full(64, 16) for _ in self.declared]

    def _take_tables(self, body: bytes) -> None:
        position = 0
        while position < len(body):
            wide, number = body[position] >> 4, body[position] & 15
            size = 128 if wide else 64
            values = body[position + 1 : position + 1 + size]
            position += 1 + size
            if len(values) < size or number > 3:
                if self.scans:
                    return
                raise _damaged("a quantization table is cut off or misnumbered")
            table = np.empty(64, np.int64)
            table[NATURAL_ORDER] = np.frombuffer(values, ">u2" if wide else np.uint8)
            self.tables[number] = table.reshape(8, 8)

    def _take_scan(self, body: bytes) -> None:
        if not self.coding:
            raise _damaged("picture data begins before its size is declared")
        self.scans += 1
        # Every scan passes over the whole picture, so large pictures may have fewer of them.
        allowed = min(MAX_SCANS, MAX_SCANNED_PIXELS // (self.rows * self.columns))
        if self.scans > allowed:
            raise ImageTooLarge(
                f"This JPEG of {self.columns} x {self.rows} pixels has more than {allowed} scans. "
                f"Up to {allowed} are allowed at this size; ordinary files have 1 to 20. {TRY_ANOTHER}"
            )
        count = body[0] if body else 0
        first, last, low = body[1 + 2 * count : 4 + 2 * count] if len(body) >= 4 + 2 * count else (0, 63, 0)
        if "progressive" not in self.coding:
            first, last, low = 0, 63, 0
        for place in scanned_components([part[0] for part in self.declared], body[1 : 1 + 2 * count : 2]):
            if place is None:
                continue
            self.missing_bits[place][first : last + 1] = low & 15
            number = self.declared[place][3]
            if number in self.tables:
                self.component_tables.setdefault(place, self.tables[number])

    def finish(self) -> JpegHeader:
        if not self.coding:
            raise _damaged("it declares no size")
        if not self.scans:
            raise _damaged("it holds no picture data")
        components = []
        for place, (identifier, horizontal, vertical, number) in enumerate(self.declared):
            table = self.component_tables.get(place, self.tables.get(number))
            if table is None:
                raise _damaged(f"quantization table {number} is missing")
            components.append(FrameComponent(identifier, horizontal, vertical, number, table))
        chunks = self.icc_chunks
        return JpegHeader(
            rows=self.rows,
            columns=self.columns,
            coding=self.coding,
            components=tuple(components),
            color_model=self._color_model(),
            scans=self.scans,
            complete=self.complete,
            end=self.end,
            several=self.saw_mpf,
            exif=self.exif,
            icc_profile=b"".join(chunks[number] for number in sorted(chunks)) or None,
            metadata_spans=tuple(self.spans),
            refined=not any(bits.any() for bits in self.missing_bits),
            look_alikes=self.look_alikes,
            stray_bytes=self.stray_bytes,
            density=self.density,
        )

    def _color_model(self) -> str:
        """The colour model as libjpeg guesses it from JFIF and Adobe markers and component numbers."""
        identifiers = tuple(part[0] for part in self.declared)
        if len(identifiers) == 1:
            return "gray"
        if len(identifiers) == 4:
            return "CMYK" if self.adobe_transform in (None, 0) else "YCCK"
        if self.saw_jfif:
            return "YCbCr"
        if self.adobe_transform is not None:
            return "RGB" if self.adobe_transform == 0 else "YCbCr"
        return "RGB" if identifiers == (0x52, 0x47, 0x42) else "YCbCr"


def decodable_stream(data: bytes, header: JpegHeader) -> bytes:
    """The file without EXIF, profiles, thumbnails and comments: only what a decoder needs and can use."""
    pieces, position = [], 0
    for start, end in header.metadata_spans:
        pieces.append(data[position:start])
        position = end
    return b"".join([*pieces, data[position : header.end]])

"""The part of a photograph's EXIF block that may leave the studio: how it was taken, never where or by whose camera."""

import struct
import zlib

CAMERA_TAGS = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x8298: "Copyright",
}
PHOTOGRAPH_TAGS = {
    0x829A: "ExposureTime",
    0x829D: "FNumber",
    0x8822: "ExposureProgram",
    0x8827: "ISOSpeedRatings",
    0x9003: "DateTimeOriginal",
    0x9204: "ExposureBiasValue",
    0x9207: "MeteringMode",
    0x9209: "Flash",
    0x920A: "FocalLength",
    0xA405: "FocalLengthIn35mmFilm",
    0x9010: "OffsetTime",
    0x9011: "OffsetTimeOriginal",
    0x9290: "SubSecTime",
    0x9291: "SubSecTimeOriginal",
    0xA433: "LensMake",
    0xA434: "LensModel",
}
"""Everything else goes: place, thumbnail, maker's notes, serial numbers, and the orientation, which is applied."""

_PHOTOGRAPH_IFD = 0x8769
LONGEST_TEXT = 2000
"""Bytes; with the tags above a kept block has less than 50 kB."""
_MOST_NUMBERS = 4
_MOST_ENTRIES = 200
"""Of one directory; cameras write 10 to 60."""
_TEXT_KINDS = {1: 1, 2: 1, 7: 1, 129: 1}
_NUMBER_KINDS = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
"""Bytes of one value, by the kind that an entry says: bytes, ASCII, undefined, UTF-8; whole numbers and fractions."""

_Entry = tuple[int, int, bytes]
"""Kind, number of values, and the values as they lie in the file."""


def kept_exif(exif: bytes | None) -> bytes | None:
    """Copy the tags named above into a fresh block, byte by byte: texts stay in whatever letters they were written.

    Args:
        exif: a file's own block, a TIFF structure with or without the "Exif" prefix; untrusted. Nothing but these tags
            is read, so that the work does not grow with what the block claims to hold.

    Returns:
        A TIFF structure without prefix, in the byte order of the file; or None where nothing is left to keep or the
        block is damaged. A kept block gives itself.
    """
    block = (exif or b"").removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return None
    try:
        (first,) = struct.unpack_from(order + "I", block, 4)
        camera = _entries(block, order, first, {*CAMERA_TAGS, _PHOTOGRAPH_IFD})
        kind, count, place = camera.pop(_PHOTOGRAPH_IFD, (0, 0, b""))
        inner: dict[int, _Entry] = {}
        if (kind, count) == (4, 1):
            inner = _entries(block, order, *struct.unpack(order + "I", place), wanted=set(PHOTOGRAPH_TAGS))
    except struct.error:
        return None
    if inner:
        camera[_PHOTOGRAPH_IFD] = (
            4,
            1,
            bytes(4),
        )  # has a place of its own in the length of what comes before
        before = len(_directory(camera, order, 8))
        camera[_PHOTOGRAPH_IFD] = (4, 1, struct.pack(order + "I", 8 + before))
    if not camera:
        return None
    head = block[:2] + struct.pack(order + "HI", 42, 8) + _directory(camera, order, 8)
    return head + (_directory(inner, order, len(head)) if inner else b"")


def _entries(block: bytes, order: str, place: int, wanted: set[int]) -> dict[int, _Entry]:
    """The wanted tags of one directory whose values are sound: numbers, and texts of ordinary length.

    Raises:
        struct.error: the directory or a wanted value lies outside the block.
    """
    (count,) = struct.unpack_from(order + "H", block, place)
    if count > _MOST_ENTRIES:
        return {}
    found: dict[int, _Entry] = {}
    for start in range(place + 2, place + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", block, start)
        most = _MOST_NUMBERS if kind in _NUMBER_KINDS else LONGEST_TEXT
        size = {**_TEXT_KINDS, **_NUMBER_KINDS}.get(kind, 0) * number
        if tag not in wanted or tag in found or not 0 < number <= most or not size:
            continue
        at = start + 8 if size <= 4 else struct.unpack_from(order + "I", block, start + 8)[0]
        found[tag] = (kind, number, struct.unpack_from(f"{size}s", block, at)[0])
    return found


def _directory(entries: dict[int, _Entry], order: str, place: int) -> bytes:
    """A directory that begins at `place`, and behind it the values that are too long for it."""
    rows, values = [], b""
    behind = place + 2 + 12 * len(entries) + 4
    for tag, (kind, number, value) in sorted(entries.items()):
        if len(value) <= 4:
            field = value.ljust(4, b"\0")
        else:
            field = struct.pack(order + "I", behind + len(values))
            values += value + bytes(len(value) % 2)
        rows.append(struct.pack(order + "HHI", tag, kind, number) + field)
    return struct.pack(order + "H", len(entries)) + b"".join(rows) + bytes(4) + values


def png_with_exif(png: bytes, exif: bytes) -> bytes:
    """Put an eXIf chunk into a PNG file without touching its pixels.

    Args:
        png: a whole file, as models.png_files.write_png makes it.
        exif: a TIFF structure without prefix.

    Raises:
        ValueError: the file is no PNG.
    """
    header_end = 8 + 4 + 4 + 13 + 4
    if png[:8] != b"\x89PNG\r\n\x1a\n" or len(png) < header_end:
        raise ValueError("not a PNG file")
    kind = b"eXIf"
    check = struct.pack(">I", zlib.crc32(kind + exif))
    return png[:header_end] + struct.pack(">I", len(exif)) + kind + exif + check + png[header_end:]

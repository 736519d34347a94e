"""What a decoder says of a file's header: plain numbers and words on one side, a checked JpegHeader on the other."""

from dataclasses import fields
from typing import Any

import numpy as np

from models.jpeg.header import FrameComponent, JpegHeader
from models.jpeg.limits import MAX_SEGMENTS, check_dimensions

_KEPT_BACK = ("exif", "icc_profile")
"""Blocks that only the decoder's process reads."""
_COLOR_MODELS = {"gray": 1, "YCbCr": 3, "RGB": 3, "CMYK": 4, "YCCK": 4}
"""With the number of their components."""


def header_facts(header: JpegHeader) -> dict[str, Any]:
    """A header ready for JSON, without the blocks of metadata themselves."""
    facts = {field.name: getattr(header, field.name) for field in fields(header)}
    facts["components"] = [
        [part.identifier, part.horizontal, part.vertical, part.table_number, part.table.ravel().tolist()]
        for part in header.components
    ]
    return {name: value for name, value in facts.items() if name not in _KEPT_BACK}


def header_from_facts(facts: Any, length: int) -> JpegHeader:
    """The header that a decoder speaks of.

    Args:
        facts: from header_facts, through JSON; as untrusted as the decoder, whom a file may have taken over.
        length: of the file, in bytes.

    Raises:
        ValueError, TypeError, KeyError: they describe no header of such a file.
        ImageTooLarge, UnreadableImage: of a size that is not taken.
    """
    names = {field.name for field in fields(JpegHeader)} - set(_KEPT_BACK)
    if not isinstance(facts, dict) or set(facts) != names:
        raise ValueError("no header")
    told = {name: _plain(value) for name, value in facts.items() if name != "components"}
    check_dimensions(_whole(told["rows"], 65535), _whole(told["columns"], 65535))
    components = tuple(_component(*part) for part in facts["components"])
    if _COLOR_MODELS.get(told["color_model"]) != len(components):
        raise ValueError("no such color model")
    if not isinstance(told["coding"], str) or not isinstance(told["complete"], bool):
        raise TypeError("no header")
    _whole(told["scans"], MAX_SEGMENTS)
    _whole(told["end"], length)
    edges = [_whole(edge, length) for start, end in told["metadata_spans"] for edge in (start, end)]
    if edges != sorted(edges):
        raise ValueError("spans out of order")
    return JpegHeader(**told, components=components, exif=None, icc_profile=None)


def _component(identifier: Any, horizontal: Any, vertical: Any, number: Any, table: Any) -> FrameComponent:
    if not isinstance(table, list) or len(table) != 64:
        raise ValueError("no quantization table")
    values = np.array([_whole(value, 65535) for value in table], np.int64).reshape(8, 8)
    if not (_whole(horizontal, 4) >= 1 and _whole(vertical, 4) >= 1):
        raise ValueError("no sampling factor")
    return FrameComponent(_whole(identifier, 255), horizontal, vertical, _whole(number, 3), values)


def _plain(value: Any) -> Any:
    """A number, a word, a yes or no, nothing, or rows of these."""
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    if value is None or type(value) in (int, str, bool):
        return value
    raise TypeError("neither a number nor a word")


def _whole(value: Any, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError("no number of that size")
    return value

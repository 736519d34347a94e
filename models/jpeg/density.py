"""How large a picture is to be printed, or how much wider than tall its pixels are; and PNG chunks that say so."""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.jpeg.metadata import exif_numbers

_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 0x011A, 0x011B, 0x0128
_PER_METER = {1: 1 / 0.0254, 2: 100.0}
"""By JFIF's unit: inch, centimeter."""
_MAX = 2**31 - 1
"""The largest whole number in a PNG file."""
_HEADER_END = 8 + 4 + 4 + 13 + 4


@dataclass(frozen=True)
class Density:
    """Pixels per meter.

    Attributes:
        across, down: 1..2**31-1.
        in_meters: False where no unit is known, so that only the ratio of the two says something.
    """

    across: int
    down: int
    in_meters: bool

    def turned(self, orientation: int) -> "Density":
        """Of the picture turned upright; see models.jpeg.metadata.upright."""
        return replace(self, across=self.down, down=self.across) if orientation >= 5 else self


def density_of(across: float, down: float, unit: int) -> Density | None:
    """What a file's numbers mean.

    Args:
        across, down: as the file says.
        unit: as JFIF counts, 0 for none, 1 per inch, 2 per centimeter.

    Returns:
        None where they say nothing, such as equal numbers without a unit.
    """
    per_meter = _PER_METER.get(unit)
    if not per_meter and across == down:
        return None
    try:
        sides = round(across * (per_meter or 1)), round(down * (per_meter or 1))
    except (OverflowError, ValueError):  # infinite, or no number
        return None
    return Density(*sides, bool(per_meter)) if all(1 <= side <= _MAX for side in sides) else None


def density_in_jpeg(jfif: tuple[int, int, int] | None, exif: bytes | None) -> Density | None:
    """Of a JPEG file, in its own grid: from JFIF, else from EXIF."""
    return (density_of(*jfif) if jfif else None) or density_in_exif(exif)


def density_in_exif(exif: bytes | None) -> Density | None:
    """Of an EXIF block."""
    told = exif_numbers(exif, (_X_RESOLUTION, _Y_RESOLUTION, _UNIT))
    if _X_RESOLUTION not in told or _Y_RESOLUTION not in told:
        return None
    unit = {1: 0, 3: 2}.get(int(told.get(_UNIT, 2)), 1)  # inches where it says nothing
    return density_of(told[_X_RESOLUTION], told[_Y_RESOLUTION], unit)


def density_in_info(info: Mapping[Any, Any]) -> Density | None:
    """Of what Pillow says of a picture: "dpi", or for PNG "aspect"."""
    for key, unit in (("dpi", 1), ("aspect", 0)):
        pair = info.get(key)
        if isinstance(pair, tuple) and len(pair) == 2:
            return density_of(float(pair[0]), float(pair[1]), unit)
    return None


def png_with_density(png: bytes, density: Density | None) -> bytes:
    """Put a pHYs chunk into a PNG file that has none, without touching its pixels; None leaves it as it is.

    Raises:
        ValueError: the file is no PNG.
    """
    if density is None:
        return png
    if png[:8] != b"\x89PNG\r\n\x1a\n" or len(png) < _HEADER_END:
        raise ValueError("not a PNG file")
    chunk = b"pHYs" + struct.pack(">IIB", density.across, density.down, density.in_meters)
    check = struct.pack(">I", zlib.crc32(chunk))
    return png[:_HEADER_END] + struct.pack(">I", len(chunk) - 4) + chunk + check + png[_HEADER_END:]

"""Quantized DCT coefficients: read from a JPEG's bitstream, or recomputed from pixels where there is none."""

import importlib
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.images import RgbImage
from models.jpeg.color import split_ycbcr
from models.jpeg.damage import finished, heard
from models.jpeg.dct import forward_dct, plane_to_blocks
from models.jpeg.header import JpegHeader, decodable_stream
from models.jpeg.huffman_decoding import decoded_coefficients
from models.jpeg.tables import QuantizationTable

COMPONENT_NAMES = {
    "gray": ("Y",),
    "YCbCr": ("Y", "Cb", "Cr"),
    "RGB": ("R", "G", "B"),
    "CMYK": ("C", "M", "Y", "K"),
    "YCCK": ("Y", "Cb", "Cr", "K"),
}
"""By color model, in the file's order."""


@dataclass(frozen=True, eq=False)
class JpegComponent:
    """One component of a JPEG in the frequency domain.

    Attributes:
        name: "Y", "Cb", "Cr", or "R", "G", "B", or "C", "M", "Y", "K".
        coefficients: (block rows, block columns, 8, 8) int16, quantized; times the table they are amplitudes.
        quantization_table: (8, 8) int64.
        coefficients_from: "bitstream" where they are the file's own, "pixels" where they were recomputed.
        rows, columns: size of the component's plane in samples.
    """

    name: str
    coefficients: NDArray[np.int16]
    quantization_table: QuantizationTable
    coefficients_from: Literal["bitstream", "pixels"]
    rows: int
    columns: int


def components_from_bitstream(data: bytes, header: JpegHeader) -> tuple[JpegComponent, ...] | None:
    """Read the coefficients a JPEG file holds.

    Args:
        data: the whole file.
        header: its header.

    Returns:
        The components in the file's order, or None where the reader gives up on a damaged file.
    """
    stream = decodable_stream(data, header)
    read = _read_with_pyjpegio if has_pyjpegio() else decoded_coefficients
    decoded = read(finished(stream, header), header)
    names = COMPONENT_NAMES[header.color_model]
    if decoded is None or len(decoded) != len(names):
        return None
    tallest = max(part.vertical for part in header.components)
    widest = max(part.horizontal for part in header.components)
    components = []
    for name, part, blocks in zip(names, header.components, decoded, strict=True):
        rows = -(-header.rows * part.vertical // tallest)
        columns = -(-header.columns * part.horizontal // widest)
        components.append(JpegComponent(name, blocks, part.table, "bitstream", rows, columns))
    return tuple(components)


@cache
def has_pyjpegio() -> bool:
    """Whether the fast reader is here; there are systems and versions of Python for which nobody has built it."""
    try:
        importlib.import_module("jpegio")
    except ImportError:
        return False
    return True


def missing_reader_note(header: JpegHeader) -> str:
    """What a person should know where this machine cannot read the coefficients of such a file; "" elsewhere."""
    if not header.arithmetic or has_pyjpegio():
        return ""
    return "coefficients recomputed from pixels: reading arithmetic coding needs pyjpegio"


def _read_with_pyjpegio(stream: bytes, _header: JpegHeader) -> list[NDArray[np.int16]] | None:
    import jpegio

    with tempfile.TemporaryDirectory(prefix="jpeg-coefficients-") as folder:
        path = Path(folder) / "picture.jpg"
        path.write_bytes(stream)
        try:
            with heard([]):  # what is wrong with the file was said when it was opened
                arrays = jpegio.read(str(path)).coef_arrays
        except (RuntimeError, ValueError, MemoryError):
            return None
    sizes = [(array.shape[0] // 8, array.shape[1] // 8) for array in arrays]
    return [
        array.reshape(tall, 8, wide, 8).swapaxes(1, 2).astype(np.int16)
        for array, (tall, wide) in zip(arrays, sizes, strict=True)
    ]


def components_from_pixels(pixels: RgbImage, *, is_gray: bool) -> tuple[JpegComponent, ...]:
    """Coefficients as a JPEG of the finest quality would hold: no subsampling, tables of ones.

    Args:
        pixels: (rows, columns, 3) uint8.
        is_gray: True for Y alone.
    """
    rows, columns = pixels.shape[:2]
    table = np.ones((8, 8), np.int64)
    names = ("Y",) if is_gray else ("Y", "Cb", "Cr")
    components = []
    for name, plane in zip(names, split_ycbcr(pixels), strict=False):
        blocks = plane_to_blocks(plane - 128)
        quantized = np.rint(forward_dct(blocks)).astype(np.int16)
        components.append(JpegComponent(name, quantized, table, "pixels", rows, columns))
    return tuple(components)

"""What the block inspector and the map of bits show, as plain values."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plotly.colors import sequential

from models.card import ModelCard
from models.jpeg.encoder_planes import sampling_factors
from models.jpeg.entropy import standard_lengths
from models.jpeg.tables import ANNEX_K_CHROMA, ANNEX_K_LUMA
from studio.anatomy.taken_apart import CELL_TOLERANCE, BlockPart, TakenApart, block_parts, extent
from studio.anatomy.view import bits_words
from studio.engine.outputs import StageOutputs
from studio.page.wording import settings_slug
from studio.server.files import PictureFolder
from studio.session.visitor import Photograph

Place = tuple[int, int]
"""Row and column of an 8x8 block of the picture, in the file's own grid."""

_DECIMAL_PLACES = 2
"""Of coefficients on their way to the page."""

EMPTY_BLOCK: dict[str, Any] = {"parts": []}
EMPTY_MAP: dict[str, Any] = {"maps": []}


def block_value(
    taken: TakenApart, outputs: StageOutputs, place: Place, cards: Mapping[str, ModelCard], picture: str
) -> dict[str, Any]:
    """The inspector's value.

    Args:
        taken: the file, with bits.
        outputs: the original and the restorations.
        place: inside the picture's extent.
        cards: by model name.
        picture: changes when another file is shown.
    """
    rows, columns = extent(taken.image)
    estimate = taken.image.estimated_quality_factor
    return {
        "picture": picture,
        "place": {"row": place[0], "column": place[1]},
        "extent": {"rows": rows, "columns": columns},
        "parts": [_part(part) for part in block_parts(taken, outputs, *place)],
        "models": [{"id": name, "label": cards[name].title} for name in outputs.restorations],
        "bits_from_file": taken.known_bits.from_file,
        "quality": estimate.quality_factor if estimate else None,
        "tolerance": CELL_TOLERANCE,
        "annex": {"luma": ANNEX_K_LUMA.ravel().tolist(), "chroma": ANNEX_K_CHROMA.ravel().tolist()},
        "codes": {"luma": _codes(0), "chroma": _codes(1)},
    }


def _part(part: BlockPart) -> dict[str, Any]:
    return {
        "name": part.name,
        "number": part.number,
        "row": part.row,
        "column": part.column,
        "rows": part.rows,
        "columns": part.columns,
        "factors": list(part.factors),
        "chroma": part.number in (1, 2),
        "table": part.table.ravel().tolist(),
        "integers": part.integers.ravel().tolist(),
        "bits": part.bits,
        "original": None if part.original is None else _decimals(part.original),
        "previous_dc": round(part.previous_dc, _DECIMAL_PLACES),
        "restored": {name: _decimals(block) for name, block in part.restored.items()},
    }


def _decimals(block: NDArray[np.float32]) -> list[float]:
    return [round(float(value), _DECIMAL_PLACES) for value in block.ravel()]


def _codes(number: int) -> dict[str, list[int]]:
    """Code lengths of the standard tables by symbol; 16 where there is no code."""
    lengths = {kind: standard_lengths(kind.upper(), number).astype(int) for kind in ("dc", "ac")}
    return {kind: np.where(found > 0, found, 16).tolist() for kind, found in lengths.items()}


def map_value(
    photograph: Photograph, outputs: StageOutputs, taken: TakenApart, place: Place, pictures: PictureFolder
) -> dict[str, Any]:
    """The map's value: the bits of every block of every component.

    Args:
        photograph, outputs: name the files.
        taken: the file, with bits.
        place: the block that is marked.
        pictures: where the PNG files are written.
    """
    maps = []
    for number, bits in enumerate(taken.known_bits.components):
        component = taken.image.components[number]
        name = f"{photograph.name}_bits-{component.name}_{settings_slug(outputs.request)}.png"
        most = int(bits.max())
        maps.append(
            {
                "name": component.name,
                "rows": bits.shape[0],
                "columns": bits.shape[1],
                "factors": list(sampling_factors(taken.image.jpeg_header, number)),
                "highest": max(int(np.quantile(bits, 0.99)), 8),
                "most": most,
                "file": pictures.served(name, number_sheet(bits)),
                "alt": f"Bits per block of {component.name}: {int(bits.min())} to {most}, half of them at most "
                f"{int(np.median(bits))}",
            }
        )
    return {
        "maps": maps,
        "scale": list(sequential.Cividis),
        "place": {"row": place[0], "column": place[1]},
        "note": _map_note(taken),
    }


def _map_note(taken: TakenApart) -> str:
    turned = (
        "The map lies as the file does, before it is turned upright." if taken.image.orientation != 1 else ""
    )
    counted = "" if taken.known_bits.from_file else bits_words(taken.image, taken.known_bits)
    return " ".join(words for words in (counted, turned) if words)


def number_sheet(numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Whole numbers up to 65535 as a picture: high byte in red, low byte in green; (rows, columns, 3) uint8."""
    bounded = np.minimum(numbers, 65535)
    return np.stack([bounded >> 8, bounded & 255, np.full_like(bounded, 1)], axis=-1).astype(np.uint8)

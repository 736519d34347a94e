"""What a file is and what measured it, ready for JSON: in reports, endpoints and results."""

import platform
from importlib.metadata import version
from typing import Any

from models.jpeg import JpegImage

PACKAGES = ("torch", "numpy", "pillow", "opencv-python-headless")
"""What pictures and metrics may depend on."""

OPAQUE = "transparency left out"


def versions() -> dict[str, str]:
    """Python and the packages that pictures and metrics depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def file_facts(image: JpegImage) -> dict[str, Any]:
    """What a file is, ready for JSON."""
    rows, columns = image.pixels.shape[:2]
    return {
        "format": image.format,
        "bytes": len(image.data),
        "rows": rows,
        "columns": columns,
        "gray": image.is_gray,
        "subsampling": image.subsampling,
        **quality_facts(image),
        "notes": list(image.notes),
    }


def quality_facts(image: JpegImage) -> dict[str, Any]:
    """What a file's quantization tables say, ready for JSON; chroma by itself where both tables are exact."""
    estimate = image.estimated_quality_factor
    return {
        "quality_factor_from_tables": estimate.quality_factor if estimate else None,
        "chroma_quality_factor_from_tables": estimate.chroma_quality_factor if estimate else None,
        "quality_factor_confidence": round(estimate.confidence, 3) if estimate else None,
    }


def opaque_notes(image: JpegImage) -> list[str]:
    """Notes on a file whose transparency is not used."""
    return [*image.notes, *([OPAQUE] if image.alpha is not None else [])]

"""One photograph's crop as every model restores it; drawn and measured by python -m assets.draw_crops."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from models.files import write_text_atomically
from models.places import shipped

CROPS_FOLDER = shipped("assets") / "crops"
CROPS_FILE = "crops.json"
ORIGINAL = "original.webp"
"""Of the same folder: the crop before it was saved."""


@dataclass(frozen=True)
class Crop:
    """What a model makes of the crop.

    Attributes:
        model: its name; "plain" for plain decoding.
        psnr_db: of the crop alone, over R, G and B.
        weights: sha256 of the weights in hexadecimal digits; "" for methods without weights.
    """

    model: str
    psnr_db: float
    weights: str = ""

    @property
    def file_name(self) -> str:
        """Of the picture, in CROPS_FOLDER."""
        return f"{self.model}.webp"


@dataclass(frozen=True)
class CropSeries:
    """The crop by every model.

    Attributes:
        picture: title of the example it is of.
        quality_factor, subsampling: of the one save.
        left, top, side: in pixels of the example.
        crops: plain decoding first, then by PSNR.
    """

    picture: str
    quality_factor: int
    subsampling: str
    left: int
    top: int
    side: int
    crops: tuple[Crop, ...] = ()


def read_crops(folder: Path = CROPS_FOLDER) -> CropSeries | None:
    """What was drawn; None where nothing was, or the file holds something else."""
    try:
        return TypeAdapter(CropSeries).validate_json((folder / CROPS_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def write_crops(series: CropSeries, folder: Path = CROPS_FOLDER) -> None:
    """Write crops.json beside the pictures."""
    write_text_atomically(folder / CROPS_FILE, json.dumps(asdict(series), indent=1) + "\n")

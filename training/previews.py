"""Previews: what the averaged weights make of a few validation photographs, at true size, at every validation.

Beside each picture's previews/<name>-<step>.png lie <name>-original.png and <name>-degraded.png, written once.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.files import write_atomically
from models.images import RgbImage
from models.jpeg import Degradation, JpegEncoding, degrade
from models.network_restorer import NetworkRestorer
from models.png_files import write_png
from training.config import TrainConfig
from training.data import central_crop
from training.metrics import psnr_db
from training.pictures import Photographs
from training.run import card_of

MOST_PREVIEWS = 4
LONGEST_SIDE = 256
DEGRADATION = Degradation((JpegEncoding(10),))
"""How previewed pictures are broken."""


class Previews:
    """Crops of the first validation photographs, broken once and restored again and again."""

    def __init__(
        self, config: TrainConfig, network: nn.Module, device: torch.device, photographs: Photographs
    ) -> None:
        """Break the crops.

        Args:
            config: of the run.
            network: the averaged weights; restored with as they are at each writing.
            device: where they are.
            photographs: for validation.
        """
        self.restorer = NetworkRestorer(network=network, card=card_of(config, network), device=device)
        side = min(LONGEST_SIDE, config.data.validation_size)
        self.broken = {}
        for name, image in zip(photographs.names[:MOST_PREVIEWS], photographs.images, strict=False):
            self.broken[_file_name(name)] = degrade(central_crop(image, side), DEGRADATION)

    def write(self, step: int, folder: Path) -> Iterator[dict[str, Any]]:
        """Restore every crop and write it losslessly.

        Args:
            step: of the training so far.
            folder: previews/ in the run's folder.

        Returns:
            The values of a "preview" event each: name, file (relative to the run's folder), PSNR in dB of the
            restored crop and of its input, both in RGB.
        """
        folder.mkdir(exist_ok=True)
        for name, degraded in self.broken.items():
            once = {"original": degraded.reference, "degraded": degraded.image.pixels}
            for kind, pixels in once.items():
                if not (path := folder / f"{name}-{kind}.png").exists():
                    _write_picture(pixels, path)
            restored = self.restorer.restore(degraded.image).pixels
            path = folder / f"{name}-{step}.png"
            _write_picture(restored, path)
            yield {
                "name": name,
                "file": f"{folder.name}/{path.name}",
                "psnr_db": round(psnr_db(restored, degraded.reference), 3),
                "input_db": round(psnr_db(degraded.image.pixels, degraded.reference), 3),
            }


def _write_picture(pixels: RgbImage, path: Path) -> None:
    write_atomically(path, lambda temporary: write_png(pixels, temporary))


def _file_name(name: str) -> str:
    """A name that is safe in a path and a link."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:60] or "picture"

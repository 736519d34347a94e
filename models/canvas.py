"""Canvases: what a network sees of a picture, tile by tile, and the pictures that its outputs are put together to."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.images import RgbImage
from models.jpeg import JpegComponent, JpegImage
from models.jpeg.coefficients import components_from_pixels
from models.jpeg.dct import BLOCK
from models.jpeg.planes import picture_from_planes, planes
from models.tensors import (
    pixels_to_tensor,
    plane_to_tensor,
    tensor_to_levels,
    tensor_to_pixels,
    tensor_to_plane,
)
from models.tiles import Tile

LUMA_WEIGHTS = (0.299, 0.587, 0.114)


class Canvas(ABC):
    """One picture on its way through a network.

    Attributes:
        shapes: (rows, columns, ...) of its parts, each of which is restored by itself.
    """

    shapes: list[tuple[int, ...]]

    @abstractmethod
    def inputs(self, part: int, tile: Tile) -> Tensor:
        """What a tile of a part sees, before models.networks.base.ColorRule.encode: a batch of one."""

    @abstractmethod
    def put(self, part: int, tile: Tile, outputs: Sequence[Tensor]) -> None:
        """Take what the network made of a tile, a tensor per stage; a tile may come again."""

    def picture_of(self, tile: Tile) -> RgbImage | None:
        """(rows, columns, 3) that a tile which was put contributes; None where that needs the whole picture."""
        return None

    @abstractmethod
    def pictures(self) -> tuple[list[RgbImage], NDArray[np.float16]]:
        """Once all tiles are put: a picture per stage, and the last one's levels, 0..255, not rounded if possible."""


class ColorCanvas(Canvas):
    """The decoded RGB picture in one part; gray pictures stay gray."""

    def __init__(self, image: JpegImage, stages: int) -> None:
        """Take the picture as it is; `stages` pictures will be made of it."""
        self.shapes = [image.decoded_pixels.shape]
        self._pixels, self._is_gray = image.decoded_pixels, image.is_gray
        self._pictures = [np.empty_like(self._pixels) for _ in range(stages)]
        self._levels = np.empty(self._pixels.shape, np.float16)

    def inputs(self, part: int, tile: Tile) -> Tensor:
        """(1, 3, rows, columns), 0..1."""
        return pixels_to_tensor(tile.cut(self._pixels))

    def put(self, part: int, tile: Tile, outputs: Sequence[Tensor]) -> None:
        """See Canvas.put; each (1, 3, rows, columns)."""
        place = (tile.rows.kept, tile.columns.kept)
        for picture, output in zip(self._pictures, outputs, strict=True):
            kept = output[..., tile.rows.inner, tile.columns.inner]
            if self._is_gray:
                to_gray = torch.tensor(LUMA_WEIGHTS, device=kept.device)[:, None, None]
                kept = (kept * to_gray).sum(1, keepdim=True).expand_as(kept)
            picture[place] = tensor_to_pixels(kept)
            if picture is self._pictures[-1]:
                self._levels[place] = tensor_to_levels(kept)

    def picture_of(self, tile: Tile) -> RgbImage:
        """See Canvas.picture_of."""
        return self._pictures[-1][tile.rows.kept, tile.columns.kept]

    def pictures(self) -> tuple[list[RgbImage], NDArray[np.float16]]:
        """See Canvas.pictures."""
        return self._pictures, self._levels


class PlaneCanvas(Canvas):
    """Y, Cb and Cr, each at its own size, or Y alone; chroma is enlarged after it was restored."""

    def __init__(self, image: JpegImage, stages: int) -> None:
        """Take the file's planes apart; `stages` pictures will be made of them."""
        self._size = image.decoded_pixels.shape[:2]
        self.shapes = self._take_apart(image)
        self._stages = [[np.empty(shape, np.float32) for shape in self.shapes] for _ in range(stages)]

    def _take_apart(self, image: JpegImage) -> list[tuple[int, ...]]:
        """Keep what is shown to the network, and return its parts' shapes."""
        self._planes = planes(image)
        return [plane.shape for plane in self._planes]

    def inputs(self, part: int, tile: Tile) -> Tensor:
        """(1, 1, rows, columns), 0..1."""
        return plane_to_tensor(tile.cut(self._planes[part]))

    def put(self, part: int, tile: Tile, outputs: Sequence[Tensor]) -> None:
        """See Canvas.put; each (1, 1, rows, columns)."""
        for stage, output in zip(self._stages, outputs, strict=True):
            kept = output[..., tile.rows.inner, tile.columns.inner]
            stage[part][tile.rows.kept, tile.columns.kept] = tensor_to_plane(kept)

    def pictures(self) -> tuple[list[RgbImage], NDArray[np.float16]]:
        """See Canvas.pictures; the levels are rounded."""
        pictures = [picture_from_planes(tuple(stage), *self._size) for stage in self._stages]
        return pictures, pictures[-1].astype(np.float16)


class CoefficientCanvas(PlaneCanvas):
    """Like PlaneCanvas, but the network sees the planes' DCT coefficients."""

    def _take_apart(self, image: JpegImage) -> list[tuple[int, ...]]:
        self._components = ycbcr_components(image)
        return [(component.rows, component.columns) for component in self._components]

    def inputs(self, part: int, tile: Tile) -> Tensor:
        """(1, 64, block rows, block columns), dequantized amplitudes."""
        component = self._components[part]
        rows, columns = (
            slice(span.seen_start // BLOCK, span.seen_stop // BLOCK) for span in (tile.rows, tile.columns)
        )
        blocks = component.coefficients[rows, columns] * component.quantization_table
        channels_first = blocks.reshape(*blocks.shape[:2], BLOCK * BLOCK).transpose(2, 0, 1)
        return torch.from_numpy(np.ascontiguousarray(channels_first, np.float32))[None]


def ycbcr_components(image: JpegImage) -> tuple[JpegComponent, ...]:
    """Coefficients of Y, or of Y, Cb and Cr: the file's own, or those of its pixels where it holds others."""
    header = image.header
    if header and header.color_model in ("gray", "YCbCr"):
        return image.components
    return components_from_pixels(image.decoded_pixels, is_gray=image.is_gray)

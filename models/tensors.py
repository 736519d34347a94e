"""The only crossing between uint8 pictures, channels last, and float tensors, channels first, in 0..1; and colours."""

from functools import lru_cache
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.images import RgbImage
from models.jpeg.color import rgb_to_ycbcr
from models.jpeg.dct import BLOCK, forward_dct

GREY_LEVELS = 255

AnyModule = TypeVar("AnyModule", bound=nn.Module)


def placed(
    module: AnyModule, device: torch.device, layout: torch.memory_format = torch.channels_last
) -> AnyModule:
    """Put a module onto a device, its convolutions in that layout; returns the module."""
    return module.to(device=device, memory_format=layout)  # pyright: ignore[reportCallIssue]  # torch declares neither


@lru_cache(maxsize=1)
def dct_kernels() -> Tensor:
    """(64, 1, 8, 8) float32: the orthonormal 8x8 DCT as a convolution of stride 8, vertical frequency first."""
    blocks = forward_dct(np.eye(BLOCK**2, dtype=np.float32).reshape(-1, BLOCK, BLOCK))  # (pixel, 8, 8)
    return torch.from_numpy(np.ascontiguousarray(blocks.reshape(BLOCK**2, BLOCK**2).T)).reshape(
        -1, 1, BLOCK, BLOCK
    )


def pixels_to_tensor(pixels: RgbImage) -> Tensor:
    """(rows, columns, 3) uint8 -> (1, 3, rows, columns) float32, 0..1."""
    channels_first = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    return torch.from_numpy(channels_first).unsqueeze(0).float().div_(GREY_LEVELS)


def tensor_to_pixels(pictures: Tensor) -> RgbImage:
    """(1, 3, rows, columns) float, any range -> (rows, columns, 3) uint8, clamped to 0..1 and rounded."""
    levels = pictures[0].float().clamp(0, 1).mul(GREY_LEVELS).round_().to(torch.uint8)
    return np.ascontiguousarray(levels.cpu().numpy().transpose(1, 2, 0))


def tensor_to_levels(pictures: Tensor) -> NDArray[np.float32]:
    """(1, 3, rows, columns) float, any range -> (rows, columns, 3) float32, clamped to 0..255, not rounded."""
    return pictures[0].float().clamp(0, 1).mul(GREY_LEVELS).permute(1, 2, 0).cpu().numpy()


def plane_to_tensor(plane: NDArray[np.floating]) -> Tensor:
    """(rows, columns) 0..255, any real type -> (1, 1, rows, columns) float32, 0..1."""
    return torch.from_numpy(np.ascontiguousarray(plane, dtype=np.float32))[None, None].div(GREY_LEVELS)


def tensor_to_plane(planes: Tensor) -> NDArray[np.float32]:
    """(1, 1, rows, columns) float -> (rows, columns) float32, clamped to 0..255, not rounded."""
    return planes[0, 0].float().clamp(0, 1).mul(GREY_LEVELS).cpu().numpy()


def table_to_tensor(
    luma: NDArray[np.integer], chroma: NDArray[np.integer] | None, *, sideways: bool = False
) -> Tensor:
    """Two (8, 8) quantization tables -> (1, 128) float32: luma steps then chroma steps in row order.

    Args:
        luma: steps of the luma table, 1 or more.
        chroma: steps of the chroma table; None, as in gray files, becomes zeros.
        sideways: the tables of the picture with rows and columns exchanged.
    """
    tables = np.stack([luma, np.zeros((8, 8)) if chroma is None else chroma]).astype(np.float32)
    return torch.from_numpy((tables.swapaxes(1, 2) if sideways else tables).reshape(1, 128))


def area_weights(size: int, side: int) -> Tensor:
    """(side, size): how much of each of `side` equal parts of a line its `size` pixels cover; rows add up to 1."""
    edges = torch.arange(side + 1, dtype=torch.float64) * (size / side)
    pixel = torch.arange(size, dtype=torch.float64)
    stop = torch.minimum(edges[1:, None], pixel + 1)
    start = torch.maximum(edges[:-1, None], pixel)
    return ((stop - start).clamp(min=0) * (side / size)).float()


_TO_YCBCR = torch.from_numpy(rgb_to_ycbcr(torch.eye(3).numpy()).T.copy()) - torch.tensor(
    [[0.0], [128], [128]]
)
"""(3, 3): the linear part of the conversion, from the one place where its numbers stand."""

_FROM_YCBCR = torch.linalg.inv(_TO_YCBCR.double()).float()
_OFFSET = torch.tensor([0, 128 / 255, 128 / 255])[:, None, None]


def pixels_to_ycbcr(pixels: Tensor) -> Tensor:
    """(batch, 3, rows, columns) RGB 0..1 -> full-range Y, Cb, Cr 0..1, gray at 128/255."""
    return torch.einsum("oi,birc->borc", _TO_YCBCR.to(pixels), pixels) + _OFFSET.to(pixels)


def ycbcr_to_pixels(ycbcr: Tensor) -> Tensor:
    """The inverse of pixels_to_ycbcr, not clamped."""
    return torch.einsum("oi,birc->borc", _FROM_YCBCR.to(ycbcr), ycbcr - _OFFSET.to(ycbcr))

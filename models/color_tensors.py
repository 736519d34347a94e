"""RGB and full-range YCbCr as float tensors, for networks that see Y, Cb and Cr of the decoded picture."""

import torch
from torch import Tensor

from models.jpeg.color import rgb_to_ycbcr

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

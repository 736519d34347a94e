"""Degrading patches quickly: the same pixels as degrade() gives, without a JpegImage around them."""

import numpy as np

from models.images import RgbImage
from models.jpeg.degradation import Degradation, Save, first_channel
from models.jpeg.tables import QuantizationTable, quantization_tables


def degrade_pixels(
    pixels: RgbImage, degradation: Degradation, *, gray: bool = False
) -> tuple[RgbImage, QuantizationTable, QuantizationTable | None]:
    """Degrade a small crop quickly.

    Args:
        pixels: (rows, columns, 3) uint8, or (rows, columns) uint8 for gray.
        degradation: the steps.
        gray: save the first of three equal channels as gray JPEG.

    Returns:
        (pixels, luma table, chroma table): (rows, columns, 3) uint8 and two (8, 8) int64 tables of the last
        save, read-only; the chroma table is None for gray.
    """
    current = first_channel(pixels) if gray else pixels
    for step in degradation.steps:
        current = _saved_and_opened(current, step) if isinstance(step, Save) else step.apply(current)
    luma_table, chroma_table = quantization_tables(degradation.last_save.quality_factor)
    if current.ndim == 3:
        return current, luma_table, chroma_table
    return np.repeat(current[..., None], 3, axis=2), luma_table, None


def _saved_and_opened(pixels: np.ndarray, save: Save) -> np.ndarray:
    """The same pixels as save.apply(pixels), in half the time: both call libjpeg-turbo, Pillow with detours."""
    import cv2  # late: who only opens files needs none of it

    rest = np.ascontiguousarray(save.apply_to_reference(pixels))
    settings = [cv2.IMWRITE_JPEG_QUALITY, save.quality_factor]
    if rest.ndim == 2:
        _, file = cv2.imencode(".jpg", rest, settings)
        return _decoded(file, cv2.IMREAD_GRAYSCALE)
    subsampling = f"IMWRITE_JPEG_SAMPLING_FACTOR_{save.subsampling.replace(':', '')}"
    settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, getattr(cv2, subsampling)]
    _, file = cv2.imencode(".jpg", cv2.cvtColor(rest, cv2.COLOR_RGB2BGR), settings)
    return _decoded(file, cv2.IMREAD_COLOR_RGB)


def _decoded(file: np.ndarray, flag: int) -> np.ndarray:
    import cv2

    pixels = cv2.imdecode(file, flag)
    assert pixels is not None  # it was encoded just now
    return pixels

"""Grain and sharpening, added to clean patches so that networks meet pictures as cameras and scanners make them."""

import cv2
import numpy as np

from models.images import RgbImage

WEAKEST_GRAIN, STRONGEST_GRAIN = 1.0, 8.0
"""Standard deviation in levels of 0..255 where grain is strongest."""
COARSEST_GRAIN = 0.8
"""Standard deviation in pixels of the blur that makes grains larger than a pixel."""
MOST_SHARPENED = 1.2
SHARPENING_RADII = 0.5, 1.2
"""Standard deviation in pixels of the blur that an unsharp mask subtracts."""


def as_scanned(pixels: RgbImage, rng: np.random.Generator) -> RgbImage:
    """Grain, sharpening, or first the one and then the other, of a strength drawn at random.

    Args:
        pixels: (rows, columns, 3) uint8.
        rng: draws what is done.

    Returns:
        The same shape and type.
    """
    picture = pixels.astype(np.float32)
    kind = rng.random()
    if kind < 0.75:
        picture += _grain(picture, rng)
    if kind > 0.45:
        blurred = cv2.GaussianBlur(picture, (0, 0), rng.uniform(*SHARPENING_RADII))
        picture += rng.uniform(0.2, MOST_SHARPENED) * (picture - blurred)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _grain(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise of (rows, columns, 3): film's is strongest in the middle grays, a sensor's grows with the light."""
    colored = rng.uniform(0, 0.7)
    noise = (1 - colored) * rng.standard_normal((*picture.shape[:2], 1), np.float32)
    noise = noise + colored * rng.standard_normal(picture.shape, np.float32)
    if (size := rng.uniform(0, COARSEST_GRAIN)) > 0.3:
        noise = cv2.GaussianBlur(noise, (0, 0), size)
    light = picture.mean(2, keepdims=True) / 255
    strength = 2 * np.sqrt(light * (1 - light)) if rng.random() < 0.5 else np.sqrt(0.1 + 0.9 * light)
    deviation = np.exp(rng.uniform(np.log(WEAKEST_GRAIN), np.log(STRONGEST_GRAIN)))
    return deviation * (0.3 + 0.7 * strength) * noise / noise.std()

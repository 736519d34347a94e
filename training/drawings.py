"""Pictures drawn by the program, so that networks also meet text, line art and flat colour."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.images import RgbImage

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?()+-=%&"


def draw_picture(rng: np.random.Generator, side: int = 512) -> RgbImage:
    """One picture of shapes and lines of text on a flat or shaded ground: (side, side, 3) uint8."""
    low, high = _color(rng), _color(rng)
    if rng.random() < 0.5:
        ramp = np.linspace(0, 1, side)[:, None, None]
        ground = (np.array(low) * (1 - ramp) + np.array(high) * ramp).repeat(side, 1)
        if rng.random() < 0.5:
            ground = ground.transpose(1, 0, 2)
    else:
        ground = np.full((side, side, 3), low if rng.random() < 0.5 else (255, 255, 255))
    picture = Image.fromarray(np.ascontiguousarray(ground).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(4, 24))):
        _draw_shape(pen, rng, side)
    row = int(rng.integers(0, 40))
    while row < side:
        size = int(rng.integers(9, 40))
        text = "".join(rng.choice(list(_LETTERS + "      "), int(rng.integers(8, 70))))
        pen.text((int(rng.integers(-20, side // 3)), row), text, _color(rng), ImageFont.load_default(size))
        row += int(size * rng.uniform(1.1, 3))
    return np.asarray(picture)


def _color(rng: np.random.Generator) -> tuple[int, int, int]:
    if rng.random() < 0.4:
        gray = int(rng.choice([0, 20, 40, 220, 255]))
        return gray, gray, gray
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue


def _draw_shape(pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int) -> None:
    left, top = (int(value) for value in rng.integers(-40, side, 2))
    width, height = (int(value) for value in rng.integers(4, side // 2, 2))
    box = (left, top, left + width, top + height)
    kind = rng.integers(0, 4)
    if kind == 0:
        pen.rectangle(box, fill=_color(rng))
    elif kind == 1:
        pen.ellipse(box, fill=_color(rng))
    elif kind == 2:
        pen.line(box, fill=_color(rng), width=int(rng.integers(1, 6)))
    else:
        pen.rectangle(box, outline=_color(rng), width=int(rng.integers(1, 5)))

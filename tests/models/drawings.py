"""Pictures that are no photographs, drawn for tests: each draws (rows, columns, 3) uint8 from a seed."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.images import RgbImage

ROWS, COLUMNS = 192, 232
_SHAPE = ROWS, COLUMNS


def _places() -> np.ndarray:
    return np.mgrid[:ROWS, :COLUMNS].astype(float)


def _gray(levels: np.ndarray) -> RgbImage:
    return np.repeat(np.clip(np.rint(levels), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def checkerboard(seed: int) -> RgbImage:
    """Two colors in squares of 1 to 4 pixels."""
    rng = np.random.default_rng(seed)
    rows, columns = _places()
    side = 1 + seed % 4
    squares = ((rows // side + columns // side) % 2).astype(int)
    return rng.integers(0, 256, (2, 3)).astype(np.uint8)[squares]


def screentone(seed: int) -> RgbImage:
    """Areas of dots at different pitches and angles, as manga has them."""
    rng = np.random.default_rng(seed)
    rows, columns = _places()
    ink = np.zeros(_SHAPE)
    for _ in range(4):
        pitch, angle, level = rng.uniform(2.3, 7), rng.uniform(0, np.pi), rng.uniform(-0.4, 0.5)
        along = (np.cos(angle) * columns + np.sin(angle) * rows) * 2 * np.pi / pitch
        across = (np.cos(angle) * rows - np.sin(angle) * columns) * 2 * np.pi / pitch
        dots = np.clip((np.cos(along) + np.cos(across) + 2 * level) * 2 + 0.5, 0, 1)
        center, radius = rng.uniform(0, 1, 2) * _SHAPE, rng.uniform(30, 90)
        inside = np.hypot(rows - center[0], columns - center[1]) < radius
        ink = np.where(inside, dots, ink)
    return _gray(255 * (1 - ink))


def pixel_art(seed: int) -> RgbImage:
    """A few colors in squares of 2, 4, 8 or 12 pixels, some of them in patches."""
    rng = np.random.default_rng(seed)
    side = (8, 4, 2, 12)[seed % 4]
    small = np.zeros((-(-ROWS // side), -(-COLUMNS // side)), int)
    for _ in range(40):
        top, left = rng.integers(0, small.shape[0]), rng.integers(0, small.shape[1])
        small[top : top + rng.integers(1, 7), left : left + rng.integers(1, 9)] = rng.integers(0, 9)
    large = small.repeat(side, axis=0).repeat(side, axis=1)[:ROWS, :COLUMNS]
    return rng.integers(0, 256, (9, 3)).astype(np.uint8)[large]


def interface(seed: int) -> RgbImage:
    """Text, buttons and lines on a plain ground."""
    rng = np.random.default_rng(seed)
    ground = int(rng.choice([18, 245, 255]))
    ink = 255 - ground
    picture = Image.new("RGB", (COLUMNS, ROWS), (ground,) * 3)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    for number in range(8):
        top = 6 + 23 * number
        draw.text((8, top), f"Option {rng.integers(1000)}: {'on' if number % 2 else 'off'}", (ink,) * 3, font)
        color = tuple(rng.integers(0, 256, 3).tolist())
        draw.rounded_rectangle((170, top, 215, top + 14), 6, fill=color)
        draw.line((0, top + 18, COLUMNS, top + 18), (abs(ground - 30),) * 3)
    return np.asarray(picture)


def chart(seed: int) -> RgbImage:
    """Curves and bars with a grid, smoothed at their edges."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (3 * COLUMNS, 3 * ROWS), "white")
    draw = ImageDraw.Draw(picture)
    for top in range(60, 3 * ROWS, 80):
        draw.line((0, top, 3 * COLUMNS, top), (205, 205, 205), 2)
    for number in range(7):
        color = tuple(rng.integers(0, 220, 3).tolist())
        left = 30 + 96 * number
        draw.rectangle((left, int(rng.integers(150, 500)), left + 50, 3 * ROWS - 30), fill=color)
        draw.line(
            [(x, 80 + 60 * number / 3 + rng.normal(0, 30)) for x in range(0, 3 * COLUMNS, 60)], color, 5
        )
    return np.asarray(picture.resize((COLUMNS, ROWS), Image.Resampling.LANCZOS))


def noise(seed: int) -> RgbImage:
    """White or Gaussian noise, in gray or in color."""
    rng = np.random.default_rng(seed)
    if seed % 2:
        return rng.integers(0, 256, (*_SHAPE, 3)).astype(np.uint8)
    return _gray(128 + rng.normal(0, 30, _SHAPE))


def grating(seed: int) -> RgbImage:
    """Waves, rings and rays of black and white, hard and soft."""
    rng = np.random.default_rng(seed)
    rows, columns = _places()
    away, angle = np.hypot(rows - 80, columns - 120), np.arctan2(rows - 80.3, columns - 120.2)
    phase = np.where(
        columns < 110, columns / rng.uniform(0.6, 2), np.where(rows < 90, away / 1.7, 24 * angle)
    )
    return _gray(127 + 127 * np.clip(np.sin(phase) * rng.uniform(1, 5), -1, 1))


def line_art(seed: int) -> RgbImage:
    """Black strokes on white."""
    rng = np.random.default_rng(seed)
    picture = Image.new("L", (2 * COLUMNS, 2 * ROWS), 255)
    draw = ImageDraw.Draw(picture)
    for _ in range(24):
        points = rng.uniform(0, 1, (4, 2)) * (2 * COLUMNS, 2 * ROWS)
        draw.line([tuple(point) for point in points], 0, int(rng.integers(2, 8)), joint="curve")
    return _gray(np.asarray(picture.resize((COLUMNS, ROWS), Image.Resampling.LANCZOS), float))


DRAWINGS = {
    draw.__name__: draw
    for draw in (checkerboard, screentone, pixel_art, interface, chart, noise, grating, line_art)
}

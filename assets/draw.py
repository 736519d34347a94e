"""Draws the studio's own example pictures, text.png and line-art.png: python assets/draw.py."""

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
PAPER, INK, RED, BLUE, GREEN, SAND = "#ffffff", "#14181c", "#c0272d", "#1d5f9e", "#2c7a4b", "#e9d8a6"

PARAGRAPH = (
    "A JPEG file keeps a photograph as blocks of eight by",
    "eight pixels. Each block is written as a sum of waves,",
    "and the fine waves are rounded away. Around letters",
    "that rounding is easy to see: grey ripples follow every",
    "stroke, because an edge needs all the waves at once.",
)


def text_picture() -> Image.Image:
    """Type in several sizes and colours, dark on light and light on dark."""
    picture = Image.new("RGB", (640, 448), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.text((32, 20), "Ringing", INK, ImageFont.load_default(64))
    draw.text((32, 96), "what rounding does to letters", RED, ImageFont.load_default(22))
    for i, line in enumerate(PARAGRAPH):
        draw.text((32, 140 + 26 * i), line, INK, ImageFont.load_default(19))
    draw.rectangle((0, 288, 640, 368), BLUE)
    draw.text((32, 300), "White on blue, the harder case", PAPER, ImageFont.load_default(28))
    draw.text((32, 338), "and small: 0123456789 abcdefghijklmnop", SAND, ImageFont.load_default(15))
    for i, size in enumerate((10, 12, 14, 17, 21)):
        draw.text((32 + 118 * i, 388), f"{size} px Aa", GREEN, ImageFont.load_default(size))
    return picture


def line_art_picture() -> Image.Image:
    """A harbour of flat colours, thin lines and a fan of rays, drawn four times too large and shrunk."""
    scale = 4
    picture = Image.new("RGB", (640 * scale, 448 * scale), "#dcecf5")
    draw = ImageDraw.Draw(picture)

    def at(*points: float) -> list[float]:
        return [point * scale for point in points]

    for i in range(48):
        angle = math.tau * i / 48
        draw.line(
            at(510, 110, 510 + 400 * math.cos(angle), 110 + 400 * math.sin(angle)), "#f3e3ae", 3 * scale
        )
    draw.ellipse(at(460, 60, 560, 160), "#f2b134", INK, 2 * scale)
    draw.rectangle(at(0, 300, 640, 448), "#2f7fa8")
    for row in range(6):
        for i in range(17):
            left = i * 40 - 20 * (row % 2)
            draw.arc(at(left, 310 + 24 * row, left + 40, 330 + 24 * row), 180, 360, "#bfe0ee", scale)
    for i, color in enumerate((RED, "#f4f1e8", GREEN, SAND, BLUE)):
        left, height = 20 + 62 * i, 90 + 35 * (i * 2 % 3)
        draw.rectangle(at(left, 300 - height, left + 58, 300), color, INK, 2 * scale)
        draw.polygon(
            at(left - 2, 300 - height, left + 29, 266 - height, left + 60, 300 - height),
            "#7b3f32",
            INK,
            2 * scale,
        )
        for window in range(height // 32):
            top = 308 - height + 30 * window
            draw.rectangle(at(left + 10, top, left + 24, top + 16), "#31475e", INK, scale)
            draw.rectangle(at(left + 34, top, left + 48, top + 16), "#31475e", INK, scale)
    draw.polygon(at(370, 318, 590, 318, 556, 358, 400, 358), RED, INK, 2 * scale)
    draw.line(at(470, 318, 470, 150), INK, 3 * scale)
    draw.polygon(at(476, 158, 476, 304, 570, 304), "#fdfbf4", INK, 2 * scale)
    draw.polygon(at(464, 176, 464, 304, 396, 304), "#fdfbf4", INK, 2 * scale)
    for i in range(5):
        draw.line(at(476, 180 + 24 * i, 496 + 15 * i, 180 + 24 * i), BLUE, scale)
    return picture.resize((640, 448), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    text_picture().save(HERE / "text.png", optimize=True)
    line_art_picture().save(HERE / "line-art.png", optimize=True)

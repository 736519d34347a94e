"""Draws the diagrams of the lessons from the engine's own numbers: python -m assets.draw_lessons."""

from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.images import luma
from models.jpeg import Degradation, Save, degrade, quantization_tables, read
from models.jpeg.color import rgb_to_ycbcr, upsample_chroma, ycbcr_to_rgb
from models.jpeg.dct import BLOCK, forward_dct, plane_to_blocks
from models.jpeg.encoder_planes import encoder_coefficients
from studio.session.examples import example

FOLDER = Path(__file__).resolve().parent / "lessons"
WIDTH = 480
STYLE = """
text { font: 14px system-ui, -apple-system, "Segoe UI", Arial, sans-serif; fill: #5d6063; }
.strong { fill: #1b1c1d; }
.line { stroke: #b5b5b1; fill: none; }
.accent { fill: #0f6f78; }
.accent-line { stroke: #0f6f78; fill: none; }
.soft { fill: #dcecee; }
@media (prefers-color-scheme: dark) {
  text { fill: #a3a8ab; }
  .strong { fill: #e7e8e8; }
  .line { stroke: #53575b; }
  .accent { fill: #35a3ae; }
  .accent-line { stroke: #35a3ae; }
  .soft { fill: #17383c; }
}"""
"""For readers outside the studio; the page replaces it by its own colors."""


def svg(name: str, height: int, description: str, *parts: str) -> None:
    """Write one diagram."""
    body = "\n".join(parts)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    text = f"{head}\n<title>{escape(description)}</title>\n<style>{STYLE}\n</style>\n{body}\n</svg>\n"
    (FOLDER / f"{name}.svg").write_text(text, "utf-8")


def rectangle(x: float, y: float, width: float, height: float, attributes: str) -> str:
    """A rectangle."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" {attributes}/>'


def words(x: float, y: float, text: str, attributes: str = "") -> str:
    """A line of text that begins at x on the base line y."""
    return f'<text x="{x:g}" y="{y:g}" {attributes}>{escape(text)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, attributes: str = 'class="line"') -> str:
    """A straight line."""
    return f'<path d="M{x1:g} {y1:g}L{x2:g} {y2:g}" {attributes}/>'


def grays(plane: NDArray, x: float, y: float, side: float) -> list[str]:
    """A plane as squares of its gray values."""
    return [
        rectangle(x + column * side, y + row * side, side, side, f'fill="rgb({v},{v},{v})"')
        for row, values in enumerate(np.rint(plane).astype(int).tolist())
        for column, v in enumerate(values)
    ]


def grid(x: float, y: float, side: float, rows: int, columns: int, attributes: str) -> str:
    """Lines around rows x columns squares."""
    across = "".join(f"M{x:g} {y + row * side:g}h{columns * side:g}" for row in range(rows + 1))
    down = "".join(f"M{x + column * side:g} {y:g}v{rows * side:g}" for column in range(columns + 1))
    return f'<path d="{across}{down}" {attributes}/>'


def block_diagram() -> None:
    """Part of the coffee as whole blocks, and one block enlarged to its pixels."""
    plane = luma(read(example("coffee").read_bytes()).pixels)
    blocks = plane_to_blocks(plane)[2:11, 22:32]
    chosen = 3, 3
    one = blocks[chosen]
    side, left, top, right = 20, 8, 8, 268
    parts = grays(blocks.mean(axis=(2, 3)), left, top, side)
    parts.append(grid(left, top, side, 9, 10, 'class="line"'))
    parts += grays(one, right, top, 22.5)
    parts.append(grid(right, top, 22.5, 8, 8, 'class="line"'))
    x, y = left + chosen[1] * side, top + chosen[0] * side
    box = rectangle(x, y, side, side, 'class="accent-line" stroke-width="2.5"')
    frame = rectangle(right, top, 180, 180, 'class="accent-line" stroke-width="2.5"')
    links = line(x + side, y, right, top, 'class="accent-line"')
    links += line(x + side, y + side, right, top + 180, 'class="accent-line"')
    labels = [words(left, 210, "the picture, cut into blocks"), words(right, 210, "one block and its pixels")]
    svg("block", 220, "A grid of blocks, and one of them enlarged", *parts, links, box, frame, *labels)


def dots(values: NDArray, x: float, side: float) -> list[str]:
    """An 8x8 table as dots that grow with the magnitude, but slowly, so that small ones stay visible."""
    parts = [grid(x, 8, side, 8, 8, 'class="line"')]
    radii = np.cbrt(np.abs(values) / 800).clip(0, 1) * side * 0.48
    for (row, column), radius in np.ndenumerate(radii):
        if abs(values[row, column]) >= 0.5:
            centre = f'cx="{x + (column + 0.5) * side:g}" cy="{8 + (row + 0.5) * side:g}"'
            parts.append(f'<circle {centre} r="{radius:.1f}" class="accent"/>')
    return parts


def quantization_diagram() -> None:
    """The block of the cat's eye before and after quantization, as the lesson opens it."""
    original = read(example("chelsea").read_bytes()).pixels
    degraded = degrade(original, Degradation((Save(10),)))
    before = encoder_coefficients(original, 0)[12, 21]
    luma_part = degraded.image.components[0]
    after = luma_part.coefficients[12, 21] * luma_part.quantization_table
    side = 23
    parts = [*dots(before, 8, side), *dots(after, 288, side)]
    arrow = line(208, 100, 272, 100, 'class="accent-line" stroke-width="2"')
    arrow += '<path d="M266 94l7 6-7 6" class="accent-line" stroke-width="2"/>'
    labels = [
        words(240, 84, "divide,", 'text-anchor="middle"'),
        words(240, 124, "round", 'text-anchor="middle"'),
    ]
    labels += [words(8, 212, "slow waves top left,"), words(8, 230, "fine ones bottom right")]
    labels += [words(288, 212, "what the file keeps")]
    svg("quantization", 240, "Coefficients before and after rounding", *parts, arrow, *labels)


def chroma_diagram() -> None:
    """A row of pixels across a thin red line: original, luma, chroma, and both together."""
    white, red = (255, 255, 255), (192, 39, 45)
    row = np.array([white] * 5 + [red] * 2 + [white] * 5, np.uint8)
    ycbcr = rgb_to_ycbcr(row)
    chroma = ycbcr[:, 1:].reshape(-1, 2, 2).mean(axis=1)
    wide = np.stack([upsample_chroma(chroma[:, i][None], 1, len(row))[0] for i in (0, 1)], axis=-1)
    together = ycbcr_to_rgb(np.concatenate([ycbcr[:, :1], wide], axis=1))
    bare = ycbcr_to_rgb(np.concatenate([np.full((len(chroma), 1), 170.0), chroma], axis=1))
    side, left = 27, 148
    rows = [
        ("original", row),
        ("brightness", np.repeat(ycbcr[:, :1], 3, axis=1)),
        ("color", bare),
        ("together", together),
    ]
    parts = []
    for i, (name, colors) in enumerate(rows):
        top, width = 8 + i * 40, side * len(row) / len(colors)
        parts.append(words(8, top + 19, name))
        for place, (r, g, b) in enumerate(np.clip(np.rint(colors), 0, 255).astype(int).tolist()):
            look = f'class="line" style="fill:rgb({r},{g},{b})"'
            parts.append(rectangle(left + place * width, top, width, 28, look))
    svg("chroma", 166, "A thin red line, in brightness and in color", *parts)


def ringing_diagram() -> None:
    """A clean block of paper beside a block with an edge, and what quantization leaves of the edge."""
    samples = np.array([255.0] * 3 + [20.0] * 5)
    table = quantization_tables(10)[0]
    kept = np.rint(forward_dct(np.tile(samples - 128, (BLOCK, 1))) / table)[0] * table[0]
    place = np.linspace(0, BLOCK, 161)
    scale = np.where(np.arange(BLOCK) == 0, np.sqrt(1 / BLOCK), np.sqrt(2 / BLOCK)) / np.sqrt(BLOCK)
    waves = np.cos(np.pi * np.outer(place, np.arange(BLOCK)) / BLOCK)
    curve = waves @ (kept * scale) + 128
    left, side = 16, 28

    def at(pixel: float, level: float) -> str:
        return f"{left + pixel * side:.1f} {26 + (255 - level) * 0.5:.1f}"

    step = f'<path d="M{at(0, 255)}L{at(11, 255)}L{at(11, 20)}L{at(16, 20)}" class="line" stroke-width="6"/>'
    points = "L".join(at(BLOCK + x, level) for x, level in zip(place, curve, strict=True))
    rest = f'<path d="M{at(0, 255)}L{at(8, 255)}L{points}" class="accent-line" stroke-width="2.5"/>'
    border = line(left + 8 * side, 4, left + 8 * side, 166, 'class="accent-line" stroke-dasharray="3 4"')
    labels = [words(left, 188, "the block beside it: clean")]
    labels += [words(left + 8 * side + 8, 188, "the block with the edge")]
    labels += [words(left, 60, "white paper"), words(left + 12 * side, 122, "black ink")]
    svg("ringing", 198, "A step and what remains of its waves", step, rest, border, *labels)


def twice_diagram() -> None:
    """The grids of two saves, aligned and shifted by half a block."""
    side, parts = 32, []
    for x, shift, label in ((8, 0, "same grid: nothing new"), (264, side / 2, "shifted: all blocks are new")):
        parts.append(rectangle(x, 8, side * 6, side * 4, 'class="soft"'))
        parts.append(grid(x, 8, side, 4, 6, 'class="line" stroke-width="3"'))
        second = grid(
            x + shift,
            8 + shift,
            side,
            4 - bool(shift),
            6 - bool(shift),
            'class="accent-line" stroke-width="1.5"',
        )
        parts += [second, words(x, 162, label)]
    parts += [line(8, 188, 40, 188, 'class="line" stroke-width="3"'), words(48, 193, "first save")]
    parts += [
        line(150, 188, 182, 188, 'class="accent-line" stroke-width="1.5"'),
        words(190, 193, "second save"),
    ]
    svg("twice", 204, "The grids of two saves, aligned and shifted", *parts)


def network_diagram() -> None:
    """The steps of one coefficient, the cell that the file names, the truth and a guess inside it."""
    step, left, low, y = 80, 24, -120, 84

    def at(value: float) -> float:
        return left + (value - low) * 432 / 240

    parts = [rectangle(at(-40), y - 26, at(40) - at(-40), 52, 'class="soft"'), line(at(-120), y, at(120), y)]
    for value in (-step, 0, step):
        parts.append(line(at(value), y - 10, at(value), y + 10, 'class="line" stroke-width="2"'))
        parts.append(words(at(value), y + 48, f"{value:d}".replace("-", "−"), 'text-anchor="middle"'))
    for value, look in ((31, 'class="strong"'), (12, 'class="accent"')):
        parts.append(f'<circle cx="{at(value):g}" cy="{y}" r="7" {look}/>')
    parts.append(line(at(31), y - 10, at(31), 40) + words(at(31) - 4, 32, "the truth", 'class="strong"'))
    parts.append(line(at(12), y - 10, at(12), 40))
    parts.append(words(at(12) + 4, 32, "the network’s guess", 'text-anchor="end"'))
    parts.append(
        words(at(0), y + 72, "the file says 0, so everything in here was possible", 'text-anchor="middle"')
    )
    svg("network", 168, "One coefficient: what the file says, the truth, and a guess", *parts)


def main() -> None:
    """Draw them all."""
    for draw in (
        block_diagram,
        quantization_diagram,
        chroma_diagram,
        ringing_diagram,
        twice_diagram,
        network_diagram,
    ):
        draw()


if __name__ == "__main__":
    main()

"""Where the 8x8 blocks of a picture lie in what people see: after trimming between saves, and after turning upright."""

from dataclasses import asdict, dataclass
from typing import Any

from models.jpeg import Degradation, JpegImage, Save

BLOCK = 8
_CHROMA_BLOCKS = {"4:4:4": (8, 8), "4:2:2": (8, 16), "4:2:0": (16, 16)}
"""Rows and columns of luma that one 8x8 block of chroma covers."""


@dataclass(frozen=True)
class BlockGrid:
    """One grid over the upright picture.

    Attributes:
        name: what has these blocks, for people.
        row, column: where one of its lines lies, in pixels from the top left; the 8x8 blocks of luma begin every
            8 pixels from there, those of chroma every chroma_rows and chroma_columns.
        chroma_rows, chroma_columns: pixels that one block of chroma covers; 8 where it is as fine as luma.
    """

    name: str
    row: int
    column: int
    chroma_rows: int = BLOCK
    chroma_columns: int = BLOCK

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


def grids_of(image: JpegImage, degradation: Degradation | None) -> tuple[BlockGrid, ...]:
    """The grid the file has now, and those of earlier saves that lie elsewhere.

    Args:
        image: the degraded picture, or the photograph where it is kept as it is.
        degradation: what was done to the photograph; None where it is kept.
    """
    last = _own_grid(image, "the file's blocks" if degradation is None else "last save")
    earlier = _earlier_grids(degradation, gray=image.is_gray) if degradation else []
    seen, grids = {_phase(last)}, [last]
    for grid in earlier:
        if _phase(grid) not in seen:
            seen.add(_phase(grid))
            grids.append(grid)
    return tuple(grids)


def turn_of(image: JpegImage) -> dict[str, bool]:
    """How the upright picture is turned back into the file's own grid: first flipped, then its axes swapped."""
    return {
        "flip_rows": image.orientation in (3, 4, 7, 8),
        "flip_columns": image.orientation in (2, 3, 6, 7),
        "swap": image.orientation >= 5,
    }


def _own_grid(image: JpegImage, name: str) -> BlockGrid:
    """Blocks begin at the top left corner of decoded_pixels; a flip counts them from the other side."""
    if not image.saved_as_jpeg:
        name = "blocks counted from the corner, this is no JPEG"
    chroma, turn = _chroma_block(image), turn_of(image)
    if turn["swap"]:
        chroma = chroma[::-1]
    rows, columns = image.pixels.shape[:2]
    return BlockGrid(
        name,
        rows % chroma[0] if turn["flip_rows"] else 0,
        columns % chroma[1] if turn["flip_columns"] else 0,
        *chroma,
    )


def _chroma_block(image: JpegImage) -> tuple[int, int]:
    """Rows and columns of the file's own grid that one block of chroma covers; as luma's where it is no multiple."""
    if image.header is None or len(image.header.components) < 3:
        return BLOCK, BLOCK
    luma, chroma = image.header.components[:2]
    ratios = luma.vertical / chroma.vertical, luma.horizontal / chroma.horizontal
    rows, columns = (BLOCK * int(ratio) if ratio >= 1 and ratio.is_integer() else BLOCK for ratio in ratios)
    return rows, columns


def _earlier_grids(degradation: Degradation, *, gray: bool) -> list[BlockGrid]:
    """Grids of all saves but the last, newest first; none from before a resize, which stretches them."""
    saves = degradation.saves
    grids, number, shift = [], len(saves), (0, 0)
    for step in reversed(degradation.steps):
        if not step.keeps_grid:
            break
        if not isinstance(step, Save):
            continue
        chroma = (BLOCK, BLOCK) if gray else _CHROMA_BLOCKS[step.subsampling]
        rows, columns = (-shift[axis] % chroma[axis] for axis in (0, 1))
        grids.append(BlockGrid(_save_name(number, len(saves)), rows, columns, *chroma))
        number, shift = number - 1, (shift[0] + step.grid_shift[0], shift[1] + step.grid_shift[1])
    return grids[1:]


def _save_name(number: int, count: int) -> str:
    return "first save" if count == 2 else f"save {number}"


def _phase(grid: BlockGrid) -> tuple[int, int]:
    return grid.row % BLOCK, grid.column % BLOCK

"""Measured rows as lines of a terminal."""

from collections.abc import Iterable

from training.scoring import DO_NOTHING, Row
from training.uncompressed import ChangeRow

WIDTHS = {
    "PSNR": 7,
    "gain": 7,
    "worst": 7,
    "worse": 7,
    "SSIM": 8,
    "PSNR-B": 8,
    "QF error": 10,
    "MMAC/px": 9,
    "M param": 9,
    "MP/s": 8,
    "ms/MP": 8,
    "x decode": 10,
    "peak MB": 9,
}
"""Headings of the numbers and the widths of their columns."""


def heading(first: str, width: int) -> str:
    """The headings; `first` is that of the column of names, `width` characters wide."""
    return _line(first, width, WIDTHS)


def row_line(row: Row, first: str, width: int) -> str:
    """One row under the heading, named `first`; with the worst picture, the stages and the network without its guard
    where a model did something.
    """
    line = _line(
        first,
        width,
        [
            f"{row.psnr_db:.2f}",
            f"{row.gain_db:+.2f}",
            f"{row.worst_gain_db:+.2f}",
            f"{row.share_worse:.0%}",
            f"{row.ssim:.4f}",
            f"{row.psnr_b_db:.2f}",
            "–" if row.quality_factor_error is None else f"{row.quality_factor_error:.2f}",
            f"{row.mmac_per_pixel:.3f}",
            f"{row.parameters / 1e6:.3f}",
            f"{row.megapixels_per_second:.2f}",
            f"{row.milliseconds_per_megapixel:.0f}",
            f"{row.times_plain_decoding:.1f}",
            f"{row.peak_memory_mb:.0f}",
        ],
    )
    if row.model == DO_NOTHING:
        return line
    stages = ", ".join(f"{value:.2f}" for value in row.stage_psnr_db)
    told = [f"worst: {row.worst_image}"] + [f"stages: {stages}"] * bool(stages)
    if row.unguarded_psnr_db is not None:
        told.append(
            f"unguarded: {row.unguarded_psnr_db:.2f}, {row.unguarded_gain_db:+.2f}, "
            f"worst {row.unguarded_worst_gain_db:+.2f}, {row.unguarded_share_worse:.0%} worse"
        )
    return f"{line}   {'; '.join(told)}"


def change_line(row: ChangeRow) -> str:
    """What a model changed in pictures that were never compressed."""
    unguarded = row.unguarded_largest_change
    return (
        f"{row.model}, never compressed, {row.images} pictures: mean squared change {row.mean_squared_change:.4f} "
        f"({row.psnr_db:.2f} dB), at most {row.largest_change} grey levels"
        f"{'' if unguarded is None else f' (unguarded {unguarded})'}, {row.share_unchanged:.0%} unchanged; "
        f"cost {row.cost_db:.3f} dB, at worst {row.worst_cost_db:.3f} dB ({row.worst_image})"
    )


def _line(first: str, width: int, cells: Iterable[str]) -> str:
    numbers = zip(cells, WIDTHS.values(), strict=True)
    return first.ljust(width) + "".join(cell.rjust(column) for cell, column in numbers)

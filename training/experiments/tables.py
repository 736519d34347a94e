"""The numbers behind a figure as a Markdown table, one row per model under that of plain decoding."""

from collections.abc import Mapping, Sequence
from typing import Any

from training.evaluation.scoring import DO_NOTHING
from training.evaluation.style import weakest_first
from training.evaluation.tables import MISSING, markdown

Row = Mapping[str, Any]


def gains(rows: Sequence[Row]) -> list[tuple[str, float]]:
    """(model, gain in dB) of every row that is a model's."""
    return [(row["model"], row["gain_db"]) for row in rows if row["model"] != DO_NOTHING]


def table_of_gains(
    rows: Sequence[Row], columns: Sequence[tuple[str, Row]], *, title: str = "gain in dB"
) -> str:
    """PSNR of plain decoding, then every model's gain over it.

    Args:
        rows: of an analysis, with "model", "psnr_db" and "gain_db".
        columns: headings, and the entries of the rows that belong under them.
        title: heading of the first column.
    """
    plain = [_entry(rows, DO_NOTHING, where) for _, where in columns]
    lines = [["plain decoding, PSNR", *(f"{row['psnr_db']:.2f}" if row else MISSING for row in plain)]]
    for model in weakest_first(gains(rows)):
        found = [_entry(rows, model, where) for _, where in columns]
        lines.append([name_of(rows, model), *(signed(row["gain_db"]) if row else MISSING for row in found)])
    return "\n".join(markdown([title, *(heading for heading, _ in columns)], lines))


def name_of(rows: Sequence[Row], model: str) -> str:
    """How tables call a model: its title where it has one, being no checkpoint, else its name as code."""
    title = next((row["title"] for row in rows if row["model"] == model and "title" in row), None)
    return title or f"`{model}`"


def signed(gain_db: float) -> str:
    """Two decimals with a sign; no minus before zero."""
    return f"{round(gain_db, 2) + 0.0:+.2f}"


def _entry(rows: Sequence[Row], model: str, where: Row) -> Row | None:
    matches = (row for row in rows if row["model"] == model)
    return next((row for row in matches if all(row[name] == value for name, value in where.items())), None)

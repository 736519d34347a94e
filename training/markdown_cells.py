"""Cells and lines of Markdown tables: figures with a true minus sign, and a dash for what is not known."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MISSING = "–"


def markdown(heading: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """A table's lines, numbers to the right; nothing where there is no line below the heading."""
    lines, rule = list(lines), ["---", *["---:"] * (len(heading) - 1)]
    return ["| " + " | ".join(line) + " |" for line in (heading, rule, *lines)] if lines else []


def figures(
    rows: Mapping[Any, Mapping[str, Any]],
    keys: Iterable[Any],
    name: str = "psnr_db",
    sign: str = "",
    digits: int = 2,
) -> list[str]:
    """One figure of each row; MISSING where there is no row."""
    return [number(rows.get(key), name, sign, digits) for key in keys]


def number(row: Mapping[str, Any] | None, name: str, sign: str = "", digits: int = 2) -> str:
    """One figure of a row; MISSING where there is no row."""
    return figure(row.get(name) if row else None, sign, digits)


def figure(value: float | None, sign: str = "", digits: int = 2) -> str:
    """With a true minus sign; MISSING for None."""
    return MISSING if value is None else f"{value:{sign}.{digits}f}".replace("-", "−")


def percent(row: Mapping[str, Any] | None, name: str) -> str:
    """A share 0..1 of a row; MISSING where there is no row."""
    return MISSING if row is None else f"{row[name]:.0%}"

"""Command line: put the measured scores of all checkpoints into the documents, between two marks.

python -m training.report README.md docs/results.md
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.errors import InvalidSetting, RestorationError
from training.scoring import DO_NOTHING

BEGIN, END = "<!-- measured: python -m training.report -->", "<!-- end of measured -->"
DEFAULT_CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"


def measured_table(checkpoints: Path) -> str:
    """A Markdown table of PSNR by quality factor, one row per checkpoint, under the do-nothing row.

    Args:
        checkpoints: holds <name>/scores.json, as evaluate --scores writes them.

    Raises:
        InvalidSetting: no scores yet, or scores of different pictures or conventions.
    """
    reports = {
        path.parent.name: json.loads(path.read_text()) for path in sorted(checkpoints.glob("*/scores.json"))
    }
    measured = {(report["data"], report["convention"], report["blind"]) for report in reports.values()}
    if len(measured) != 1:
        raise InvalidSetting(
            f"The scores in {checkpoints} were measured in {len(measured)} ways. One way for all is needed. "
            "Run python -m training.evaluate --scores for all models at once."
        )
    data, convention, blind = measured.pop()
    singles = {name: _single_saves(report, name) for name, report in reports.items()}
    nothing = _single_saves(next(iter(reports.values())), DO_NOTHING)
    factors = sorted(nothing)
    order = sorted(singles, key=lambda name: singles[name][factors[0]]["psnr_db"])
    lines = [
        f"{data}, PSNR in dB at quality factors {', '.join(map(str, factors))}; the networks "
        f"{'do not see' if blind else 'see'} the files' quantization tables. {convention}",
        "",
        "| model | parameters | MMAC/px | " + " | ".join(f"QF{factor}" for factor in factors) + " | MP/s |",
        "|---" * (len(factors) + 4) + "|",
        _line("plain decoding", nothing, factors),
        *(_line(f"`{name}`", singles[name], factors) for name in order),
    ]
    return "\n".join(lines)


def _single_saves(report: dict[str, Any], model: str) -> dict[int, dict[str, Any]]:
    return {
        row["quality_factor"]: row
        for row in report["rows"]
        if row["model"] == model and row["quality_factor"] is not None and row["double"] is None
    }


def _line(title: str, rows: dict[int, dict[str, Any]], factors: Sequence[int]) -> str:
    first = rows[factors[0]]
    size = f"{first['parameters'] / 1e6:.2f} M" if first["parameters"] else "–"
    cost = f"{first['mmac_per_pixel']:.3f}" if first["parameters"] else "–"
    speed = f"{first['megapixels_per_second']:.2f}" if first["parameters"] else "–"
    cells = [title, size, cost, *(f"{rows[factor]['psnr_db']:.2f}" for factor in factors), speed]
    return "| " + " | ".join(cells) + " |"


def insert(document: str, table: str) -> str:
    """The document with the table between BEGIN and END.

    Raises:
        InvalidSetting: the marks are missing.
    """
    before, found_begin, rest = document.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not (found_begin and found_end):
        raise InvalidSetting(
            f"The document has no place for the table. A line {BEGIN} and a line {END} are needed. Add them."
        )
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.report", description=__doc__.splitlines()[0])
    parser.add_argument("documents", type=Path, nargs="+")
    parser.add_argument("--checkpoints", type=Path, default=DEFAULT_CHECKPOINTS)
    options = parser.parse_args(arguments)
    try:
        table = measured_table(options.checkpoints)
        for path in options.documents:
            path.write_text(insert(path.read_text(encoding="utf-8"), table), encoding="utf-8")
    except (RestorationError, OSError) as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

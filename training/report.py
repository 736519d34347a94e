"""Command line: put tables of all scores, printed figures and trainings into documents, between named marks.

python -m training.report README.md docs/results.md
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from models.command_line import begin
from models.errors import InvalidSetting, RestorationError
from models.places import shipped
from training.evaluation.harm_tables import harm_table, kinds_table
from training.evaluation.measured_models import MeasuredModel, measured_models
from training.evaluation.protocols import PROTOCOLS
from training.evaluation.tables import (
    double_table,
    other_protocols_table,
    psnr_table,
    safety_table,
    similarity_table,
    training_table,
    untouched_table,
)

DEFAULT_CHECKPOINTS = shipped("checkpoints")
BEGIN, END = "<!-- table: {name} (python -m training.report) -->", "<!-- end of table -->"
PLACE = re.compile(
    re.escape(BEGIN).replace(r"\{name\}", r"(?P<name>[^()]+?)") + r"(?P<old>.*?)" + re.escape(END), re.DOTALL
)

TABLES: dict[str, Callable[[list[MeasuredModel]], str]] = {
    **{data: partial(psnr_table, data=data) for data in PROTOCOLS if data != "kinds"},
    **{f"harm on {data}": partial(harm_table, data=data) for data in PROTOCOLS},
    "kinds of pictures": kinds_table,
    "double saves": double_table,
    "SSIM and PSNR-B": similarity_table,
    "worst pictures": safety_table,
    "never compressed": untouched_table,
    "kinds, never compressed": partial(untouched_table, data="kinds"),
    "other protocols": other_protocols_table,
    "training budget": training_table,
}
"""Every table by the name in its marks."""


def filled(document: str, models: list[MeasuredModel]) -> str:
    """The document with every marked place filled anew.

    Args:
        document: Markdown with lines such as BEGIN and END.
        models: from measured_models().

    Raises:
        InvalidSetting: no place, one that never ends, or one of an unknown name.
    """

    def table(place: re.Match) -> str:
        name = place["name"]
        if name not in TABLES:
            raise InvalidSetting(
                f"A place for a table called {name!r} is marked. There are the tables {', '.join(TABLES)}. "
                "Correct the mark."
            )
        return f"{BEGIN.format(name=name)}\n{TABLES[name](models)}\n{END}"

    begun, text = document.count(BEGIN.split("{", 1)[0]), PLACE.sub(table, document)
    if not begun or begun != len(PLACE.findall(document)) or begun != document.count(END):
        raise InvalidSetting(
            f"{begun} places for tables begin in the document and {document.count(END)} end. At least one is needed, "
            f"each from a line {BEGIN.format(name='LIVE1')} to a line {END}. Add or correct them."
        )
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    begin()
    parser = argparse.ArgumentParser(
        prog="python -m training.report", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("documents", type=Path, nargs="+", help=f"marked with {BEGIN.format(name='NAME')}")
    parser.add_argument("--checkpoints", type=Path, default=DEFAULT_CHECKPOINTS)
    options = parser.parse_args(arguments)
    try:
        models = measured_models(options.checkpoints)
        for path in options.documents:
            path.write_text(filled(path.read_text(encoding="utf-8"), models), encoding="utf-8")
    except (RestorationError, OSError) as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

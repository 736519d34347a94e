"""Command line: measure restorers on folders of pictures, always beside the do-nothing row.

python -m training.evaluate --model cascade --data FOLDER --quality-factors 10 20 30 40
python -m training.evaluate --all --missing --data ../shared/data/benchmarks/LIVE1 ../shared/data/benchmarks/kinds
"""

from models.interrupts import end_at_signals, leave

if __name__ == "__main__":
    end_at_signals()  # before anything else is imported

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from models.command_line import add_common_options, begin, program
from models.errors import RestorationError
from models.places import shipped
from models.runtimes.names import add_runtime_option
from training.evaluation.protocols import COLORS, TABLES, DoubleSave


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; None takes the process's own.

    Returns:
        Exit code: 0, or 2 where something asked for is not possible.
    """
    begin()
    parser = _parser()
    asked = parser.parse_args(arguments)
    from training.evaluation.measure_all import measure_and_keep
    from training.evaluation.side_by_side import measure_side_by_side

    try:
        if asked.scores or asked.all:
            return measure_and_keep(asked)
        measure_side_by_side(asked)
    except (RestorationError, OSError) as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program("training.evaluate"),
        description="Measure restorers on pictures broken by JPEG, always beside plain decoding.",
    )
    add_common_options(parser, dry_run="say what would be measured, and end")
    add = parser.add_argument
    add("--model", action="append", metavar="NAME", help="a checkpoint or baseline; may be repeated")
    add("--data", type=Path, nargs="+", action="extend", metavar="FOLDER", help="clean pictures, broken here")
    add("--quality-factors", type=int, nargs="+", metavar="QF", help="single saves (default 10 20 30 40)")
    add("--quality-factors-444", type=int, nargs="+", default=[], metavar="QF", help="single saves at 4:4:4")
    add(
        "--tables",
        nargs="+",
        choices=TABLES,
        default=[],
        metavar="NAME",
        help=f"single saves with tables of no quality factor: {', '.join(TABLES)}",
    )
    add(
        "--double",
        action="append",
        type=_double,
        default=[],
        metavar="QF,QF,ROWS,COLUMNS",
        help='two saves with a grid shift between, such as "10,30,4,4"; may be repeated',
    )
    _add_what_is_compared(add)
    add_runtime_option(parser, "pytorch")
    return parser


def _add_what_is_compared(add: Callable[..., object]) -> None:
    """Options that say how pictures are handed over and what becomes of the results."""
    add("--uncompressed", action="store_true", help="also hand over the pictures of --data as they are")
    add("--input", type=Path, metavar="FOLDER", help="pictures compressed already, or folders of them")
    add("--reference", type=Path, metavar="FOLDER", help="the originals of --input, by the same names")
    add("--color", choices=COLORS, help="what is compared (default: the data set's protocol, else rgb)")
    add("--blind", action="store_true", help="hide the files' quantization tables from the networks")
    add("--self-ensemble", action="store_true", help="average over eight flips and rotations")
    add(
        "--slow-metrics",
        action="store_true",
        help="also the metrics that take longer than all others together",
    )
    add("--stages", type=int, metavar="N", help="stop after N stages")
    add("--limit", type=at_least_one, metavar="N", help="only the first N pictures")
    add("--checkpoints", type=Path, default=shipped("checkpoints"), metavar="FOLDER", help="of models")
    add("--device", help="cpu, cuda, cuda:1 or mps (default: the fastest there is)")
    add("--json", type=Path, metavar="FILE", help="write everything there")
    add(
        "--overwrite",
        action="store_true",
        help="with --json: replace the file also where it is no such report",
    )
    add("--scores", action="store_true", help="keep every result at once in each checkpoint's scores.json")
    add(
        "--all",
        action="store_true",
        help="like --scores, by the protocol of each data set, for every checkpoint or those of --model",
    )
    add(
        "--missing",
        action="store_true",
        help="with --scores or --all: only what present weights, guarded and unguarded, have no score of",
    )


def _double(text: str) -> DoubleSave:
    try:
        first, second, rows, columns = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no double save. Four whole numbers are needed: first and second quality factor, "
            'rows and columns of shift. Write for example "10,30,4,4".'
        ) from None
    return first, second, rows, columns


def at_least_one(text: str) -> int:
    """An argument that is a whole number from 1 on.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on. Give one, or leave it out.")
    return int(text)


def command() -> NoReturn:
    """The same as a program of its own."""
    end_at_signals()
    leave(main())


if __name__ == "__main__":
    command()

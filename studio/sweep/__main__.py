"""Sweeps one picture over quality factors from the command line, on the same engine as the page.

python -m studio.sweep INPUT -o points.csv --model cascade --model ar_cnn [--quality-factors 10 20 30] [--whole]
"""

from models.interrupts import end_at_signals, interrupt_at_signals, leave

if __name__ == "__main__":
    end_at_signals()  # before what takes long to import

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter

from models.baselines import PLAIN
from models.command_line import begin
from models.errors import RestorationError
from models.files import begins_with, check_output, write_whole
from models.places import shipped
from models.zoo import Zoo
from studio.batch.files import cannot_be_written, photograph_at
from studio.engine.cache import ResultCache
from studio.page.wording import seconds
from studio.session.crop import swept_picture
from studio.session.form import SUBSAMPLINGS, whole
from studio.sweep.files import MADE_BY, points_csv
from studio.sweep.run import SweepRun
from studio.sweep.sweeper import QualitySweep, Sweeper, SweepStep
from studio.sweep.words import measured_words


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; exits with usage where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m studio.sweep",
        description="Break a picture at many quality factors, repair, and measure.",
    )
    parser.add_argument(
        "input", type=Path, help="a picture of any supported format; its own pixels are the original"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="where the table goes, as CSV")
    parser.add_argument(
        "--model", action="append", required=True, help="name of a checkpoint; may be repeated"
    )
    parser.add_argument(
        "--quality-factors", type=int, nargs="+", default=list(range(10, 101, 10)), metavar="N"
    )
    parser.add_argument("--subsampling", choices=SUBSAMPLINGS, default="4:2:0")
    parser.add_argument("--whole", action="store_true", help="measure all of a large picture, not its middle")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the output also where it is no table of a sweep"
    )
    parser.add_argument("--device", default=None, help="cpu, cuda, cuda:1 or mps")
    parser.add_argument("--checkpoints", type=Path, default=shipped("checkpoints"))
    return parser.parse_args(arguments)


def sweep_file(arguments: argparse.Namespace) -> SweepRun:
    """Read, sweep, write the table.

    Raises:
        RestorationError: with a sentence for people.
    """
    check = partial(
        check_output,
        arguments.output,
        lambda path: begins_with(path, f"# {MADE_BY}: ".encode()),
        inputs=[arguments.input],
        overwrite=arguments.overwrite,
    )
    check()
    if not arguments.output.parent.is_dir():
        raise cannot_be_written(arguments.output, FileNotFoundError(2, "No such folder"))
    picture = swept_picture(photograph_at(arguments.input), "whole" if arguments.whole else "crop")
    factors = {whole(factor, 1, 100, "A quality factor") for factor in arguments.quality_factors}
    names = tuple(dict.fromkeys([PLAIN, *arguments.model]))
    sweep = QualitySweep(tuple(sorted(factors)), arguments.subsampling, names)
    sweeper = Sweeper(Zoo(arguments.checkpoints, arguments.device), ResultCache(max_bytes=0))
    run = SweepRun(picture, sweep)
    for item in sweeper.run(picture, sweep, run.stop):
        if not isinstance(item, SweepStep):
            run = run.with_item(item)
        elif sys.stderr.isatty():
            print(
                f"\r{item.job.model_name}: {item.done + 1} of {item.total}  ",
                end="",
                file=sys.stderr,
                flush=True,
            )
    run = replace(run, state="finished")
    check()  # again: a file may have appeared meanwhile
    try:
        write_whole(points_csv(run).encode("utf-8", "replace"), arguments.output)
    except OSError as error:
        raise cannot_be_written(arguments.output, error) from error
    return run


def main(arguments: list[str] | None = None) -> int:
    """0 where every point was measured, 1 where a model gave up, 2 with one sentence where nothing was."""
    begin()
    parsed = parse_arguments(arguments)
    began = perf_counter()
    interrupt_at_signals()
    try:
        run = sweep_file(parsed)
    except RestorationError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. Nothing was written.", file=sys.stderr)
        return 130
    if run.picture.notes:
        print(f"{parsed.input}: {'; '.join(run.picture.notes)}", file=sys.stderr)
    for failure in run.failures:
        print(failure.sentence, file=sys.stderr)
    took = seconds(perf_counter() - began)
    print(f"{parsed.output}: {len(run.points)} points of {measured_words(run.picture)}, {took}")
    return 1 if run.failures else 0


if __name__ == "__main__":
    leave(main())

"""Restores pictures from the command line, on the same engine as the page: one file, or folders of any size.

python -m studio.restore photo.jpg -o restored.png --model cascade [--quality-factor N | --blind] [--effort best]
python -m studio.restore FOLDER 'scans/**/*.jpg' -o DIR --model cascade --model ar_cnn [--report out.csv] [--engine ray]
"""

from models.interrupts import end_at_signals, interrupt_at_signals, leave

if __name__ == "__main__":
    end_at_signals()  # before anything else is imported

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from models.command_line import add_common_options, begin, program
from models.errors import InvalidSetting, RestorationError
from models.places import shipped
from models.runtimes.names import add_runtime_option

PIPE = "-"


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; exits with usage where it is wrong."""
    parser = argparse.ArgumentParser(
        prog=program("studio.restore"),
        description="Restore pictures. What is done already is skipped, so an interrupted command is simply repeated.",
        epilog="Exit code 0: all done; 1: some files failed, they are listed; 2: nothing could be done; 130: stopped.",
    )
    add_common_options(parser, dry_run="say what would be restored, and end")
    parser.add_argument(
        "pictures",
        nargs="+",
        metavar="PICTURE",
        help="files, folders, and quoted patterns such as 'scans/**/*.jpg'; - is standard input",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        help="a folder; for one picture and one model also a name in .png, or - for standard output",
    )
    parser.add_argument("--model", action="append", help="name of a checkpoint or baseline; may be repeated")
    guided = parser.add_mutually_exclusive_group()
    guided.add_argument("--quality-factor", type=int, default=None, help="1 to 100, set by hand")
    guided.add_argument("--blind", action="store_true", help="ignore the files' quantization tables")
    parser.add_argument("--stages", type=int, default=None, help="stop after that many stages")
    parser.add_argument(
        "--effort",
        choices=("quick", "standard", "best"),
        default="standard",
        help="quick: the first stage alone; best: the mean of eight orientations, eight times as long",
    )
    _add_steps(parser)
    parser.add_argument(
        "--reference", type=Path, metavar="DIR", help="clean pictures of the same names, to measure"
    )
    parser.add_argument(
        "--keep-exif", action="store_true", help="keep the camera's facts; the place never stays"
    )
    parser.add_argument(
        "--keep-icc",
        action="store_true",
        help="keep colour profiles; otherwise results are converted to sRGB",
    )
    parser.add_argument(
        "--keep-dates",
        action="store_true",
        help="give results the date at which their picture was last changed",
    )
    parser.add_argument(
        "--report", type=Path, help="settings, hashes, metrics of every result, as .csv or .json"
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace also files that this command did not make; never the pictures it reads",
    )
    _add_places_of_work(parser)
    parsed = parser.parse_args(arguments)
    parsed.model = list(dict.fromkeys(parsed.model or ["cascade"]))
    return parsed


def _add_steps(parser: argparse.ArgumentParser) -> None:
    """What is done to the pictures first, in the order of the words."""
    parser.add_argument(
        "--recompress",
        action="append",
        dest="steps",
        type="save={}".format,
        metavar="QUALITY[,SUBSAMPLING]",
        help="save the pictures as JPEG first, such as 30,4:2:0; may be repeated",
    )
    parser.add_argument(
        "--step",
        action="append",
        dest="steps",
        metavar="NAME=VALUE",
        help="do something else to them between two saves, such as resize=50 for half the width and height",
    )


def _add_places_of_work(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default=None, help="cpu, cuda, cuda:1 or mps")
    add_runtime_option(parser, "pytorch")
    parser.add_argument(
        "--checkpoints", type=Path, default=shipped("checkpoints"), help="folder with one folder per model"
    )
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="ray spreads over machines"
    )
    parser.add_argument(
        "--ray-address", metavar="HOST:PORT", help="of a Ray cluster; this machine alone without"
    )
    parser.add_argument(
        "--ray-workers", type=int, metavar="N", help="restorers at work at a time; 1 if not given"
    )


def main(arguments: list[str] | None = None) -> int:
    """See the epilog of --help for exit codes; mistakes are one sentence."""
    begin()
    parsed = parse_arguments(arguments)
    from studio.batch.command import INTERRUPTED, NOTHING_STARTED, STOPPED, printable, restore_pictures

    interrupt_at_signals()
    try:
        with _pipes(parsed):
            return restore_pictures(parsed)
    except RestorationError as error:
        print(printable(str(error)), file=sys.stderr)
        return NOTHING_STARTED
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        return INTERRUPTED


@contextlib.contextmanager
def _pipes(arguments: argparse.Namespace) -> Iterator[None]:
    """Put files in the place of standard input and output, and words on standard error where a picture goes out.

    Raises:
        InvalidSetting: more than one result for one pipe, or more than one picture from it.
    """
    reads, writes = arguments.pictures.count(PIPE), str(arguments.output) == PIPE
    if reads > 1 or (writes and (len(arguments.pictures) > 1 or len(arguments.model) > 1)):
        raise InvalidSetting(
            "A pipe was given with several pictures or models. One picture goes in by -, and one result comes out by "
            "-o -. Name files, and a folder for the results."
        )
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jpeg-restore-")))
        if reads:
            from models.jpeg.limits import MAX_BYTES

            (folder / "stdin").write_bytes(sys.stdin.buffer.read(MAX_BYTES + 1))
            arguments.pictures = [
                str(folder / "stdin") if word == PIPE else word for word in arguments.pictures
            ]
        if writes:
            arguments.output = folder / "restored.png"
        if arguments.quiet:
            nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
            stack.enter_context(contextlib.redirect_stdout(nowhere))
        elif writes:
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield
        if writes and arguments.output.is_file():
            assert sys.__stdout__ is not None  # None under pythonw alone, which has no pipes
            sys.__stdout__.buffer.write(arguments.output.read_bytes())
            sys.__stdout__.flush()


def command() -> int:
    """The same as a program of its own, which a picture that ends its process does not end."""
    end_at_signals()
    begin()
    parse_arguments()  # --help and mistakes are answered before anything large is imported
    from studio.batch.attempts import watched

    return watched(main)


if __name__ == "__main__":
    leave(command())

"""Restores pictures from the command line, on the same engine as the page: one file, or folders of any size.

python -m studio.restore photo.jpg -o restored.png --model cascade [--quality-factor N | --blind] [--stages N]
python -m studio.restore FOLDER 'scans/**/*.jpg' -o DIR --model cascade --model ar_cnn [--report out.csv] [--engine ray]
"""

from models.interrupts import end_at_signals, interrupt_at_signals, leave

if __name__ == "__main__":
    end_at_signals()  # before what takes long to import

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tqdm import tqdm

from models.errors import InvalidSetting, RestorationError
from models.jpeg import Degradation, JpegEncoding
from models.zoo import Zoo
from studio.background import Progress
from studio.batch.files import BatchPicture, FoundPictures, cannot_be_written, found_pictures, photograph_at
from studio.batch.on_ray import RayPlan, run_on_ray
from studio.batch.report import check_report_name, write_report
from studio.batch.run import BatchRestorer, BatchRow, BatchSettings, OnProgress, run_batch
from studio.settings import SUBSAMPLINGS, one_of, whole
from studio.views.facts import tables_say
from studio.views.results import tile_words
from studio.views.wording import seconds

CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"
ALL_DONE, SOME_FAILED, NOTHING_STARTED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""
STOPPED = "Stopped. Repeat the command to go on; what is done is skipped."
OTHER_FORMATS = (".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif")

Engine = Callable[[Sequence[BatchPicture], OnProgress], Iterator[list[BatchRow]]]
"""Gives the rows of each picture; hears of tiles where they are worked on here."""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; exits with usage where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m studio.restore",
        description="Restore pictures. What is done already is skipped, so an interrupted command is simply repeated.",
        epilog="Exit code 0: all done; 1: some files failed, they are listed; 2: nothing could be done; 130: stopped.",
    )
    parser.add_argument(
        "pictures",
        nargs="+",
        metavar="PICTURE",
        help="files, folders, and quoted patterns such as 'scans/**/*.jpg'",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        help="a folder; for one picture and one model also a name in .png",
    )
    parser.add_argument("--model", action="append", help="name of a checkpoint or baseline; may be repeated")
    guided = parser.add_mutually_exclusive_group()
    guided.add_argument("--quality-factor", type=int, default=None, help="1 to 100, set by hand")
    guided.add_argument("--blind", action="store_true", help="ignore the files' quantization tables")
    parser.add_argument("--stages", type=int, default=None, help="stop after that many stages")
    parser.add_argument(
        "--recompress",
        action="append",
        metavar="QUALITY[,SUBSAMPLING]",
        help="save the pictures as JPEG first, such as 30,4:2:0; may be repeated",
    )
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
        "--report", type=Path, help="settings, hashes, metrics of every result, as .csv or .json"
    )
    parser.add_argument("--device", default=None, help="cpu, cuda, cuda:1 or mps")
    parser.add_argument(
        "--checkpoints", type=Path, default=CHECKPOINTS, help="folder with one folder per model"
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
    parsed = parser.parse_args(arguments)
    parsed.model = list(dict.fromkeys(parsed.model or ["cascade"]))
    return parsed


def settings_of(arguments: argparse.Namespace) -> BatchSettings:
    """What is to be done with every file.

    Raises:
        RestorationError: naming the argument and what it takes.
    """
    factor, stages = arguments.quality_factor, arguments.stages
    saves = tuple(encoding_of(text) for text in arguments.recompress or ())
    return BatchSettings(
        tuple(arguments.model),
        Degradation(saves) if saves else None,
        "manual" if factor is not None else "pixels" if arguments.blind else "automatic",
        None if factor is None else whole(factor, 1, 100, "The quality factor"),
        None if stages is None else whole(stages, 1, 99, "The number of stages"),
        arguments.keep_exif,
        arguments.keep_icc,
    )


def encoding_of(text: str) -> JpegEncoding:
    """One save as people write it: "30" or "30,4:4:4".

    Raises:
        InvalidSetting: saying what is allowed.
    """
    quality, _, subsampling = text.partition(",")
    if not quality.strip().isdecimal():
        raise InvalidSetting(
            f"--recompress was given {text[:40]!r}. A quality factor from 1 to 100 is needed, and after a comma one of "
            f"{', '.join(SUBSAMPLINGS)} if you like. Write, for example, --recompress 30,4:2:0."
        )
    return JpegEncoding(
        whole(int(quality[:9]), 1, 100, "The quality factor of --recompress"),
        one_of(subsampling.strip() or "4:2:0", SUBSAMPLINGS, "The colour subsampling of --recompress"),
    )


def restore_pictures(arguments: argparse.Namespace) -> int:
    """Find, restore, report; the exit code.

    Raises:
        RestorationError: where nothing could be begun.
    """
    settings = settings_of(arguments)
    if arguments.report:
        check_report_name(arguments.report)
    output, found = _one_named(arguments) if _names_a_file(arguments.output) else _found(arguments)
    device = arguments.device if arguments.engine == "local" else "cpu"  # Ray's workers have their own
    restorer = BatchRestorer(Zoo(arguments.checkpoints, device), settings, output)
    restorer.check_models()
    engine: Engine = partial(run_batch, restorer)
    if arguments.engine == "ray":
        engine = _ray_engine(arguments, settings, output)
    rows, stopped = _worked_off(engine, found.pictures)
    rows += [BatchRow(word, "", "", "failed", sentence=sentence) for word, sentence in found.problems]
    if arguments.report:
        try:
            write_report(arguments.report, rows, settings)
        except OSError as error:
            raise cannot_be_written(arguments.report, error) from error
    return _told(rows, found, output, stopped)


def _ray_engine(arguments: argparse.Namespace, settings: BatchSettings, output: Path) -> Engine:
    workers = whole(arguments.ray_workers or 1, 1, 10_000, "The number of Ray's workers")
    plan = RayPlan(arguments.checkpoints, arguments.device, settings, output, arguments.ray_address, workers)
    return lambda pictures, on_progress: run_on_ray(plan, pictures)


def _names_a_file(output: Path) -> bool:
    return output.suffix.lower() in (".png", *OTHER_FORMATS) and not output.is_dir()


def _one_named(arguments: argparse.Namespace) -> tuple[Path, FoundPictures]:
    """The only picture, with the name its result shall have."""
    output: Path = arguments.output
    if output.suffix.lower() != ".png":
        raise InvalidSetting(
            f"The output is called {output.name}. Results are written as PNG only, because that is lossless. "
            "Give it a name that ends in .png, or name a folder."
        )
    if len(arguments.pictures) > 1 or len(arguments.model) > 1 or Path(arguments.pictures[0]).is_dir():
        raise InvalidSetting(
            f"The output is one file, {output.name}. That goes with one picture and one model. Name a folder to get "
            "all results."
        )
    source = Path(arguments.pictures[0])
    if not output.parent.is_dir():
        raise cannot_be_written(output, FileNotFoundError(2, "No such folder"))
    photograph = photograph_at(source)
    print(f"quality factor from the file's tables: {tables_say(photograph.image)}", file=sys.stderr)
    reference = None
    if arguments.reference:
        reference = found_pictures([str(source)], output, arguments.reference).pictures[0].reference
    return output.parent, FoundPictures((BatchPicture(source, source.stem, reference, output.name),), ())


def _found(arguments: argparse.Namespace) -> tuple[Path, FoundPictures]:
    found = found_pictures(arguments.pictures, arguments.output, arguments.reference)
    if not found.pictures:
        raise InvalidSetting(" ".join(sentence for _, sentence in found.problems))
    return arguments.output, found


def _worked_off(engine: Engine, pictures: Sequence[BatchPicture]) -> tuple[list[BatchRow], bool]:
    """All rows in the pictures' order, and whether somebody stopped the work."""
    place = {str(picture.source): index for index, picture in enumerate(pictures)}
    rows: list[BatchRow] = []
    try:
        with tqdm(total=len(pictures), unit="picture", disable=None, dynamic_ncols=True) as bar:
            for finished in engine(pictures, lambda step: bar.set_postfix_str(_step_words(step))):
                rows += finished
                bar.update()
    except KeyboardInterrupt:
        return sorted(rows, key=lambda row: place[row.picture]), True
    return sorted(rows, key=lambda row: place[row.picture]), False


def _step_words(step: Progress) -> str:
    return f"{step.model_name}: {tile_words(step)}"


def _told(rows: Sequence[BatchRow], found: FoundPictures, output: Path, stopped: bool) -> int:
    """Say what came of it; the exit code."""
    only = found.pictures[0].result if len(found.pictures) == 1 else None
    for line in dict.fromkeys(_complaint(row, only is not None) for row in rows if row.sentence):
        print(_printable(line), file=sys.stderr)
    failed = sum(row.state == "failed" for row in rows)
    if only and not stopped:
        return NOTHING_STARTED if failed else _told_one(rows[0], output / only)
    restored, before = (sum(row.state == state for row in rows) for state in ("restored", "done before"))
    print(_printable(f"{output}: {restored} restored, {before} done before, {failed} failed"))
    if stopped:
        print(STOPPED, file=sys.stderr)
        return INTERRUPTED
    return SOME_FAILED if failed else ALL_DONE


def _complaint(row: BatchRow, only: bool) -> str:
    if row.state != "failed":
        return f"{row.result}: not measured. {row.sentence}"
    return row.sentence if only or row.sentence.startswith(row.picture) else f"{row.picture}: {row.sentence}"


def _told_one(row: BatchRow, path: Path) -> int:
    steered_by = row.record["facts"]["steered_by"]
    steered = f", steered by {steered_by}" if steered_by else ""
    how = "is there already, of the same file and settings" if row.seconds is None else seconds(row.seconds)
    print(_printable(f"{path}: {row.model}, {how}{steered}"))
    return ALL_DONE


def _printable(text: str) -> str:
    """Names of files may hold anything, also what steers a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def main(arguments: list[str] | None = None) -> int:
    """See the epilog of --help for exit codes; mistakes are one sentence."""
    parsed = parse_arguments(arguments)
    interrupt_at_signals()
    try:
        return restore_pictures(parsed)
    except RestorationError as error:
        print(_printable(str(error)), file=sys.stderr)
        return NOTHING_STARTED
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    leave(main())

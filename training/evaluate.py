"""Command line: measure restorers on folders of pictures, always beside the do-nothing row.

python -m training.evaluate --model cascade --data FOLDER --quality-factors 10 20 30 40
python -m training.evaluate --all --missing --data ../shared/data/benchmarks/LIVE1 ../shared/data/benchmarks/Classic5
"""

from models.interrupts import end_at_signals, leave

if __name__ == "__main__":
    end_at_signals()  # before what takes long to import

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from models.errors import InvalidSetting, RestorationError
from models.zoo import Zoo
from training.benchmarks import COLORS, never_compressed, recompressed
from training.printed_rows import change_line, heading, row_line
from training.protocols import PROTOCOLS, DoubleSave, protocol_of
from training.run import TrainRun
from training.score_files import Setting
from training.scoring import Row, convention_of
from training.side_by_side import DEFAULT_QUALITY_FACTORS, measure_side_by_side, with_bar
from training.sweep import DataSet, Subject, measure_subject, of_equal_budget, shipped

DEFAULT_CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"
CONDITION_WIDTH = 28


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; None takes the process's own.

    Returns:
        Exit code: 0, or 2 where something asked for is not possible.
    """
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        if asked.scores or asked.all or asked.equal_budget:
            return _measure_and_keep(asked)
        measure_side_by_side(asked)
    except (RestorationError, OSError) as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate",
        description="Measure restorers on pictures broken by JPEG, always beside plain decoding.",
    )
    add = parser.add_argument
    add("--model", action="append", metavar="NAME", help="a checkpoint or baseline; may be repeated")
    add("--data", type=Path, nargs="+", action="extend", metavar="FOLDER", help="clean pictures, broken here")
    add("--quality-factors", type=int, nargs="+", metavar="QF", help="single saves (default 10 20 30 40)")
    add(
        "--double",
        action="append",
        type=_double,
        default=[],
        metavar="QF,QF,ROWS,COLUMNS",
        help='two saves with a grid shift between, such as "10,30,4,4"; may be repeated',
    )
    add("--uncompressed", action="store_true", help="also hand over the pictures of --data as they are")
    add("--input", type=Path, metavar="FOLDER", help="pictures compressed already, or folders of them")
    add("--reference", type=Path, metavar="FOLDER", help="the originals of --input, by the same names")
    add("--color", choices=COLORS, help="what is compared (default: the data set's protocol, else rgb)")
    add("--blind", action="store_true", help="hide the files' quantization tables from the networks")
    add("--self-ensemble", action="store_true", help="average over eight flips and rotations")
    add("--stages", type=int, metavar="N", help="stop after N stages")
    add("--limit", type=at_least_one, metavar="N", help="only the first N pictures")
    add("--checkpoints", type=Path, default=DEFAULT_CHECKPOINTS, metavar="FOLDER", help="of models")
    add("--device", help="cpu, cuda, cuda:1 or mps (default: the fastest there is)")
    add("--json", type=Path, metavar="FILE", help="write everything there")
    add("--scores", action="store_true", help="keep every result at once in each checkpoint's scores.json")
    add(
        "--all",
        action="store_true",
        help="like --scores, by the protocol of each data set, for every checkpoint or those of --model",
    )
    add(
        "--missing",
        action="store_true",
        help="with --scores or --all: only what present weights have no score of",
    )
    add(
        "--equal-budget",
        type=Path,
        metavar="RUN",
        help="measure the best weights of that training run like --all, in the name of --model (default: the run's), "
        "and keep the scores in its equal_budget.json",
    )
    return parser


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


# Measuring for score files: model by model, every result kept at once.


def _measure_and_keep(asked: argparse.Namespace) -> int:
    """Go on with the next model where one cannot be used; returns the exit code."""
    data_sets = [_data_set(asked, folder) for folder in _folders(asked)]
    with tempfile.TemporaryDirectory() as workplace:
        subjects, problems = _subjects(asked, Path(workplace))
        for data in data_sets:
            print(f"\n{data.setting.key}\n{convention_of(data.setting.color)}")
            for subject in subjects:
                try:
                    _measure_and_show(asked, subject, data)
                except RestorationError as problem:
                    problems.append(str(problem))
    for problem in problems:
        print(f"python -m training.evaluate: {problem}", file=sys.stderr)
    return 2 if problems else 0


def _measure_and_show(asked: argparse.Namespace, subject: Subject, data: DataSet) -> None:
    rows = measure_subject(subject, data, missing=asked.missing, follow=with_bar)
    for number, row in enumerate(rows):
        if number == 0:
            print("\n" + heading(subject.name, CONDITION_WIDTH))
        if isinstance(row, Row):
            print(row_line(row, row.condition, CONDITION_WIDTH), flush=True)
        else:
            print(change_line(row), flush=True)


def _folders(asked: argparse.Namespace) -> list[Path]:
    """The folders of --data, for results that are kept.

    Raises:
        InvalidSetting: none, or options that do not go together.
    """
    if not asked.data or asked.input or asked.reference:
        raise InvalidSetting(
            "Scores were asked for without --data, or with --input. They are measured on clean pictures that are "
            "broken here. Name one folder or more with --data alone."
        )
    if asked.self_ensemble or asked.json:
        raise InvalidSetting(
            "--self-ensemble or --json was given together with scores. Score files hold what models do by themselves, "
            "and are the only output. Leave the one or the other out."
        )
    if asked.equal_budget and asked.model and len(asked.model) > 1:
        raise InvalidSetting(
            f"--equal-budget was given with {len(asked.model)} models. The weights of one run are measured in the "
            "name of one checkpoint. Name one model."
        )
    return list(dict.fromkeys(asked.data))


def _data_set(asked: argparse.Namespace, folder: Path) -> DataSet:
    """What was asked for explicitly, else the protocol of the folder's name."""
    explicit = bool(asked.quality_factors or asked.double or asked.uncompressed)
    protocol = PROTOCOLS.get(folder.resolve().name)
    if not explicit and (asked.all or asked.equal_budget):
        protocol = protocol_of(folder)
        factors, doubles, uncompressed = protocol.quality_factors, protocol.doubles, protocol.uncompressed
    else:
        factors = asked.quality_factors or (() if explicit else DEFAULT_QUALITY_FACTORS)
        doubles, uncompressed = asked.double, asked.uncompressed
    color = asked.color or (protocol.color if protocol else "rgb")
    gray, limit = color == "gray", asked.limit
    conditions = recompressed(folder, quality_factors=factors, doubles=doubles, gray=gray, limit=limit)
    setting = Setting(folder.resolve().name, color, asked.blind, stages=asked.stages, limit=limit)
    return DataSet(setting, conditions, never_compressed(folder, limit=limit) if uncompressed else None)


def _subjects(asked: argparse.Namespace, workplace: Path) -> tuple[list[Subject], list[str]]:
    """The models whose scores are kept, and sentences on those that cannot be used."""
    if asked.equal_budget:
        run, name = TrainRun(asked.equal_budget), asked.model[0] if asked.model else None
        return [of_equal_budget(asked.checkpoints, run, name, asked.device, workplace)], []
    zoo = Zoo(asked.checkpoints, asked.device)
    listing = zoo.listing()
    cards = {card.name: card for card in listing.cards}
    names = asked.model or [card.name for card in listing.cards if card.architecture]
    problems = [] if asked.model else list(listing.problems.values())
    subjects = []
    for name in dict.fromkeys(names):
        if name not in cards:
            zoo.load(name)  # raises, and says which there are
        if not cards[name].architecture:
            raise InvalidSetting(
                f"Scores of {name!r} were asked for. They are kept beside the weights of checkpoints, and it has none. "
                "Leave it out; without --scores and --all it can be measured."
            )
        subjects.append(shipped(asked.checkpoints, name, asked.device))
    return subjects, problems


if __name__ == "__main__":
    leave(main())

"""Measuring for score files: model by model, every result kept at once."""

import argparse
import sys
from pathlib import Path

from models.errors import InvalidSetting, RestorationError
from models.zoo import Zoo
from training.evaluation.benchmarks import conditions_of, never_compressed
from training.evaluation.protocols import PROTOCOLS, protocol_of
from training.evaluation.score_files import Setting
from training.evaluation.scoring import Row
from training.evaluation.side_by_side import (
    asked_protocol,
    change_line,
    follower,
    heading,
    is_explicit,
    row_line,
)
from training.evaluation.sweep import DataSet, Subject, measure_subject, shipped

CONDITION_WIDTH = 28


def measure_and_keep(asked: argparse.Namespace) -> int:
    """Go on with the next model where one cannot be used; returns the exit code."""
    data_sets = [_data_set(asked, folder) for folder in _folders(asked)]
    subjects, problems = _subjects(asked)
    for data in data_sets:
        if asked.dry_run:
            print(f"{data.setting.key}: {', '.join(subject.name for subject in subjects)}")
            continue
        print(f"\n{data.setting.key}\n{data.options.convention}")
        for subject in subjects:
            try:
                _measure_and_show(asked, subject, data)
            except RestorationError as problem:
                problems.append(str(problem))
    for problem in problems:
        print(f"python -m training.evaluate: {problem}", file=sys.stderr)
    return 2 if problems else 0


def _measure_and_show(asked: argparse.Namespace, subject: Subject, data: DataSet) -> None:
    rows = measure_subject(subject, data, missing=asked.missing, follow=follower(quiet=asked.quiet))
    for number, row in enumerate(rows):
        if number == 0:
            values = row.values if isinstance(row, Row) else {}
            print("\n" + heading(subject.name, CONDITION_WIDTH, values))
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
    return list(dict.fromkeys(asked.data))


def _data_set(asked: argparse.Namespace, folder: Path) -> DataSet:
    """What was asked for explicitly, else the protocol of the folder's name."""
    protocol = PROTOCOLS.get(folder.resolve().name)
    if not is_explicit(asked) and asked.all:
        protocol = wanted = protocol_of(folder)
    else:
        wanted = asked_protocol(asked)
    color = asked.color or (protocol.color if protocol else "rgb")
    limit = asked.limit
    conditions = conditions_of(folder, wanted, gray=color == "gray", limit=limit)
    setting = Setting(folder.resolve().name, color, asked.blind, stages=asked.stages, limit=limit)
    untouched = never_compressed(folder, limit=limit) if wanted.uncompressed else None
    return DataSet(setting, conditions, untouched, asked.slow_metrics)


def _subjects(asked: argparse.Namespace) -> tuple[list[Subject], list[str]]:
    """The models whose scores are kept, and sentences on those that cannot be used."""
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

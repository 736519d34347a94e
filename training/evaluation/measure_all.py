"""Measuring for score files: many models on many data sets, one after the other, every result kept at once."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import InvalidSetting, RestorationError
from models.zoo import Zoo
from training.evaluation.benchmarks import Case, Condition, conditions_of, never_compressed
from training.evaluation.candidates import Candidate, shipped
from training.evaluation.protocols import PROTOCOLS, protocol_of
from training.evaluation.resources import cost_of, machine_of
from training.evaluation.score_files import ScoreFile, Setting
from training.evaluation.scoring import (
    Follow,
    Options,
    PlainDecodings,
    Row,
    decode_plainly,
    just_iterate,
    score_one,
)
from training.evaluation.side_by_side import (
    asked_protocol,
    change_line,
    follower,
    heading,
    is_explicit,
    row_line,
)
from training.evaluation.uncompressed import CONVENTION as CONVENTION_UNCOMPRESSED
from training.evaluation.uncompressed import ChangeRow, score_uncompressed

CONDITION_WIDTH = 28


@dataclass(frozen=True, eq=False)
class DataSet:
    """Pictures, and what is measured on them.

    Attributes:
        setting: under which the results are kept.
        conditions: from training.evaluation.benchmarks.
        uncompressed: makes the pictures that are handed over as they are; None where that is not asked.
        slow: compute the slow metrics too.
        plain: plain decodings by label, filled when first needed, so that they are worked out once for all models.
    """

    setting: Setting
    conditions: Sequence[Condition]
    uncompressed: Callable[[], Iterator[Case]] | None = None
    slow: bool = False
    plain: dict[str, PlainDecodings] = field(default_factory=dict)

    @property
    def options(self) -> Options:
        """How restorers are run and compared."""
        return Options(self.setting.color, self.setting.blind, self.setting.stages, self.slow)


def measure_candidate(
    candidate: Candidate, data: DataSet, *, missing: bool = False, follow: Follow = just_iterate
) -> Iterator[Row | ChangeRow]:
    """Measure one model on one data set; each result is in its score file before it is handed out.

    Args:
        candidate: a checkpoint.
        data: the pictures and conditions.
        missing: leave out what was measured of the very same weights, in the same setting by the same convention,
            with the restorer's guard and without.
        follow: see Follow.

    Yields:
        A Row per condition, and a ChangeRow for pictures that were never compressed.

    Raises:
        RestorationError: a model or a picture that cannot be used.
    """
    file = _open_scores(candidate)
    found = file.found(data.setting)
    have = found.conditions(data.options.metrics) if missing else set()
    todo = [condition for condition in data.conditions if condition.label not in have]
    untouched = None if missing and found.tells_never_compressed else data.uncompressed
    if not todo and untouched is None:
        return
    restorer = candidate.load()
    if _open_scores(candidate).weights != file.weights:
        raise InvalidSetting(
            f"The weights of {candidate.name!r} were replaced while they were loaded. Scores belong to known weights. "
            "Measure again with --missing."
        )
    cost = cost_of(restorer, data.options.restore)
    on = {"machine": machine_of(restorer)}
    for condition in todo:
        if condition.label not in data.plain:
            data.plain[condition.label] = decode_plainly(condition, data.options, follow=follow)
        plain = data.plain[condition.label]
        row = score_one(restorer, condition, plain, cost, data.options, follow=follow)
        rows = [plain.row.as_json() | on, row.as_json() | on]
        file.add(data.setting, rows=rows)
        yield row
    if untouched is not None:
        change = score_uncompressed(restorer, untouched, data.options, follow=follow)
        kept = {"convention": CONVENTION_UNCOMPRESSED} | change.as_json() | on
        file.add(data.setting, never_compressed=kept)
        yield change


def _open_scores(candidate: Candidate) -> ScoreFile:
    if candidate.open_scores is None:
        raise InvalidSetting(
            f"{candidate.name!r} has no score file. Scores lie beside the weights of checkpoints. Name one of them."
        )
    return candidate.open_scores()


def measure_and_keep(asked: argparse.Namespace) -> int:
    """Go on with the next model where one cannot be used; returns the exit code."""
    data_sets = [_data_set(asked, folder) for folder in _folders(asked)]
    candidates, problems = _candidates(asked)
    for data in data_sets:
        if asked.dry_run:
            print(f"{data.setting.key}: {', '.join(candidate.name for candidate in candidates)}")
            continue
        print(f"\n{data.setting.key}\n{data.options.convention}")
        for candidate in candidates:
            try:
                _measure_and_show(asked, candidate, data)
            except RestorationError as problem:
                problems.append(str(problem))
    for problem in problems:
        print(f"python -m training.evaluate: {problem}", file=sys.stderr)
    return 2 if problems else 0


def _measure_and_show(asked: argparse.Namespace, candidate: Candidate, data: DataSet) -> None:
    rows = measure_candidate(candidate, data, missing=asked.missing, follow=follower(quiet=asked.quiet))
    for number, row in enumerate(rows):
        if number == 0:
            values = row.values if isinstance(row, Row) else {}
            print("\n" + heading(candidate.name, CONDITION_WIDTH, values))
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


def _candidates(asked: argparse.Namespace) -> tuple[list[Candidate], list[str]]:
    """The models whose scores are kept, and sentences on those that cannot be used."""
    zoo = Zoo(asked.checkpoints, asked.device, runtime=asked.runtime)
    listing = zoo.listing()
    cards = {card.name: card for card in listing.cards}
    names = asked.model or [card.name for card in listing.cards if card.architecture]
    problems = [] if asked.model else list(listing.problems.values())
    candidates = []
    for name in dict.fromkeys(names):
        if name not in cards:
            zoo.load(name)  # raises, and says which there are
        if not cards[name].architecture:
            raise InvalidSetting(
                f"Scores of {name!r} were asked for. They are kept beside the weights of checkpoints, and it has none. "
                "Leave it out; without --scores and --all it can be measured."
            )
        try:
            candidates.append(shipped(asked.checkpoints, name, asked.device, asked.runtime))
        except RestorationError as problem:
            problems.append(str(problem))
    return candidates, problems

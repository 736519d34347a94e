"""Measuring for the terminal: condition by condition, all models side by side under the do-nothing row."""

import argparse
import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import Any

from tqdm import tqdm

from models.errors import InvalidSetting
from models.files import begins_with, check_output, write_text_atomically
from models.network_restorer import NetworkRestorer
from models.restorer import Restorer
from models.zoo import Zoo
from training.evaluation import metrics
from training.evaluation.benchmarks import (
    Case,
    Condition,
    already_compressed,
    conditions_of,
    never_compressed,
)
from training.evaluation.metrics import Measured, Metric
from training.evaluation.protocols import Protocol
from training.evaluation.resources import machine_of
from training.evaluation.scoring import DO_NOTHING, Follow, Options, Row, just_iterate, score
from training.evaluation.uncompressed import CONVENTION as CONVENTION_UNCOMPRESSED
from training.evaluation.uncompressed import ChangeRow, score_uncompressed

DEFAULT_QUALITY_FACTORS = (10, 20, 30, 40)
NAME_WIDTH = 16
MADE_BY = "JPEG Restoration Studio, models side by side"
_REPORT_BEGINS = f'{{\n "made_by": "{MADE_BY}"'.encode()


GAIN_WIDTHS = {"PSNR": 7, "gain": 7, "worst": 7, "worse": 7}
COST_WIDTHS = {
    "QF error": 10,
    "MMAC/px": 9,
    "M param": 9,
    "MP/s": 8,
    "ms/MP": 8,
    "x decode": 10,
    "peak MB": 9,
}
"""Headings of the numbers and the widths of their columns; the metrics stand between."""


def heading(first: str, width: int, values: Measured) -> str:
    """The headings; `first` is that of the column of names, `width` characters wide, `values` those of a row."""
    return _line(first, width, _widths(values), values)


def row_line(row: Row, first: str, width: int) -> str:
    """One row under the heading, named `first`; with the worst picture, the stages and the network without its guard
    where a model did something.
    """
    line = _line(
        first,
        width,
        [
            f"{row.values['psnr_db']:.2f}",
            f"{row.gain_db:+.2f}",
            f"{row.worst_gain_db:+.2f}",
            f"{row.share_worse:.0%}",
            *(metric.number(row.values[metric.name]) for metric in _others(row.values)),
            "–" if row.quality_factor_error is None else f"{row.quality_factor_error:.2f}",
            f"{row.mmac_per_pixel:.3f}",
            f"{row.parameters / 1e6:.3f}",
            f"{row.megapixels_per_second:.2f}",
            f"{row.milliseconds_per_megapixel:.0f}",
            f"{row.times_plain_decoding:.1f}",
            f"{row.peak_memory_mb:.0f}",
        ],
        row.values,
    )
    if row.model == DO_NOTHING:
        return line
    stages = ", ".join(f"{value:.2f}" for value in row.stage_psnr_db)
    told = [f"worst: {row.worst_image}"] + [f"stages: {stages}"] * bool(stages)
    if row.unguarded_psnr_db is not None:
        told.append(
            f"unguarded: {row.unguarded_psnr_db:.2f}, {row.unguarded_gain_db:+.2f}, "
            f"worst {row.unguarded_worst_gain_db:+.2f}, {row.unguarded_share_worse:.0%} worse"
        )
    return f"{line}   {'; '.join(told)}"


def change_line(row: ChangeRow) -> str:
    """What a model changed in pictures that were never compressed."""
    unguarded = row.unguarded_largest_change
    return (
        f"{row.model}, never compressed, {row.images} pictures: mean squared change {row.mean_squared_change:.4f} "
        f"({row.psnr_db:.2f} dB), at most {row.largest_change} grey levels"
        f"{'' if unguarded is None else f' (unguarded {unguarded})'}, {row.share_unchanged:.0%} unchanged; "
        f"cost {row.cost_db:.3f} dB, at worst {row.worst_cost_db:.3f} dB ({row.worst_image})"
    )


def _others(values: Measured) -> list[Metric]:
    """The metrics of a row besides PSNR."""
    return [metric for metric in metrics.METRICS[1:] if metric.name in values]


def _widths(values: Measured) -> dict[str, int]:
    titles = {metric.title: max(len(metric.title), metric.digits + 2) + 2 for metric in _others(values)}
    return GAIN_WIDTHS | titles | COST_WIDTHS


def _line(first: str, width: int, cells: Iterable[str], values: Measured) -> str:
    numbers = zip(cells, _widths(values).values(), strict=True)
    return first.ljust(width) + "".join(cell.rjust(column) for cell, column in numbers)


def with_bar(cases: Iterable[Case], title: str) -> Iterable[Case]:
    """A progress bar over the pictures of one row, where somebody watches."""
    return tqdm(cases, title, leave=False, unit=" pictures", disable=None)


def follower(*, quiet: bool) -> Follow:
    """with_bar, or what shows nothing."""
    return just_iterate if quiet else with_bar


def measure_side_by_side(asked: argparse.Namespace) -> None:
    """Measure and print everything that was asked for, and write it to a file where one was named.

    Args:
        asked: the command line of training.evaluate.

    Raises:
        RestorationError: options that do not go together; a model or a picture that cannot be used.
    """
    _check(asked)
    if asked.json:
        _check_output(asked)
    options = Options(asked.color or "rgb", asked.blind, asked.stages, asked.slow_metrics)
    restorers = _restorers(asked)
    conditions = _conditions(asked)
    if asked.dry_run:
        for condition in conditions:
            print(f"{condition.label}: {', '.join(restorer.card.name for restorer in restorers)}")
        return
    print(options.convention)
    follow = follower(quiet=asked.quiet)
    rows = _score_and_print(conditions, restorers, options, follow)
    changes = _score_uncompressed_and_print(asked, restorers, options, follow) if asked.uncompressed else []
    if asked.json:
        _check_output(asked)  # again: a file may have appeared meanwhile
        report = _report(asked, options, restorers, rows, changes)
        write_text_atomically(asked.json, json.dumps(report, indent=1, allow_nan=False) + "\n")


def _check_output(asked: argparse.Namespace) -> None:
    check_output(asked.json, lambda path: begins_with(path, _REPORT_BEGINS), overwrite=asked.overwrite)


def is_explicit(asked: argparse.Namespace) -> bool:
    """Whether the command line says itself how pictures are handed over."""
    singles = asked.quality_factors or asked.quality_factors_444 or asked.tables
    return bool(singles or asked.double or asked.uncompressed)


def asked_protocol(asked: argparse.Namespace) -> Protocol:
    """What the command line says is measured; by default a few quality factors."""
    return Protocol(
        asked.color or "rgb",
        tuple(asked.quality_factors or (() if is_explicit(asked) else DEFAULT_QUALITY_FACTORS)),
        tuple(asked.quality_factors_444),
        tuple(asked.tables),
        tuple(asked.double),
        asked.uncompressed,
    )


def _check(asked: argparse.Namespace) -> None:
    """Refuse what belongs to score files only.

    Raises:
        InvalidSetting: --missing or several folders.
    """
    if asked.missing:
        raise InvalidSetting(
            "--missing was given without scores to look at. It goes with --scores or --all. Add one of them, or "
            "leave it out."
        )
    if asked.data and len(asked.data) > 1:
        raise InvalidSetting(
            f"--data names {len(asked.data)} folders. Several are measured with --scores or --all alone. "
            "Add one of them, or name one folder."
        )


def _restorers(asked: argparse.Namespace) -> list[Restorer]:
    """Load the models asked for, or all checkpoints; plain decoding is measured anyway."""
    zoo = Zoo(asked.checkpoints, asked.device, runtime=asked.runtime)
    names = asked.model or [card.name for card in zoo.cards() if card.architecture]
    restorers = [zoo.load(name) for name in dict.fromkeys(names) if name != DO_NOTHING]
    if not asked.self_ensemble:
        return restorers
    return [
        dataclasses.replace(each, self_ensemble=True) if isinstance(each, NetworkRestorer) else each
        for each in restorers
    ]


def _conditions(asked: argparse.Namespace) -> list[Condition]:
    """From --data, or from --input and --reference.

    Raises:
        InvalidSetting: neither, both, or half of the second.
    """
    compressed = (asked.input, asked.reference)
    if asked.data is not None and compressed == (None, None):
        gray = asked.color == "gray"
        return conditions_of(asked.data[0], asked_protocol(asked), gray=gray, limit=asked.limit)
    if asked.data is None and None not in compressed:
        if is_explicit(asked):
            raise InvalidSetting(
                "--quality-factors, --quality-factors-444, --tables, --double or --uncompressed was given with "
                "--input. They say how clean pictures are handed over, and those of --input are compressed already. "
                "Leave them out, or use --data."
            )
        return already_compressed(asked.input, asked.reference, limit=asked.limit)
    given = [name for name in ("data", "input", "reference") if getattr(asked, name) is not None]
    raise InvalidSetting(
        f"{' and '.join('--' + name for name in given) or 'No folder'} was given. Either --data, or --input "
        "together with --reference, says which pictures to use. Give one of the two."
    )


def _score_and_print(
    conditions: Sequence[Condition], restorers: Sequence[Restorer], options: Options, follow: Follow
) -> list[Row]:
    """Print every row as soon as it is known."""
    rows: list[Row] = []
    for row in score(conditions, restorers, options, follow=follow):
        if row.model == DO_NOTHING:
            print(f"\n{row.condition}, {row.images} pictures\n{heading('model', NAME_WIDTH, row.values)}")
        print(row_line(row, row.model, NAME_WIDTH), flush=True)
        rows.append(row)
    return rows


def _score_uncompressed_and_print(
    asked: argparse.Namespace, restorers: Sequence[Restorer], options: Options, follow: Follow
) -> list[ChangeRow]:
    print(f"\n{CONVENTION_UNCOMPRESSED}")
    cases, changes = never_compressed(asked.data[0], limit=asked.limit), []
    for restorer in restorers:
        changes.append(score_uncompressed(restorer, cases, options, follow=follow))
        print(change_line(changes[-1]), flush=True)
    return changes


def _report(
    asked: argparse.Namespace,
    options: Options,
    restorers: Sequence[Restorer],
    rows: Sequence[Row],
    changes: Sequence[ChangeRow],
) -> dict[str, Any]:
    """Everything measured, and how, ready for JSON."""
    folder = asked.data[0] if asked.data else asked.input
    return {
        "made_by": MADE_BY,
        "data": folder.resolve().name,
        "convention": options.convention,
        "color": options.color,
        "blind": asked.blind,
        "self_ensemble": asked.self_ensemble,
        "stages": asked.stages,
        "machine": machine_of(restorers[0] if restorers else None),
        "rows": [row.as_json() for row in rows],
        "never_compressed": [row.as_json() for row in changes],
    }

"""What studio.restore does with a command line: find, restore, report, say what came of it."""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tqdm import tqdm

from models.errors import InvalidSetting
from models.files import check_output
from models.jpeg import Degradation, Step
from models.jpeg.degradation import STEPS
from models.restorer import RestoreOptions
from models.zoo import Zoo
from studio.batch.files import (
    BatchPicture,
    FoundPictures,
    cannot_be_written,
    found_pictures,
    inputs_of,
    passed_over_words,
    photograph_at,
    spare_inputs,
)
from studio.batch.on_ray import RayPlan, run_on_ray
from studio.batch.report import check_report, write_report
from studio.batch.results import is_result
from studio.batch.run import BatchRestorer, BatchRow, BatchSettings, OnProgress, run_batch
from studio.engine.background import Progress
from studio.page.facts import tables_say
from studio.page.wording import seconds, tile_words
from studio.session.form import whole

ALL_DONE, SOME_FAILED, NOTHING_STARTED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""
STOPPED = "Stopped. Repeat the command to go on; what is done is skipped."

Engine = Callable[[Sequence[BatchPicture], OnProgress], Iterator[list[BatchRow]]]
"""Gives the rows of each picture; hears of tiles where they are worked on here."""


def settings_of(arguments: argparse.Namespace) -> BatchSettings:
    """What is to be done with every file.

    Raises:
        RestorationError: naming the argument and what it takes.
    """
    factor, stages = arguments.quality_factor, arguments.stages
    steps = tuple(step_of(text) for text in arguments.steps or ())
    options = RestoreOptions.of(
        None if factor is None else whole(factor, 1, 100, "The quality factor"),
        blind=arguments.blind,
        stages=None if stages is None else whole(stages, 1, 99, "The number of stages"),
        effort=arguments.effort,
    )
    return BatchSettings(
        tuple(arguments.model),
        Degradation(steps) if steps else None,
        options,
        arguments.keep_exif,
        arguments.keep_icc,
        arguments.overwrite,
        arguments.keep_dates,
    )


def step_of(text: str) -> Step:
    """One step as people write it: "save=30,4:4:4" or "resize=50".

    Raises:
        InvalidSetting: saying what is allowed.
    """
    name, _, values = text.partition("=")
    if (kind := STEPS.get(name)) is None:
        known = ", ".join(f"{name}={kind.example}" for name, kind in STEPS.items())
        raise InvalidSetting(
            f"--step was given {text[:40]!r}. Steps are written like {known}. Write, for example, --step resize=50."
        )
    return kind.from_text(values)


def restore_pictures(arguments: argparse.Namespace) -> int:
    """Find, restore, report; the exit code.

    Raises:
        RestorationError: where nothing could be begun.
    """
    settings = settings_of(arguments)
    if arguments.report:
        check_report(arguments.report, overwrite=arguments.overwrite)
    output, found = _one_named(arguments) if _names_a_file(arguments.output) else _found(arguments)
    if arguments.report:
        check_report(arguments.report, inputs_of(found.pictures), overwrite=arguments.overwrite)
    device = arguments.device if arguments.engine == "local" else "cpu"  # Ray's workers have their own
    zoo = Zoo(arguments.checkpoints, device, runtime=arguments.runtime)
    restorer = BatchRestorer(zoo, settings, output)
    restorer.check_models()
    engine: Engine = partial(run_batch, restorer)
    if arguments.engine == "ray":
        engine = _ray_engine(arguments, settings, output)
    if arguments.dry_run:
        return _would_do(found, settings, output)
    rows, stopped = _worked_off(engine, found.pictures, quiet=arguments.quiet)
    rows += [BatchRow(word, "", "", "failed", sentence=sentence) for word, sentence in found.problems]
    if arguments.report:
        try:
            check_report(arguments.report, inputs_of(found.pictures), overwrite=arguments.overwrite)
            write_report(arguments.report, rows, settings)
        except OSError as error:
            raise cannot_be_written(arguments.report, error) from error
    return _told(rows, found, output, stopped, quiet=arguments.quiet)


def _ray_engine(arguments: argparse.Namespace, settings: BatchSettings, output: Path) -> Engine:
    workers = whole(arguments.ray_workers or 1, 1, 10_000, "The number of Ray's workers")
    plan = RayPlan(
        arguments.checkpoints,
        arguments.device,
        settings,
        output,
        arguments.ray_address,
        workers,
        arguments.runtime,
    )
    return lambda pictures, on_progress: run_on_ray(plan, pictures)


def _names_a_file(output: Path) -> bool:
    return re.fullmatch(r"\.[a-z][a-z0-9]{1,4}", output.suffix.lower()) is not None and not output.is_dir()


def _one_named(arguments: argparse.Namespace) -> tuple[Path, FoundPictures]:
    """The only picture, with the name its result shall have."""
    output: Path = arguments.output
    if output.suffix.lower() != ".png":
        raise InvalidSetting(
            f"The output is called {output.name}. Results are written as PNG only, because that is lossless. "
            "Give it a name that ends in .png, or name a folder; one with such an ending must be there already."
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
    if not arguments.quiet:
        print(f"quality factor from the file's tables: {tables_say(photograph.image)}", file=sys.stderr)
    reference = None
    if arguments.reference:
        reference = found_pictures([str(source)], output, arguments.reference).pictures[0].reference
    picture = BatchPicture(source, source.stem, reference, output.name)
    check_output(output, is_result, inputs=inputs_of([picture]), overwrite=arguments.overwrite)
    return output.parent, FoundPictures((picture,), ())


def _found(arguments: argparse.Namespace) -> tuple[Path, FoundPictures]:
    found = found_pictures(arguments.pictures, arguments.output, arguments.reference)
    found = spare_inputs(found, arguments.model, arguments.output)
    if not found.pictures:
        passed = passed_over_words(found.passed_over)
        sentences = [sentence for _, sentence in found.problems]
        raise InvalidSetting(" ".join([*sentences, *([f"{passed}."] if passed else [])]))
    return arguments.output, found


def _would_do(found: FoundPictures, settings: BatchSettings, output: Path) -> int:
    """What --dry-run says; the exit code."""
    for word, sentence in found.problems:
        print(printable(f"{word}: {sentence}"), file=sys.stderr)
    for picture in found.pictures:
        for name in settings.model_names:
            print(printable(f"{picture.source} -> {output / picture.result_name(name)}"))
    return SOME_FAILED if found.problems else ALL_DONE


def _worked_off(
    engine: Engine, pictures: Sequence[BatchPicture], *, quiet: bool
) -> tuple[list[BatchRow], bool]:
    """All rows in the pictures' order, and whether somebody stopped the work."""
    place = {str(picture.source): index for index, picture in enumerate(pictures)}
    rows: list[BatchRow] = []
    try:
        with tqdm(total=len(pictures), unit="picture", disable=quiet or None, dynamic_ncols=True) as bar:
            for finished in engine(pictures, lambda step: bar.set_postfix_str(_step_words(step))):
                rows += finished
                bar.update()
    except KeyboardInterrupt:
        return sorted(rows, key=lambda row: place[row.picture]), True
    return sorted(rows, key=lambda row: place[row.picture]), False


def _step_words(step: Progress) -> str:
    return f"{step.model_name}: {tile_words(step)}"


def _told(rows: Sequence[BatchRow], found: FoundPictures, output: Path, stopped: bool, *, quiet: bool) -> int:
    """Say what came of it; the exit code."""
    only = found.pictures[0].result if len(found.pictures) == 1 else None
    lines = [_complaint(row, only is not None) for row in rows if row.sentence]
    if not quiet:
        lines += [f"{row.picture}: {'; '.join(row.notes)}" for row in rows if row.notes]
        lines += [f"{row.picture}: steered by {guess}" for row in rows if not only and (guess := _guess(row))]
    for line in dict.fromkeys(lines):
        print(printable(line), file=sys.stderr)
    if (passed := passed_over_words(found.passed_over)) and not quiet:
        print(printable(passed), file=sys.stderr)
    failed = sum(row.state == "failed" for row in rows)
    if only and not stopped:
        return NOTHING_STARTED if failed else _told_one(rows[0], output / only)
    restored, before = (sum(row.state == state for row in rows) for state in ("restored", "done before"))
    print(printable(f"{output}: {restored} restored, {before} done before, {failed} failed"))
    if stopped:
        print(STOPPED, file=sys.stderr)
        return INTERRUPTED
    return SOME_FAILED if failed else ALL_DONE


def _complaint(row: BatchRow, only: bool) -> str:
    if row.state != "failed":
        return f"{row.result}: not measured. {row.sentence}"
    return row.sentence if only or row.sentence.startswith(row.picture) else f"{row.picture}: {row.sentence}"


def _guess(row: BatchRow) -> str:
    """What steered the model where the file has no tables to do so, "" where it has."""
    facts = row.record.get("facts", {})
    return "" if facts.get("quality_factor_from_tables") else facts.get("steered_by", "")


def _told_one(row: BatchRow, path: Path) -> int:
    facts = row.record["facts"]
    steered = f", steered by {facts['steered_by']}" if facts["steered_by"] else ""
    computed = f", computed by {facts['computed_by']}" if facts.get("computed_by") else ""
    how = "is there already, of the same file and settings" if row.seconds is None else seconds(row.seconds)
    print(printable(f"{path}: {row.model}, {how}{steered}{computed}"))
    return ALL_DONE


def printable(text: str) -> str:
    """Names of files may hold anything, also what steers a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)

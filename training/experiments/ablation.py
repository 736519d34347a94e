"""Command line: train the ablation of the cascade, measure it, and put its table into the results.

python -m training.experiments.ablation --list
"""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.command_line import begin
from models.errors import InvalidSetting, RestorationError
from models.zoo import ARCHITECTURES
from training.evaluate import at_least_one
from training.evaluation.benchmarks import VALIDATION_CASES, recompressed
from training.evaluation.tables import MISSING, markdown
from training.experiments.measurements import Measurements, read_measurements
from training.experiments.measuring import best_weights, from_run, scope_of, score_missing
from training.experiments.pages import put_between
from training.experiments.series import FINISHED, Member, add_options, chosen, listing, read_series, train_all
from training.experiments.tables import signed

CONFIGS = Path(__file__).resolve().parents[1] / "configs" / "ablation"
BEGIN, END = "<!-- ablation: python -m training.experiments.ablation --report -->", "<!-- end of ablation -->"
QUALITY_FACTORS = (10, 40)
SCORES = "scores.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    begin()
    parser = argparse.ArgumentParser(
        prog="python -m training.experiments.ablation", description=(__doc__ or "").split("\n")[0]
    )
    add = parser.add_argument
    add(
        "--configs",
        type=Path,
        default=CONFIGS,
        help="folder of the variants; the first one is the full network",
    )
    add_options(parser)
    add(
        "--measure",
        type=Path,
        metavar="FOLDER",
        help="measure what is trained on these clean pictures, and stop",
    )
    add("--limit", type=at_least_one, metavar="N", help="with --measure: only the first N pictures")
    add("--report", type=Path, metavar="DOCUMENT", help="put the table of what is trained there, and stop")
    asked = parser.parse_args(arguments)
    try:
        runs = asked.runs or Path("runs") / asked.configs.resolve().name
        series = read_series(asked.configs, runs, asked.petaflop)
        members = chosen(series, asked.only)
        if asked.list:
            print(listing(members))
        if asked.measure:
            measure(members, asked.measure, runs / SCORES, limit=asked.limit, device=asked.device)
        if asked.report:
            report(series, runs / SCORES, asked.report)
        if not (asked.list or asked.measure or asked.report):
            finished = train_all(members, asked.data, asked.device)
            print("All are finished." if finished else "Stopped and saved. The same command goes on.")
    except (RestorationError, OSError) as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 2
    return 0


def measure(
    members: Sequence[Member],
    folder: Path,
    scores: Path,
    *,
    limit: int | None = None,
    device: str | None = None,
) -> None:
    """Measure the finished members' best weights on a benchmark, those that were not measured yet.

    Args:
        members: of the ablation.
        folder: clean pictures.
        scores: the file of measurements.
        limit: only the first so many pictures.
        device: cpu, cuda, ...; None chooses.
    """
    conditions = recompressed(folder, quality_factors=QUALITY_FACTORS, limit=limit)
    measurements = Measurements(scores, scope_of(folder, conditions))
    candidates = [from_run(member.run, device, {}) for member in members if member.state == FINISHED]
    score_missing(
        measurements, [({"quality_factor": each.quality_factor}, each) for each in conditions], candidates
    )


def report(members: Sequence[Member], scores: Path, document: Path) -> None:
    """Put the table of the finished members between the document's marks."""
    measured = read_measurements(scores) if scores.exists() else None
    put_between(document, BEGIN, END, ablation_table(_finished(members), measured))


def ablation_table(members: Sequence[Member], measured: dict[str, Any] | None) -> str:
    """The ablation as Markdown.

    Args:
        members: finished ones, the full network first.
        measured: content of the file of measurements, or None where nothing was measured.

    Returns:
        A sentence on the conditions, the table, and a sentence on what chance does where there is a second seed.
    """
    full, *_ = members
    heading = ["variant", "MMAC/px", "gigapixels", "mean", "against full"]
    heading += [case.name.replace("_", " ").replace("qf", "QF") for case in VALIDATION_CASES]
    heading += [f"{measured['scope']['data']} QF{each}" for each in QUALITY_FACTORS] if measured else []
    lines = []
    for member in members:
        cells = [member.config.card["title"], f"{_mmac(member):.3f}", f"{member.megapixels / 1000:.2f}"]
        cells += [
            f"{_score(member):.2f}",
            signed(_score(member) - _score(full)) if member is not full else MISSING,
        ]
        cells += [f"{_best(member)[f'{case.name}_db']:.2f}" for case in VALIDATION_CASES]
        cells += [_measured(member, measured, each) for each in QUALITY_FACTORS] if measured else []
        lines.append(cells)
    return "\n".join([_sentence(full, measured), "", *markdown(heading, lines), "", _chance(members)])


def _finished(members: Sequence[Member]) -> list[Member]:
    """The finished ones, the first being the full network.

    Raises:
        InvalidSetting: the full network is not among them.
    """
    finished = [member for member in members if member.state == FINISHED]
    if members[0] not in finished:
        raise InvalidSetting(
            f"{members[0].config.name} is {members[0].state} in {members[0].run.folder}. The other variants are "
            "compared with it, so it must be finished. Train it first: python -m training.experiments.ablation."
        )
    return finished


def _sentence(full: Member, measured: dict[str, Any] | None) -> str:
    on_benchmark = ""
    if measured:
        scope = measured["scope"]
        on_benchmark = f" {scope['data']}: {scope['pictures']} pictures, RGB PSNR in dB, tables in."
    return (
        f"Every variant was trained for {full.budget} on the same pictures, from the same seed unless the row says "
        "otherwise, and far from the end of what it could learn; cheaper ones saw more pixels for it. PSNR in dB on "
        f"the validation pictures, best validation of each run.{on_benchmark}"
    )


def _chance(members: Sequence[Member]) -> str:
    """How far apart other seeds of the full network lie, as a sentence."""
    full, *others = members
    seeds = [full, *(other for other in others if _but_for_seed(other) == _but_for_seed(full))]
    if len(seeds) == 1:
        return "No second seed of the full network was trained, so small differences may be chance."
    scores = [_score(member) for member in seeds]
    spread = max(scores) - min(scores)
    return (
        f"Chance: {len(seeds)} seeds of the full network lie {spread:.2f} dB apart in the mean; differences of that "
        "size say nothing."
    )


def _but_for_seed(member: Member) -> Any:
    return dataclasses.replace(member.config, seed=0, name="any", card={})


def _score(member: Member) -> float:
    return _best(member)["score_db"]


def _best(member: Member) -> dict[str, Any]:
    """What the best validation of a finished run found."""
    best = member.best
    assert best is not None
    return best.values


def _mmac(member: Member) -> float:
    return ARCHITECTURES[member.config.architecture](**member.config.hyperparameters).mmac_per_pixel()


def _measured(member: Member, measured: dict[str, Any], quality_factor: int) -> str:
    """PSNR of the run's present weights, if they were measured."""
    wanted = member.config.name, best_weights(member.run), quality_factor
    for row in measured["rows"]:
        if (row["model"], row["weights"], row["quality_factor"]) == wanted:
            return f"{row['psnr_db']:.2f}"
    return MISSING


if __name__ == "__main__":
    sys.exit(main())

"""Command line: the papers' own analyses, measured and drawn, one after the other.

python -m training.experiments.analyses quality-factor --data ../shared/data/benchmarks/LIVE1
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plotly import graph_objects

from models.command_line import begin
from models.errors import InvalidSetting, MissingExtra, RestorationError
from training.evaluate import at_least_one
from training.evaluation.scoring import DO_NOTHING
from training.experiments import costs, patches, picture_sizes, psnr_ssim, quality_factors
from training.experiments.measurements import read_measurements
from training.experiments.measuring import Request
from training.experiments.pages import put_between, write_page, write_picture
from training.experiments.scores import copy_scores

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Analysis:
    """One figure of one paper.

    Attributes:
        measure: fills Request.file, leaving out what is known.
        draw: the figure of that file's content.
        table: its numbers as Markdown.
    """

    measure: Callable[[Request], None]
    draw: Callable[[dict[str, Any]], graph_objects.Figure]
    table: Callable[[dict[str, Any]], str]


ANALYSES = {
    "quality-factor": Analysis(quality_factors.measure, quality_factors.draw, quality_factors.table),
    "picture-size": Analysis(picture_sizes.measure, picture_sizes.draw, picture_sizes.table),
    "patches": Analysis(patches.measure, patches.draw, patches.table),
    "psnr-ssim": Analysis(copy_scores, psnr_ssim.draw, psnr_ssim.table),
    "cost": Analysis(copy_scores, costs.draw, costs.table),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    begin()
    parser = _parser()
    asked = parser.parse_args(arguments)
    code = 0
    try:
        for name in ANALYSES if asked.analysis == "all" else [asked.analysis]:
            file = asked.figures / f"{name}.json"
            if not asked.redraw:
                print(f"{name}: measuring", flush=True)
                ANALYSES[name].measure(_request(asked, file))
            try:
                publish(name, file, asked.document)
            except MissingExtra as problem:
                print(f"{parser.prog}: {problem}", file=sys.stderr)
                code = 2
            print(f"{name}: drawn as {file.with_suffix('.html')}", flush=True)
    except (RestorationError, OSError) as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 2
    return code


def publish(name: str, file: Path, document: Path) -> None:
    """Draw measured numbers as HTML and PNG beside their file, and put picture and table into the document.

    Args:
        name: key of ANALYSES.
        file: its measurements.
        document: has a place for it between two marks.

    Raises:
        InvalidSetting: nothing measured, or no marks.
        MissingExtra: no browser for the PNG; all else is done by then.
    """
    content = read_measurements(file)
    if not any(row["model"] != DO_NOTHING for row in content["rows"]):
        raise InvalidSetting(
            f"{file} holds no measured model yet. At least one beside plain decoding is needed to draw. "
            "Measure one first, without --redraw."
        )
    figure, page = ANALYSES[name].draw(content), file.with_suffix(".html")
    write_page(figure, page)
    inner = f"[Numbers]({_link(file, document)})\n\n{ANALYSES[name].table(content)}"
    try:
        picture = write_picture(page, figure.layout.height)
        inner = f"![{figure.layout.title.text}]({_link(picture, document)})\n\n{inner}"
    finally:
        put_between(document, f"<!-- figure: {name} -->", f"<!-- end of figure: {name} -->", inner)


def _link(path: Path, document: Path) -> str:
    return Path(os.path.relpath(path.resolve(), document.resolve().parent)).as_posix()


def _request(asked: argparse.Namespace, file: Path) -> Request:
    return Request(
        file=file,
        data=asked.data,
        checkpoints=asked.checkpoints,
        runs=asked.runs,
        models=tuple(asked.model or ()),
        limit=asked.limit,
        quality_factors=tuple(asked.quality_factors or ()),
        device=asked.device,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.experiments.analyses",
        description="Measure and draw one of the papers' own analyses, or all; what is measured is kept.",
    )
    add = parser.add_argument
    add("analysis", choices=[*ANALYSES, "all"])
    add(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="clean pictures; for psnr-ssim and cost their folder's name",
    )
    add("--model", action="append", metavar="NAME", help="only this one is measured; may be repeated")
    add(
        "--limit",
        type=at_least_one,
        metavar="N",
        help="only the first N pictures; name another folder with --figures",
    )
    add("--quality-factors", type=int, nargs="+", metavar="QF", help="instead of the analysis's own")
    add("--redraw", action="store_true", help="draw what was measured before, measure nothing")
    add("--figures", type=Path, default=ROOT / "docs" / "figures", help="folder of numbers and figures")
    add("--document", type=Path, default=ROOT / "docs" / "analyses.md", help="takes pictures and tables")
    add("--checkpoints", type=Path, default=ROOT / "checkpoints", help="folder of models")
    add(
        "--runs",
        type=Path,
        default=Path("runs") / quality_factors.CONFIGS.name,
        help="of the short trainings",
    )
    add("--device", help="cpu, cuda, cuda:1 or mps (default: the fastest there is)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

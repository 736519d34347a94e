"""Command line: measure restorers on a folder of pictures, always beside the do-nothing row.

python -m training.evaluate --model cascade --model ar_cnn --data FOLDER --quality-factors 10 20 30 40
"""

import argparse
import dataclasses
import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from models.errors import InvalidSetting, RestorationError
from models.network_restorer import NetworkRestorer
from models.restorer import Restorer
from models.zoo import Zoo
from training.benchmarks import COLORS, Case, Condition, already_compressed, recompressed
from training.metrics import CONVENTION
from training.scoring import DO_NOTHING, Options, Row, score

DEFAULT_QUALITY_FACTORS = (10, 20, 30, 40)
DEFAULT_CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"
COLOR_NOTES = {
    "rgb": "Colour pictures are compared in RGB, gray ones in their one channel.",
    "y": "Compared in full-range BT.601 luma.",
    "gray": "Coloured pictures are turned to full-range BT.601 luma first; all are saved as gray JPEG.",
}
COLUMNS = {
    "model": 10,
    "PSNR": 7,
    "gain": 7,
    "worst": 7,
    "worse": 7,
    "SSIM": 8,
    "PSNR-B": 8,
    "QF error": 10,
    "MMAC/px": 9,
    "M param": 9,
    "MP/s": 8,
    "ms/MP": 8,
    "x decode": 10,
    "peak MB": 9,
}
"""Headings of the printed table and their widths."""


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
        options = Options(asked.color, asked.blind, asked.stages)
        restorers = _restorers(asked)
        conditions = _conditions(asked)
        rows = _score_and_print(conditions, restorers, options)
        report = _report(asked, rows)
        if asked.json:
            _write_json(asked.json, report)
        if asked.scores:
            _write_scores(asked.checkpoints, restorers, report)
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
    add("--data", type=Path, metavar="FOLDER", help="clean pictures, broken here")
    add("--quality-factors", type=int, nargs="+", metavar="QF", help="single saves (default 10 20 30 40)")
    add(
        "--double",
        action="append",
        type=_double,
        default=[],
        metavar="QF,QF,ROWS,COLUMNS",
        help='two saves with a grid shift between, such as "10,30,4,4"; may be repeated',
    )
    add("--input", type=Path, metavar="FOLDER", help="pictures compressed already, or folders of them")
    add("--reference", type=Path, metavar="FOLDER", help="the originals of --input, by the same names")
    add("--color", choices=COLORS, default="rgb", help="what is compared (default rgb)")
    add("--blind", action="store_true", help="hide the files' quantization tables from the networks")
    add("--self-ensemble", action="store_true", help="average over eight flips and rotations")
    add("--stages", type=int, metavar="N", help="stop after N stages")
    add("--limit", type=_at_least_one, metavar="N", help="only the first N pictures")
    add("--checkpoints", type=Path, default=DEFAULT_CHECKPOINTS, metavar="FOLDER", help="of models")
    add("--device", help="cpu, cuda, cuda:1 or mps (default: the fastest there is)")
    add("--json", type=Path, metavar="FILE", help="write everything there")
    add("--scores", action="store_true", help="write each checkpoint's own scores.json")
    return parser


def _double(text: str) -> tuple[int, int, int, int]:
    try:
        first, second, rows, columns = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no double save. Four whole numbers are needed: first and second quality factor, "
            'rows and columns of shift. Write for example "10,30,4,4".'
        ) from None
    return first, second, rows, columns


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on. Give one, or leave it out.")
    return int(text)


def _restorers(asked: argparse.Namespace) -> list[Restorer]:
    """Load the models asked for, or all checkpoints; plain decoding is measured anyway."""
    zoo = Zoo(asked.checkpoints, asked.device)
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
        return recompressed(
            asked.data,
            quality_factors=asked.quality_factors or (() if asked.double else DEFAULT_QUALITY_FACTORS),
            doubles=asked.double,
            gray=asked.color == "gray",
            limit=asked.limit,
        )
    if asked.data is None and None not in compressed:
        if asked.quality_factors or asked.double:
            raise InvalidSetting(
                "--quality-factors and --double were given with --input. They break clean pictures, and "
                "those of --input are compressed already. Leave them out, or use --data."
            )
        return already_compressed(asked.input, asked.reference, limit=asked.limit)
    given = [name for name in ("data", "input", "reference") if getattr(asked, name) is not None]
    raise InvalidSetting(
        f"{' and '.join('--' + name for name in given) or 'No folder'} was given. Either --data, or --input "
        "together with --reference, says which pictures to use. Give one of the two."
    )


def _score_and_print(
    conditions: Sequence[Condition], restorers: Sequence[Restorer], options: Options
) -> list[Row]:
    """Print every row as soon as it is known."""

    def follow(cases: Iterable[Case], title: str) -> Iterable[Case]:
        return tqdm(cases, title, leave=False, unit=" pictures", disable=None)

    print(CONVENTION, COLOR_NOTES[options.color], sep="\n")
    rows: list[Row] = []
    for row in score(conditions, restorers, options, follow=follow):
        if row.model == DO_NOTHING:
            print(f"\n{row.condition}, {row.images} pictures\n{_columns(COLUMNS)}")
        print(_line(row), flush=True)
        rows.append(row)
    return rows


def _line(row: Row) -> str:
    line = _columns(
        [
            row.model,
            f"{row.psnr_db:.2f}",
            f"{row.gain_db:+.2f}",
            f"{row.worst_gain_db:+.2f}",
            f"{row.share_worse:.0%}",
            f"{row.ssim:.4f}",
            f"{row.psnr_b_db:.2f}",
            "–" if row.quality_factor_error is None else f"{row.quality_factor_error:.2f}",
            f"{row.mmac_per_pixel:.3f}",
            f"{row.parameters / 1e6:.3f}",
            f"{row.megapixels_per_second:.2f}",
            f"{row.milliseconds_per_megapixel:.0f}",
            f"{row.times_plain_decoding:.1f}",
            f"{row.peak_memory_mb:.0f}",
        ]
    )
    if row.model == DO_NOTHING:
        return line
    stages = ", ".join(f"{value:.2f}" for value in row.stage_psnr_db)
    return f"{line}   worst: {row.worst_image}{'; stages: ' + stages if stages else ''}"


def _columns(cells: Iterable[str]) -> str:
    """One printed line, the first column to the left and the others to the right."""
    model, *numbers = zip(cells, COLUMNS.values(), strict=True)
    return model[0].ljust(model[1]) + "".join(cell.rjust(width) for cell, width in numbers)


def _report(asked: argparse.Namespace, rows: Sequence[Row]) -> dict[str, Any]:
    """Everything measured, and how, ready for JSON."""
    return {
        "data": (asked.data or asked.input).resolve().name,
        "convention": f"{CONVENTION} {COLOR_NOTES[asked.color]}",
        "color": asked.color,
        "blind": asked.blind,
        "self_ensemble": asked.self_ensemble,
        "stages": asked.stages,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        },
        "rows": [row.as_json() for row in rows],
    }


def _write_scores(checkpoints: Path, restorers: Sequence[Restorer], report: dict[str, Any]) -> None:
    """checkpoints/<name>/scores.json: the report with the do-nothing rows and the model's own."""
    for restorer in restorers:
        name = restorer.card.name
        if restorer.card.architecture:
            rows = [row for row in report["rows"] if row["model"] in (DO_NOTHING, name)]
            _write_json(checkpoints / name / "scores.json", report | {"rows": rows})


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(temporary, path)


if __name__ == "__main__":
    sys.exit(main())

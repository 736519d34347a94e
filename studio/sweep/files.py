"""A sweep to take away: its points as a table with every setting above, and its figures as an offline page."""

import csv
from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import version
from io import StringIO

from PIL import features
from plotly import graph_objects

from models.baselines import PLAIN
from studio.sweep.run import SweepRun
from studio.sweep.sweeper import ByHandSweep, QualitySweep, SweepPoint, TwiceSweep
from studio.sweep.words import measured_words, original_words, settings_words
from training.evaluation.metrics import convention, fast_metrics

MADE_BY = "JPEG Restoration Studio"
"""What the table of a sweep begins with."""
RATES = "Bits per pixel and bytes are those of the whole degraded file, its header included."
GAINS = "Gains are PSNR minus that of plain decoding of the same file."

FIXED = {"displaylogo": False, "responsive": True, "plotlyServerURL": ""}
PAGE_STYLE = (
    "body{margin:0;background:#fff;color:#1b1c1d;font:14px/20px system-ui,sans-serif;color-scheme:light}"
    "main{max-width:1040px;margin:0 auto;padding:16px}main>div{height:560px;margin-bottom:32px}"
    "ul{padding-left:20px;color:#5d6063}"
)


def file_stem(run: SweepRun) -> str:
    """Picture, kind and settings, safe in file names."""
    sweep, part = run.sweep, "" if run.picture.is_whole else "_crop"
    span, colour = (
        f"{sweep.quality_factors[0]}-{sweep.quality_factors[-1]}",
        sweep.subsampling.replace(":", ""),
    )
    if isinstance(sweep, QualitySweep):
        settings = f"quality_qf{span}_{colour}"
    elif isinstance(sweep, TwiceSweep):
        rows, columns = sweep.grid_shift
        settings = f"twice_qf{span}_{colour}_shift{rows}x{columns}_{sweep.model_name}"
    else:
        settings = f"by-hand_qf{sweep.file_quality}_{colour}_{sweep.model_name}_told{span}"
    return f"{run.picture.name}{part}_sweep-{settings}"


def setting_lines(run: SweepRun) -> list[str]:
    """Everything that decides the numbers, one fact a line."""
    picture, count, total = run.picture, len(run.points), len(run.sweep.jobs())
    lines = [
        f"{MADE_BY}: {settings_words(run.sweep)}",
        f"Picture: {picture.name} ({picture.key.split()[0]}, the beginning of its file's SHA-256), "
        f"{measured_words(picture)}",
        original_words(picture),
        f"Saved by Pillow {version('pillow')} with libjpeg-turbo {features.version('libjpeg_turbo')}; "
        f"restored with torch {version('torch')}; every model decides by itself where no quality is told by hand.",
        convention(),
        f"{RATES} {GAINS}",
    ]
    lines += [f"About the file: {note}." for note in picture.notes]
    lines += [f"{failure.model_name} gave up: {failure.sentence}" for failure in run.failures]
    if count < total:
        lines.append(f"Not complete: {count} of {total} points.")
    return lines


def points_csv(run: SweepRun) -> str:
    """The points as comma-separated values below lines of settings that begin with #.

    Infinite PSNR, of identical pictures, is written as inf; undefined SSIM as nan.
    """
    stream = StringIO()
    for line in setting_lines(run):
        stream.write(f"# {line}\n")
    columns = _columns(run)
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    plain = {
        point.job.quality_factors: point.metrics["psnr_db"]
        for point in run.points
        if point.job.model_name == PLAIN
    }
    for point in run.points:
        cells = _cells(point, plain)
        writer.writerow([cells[column] for column in columns])
    return stream.getvalue()


def figures_page(run: SweepRun, figures: Sequence[graph_objects.Figure]) -> str:
    """A page with the figures and plotly.js inside, which needs nothing else."""
    drawn = "".join(
        figure.to_html(full_html=False, include_plotlyjs=number == 0, config=FIXED, div_id=f"figure-{number}")
        for number, figure in enumerate(figures)
    )
    facts = "".join(f"<li>{escape(line)}</li>" for line in setting_lines(run))
    title = escape(f"{run.picture.name}: {settings_words(run.sweep)}")
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<style>{PAGE_STYLE}</style></head><body><main>{drawn}<ul>{facts}</ul></main></body></html>"
    )


def _columns(run: SweepRun) -> list[str]:
    columns = ["model", "quality_factor"]
    if isinstance(run.sweep, TwiceSweep):
        columns = ["model", "first_quality_factor", "second_quality_factor"]
    if isinstance(run.sweep, ByHandSweep):
        columns += ["told_by_hand", "steered_by"]
    first, *others = (metric.name for metric in fast_metrics())
    return [*columns, "file_bytes", "bits_per_pixel", first, "gain_db", *others]


def _cells(point: SweepPoint, plain: Mapping[tuple[int, ...], float]) -> dict[str, object]:
    """Every column's value; empty where it says nothing."""
    factors, metrics = point.job.quality_factors, point.metrics
    gain = metrics["psnr_db"] - plain[factors] if factors in plain else None
    return {
        "model": point.job.model_name,
        "quality_factor": factors[-1],
        "first_quality_factor": factors[0],
        "second_quality_factor": factors[-1],
        "told_by_hand": "" if point.job.by_hand is None else point.job.by_hand,
        "steered_by": point.condition,
        "file_bytes": point.file_bytes,
        "bits_per_pixel": f"{point.bits_per_pixel:.6f}",
        "gain_db": "" if gain is None else f"{gain:.6f}",
        **{metric.name: metric.exact(metrics[metric.name]) for metric in fast_metrics()},
    }

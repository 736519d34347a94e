"""What the Sweep tab's charts and strip of pictures show, as plain values for their components."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from plotly import graph_objects

from models.baselines import PLAIN
from models.images import RgbImage
from studio.page.wording import decibels, signed_decibels
from studio.server.files import PictureFolder
from studio.sweep.figure_by_hand import by_hand_curve
from studio.sweep.figure_curves import measured_values, measures, quality_curves
from studio.sweep.figure_rate_distortion import rate_distortion
from studio.sweep.figure_twice import gain_map, plain_map
from studio.sweep.files import figures_page, file_stem, points_csv
from studio.sweep.rate_distortion import Reading, rate_curve
from studio.sweep.run import SweepRun
from studio.sweep.sweeper import SweepPoint
from studio.sweep.words import measured_words, settings_words, told_words

Titles = Mapping[str, str]
"""Models' titles by name."""

NO_CHART: dict[str, Any] = {"title": "", "charts": [], "files": []}
NO_STRIP: dict[str, Any] = {"panes": [], "note": ""}


def curves(run: SweepRun, titles: Titles) -> dict[str, Any]:
    """The chart of a QualitySweep: gain and every metric to switch between."""
    about = _about(run)
    charts = []
    for measure in measures():
        values = measured_values(measure, run.points)
        title = f"{run.picture.name}: {measure.label} by quality factor"
        figure = quality_curves(measure, run.points, run.sweep.quality_factors, titles, title, about)
        lines = [f"{titles[name]} from {_ends(line.values())}" for name, line in values.items()]
        alt = f"{measure.axis} against the quality factor. {'; '.join(lines)}."
        charts.append(_chart(run, measure.label, figure, alt))
    return {"title": "By quality factor", "charts": charts, "files": []}


def rates(run: SweepRun, readings: Sequence[Reading], titles: Titles) -> dict[str, Any]:
    """The chart of a QualitySweep's rate and distortion, with readings drawn in."""
    title = f"{run.picture.name}: rate and distortion"
    figure = rate_distortion(run.points, readings, titles, title, _about(run))
    lines = []
    for name in dict.fromkeys(point.job.model_name for point in run.points):
        curve = rate_curve(run.points, name)
        lines.append(f"{titles[name]} from {_ends(curve.psnr_db)} at {_ends(curve.bits_per_pixel)} bits")
    alt = f"PSNR in dB against bits per pixel. {'; '.join(lines)}."
    return {
        "title": "Rate and distortion",
        "charts": [_chart(run, "rate-distortion", figure, alt)],
        "files": [],
    }


def gains(run: SweepRun, titles: Titles) -> dict[str, Any]:
    """The chart of a TwiceSweep's gains."""
    model = titles[run.sweep.model_name]
    title = f"{run.picture.name}: gain of {model} in dB"
    figure = gain_map(run.points, run.sweep.quality_factors, title, _about(run))
    alt = f"PSNR gain of {model} over plain decoding by first and second quality factor. {_span(figure)}"
    return {"title": f"Gain of {model}", "charts": [_chart(run, "gain", figure, alt)], "files": []}


def plain_decodings(run: SweepRun) -> dict[str, Any]:
    """The chart of a TwiceSweep's plain decodings."""
    title = f"{run.picture.name}: PSNR of plain decoding in dB"
    figure = plain_map(run.points, run.sweep.quality_factors, title, _about(run))
    alt = f"PSNR of plain decoding by first and second quality factor. {_span(figure)}"
    return {"title": "Plain decoding", "charts": [_chart(run, "plain", figure, alt)], "files": []}


def told_curve(run: SweepRun, titles: Titles) -> dict[str, Any]:
    """The chart of a ByHandSweep."""
    title = f"{run.picture.name}: PSNR by the quality {titles[run.sweep.model_name]} is told"
    figure = by_hand_curve(run.points, run.sweep, titles, title, _about(run))
    told = [point.metrics["psnr_db"] for point in run.points if point.job.by_hand is not None]
    alt = f"PSNR in dB against the quality factor told by hand, from {_ends(told)}." if told else "Empty."
    return {"title": "By the quality told", "charts": [_chart(run, "psnr", figure, alt)], "files": []}


def strip(run: SweepRun, titles: Titles, pictures: PictureFolder) -> dict[str, Any]:
    """The pictures of a ByHandSweep: original, plain decoding, then by the quality the model was steered by."""
    plain = [point for point in run.points if point.job.model_name == PLAIN]
    others = [point for point in run.points if point.job.model_name != PLAIN]
    automatic = next((point for point in others if point.job.by_hand is None), None)
    writer = _Panes(run, automatic, titles, pictures)
    panes = [writer.original()]
    panes += [writer.pane(point) for point in plain + sorted(others, key=writer.steered_by)]
    note = ""
    if automatic is not None:
        note = f"Automatic: steered by {automatic.condition or 'the model itself'}. Δ is PSNR against that picture."
    return {"panes": panes, "note": note}


def downloads(
    run: SweepRun, values: Iterable[dict[str, Any]], pictures: PictureFolder
) -> list[dict[str, Any]]:
    """The table and the page of a sweep as files.

    Args:
        run: whose points they hold.
        values: of its charts.
        pictures: where the files are written.
    """
    figures = [graph_objects.Figure(one["figure"]) for value in values for one in value["charts"]]
    stem = file_stem(run)
    offered = (
        ("CSV table", "All points as a table, settings on top", f"{stem}.csv", points_csv(run)),
        (
            "HTML page",
            "All figures as one page that works offline",
            f"{stem}.html",
            figures_page(run, figures),
        ),
    )
    return [
        {"label": label, "title": title, "download": name, "file": pictures.served_bytes(name, text.encode())}
        for label, title, name, text in offered
    ]


def _chart(run: SweepRun, label: str, figure: graph_objects.Figure, alt: str) -> dict[str, Any]:
    name = f"{file_stem(run)}_{label.lower()}"
    return {"label": label, "alt": alt, "file_name": name, "figure": figure.to_plotly_json()}


class _Panes:
    """Writes the pictures of a ByHandSweep and describes them."""

    def __init__(
        self, run: SweepRun, automatic: SweepPoint | None, titles: Titles, pictures: PictureFolder
    ) -> None:
        self._run, self._automatic, self._titles, self._pictures = run, automatic, titles, pictures

    def original(self) -> dict[str, Any]:
        return self._described("original", "original", self._run.picture.pixels, "", "", marked=False)

    def pane(self, point: SweepPoint) -> dict[str, Any]:
        by_hand, automatic = point.job.by_hand, self._automatic
        if by_hand is not None:
            identifier, label = f"told{by_hand}", told_words(self._run.sweep, by_hand)
        elif point is automatic:
            identifier, label = "automatic", "automatic"
        else:
            identifier, label = PLAIN, self._titles[PLAIN]
        delta = ""
        if automatic is not None and point is not automatic:
            difference = point.metrics["psnr_db"] - automatic.metrics["psnr_db"]
            delta = f"Δ {signed_decibels(difference)} dB"
        detail = decibels(point.metrics["psnr_db"])
        return self._described(identifier, label, point.pixels, detail, delta, marked=point is automatic)

    def steered_by(self, point: SweepPoint) -> tuple[float, bool]:
        """What a picture is sorted by; the automatic one stands before one that was told the same."""
        if point.job.by_hand is not None:
            return point.job.by_hand, True
        return point.applied_quality_factor or self._run.sweep.file_quality, False

    def _described(
        self, identifier: str, label: str, pixels: RgbImage, detail: str, delta: str, *, marked: bool
    ) -> dict[str, Any]:
        name = f"{file_stem(self._run)}_{identifier}.png"
        return {
            "id": identifier,
            "label": label,
            "detail": detail,
            "delta": delta,
            "marked": marked,
            "alt": ", ".join(words for words in (self._run.picture.name, label, detail) if words),
            "width": pixels.shape[1],
            "height": pixels.shape[0],
            "file": self._pictures.served(name, pixels),
            "download": name,
        }


def _about(run: SweepRun) -> str:
    return f"{measured_words(run.picture)}; {settings_words(run.sweep)}"


def _ends(values: Iterable[float]) -> str:
    """First and last number."""
    numbers = list(values)
    return f"{numbers[0]:.4g} to {numbers[-1]:.4g}" if numbers else "nothing yet"


def _span(figure: graph_objects.Figure) -> str:
    """Smallest and largest number of a map."""
    numbers = [value for row in figure.data[0].z for value in row if value is not None]
    return f"From {min(numbers):.2f} to {max(numbers):.2f} dB." if numbers else "Nothing yet."

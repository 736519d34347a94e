"""The Models tab as values for its components: figures, the table with printed figures, crops and cards."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from plotly import graph_objects

from models.baselines import PLAIN
from studio.catalog.crops import ORIGINAL, Crop, CropSeries
from studio.catalog.figures import Cost, cost_of, gain_against_cost, gain_over_quality
from studio.catalog.printed import PrintedTable, peers, printed_elsewhere, printed_tables
from studio.catalog.rows import CatalogRow
from studio.page.markup import templates
from studio.page.wording import UNDEFINED, signed_decibels
from training.evaluation.protocols import TENS

COMPARED = (10, 50, 90)
"""Quality factors of the table's gains."""
HARMED = 90
"""The quality factor at which harm is told: the highest of COMPARED, where there is least to repair."""
OFFERED = (*TENS, 95)
"""Quality factors of the figure of costs."""
NO_CHART: dict[str, Any] = {"title": "", "charts": [], "files": []}


@dataclass(frozen=True)
class Column:
    """A heading of the table that sorts.

    Attributes:
        label, title: what it says, and what it means.
        first: the direction of the first press.
        sorted: the direction of the table as it comes.
        number: it holds numbers.
    """

    label: str
    title: str
    first: str = "descending"
    sorted: str = "none"
    number: bool = True


COLUMNS = (
    Column("Model", "The model's name", "ascending", number=False),
    *(
        Column(
            f"QF {quality}",
            f"Mean gain in dB at quality factor {quality}",
            sorted="descending" if quality == COMPARED[0] else "none",
        )
        for quality in COMPARED
    ),
    Column(
        f"Made worse, QF {HARMED}",
        f"Share of the photographs that lose at quality factor {HARMED}, and below it the picture that fares worst",
        "ascending",
    ),
    Column("s/MP", "Seconds per megapixel", "ascending"),
    Column("MB", "Size of the weights in megabytes", "ascending"),
)


@dataclass(frozen=True)
class Cell:
    """A number of the table: how it is sorted and shown; `more` stands below it in small type."""

    label: str
    value: float | None
    text: str
    kind: str = ""
    more: str = ""


def _decibels(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.2f}"


def _gain(value: float | None) -> str:
    return UNDEFINED if value is None else signed_decibels(value)


_render = templates(__file__, {"db": _decibels, "gain": _gain})


def intro_markup(rows: Iterable[CatalogRow]) -> str:
    """What the numbers mean, and which machines took the times."""
    machines: dict[str, list[str]] = {}
    pictures = 0
    for row in rows:
        if row.singles and row.card.architecture:
            machines.setdefault(row.machine, []).append(row.card.title)
            pictures = max(pictures, row.typical.get("images", 0))
    told = [(machine, ", ".join(titles)) for machine, titles in sorted(machines.items(), key=_fewest)]
    if len(told) > 1:
        told[-1] = (told[-1][0], "All others")
    return _render("intro", pictures=pictures, machines=told)


def _fewest(item: tuple[str, list[str]]) -> int:
    return len(item[1])


# ---------------------------------------------------------------- figures


def cost_chart(rows: Sequence[CatalogRow], cost: Cost) -> dict[str, Any]:
    """Gain against cost, with a switch between the quality factors."""
    plain = next((row for row in rows if row.card.name == PLAIN), None)
    charts = []
    for quality in OFFERED:
        known = [row for row in rows if row.card.architecture and row.gain_db(quality) is not None]
        if known:
            printed = peers(quality, plain) if cost == "operations" else []
            figure = gain_against_cost(known, printed, quality, cost)
            alt = f"Mean gain against cost at quality {quality}: {_points_words(known, quality, cost)}"
            charts.append(_chart(str(quality), figure, alt, f"models_gain-against-cost_qf{quality}"))
    return {"title": "Gain against cost, at quality", "charts": charts, "files": []} if charts else NO_CHART


def _points_words(rows: Iterable[CatalogRow], quality: int, cost: Cost) -> str:
    unit = "seconds per megapixel" if cost == "seconds" else "million operations per pixel"
    points = ((row, cost_of(row, cost)) for row in rows)
    words = (
        f"{row.card.title} {_gain(row.gain_db(quality))} dB at {price:.2f}" for row, price in points if price
    )
    return f"{', '.join(words)} {unit}."


def quality_chart(rows: Sequence[CatalogRow]) -> dict[str, Any]:
    """Gain over quality, a line for each model."""
    known = [row for row in rows if row.card.architecture and row.singles]
    if not known:
        return NO_CHART
    harmful = [
        f"{row.card.title} from quality {min(harmed)}"
        for row in known
        if (harmed := [quality for quality in row.singles if (row.gain_db(quality) or 0) < 0])
    ]
    alt = "Mean gain against the quality factor. "
    alt += (
        f"Worse than plain decoding: {', '.join(harmful)}."
        if harmful
        else "No model is worse than plain decoding."
    )
    chart = _chart("LIVE1", gain_over_quality(known), alt, "models_gain-over-quality")
    return {"title": "Gain over quality", "charts": [chart], "files": []}


def _chart(label: str, figure: graph_objects.Figure, alt: str, file_name: str) -> dict[str, Any]:
    return {"label": label, "alt": alt, "file_name": file_name, "figure": figure.to_plotly_json()}


# ---------------------------------------------------------------- table, crops, cards


def models_markup(rows: Sequence[CatalogRow], crops: str, cards: str, *, can_withdraw: bool = False) -> str:
    """The table, what other networks' papers print, the crops and the cards.

    Args:
        rows: the models, in the order of the table.
        crops: from crops_markup.
        cards: from studio.catalog.cards.
        can_withdraw: models that were trained here can be taken back.
    """
    elsewhere = printed_elsewhere(rows)
    return _render(
        "models",
        columns=COLUMNS,
        models=[_model(row, can_withdraw) for row in rows],
        elsewhere=elsewhere,
        elsewhere_names=", ".join(dict.fromkeys(table.published.method for table in elsewhere)),
        printed=_printed,
        crops=Markup(crops),
        cards=Markup(cards),
    )


def _model(row: CatalogRow, can_withdraw: bool) -> dict[str, Any]:
    card, printed = row.card, printed_tables(row)
    own = "own" if row.singles else "own, unmeasured"
    return {
        "name": card.name,
        "title": card.title,
        "mark": own if row.own else "" if row.singles else "unmeasured",
        "cells": cells_of(row),
        "license": card.license.partition(";")[0],
        "link": row.paper_link,
        "can_be_tried": card.name != PLAIN,
        "can_be_withdrawn": can_withdraw and row.own,
        "printed": printed,
        "printed_in": "; ".join(dict.fromkeys(table.published.source for table in printed)),
    }


def cells_of(row: CatalogRow) -> list[Cell]:
    """The numbers of a model, in the order of COLUMNS without the first."""
    cells = []
    for quality in COMPARED:
        gain = row.gain_db(quality)
        text = _gain(gain)
        cells.append(Cell(f"QF {quality}", gain, text, {"+": "good", "−": "bad"}.get(text[:1], "")))
    harm = row.singles.get(HARMED, {})
    share, worst = harm.get("share_worse"), harm.get("worst_gain_db")
    text = UNDEFINED if share is None else f"{share:.0%}".replace("%", " %")
    more = "" if worst is None or not row.card.architecture else f"worst {signed_decibels(worst)} dB"
    cells.append(Cell(f"Worse, QF {HARMED}", share, text, "bad" if share else "", more))
    seconds = row.seconds_per_megapixel
    cells.append(Cell("s/MP", seconds, UNDEFINED if seconds is None else f"{seconds:.2f}"))
    size = None if row.weights_bytes is None else row.weights_bytes / 1e6
    cells.append(Cell("MB", size, UNDEFINED if size is None else f"{size:.2f}"))
    return cells


def _printed(table: PrintedTable) -> Markup:
    """One printed row with its place, and what was measured here in the same way."""
    lines = table.lines
    return _render(
        "printed",
        table=table,
        gains=any(line.gain_db is not None for line in lines),
        here=any(line.here_psnr_db is not None for line in lines),
    )


def crops_markup(
    series: CropSeries | None,
    titles: Mapping[str, str],
    weights: Mapping[str, str],
    addresses: Mapping[str, str],
) -> str:
    """One crop by every model; nothing where none were drawn.

    Args:
        series: what was drawn.
        titles: of the models there are, by name.
        weights: sha256 of the weights that lie there now, by name; crops of other weights are not shown.
        addresses: of the pictures, by file name.
    """
    if series is None or ORIGINAL not in addresses:
        return ""
    known = [crop for crop in series.crops if crop.model in titles and crop.file_name in addresses]
    shown = [crop for crop in known if crop.weights == weights.get(crop.model, "")]
    if not shown:
        return ""
    return _render(
        "crops",
        series=series,
        original=addresses[ORIGINAL],
        crops=[_crop(crop, titles, addresses) for crop in shown],
        outdated=", ".join(titles[crop.model] for crop in known if crop not in shown),
    )


def _crop(crop: Crop, titles: Mapping[str, str], addresses: Mapping[str, str]) -> dict[str, str]:
    psnr = f"{crop.psnr_db:.2f} dB"
    return {"title": titles[crop.model], "address": addresses[crop.file_name], "psnr": psnr}

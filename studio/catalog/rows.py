"""What figures and table of the Models tab show of every model: its card, and what was measured of it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from models.baselines import PLAIN
from models.card import ModelCard
from models.errors import RestorationError
from models.zoo import WEIGHTS_FILE, Zoo
from training.evaluation.measured_models import MeasuredModel, measured_model, plain_rows
from training.evaluation.score_files import Setting, is_usual_save
from training.evaluation.tables import typical_row

COLOR = Setting("LIVE1")
"""What figures and table compare: single saves of LIVE1 at 4:2:0, PSNR over R, G and B."""

LINKS = re.compile(r"arXiv:(\d{4}\.\d{4,5})|doi:(10\.\d{4,9}/[^\s,;]+)|(https://[^\s\"'<>]+[^\s\"'<>.,;)])")


@dataclass(frozen=True, eq=False)
class CatalogRow:
    """A model.

    Attributes:
        card: its card.
        own: it was trained here.
        measured: whole data sets only; None where nothing is known.
        singles: rows of COLOR by quality factor.
        weights_bytes: size of its weights; None where it has none.
    """

    card: ModelCard
    own: bool = False
    measured: MeasuredModel | None = None
    singles: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    weights_bytes: int | None = None

    def gain_db(self, quality_factor: int) -> float | None:
        """Mean gain of the pictures over plain decoding; None where not measured."""
        return self.singles.get(quality_factor, {}).get("gain_db")

    @cached_property
    def typical(self) -> Mapping[str, Any]:
        """The row of median speed; empty where nothing was measured."""
        rows = [dict(row) for row in self.singles.values()]
        return typical_row(rows) if rows else {}

    @property
    def seconds_per_megapixel(self) -> float | None:
        """Median over the qualities, on `machine`."""
        milliseconds = self.typical.get("milliseconds_per_megapixel")
        return None if milliseconds is None else milliseconds / 1000

    @property
    def machine(self) -> str:
        """What it was timed on, without versions; "" where it was not."""
        return str(self.typical.get("machine", "")).split(", torch")[0]

    @property
    def paper_link(self) -> str:
        """Of the first paper that the card cites with an identifier; "" for none."""
        found = LINKS.search(self.card.paper)
        return link_of(found) if found else ""


def link_of(found: re.Match[str]) -> str:
    """The address that a citation's identifier stands for."""
    arxiv, doi, address = found.groups()
    return f"https://arxiv.org/abs/{arxiv}" if arxiv else f"https://doi.org/{doi}" if doi else address


def catalog_rows(zoo: Zoo, cards: Iterable[ModelCard]) -> list[CatalogRow]:
    """Every model, the largest gain at the lowest quality first, then those that were not measured."""
    rows = [_row(zoo, card) for card in cards if card.architecture]
    measured = [row.measured for row in rows if row.measured and not row.own]
    plain = {
        row["quality_factor"]: row
        for row in plain_rows(measured, COLOR)
        if is_usual_save(row)
    }  # fmt: skip
    for card in cards:
        if not card.architecture:
            rows.append(CatalogRow(card, singles=plain if card.name == PLAIN else {}))
    return sorted(rows, key=_place)


def _place(row: CatalogRow) -> tuple[bool, float]:
    gain = row.gain_db(10)
    return (gain is None, -(gain or 0.0))


def _row(zoo: Zoo, card: ModelCard) -> CatalogRow:
    folder = zoo.folder_of(card.name)
    try:
        measured = measured_model(folder, card)
    except (RestorationError, OSError):
        measured = None
    singles = measured.single_saves(COLOR) if measured else {}
    return CatalogRow(card, zoo.is_own(card.name), measured, singles, _size_of(folder / WEIGHTS_FILE))


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None

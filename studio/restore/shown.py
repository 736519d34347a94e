"""A run as the page shows it: its table, its progress, its pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from models.card import ModelCard
from models.restorer import RestoredPart
from studio.engine.engine import Progress
from studio.page import facts
from studio.page.view import with_draft
from studio.page.wording import duration
from studio.restore.page import Page
from studio.restore.results import table_of, waiting_table
from studio.server.files import PictureFolder
from studio.session.visitor import Run

LEAST_COST = 0.02
"""1e6 multiply-accumulates per pixel that models without a network are counted as."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One state of a run.

    Attributes:
        run: what there is of it.
        cards: by model name.
        names: its models, cheapest first.
        began: when it came to its turn.
        head_start: what had been done before, 0..1, where a stopped run goes on.
        parts: of the model at work, see with_draft.
    """

    run: Run
    cards: Mapping[str, ModelCard]
    names: list[str]
    began: float = 0.0
    head_start: float = 0.0
    parts: tuple[dict[str, Any], ...] = ()

    def with_part(self, part: RestoredPart, pictures: PictureFolder) -> "Shown":
        """One more part is finished; its file is written."""
        pixels = part.pixels.copy()  # what it is cut from is still being worked on
        rows, columns = pixels.shape[:2]
        file = pictures.served("part.png", pixels)
        place = {"x": part.column, "y": part.row, "width": columns, "height": rows, "file": file}
        return replace(self, parts=(*self.parts, place))

    def draft(self, item: Progress) -> dict[str, Any] | None:
        """The view with the parts that are finished; None where there are none."""
        if self.run.view is None or not self.parts:
            return None
        return with_draft(self.run.view, item.model_name, self.cards[item.model_name].title, self.parts)

    def progress(self, item: Progress) -> dict[str, Any]:
        """How far the run is, and how long it will take, for the button."""
        outputs = self.run.outputs
        done = {*outputs.restorations, *outputs.failures} if outputs else set()
        costs = {name: self.cards[name].mmac_per_pixel + LEAST_COST for name in self.names}
        finished = sum(cost for name, cost in costs.items() if name in done)
        share = (finished + costs[item.model_name] * item.done / max(item.total, 1)) / sum(costs.values())
        gained = share - self.head_start
        left = (monotonic() - self.began) * (1 - share) / gained if gained > 0.02 else None
        words = "" if left is None or left < 1 else f"about {duration(left)} left"
        said = f"{len(done)} of {len(self.names)} finished" if done else ""
        return {"state": "running", "share": round(share, 3), "left": words, "said": said}

    def table(self, *, progress: Progress | None = None, stopped: bool = False) -> dict[str, Any]:
        outputs, view = self.run.outputs, self.run.view
        if outputs is None or view is None:
            return waiting_table(self.names, self.cards, stopped=stopped)
        finished = {*outputs.restorations, *outputs.failures}
        waiting = tuple(name for name in self.names if name not in finished)
        return table_of(
            outputs, self.cards, view["panes"], waiting=waiting, progress=progress, stopped=stopped
        )

    def page(self) -> Page:
        quality = facts.quality_line(self.run.outputs, self.cards) if self.run.outputs else ""
        return Page(run=self.run, viewer=self.run.view, results=self.table(), quality=quality)

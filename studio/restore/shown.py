"""A run as the page shows it: its table, its progress, its pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from models.card import ModelCard
from studio.engine.engine import Progress
from studio.page import facts
from studio.page.wording import duration
from studio.restore.page import Page
from studio.restore.results import table_of, waiting_table
from studio.session.visitor import Run

LEAST_COST = 0.02
"""1e6 multiply-accumulates per pixel that models without a network are counted as."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One state of a run; `names` are its models, cheapest first, and `began` is when it came to its turn."""

    run: Run
    cards: Mapping[str, ModelCard]
    names: list[str]
    began: float = 0.0

    def progress(self, item: Progress) -> dict[str, Any]:
        """How far the run is, and how long it will take, for the button."""
        outputs = self.run.outputs
        done = {*outputs.restorations, *outputs.failures} if outputs else set()
        costs = {name: self.cards[name].mmac_per_pixel + LEAST_COST for name in self.names}
        finished = sum(cost for name, cost in costs.items() if name in done)
        share = (finished + costs[item.model_name] * item.done / max(item.total, 1)) / sum(costs.values())
        left = (monotonic() - self.began) * (1 - share) / share if share > 0.02 else None
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

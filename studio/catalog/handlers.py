"""What happens in the Models tab: it is entered, costs are counted in another way, a model is tried or withdrawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.errors import InvalidSetting, RestorationError
from models.file_cache import FileCache
from models.zoo import WEIGHTS_FILE, Zoo
from studio.catalog.cards import cards_markup
from studio.catalog.crops import CROPS_FILE, CROPS_FOLDER, read_crops
from studio.catalog.figures import COST_AXES, Cost
from studio.catalog.rows import CatalogRow, catalog_rows
from studio.catalog.scores import known_scores
from studio.catalog.view import NO_CHART, cost_chart, crops_markup, intro_markup, models_markup, quality_chart
from studio.page.controls import model_choices
from studio.page.facts import notice
from studio.server.answers import Props
from training.evaluation.score_files import SCORES_FILE, weights_of

RESTORE_TAB = "restore"
"""Where a model is tried."""


@dataclass(frozen=True, eq=False)
class CatalogPage:
    """What changes in the tab; None leaves it alone.

    Attributes:
        intro, models: markup.
        costs, qualities: values of the two charts.
        cost: the switch between the costs.
        notice: a sentence.
        model_names: the Restore tab's picker.
    """

    intro: str | None = None
    costs: dict[str, Any] | None = None
    qualities: dict[str, Any] | None = None
    models: str | None = None
    cost: Props | None = None
    notice: str | None = None
    model_names: Props | None = None


@dataclass(frozen=True, eq=False)
class TriedPage:
    """The Restore tab with a model ticked, in front."""

    model_names: Props | None = None
    tabs: Props | None = None
    door: str | None = None
    notice: str | None = None


@dataclass(frozen=True, eq=False)
class _Contents:
    """The tab as the files are now; and its figure of costs, by what is counted."""

    page: CatalogPage
    costs: Mapping[Cost, dict[str, Any]]


class CatalogHandlers:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(
        self,
        zoo: Zoo,
        crop_addresses: Mapping[str, str],
        withdraw: Callable[[str], None] | None = None,
    ) -> None:
        """Look at no file yet.

        Args:
            zoo: its models are shown.
            crop_addresses: where the page finds the drawn crops, by file name.
            withdraw: takes back a model that was trained here, by name; None where nobody may.
        """
        self._zoo, self._addresses, self._withdraw = zoo, crop_addresses, withdraw
        self._contents = FileCache(self._read)

    def entered(self, cost: Any) -> CatalogPage:
        """Every model's card and scores as the checkpoints folder holds them now."""
        contents = self._contents()
        return replace(contents.page, costs=contents.costs[_cost(cost)])

    def cost_chosen(self, cost: Any) -> CatalogPage:
        """The figure of costs counts in another way."""
        return CatalogPage(costs=self._contents().costs[_cost(cost)])

    def _read(self) -> tuple[_Contents, list[Path]]:
        """The whole tab, and all files that it is made from."""
        files = [CROPS_FOLDER / CROPS_FILE]
        for path in self._zoo.files():
            files += [path, path / SCORES_FILE, path / WEIGHTS_FILE]
        listing = self._zoo.listing()
        rows = catalog_rows(self._zoo, listing.cards)
        scores = {card.name: known_scores(self._zoo.folder_of(card.name), card) for card in listing.cards}
        cards = cards_markup([row.card for row in rows], scores, listing.problems)
        costs: dict[Cost, dict[str, Any]] = {cost: cost_chart(rows, cost) for cost in COST_AXES}
        page = CatalogPage(
            intro=intro_markup(rows),
            qualities=quality_chart(rows),
            models=models_markup(rows, self._crops(rows), cards, can_withdraw=self._withdraw is not None),
            cost=Props(visible=costs["seconds"] != NO_CHART),
            notice="",
        )
        return _Contents(page, costs), files

    def tried(self, event: Mapping[str, Any]) -> TriedPage:
        """A model shall be tried: it alone is ticked, and the Restore tab comes to the front.

        Raises:
            InvalidSetting: it is not there any more.
        """
        cards, name = self._zoo.cards(), event.get("name")
        if name not in [card.name for card in cards]:
            raise InvalidSetting(
                f"There is no model called {str(name)[:80]!r} any more. Models of the table can be tried. "
                "Choose another one."
            )
        picker = Props(choices=model_choices(cards), value=[name])
        return TriedPage(picker, Props(selected=RESTORE_TAB), "experiment")

    def withdrawn(self, event: Mapping[str, Any], model_names: Any, cost: Any) -> CatalogPage:
        """A model that was trained here shall go, and the question whether it may was answered.

        Raises:
            RestorationError: with the sentence to show.
        """
        name = str(event.get("name"))
        if self._withdraw is None or not self._zoo.is_own(name):
            raise InvalidSetting(
                f"{name[:80]!r} cannot be withdrawn. Models that were trained on this machine can be. Nothing was done."
            )
        self._withdraw(name)
        page = self.entered(cost)
        ticked = [each for each in model_names if each != name] if isinstance(model_names, list) else []
        picker = Props(choices=model_choices(self._zoo.cards()), value=ticked)
        return CatalogPage(**{**vars(page), "model_names": picker})

    def refuse(self, sentence: str) -> CatalogPage:
        """Something went wrong."""
        return CatalogPage(notice=notice(sentence))

    def _crops(self, rows: list[CatalogRow]) -> str:
        """The crops of the weights that lie there now."""
        weights = {}
        for row in rows:
            if row.card.architecture and not row.own:
                try:
                    weights[row.card.name] = weights_of(self._zoo.folder_of(row.card.name), row.card).sha256
                except (RestorationError, OSError):
                    weights[row.card.name] = "none"
        titles = {row.card.name: row.card.title for row in rows if not row.own}
        return crops_markup(read_crops(), titles, weights, self._addresses)


def _cost(value: Any) -> Cost:
    return "operations" if value == "operations" else "seconds"

"""What happens when the Models tab is entered."""

from dataclasses import dataclass

from models.zoo import Zoo
from studio.catalog.scores import known_scores
from studio.catalog.view import models_page
from studio.page.facts import notice


@dataclass(frozen=True)
class CatalogPage:
    """The whole tab, as markup; None leaves it alone."""

    models: str | None = None


class CatalogHandlers:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, zoo: Zoo) -> None:
        self._zoo = zoo

    def entered(self) -> CatalogPage:
        """Every model's card and scores as the checkpoints folder holds them now."""
        listing = self._zoo.listing()
        scores = {card.name: known_scores(self._zoo.folder_of(card.name), card) for card in listing.cards}
        return CatalogPage(models_page(listing.cards, scores, listing.problems))

    def refuse(self, sentence: str) -> CatalogPage:
        """Something went wrong."""
        return CatalogPage(notice(sentence))

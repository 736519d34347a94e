"""The Models tab: every model's card and measured scores. Nothing to configure."""

import gradio as gr

from models.zoo import Zoo
from studio.catalog.scores import known_scores
from studio.catalog.view import models_page


def build_models_tab(demo: gr.Blocks, tab: gr.Tab, zoo: Zoo) -> None:
    """Drawn anew at each page load and each visit, so that a checkpoint that arrived meanwhile is there."""

    def drawn() -> str:
        listing = zoo.listing()
        scores = {card.name: known_scores(zoo.folder_of(card.name), card) for card in listing.cards}
        return models_page(listing.cards, scores, listing.problems)

    page = gr.HTML("", elem_id="models-page")
    gr.on([demo.load, tab.select], drawn, None, page, show_progress="hidden", api_visibility="private")

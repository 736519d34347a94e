"""The Models tab: every model's card and measured scores. Nothing to configure."""

import gradio as gr

from models.zoo import Zoo
from studio.catalog.handlers import CatalogHandlers, CatalogPage
from studio.page.binding import LIGHT, Binding


def build_models_tab(demo: gr.Blocks, tab: gr.Tab, zoo: Zoo) -> None:
    """Drawn anew at each page load and each visit, so that a checkpoint that arrived meanwhile is there."""
    handlers = CatalogHandlers(zoo)
    bound = Binding(CatalogPage, {"models": gr.HTML("", elem_id="models-page")})
    for event in (demo.load, tab.select):
        bound.on(event, handlers.entered, otherwise=handlers.refuse, **LIGHT)

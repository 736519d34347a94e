"""The Models tab: two figures, one table that sorts, one crop by every model, and all cards."""

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from models.zoo import Zoo
from studio.catalog.crops import CROPS_FOLDER
from studio.catalog.handlers import CatalogHandlers, CatalogPage, TriedPage
from studio.page.binding import IMMEDIATE, LIGHT, Binding
from studio.page.components import address_of, chart, component

COSTS = [("seconds", "seconds"), ("operations, with papers", "operations")]


def build_models_tab(
    tab: gr.Tab,
    zoo: Zoo,
    tabs: gr.Tabs,
    opened: Mapping[str, Any],
    withdraw: Callable[[str], None] | None,
) -> None:
    """Drawn anew at each visit, so that a checkpoint that arrived meanwhile is there; nothing at the page's load.

    Args:
        tab: the one being built.
        zoo: its models are shown.
        tabs: the page's, to change between them.
        opened: components of the Restore tab, of which `model_names` takes the model that shall be tried.
        withdraw: takes back a model that was trained here, by name; None where nobody may.
    """
    addresses = {path.name: address_of(path) for path in sorted(CROPS_FOLDER.glob("*.webp"))}
    handlers = CatalogHandlers(zoo, addresses, withdraw)
    parts: dict[str, Any] = {"intro": gr.HTML("", elem_id="models-intro")}
    with gr.Row(elem_id="models-figures"):
        with gr.Column(min_width=320):
            parts["costs"] = chart("models-costs")
            parts["cost"] = gr.Radio(
                COSTS,
                value="seconds",
                label="Cost in",
                show_label=False,
                visible=False,
                elem_classes="segments",
                elem_id="models-cost",
            )
        with gr.Column(min_width=320):
            parts["qualities"] = chart("models-qualities")
    parts |= {
        "notice": gr.HTML("", elem_id="models-notice"),
        "models": component("catalog/models", "", elem_id="models-page"),
        "tabs": tabs,
        "model_names": opened["model_names"],
        "door": opened["door"],
    }
    bound, refuse = Binding(CatalogPage, parts), handlers.refuse
    bound.on(tab.select, handlers.entered, otherwise=refuse, **LIGHT)
    bound.on(parts["cost"].input, handlers.cost_chosen, otherwise=refuse, **LIGHT)
    bound.on(parts["models"].withdrawn, handlers.withdrawn, otherwise=refuse, **LIGHT)
    Binding(TriedPage, parts).on(parts["models"].tried, handlers.tried, **IMMEDIATE)

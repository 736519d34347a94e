"""The Train tab: its components, where they stand, and which event calls which handler."""

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from models.zoo import ARCHITECTURES
from studio.page.binding import IMMEDIATE, LATEST, LIGHT, Binding
from studio.page.components import chart, component, viewer
from studio.page.controls import heading
from studio.train.checks import picture_folders
from studio.train.handlers import PickedPage, PressedPage, Seen, TrainHandlers, TrainPage, Watch
from studio.train.recipe import PRESETS, SKIMAGE
from studio.train.recipe_handlers import RecipeHandlers, RecipePage
from studio.train.recipe_view import EMPTY_FORM, NO_COMMAND
from studio.train.runs_view import rows_of
from studio.train.view import EMPTY

SKIMAGE_WORDS = "scikit-image's own"
SHOW_LIFE = """() => {
  const life = document.getElementById("train-life"), top = life.getBoundingClientRect().top;
  if (top < 0 || top > window.innerHeight / 2) life.scrollIntoView({ behavior: "smooth" });
}"""
FOCUS_TAB = "() => document.querySelector('#frame [role=tab][aria-selected=true]')?.focus()"
"""The button that was pressed went out of sight with its tab."""


def build_train_tab(
    demo: gr.Blocks,
    tabs: gr.Tabs,
    tab: gr.Tab,
    handlers: TrainHandlers,
    recipes: RecipeHandlers,
    opened: Mapping[str, Any],
) -> None:
    """Lay the tab out and wire it.

    Args:
        demo: the page.
        tabs: the page's, to change between them.
        tab: the one being built; entering it shows what runs.
        handlers: answer for runs.
        recipes: answer for the recipe.
        opened: components of the Restore tab, of which `model_names` takes what "Use it" makes, and `door` leads there.
    """

    def pulse(_: object = None) -> dict[str, str]:
        return handlers.pulse()

    parts: dict[str, Any] = {"model_names": opened["model_names"], "door": opened["door"], "tabs": tabs}
    parts |= {
        "watch": gr.State(Watch()),
        "seen": gr.State(Seen()),
    }  # small, and watched longer than pictures are kept
    with gr.Row(elem_id="train-bench", elem_classes="bench"):
        with gr.Column(elem_id="train-recipe", elem_classes="bench-controls", scale=0, min_width=304):
            parts |= _recipe(picture_folders(handlers.jobs.data_root))
        with gr.Column(elem_id="train-life", elem_classes="bench-looking"):
            parts |= _life()
            parts["pulse"] = component("train/pulse", None, elem_id="train-pulse", server_functions=[pulse])
    _wire_recipe(demo, recipes, parts)
    _wire_life(tab, handlers, parts)


def _wire_recipe(demo: gr.Blocks, recipes: RecipeHandlers, parts: dict[str, Any]) -> None:
    bound = Binding(RecipePage, parts)
    bound.on(demo.load, recipes.first, **LIGHT)
    bound.on(parts["preset_name"].input, recipes.preset_chosen, **LATEST)
    bound.on(parts["yaml"].input, recipes.typed, **LATEST)
    bound.on(parts["recipe_form"].edited, recipes.edited, **LATEST)
    bound.on(parts["run_name"].input, recipes.named, **LATEST)
    bound.on(parts["network"].input, recipes.network_chosen, **LATEST)
    bound.on(parts["photographs"].input, recipes.photographs_chosen, **LATEST)
    bound.on(parts["command"].copied, recipes.copied, **LIGHT)


def _wire_life(tab: gr.Tab, handlers: TrainHandlers, parts: dict[str, Any]) -> None:
    bound, runs = Binding(TrainPage, parts), parts["runs"]
    bound.on(tab.select, handlers.entered, **LIGHT)
    bound.on(parts["pulse"].beat, handlers.refreshed, **IMMEDIATE)
    bound.on(parts["run_name"].change, handlers.refreshed, **LATEST)
    pressed = Binding(PressedPage, parts).on(parts["button"].click, handlers.pressed, **LIGHT)
    pressed.success(None, None, None, js=SHOW_LIFE, api_visibility="private")
    bound.on(parts["another"].click, handlers.recipe_chosen, **LIGHT)
    bound.on(parts["pictures"].input, handlers.pictured, **LATEST)
    bound.on(runs.chosen, handlers.chosen, **LIGHT)
    bound.on(runs.compared, handlers.compared, **LIGHT)
    picking = Binding(PickedPage, parts)
    picking.on(runs.deleted, handlers.deleted, **LIGHT)
    used = picking.on(runs.used, handlers.used, **LIGHT)
    used.success(None, None, None, js=FOCUS_TAB, api_visibility="private")


def _recipe(folders: Sequence[str]) -> dict[str, Any]:
    """The left side.

    Args:
        folders: names of picture folders that are there.
    """
    parts: dict[str, Any] = {}
    with gr.Column(elem_classes="step"):
        heading(1, "Start from")
        presets = [(preset.title, preset.name) for preset in PRESETS if preset.path.exists()]
        parts["preset_name"] = gr.Radio(
            presets, value=presets[0][1], label="Preset", show_label=False, elem_classes="models"
        )
        parts["preset_words"] = gr.HTML("", elem_classes="facts")
    with gr.Column(elem_classes="step"):
        heading(2, "Learn what, from what")
        choices = [(SKIMAGE_WORDS, SKIMAGE), *((name, name) for name in folders)]
        parts["photographs"] = gr.Dropdown(
            choices,
            value=SKIMAGE,
            label="Photographs",
            allow_custom_value=True,
            elem_classes="inline",
            elem_id="train-photographs",
        )
        parts["photograph_words"] = gr.HTML("", elem_classes="facts")
        parts["network"] = gr.Dropdown(
            list(ARCHITECTURES),
            label="Network",
            filterable=False,
            elem_classes="inline",
            elem_id="train-network",
        )
        parts["network_words"] = gr.HTML("", elem_classes="facts")
    with gr.Column(elem_classes="step"):
        heading(3, "Name and settings")
        parts["run_name"] = gr.Textbox(
            label="Name", max_lines=1, max_length=64, elem_classes="inline", elem_id="train-name"
        )
        gr.Radio(  # the style sheet shows what is chosen
            [("Form", "form"), ("YAML", "yaml")],
            value="form",
            interactive=True,
            label="Settings as",
            show_label=False,
            elem_classes="segments",
        )
        with gr.Column(elem_id="train-as-form"):
            parts["recipe_form"] = component("train/recipe_form", EMPTY_FORM, elem_id="train-form")
        with gr.Column(elem_id="train-as-yaml"):
            parts["yaml"] = gr.Code(
                "",
                language="yaml",
                label="The recipe as YAML",
                show_label=False,
                lines=20,
                max_lines=32,
                wrap_lines=False,
                buttons=[],
                elem_id="train-yaml",
            )
        parts["problems"] = gr.HTML("", elem_id="train-problems")
        parts["command"] = component("train/command_line", NO_COMMAND, elem_id="train-command")
    return parts


def _life() -> dict[str, Any]:
    """The right side."""
    parts: dict[str, Any] = {}
    with gr.Row(elem_id="train-top"):
        parts["head"] = gr.HTML("", elem_id="train-head")
        parts["another"] = gr.Button(
            "New run", elem_id="train-another", elem_classes="stop-button", visible=False
        )
        parts["button"] = gr.Button(
            "Start", variant="primary", elem_id="train-button", elem_classes="run-button"
        )
    parts["notice"] = gr.HTML("", elem_id="train-notice")
    parts["empty"] = gr.HTML(EMPTY, elem_id="train-empty")
    parts["facts"] = gr.HTML("", elem_id="train-facts")
    parts["charts"] = chart("train-charts")
    with gr.Column(elem_id="train-previews", visible=False) as parts["previews"]:
        with gr.Row(elem_id="train-previews-bar"):
            gr.HTML(
                "<h3>Previews</h3><p class='fact-note'>at every validation, from files saved at quality 10</p>"
            )
            parts["pictures"] = gr.Radio(
                [], label="Picture", show_label=False, elem_classes="segments", elem_id="train-pictures"
            )
        parts["viewer"] = viewer("train-viewer")
    parts["log"] = component("train/run_log", {"lines": [], "note": ""}, elem_id="train-log")
    parts["runs"] = component("train/run_list", rows_of((), ""), elem_id="train-runs")
    parts["comparison"] = chart("train-comparison")
    parts["differences"] = gr.HTML("", elem_id="train-differences")
    return parts

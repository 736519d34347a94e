"""The Train tab's components and where they stand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from models.zoo import ARCHITECTURES
from studio.page.components import chart, component, viewer
from studio.page.controls import heading
from studio.train.recipe import PRESETS, SKIMAGE
from studio.train.recipe_view import EMPTY_FORM, NO_COMMAND
from studio.train.runs_view import rows_of
from studio.train.view import EMPTY

SKIMAGE_WORDS = "scikit-image's own"


@dataclass(frozen=True, eq=False)
class RecipeControls:
    """The left side; field names equal RecipePage's."""

    yaml: gr.Code
    form: gr.HTML
    run_name: gr.Textbox
    photographs: gr.Dropdown
    network: gr.Dropdown
    preset_words: gr.HTML
    photograph_words: gr.HTML
    network_words: gr.HTML
    problems: gr.HTML
    command: gr.HTML
    notice: gr.HTML


@dataclass(frozen=True, eq=False)
class TrainOutputs:
    """The right side; field names equal TrainPage's."""

    watch: gr.State
    seen: gr.State
    notice: gr.HTML
    head: gr.HTML
    facts: gr.HTML
    empty: gr.HTML
    charts: gr.HTML
    viewer: gr.HTML
    log: gr.HTML
    runs: gr.HTML
    comparison: gr.HTML
    differences: gr.HTML
    pictures: gr.Radio
    button: gr.Button


@dataclass(frozen=True, eq=False)
class TrainButtons:
    """What is pressed, and what comes and goes.

    Attributes:
        preset: what to start from.
        another: back from a run to the recipe.
        previews: column of the viewer.
        pulse: beats when there is news, while the tab is on view.
    """

    preset: gr.Radio
    another: gr.Button
    previews: gr.Column
    pulse: gr.HTML


def build_train_layout(
    folders: Sequence[str], watch: gr.State, seen: gr.State, news: Callable[[], dict[str, str]]
) -> tuple[RecipeControls, TrainOutputs, TrainButtons]:
    """Build the whole tab inside the current Blocks context.

    Args:
        folders: names of picture folders that are there.
        watch, seen: see TrainOutputs.
        news: two texts that differ whenever there is news, see components/pulse/behavior.js.
    """

    def pulse(_: object = None) -> dict[str, str]:
        return news()

    with gr.Row(elem_id="train-bench", elem_classes="bench"):
        with gr.Column(elem_id="train-recipe", elem_classes="bench-controls", scale=0, min_width=304):
            controls, pressed = _recipe(folders)
        with gr.Column(elem_id="train-life", elem_classes="bench-looking"):
            shown, another, previews = _life()
            beats = component("train/pulse", None, elem_id="train-pulse", server_functions=[pulse])
    notice = shown["notice"]
    return (
        RecipeControls(**controls, notice=notice),
        TrainOutputs(watch=watch, seen=seen, **shown),
        TrainButtons(**pressed, another=another, previews=previews, pulse=beats),
    )


def _recipe(folders: Sequence[str]) -> tuple[dict[str, gr.components.Component], dict[str, gr.blocks.Block]]:
    """The left side: controls, and what is only pressed."""
    controls: dict[str, gr.components.Component] = {}
    pressed: dict[str, gr.blocks.Block] = {}
    with gr.Column(elem_classes="step"):
        heading(1, "Start from")
        presets = [(one.title, one.name) for one in PRESETS if one.path.exists()]
        pressed["preset"] = gr.Radio(
            presets, value=presets[0][1], label="Preset", show_label=False, elem_classes="models"
        )
        controls["preset_words"] = gr.HTML("", elem_classes="facts")
    with gr.Column(elem_classes="step"):
        heading(2, "Learn what, from what")
        choices = [(SKIMAGE_WORDS, SKIMAGE), *((name, name) for name in folders)]
        controls["photographs"] = gr.Dropdown(
            choices,
            value=SKIMAGE,
            label="Photographs",
            allow_custom_value=True,
            elem_classes="inline",
            elem_id="train-photographs",
        )
        controls["photograph_words"] = gr.HTML("", elem_classes="facts")
        controls["network"] = gr.Dropdown(
            list(ARCHITECTURES),
            label="Network",
            filterable=False,
            elem_classes="inline",
            elem_id="train-network",
        )
        controls["network_words"] = gr.HTML("", elem_classes="facts")
    with gr.Column(elem_classes="step"):
        heading(3, "Name and settings")
        controls["run_name"] = gr.Textbox(
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
            controls["form"] = component("train/recipe_form", EMPTY_FORM, elem_id="train-form")
        with gr.Column(elem_id="train-as-yaml"):
            controls["yaml"] = gr.Code(
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
        controls["problems"] = gr.HTML("", elem_id="train-problems")
        controls["command"] = component("train/command_line", NO_COMMAND, elem_id="train-command")
    return controls, pressed


def _life() -> tuple[dict[str, gr.components.Component], gr.Button, gr.Column]:
    """The right side: outputs, the way back to the recipe, and the column of the previews."""
    shown: dict[str, gr.components.Component] = {}
    with gr.Row(elem_id="train-top"):
        shown["head"] = gr.HTML("", elem_id="train-head")
        another = gr.Button("New run", elem_id="train-another", elem_classes="stop-button", visible=False)
        shown["button"] = gr.Button(
            "Start", variant="primary", elem_id="train-button", elem_classes="run-button"
        )
    shown["notice"] = gr.HTML("", elem_id="train-notice")
    shown["empty"] = gr.HTML(EMPTY, elem_id="train-empty")
    shown["facts"] = gr.HTML("", elem_id="train-facts")
    shown["charts"] = chart("train-charts")
    with gr.Column(elem_id="train-previews", visible=False) as previews:
        with gr.Row(elem_id="train-previews-bar"):
            gr.HTML("<h3>Previews</h3><p class='fact-note'>at every validation, from files of quality 10</p>")
            shown["pictures"] = gr.Radio(
                [], label="Picture", show_label=False, elem_classes="segments", elem_id="train-pictures"
            )
        shown["viewer"] = viewer("train-viewer")
    shown["log"] = component("train/run_log", {"lines": [], "note": ""}, elem_id="train-log")
    shown["runs"] = component("train/run_list", rows_of((), ""), elem_id="train-runs")
    shown["comparison"] = chart("train-comparison")
    shown["differences"] = gr.HTML("", elem_id="train-differences")
    return shown, another, previews

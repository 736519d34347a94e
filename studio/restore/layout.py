"""The Restore tab's components and where they stand."""

from dataclasses import dataclass

import gradio as gr

from models.card import ModelCard
from models.jpeg.limits import MAX_BYTES
from studio.components.photograph import photograph_input
from studio.components.results import results_table
from studio.components.steps import steps_bar
from studio.components.takeaway import takeaway_bar
from studio.components.viewer import viewer
from studio.page.controls import first_models, heading, model_choices, run_bar
from studio.session.form import (
    MAX_RESIZE_PERCENT,
    MAX_SHIFT,
    MIN_RESIZE_PERCENT,
    SUBSAMPLINGS,
    RestoreForm,
)

START = RestoreForm()
GUIDANCES = (
    ("automatic", "automatic"),
    ("the file's tables", "tables"),
    ("the pixels alone", "pixels"),
    ("a quality set by hand", "manual"),
)
GUIDANCE_WORDS = {
    "automatic": "Each model decides: by the file's tables, an earlier save it finds, or its own estimate.",
    "tables": "The one quality factor that the file's tables say.",
    "pixels": "Each network's own estimate; the file's tables are ignored.",
    "manual": "What the models take for the quality. Lower repairs harder.",
}


@dataclass(frozen=True, eq=False)
class Controls:
    """The form; field names equal RestoreForm's."""

    saves: gr.Radio
    first_quality: gr.Slider
    first_subsampling: gr.Radio
    second_quality: gr.Slider
    second_subsampling: gr.Radio
    shift_rows: gr.Slider
    shift_columns: gr.Slider
    resize_percent: gr.Slider
    model_names: gr.CheckboxGroup
    guidance: gr.Dropdown
    manual_quality: gr.Slider


@dataclass(frozen=True, eq=False)
class Outputs:
    """What handlers fill; field names equal Page's."""

    session: gr.State
    run: gr.State
    viewer: gr.HTML
    results: gr.HTML
    photograph_facts: gr.HTML
    bench_facts: gr.HTML
    quality: gr.HTML
    notice: gr.HTML
    freshness: gr.HTML
    summary: gr.HTML


@dataclass(frozen=True, eq=False)
class Buttons:
    """What is pressed, and groups that come and go."""

    photograph: gr.HTML
    delete: gr.Button
    restore: gr.Button
    stop: gr.Button
    automatic: gr.Button
    breaking: gr.Group
    second_save: gr.Group
    by_hand: gr.Group
    guidance_words: gr.HTML
    takeaway: gr.HTML


def break_step() -> tuple[dict[str, gr.components.Component], gr.Group, gr.Group]:
    """Step 2; the group that shows with any save, and the one that shows with two."""
    choices = [("keep the file", "keep"), ("save once", "once"), ("save twice", "twice")]
    controls: dict[str, gr.components.Component] = {}
    controls["saves"] = gr.Radio(
        choices, value=START.saves, label="Save as JPEG", show_label=False, elem_classes="segments"
    )
    with gr.Column(elem_classes="fields") as breaking:
        controls["first_quality"] = _quality_slider("Quality factor", START.first_quality)
        controls["first_subsampling"] = _subsampling("Subsampling", START.first_subsampling)
    with gr.Column(elem_classes="fields second-save", visible=False) as second_save:
        controls["second_quality"] = _quality_slider("Second quality factor", START.second_quality)
        controls["second_subsampling"] = _subsampling("Second subsampling", START.second_subsampling)
        with gr.Row(elem_classes="pair"):
            controls["shift_rows"] = _shift_slider("Shift, rows", START.shift_rows)
            controls["shift_columns"] = _shift_slider("Shift, columns", START.shift_columns)
        controls["resize_percent"] = gr.Slider(
            MIN_RESIZE_PERCENT,
            MAX_RESIZE_PERCENT,
            START.resize_percent,
            step=1,
            label="Resize between, %",
            buttons=[],
        )
    return controls, breaking, second_save


def repair_step(
    cards: list[ModelCard],
) -> tuple[dict[str, gr.components.Component], gr.HTML, gr.Group, gr.Button]:
    """Step 3 without its main buttons; what the guidance means, its group by hand, and the way back."""
    controls: dict[str, gr.components.Component] = {}
    controls["model_names"] = gr.CheckboxGroup(
        model_choices(cards),
        value=first_models(cards),
        label="Models",
        show_label=False,
        elem_classes="models",
    )
    controls["guidance"] = gr.Dropdown(
        list(GUIDANCES),
        value=START.guidance,
        label="Steered by",
        elem_classes="inline",
        filterable=False,
    )
    words = gr.HTML(guidance_words(START.guidance), elem_classes="facts")
    with gr.Column(elem_classes="fields", visible=False) as by_hand:
        controls["manual_quality"] = _quality_slider("Quality by hand", START.manual_quality)
        automatic = gr.Button("Back to automatic", size="sm", elem_classes="quiet")
    return controls, words, by_hand, automatic


def guidance_words(guidance: object) -> str:
    """What a guidance means, as markup; nothing for anything else."""
    words = GUIDANCE_WORDS.get(guidance, "") if isinstance(guidance, str) else ""
    return f"<p class='fact fact-note'>{words}</p>"


def looking(session: gr.State, run: gr.State) -> tuple[dict[str, gr.components.Component], gr.HTML]:
    """The right side: viewer, freshness mark, table, quality factor; and the bar to take results away."""
    outputs: dict[str, gr.components.Component] = {"session": session, "run": run}
    outputs["viewer"] = viewer()
    outputs["freshness"] = gr.HTML("", elem_id="freshness")
    outputs["results"] = results_table()
    takeaway = takeaway_bar()
    outputs["quality"] = gr.HTML("", elem_id="quality")
    return outputs, takeaway


def build_layout(
    cards: list[ModelCard], examples: list[dict], session: gr.State, run: gr.State, kept: str
) -> tuple[Controls, Outputs, Buttons]:
    """Build the whole tab inside the current Blocks context; `kept` says how long pictures stay."""
    summary = steps_bar()
    with gr.Row(elem_id="workbench"):
        with gr.Column(elem_id="steps", scale=0, min_width=304):
            with gr.Column(elem_classes="step"):
                heading(1, "Photograph")
                photograph = photograph_input(examples, f"{MAX_BYTES // 2**20} MB")
                photograph_facts = gr.HTML("", elem_classes="facts")
                with gr.Row(elem_classes="privacy"):
                    gr.HTML(f"<p class='fact fact-note'>Deleted after {kept}, or when you leave.</p>")
                    delete = gr.Button("Delete my images now", size="sm", elem_classes="quiet")
            with gr.Column(elem_classes="step"):
                heading(2, "Break it")
                break_controls, breaking, second_save = break_step()
                bench_facts = gr.HTML("", elem_id="bench-facts", elem_classes="facts")
            with gr.Column(elem_classes="step"):
                heading(3, "Repair it")
                repair_controls, words, by_hand, automatic = repair_step(cards)
                restore, stop, notice = run_bar("Restore", "restore-button", "stop-button", "notice")
        with gr.Column(elem_id="looking"):
            shown, takeaway = looking(session, run)
    outputs = Outputs(
        **shown, photograph_facts=photograph_facts, bench_facts=bench_facts, notice=notice, summary=summary
    )
    buttons = Buttons(
        photograph, delete, restore, stop, automatic, breaking, second_save, by_hand, words, takeaway
    )
    return Controls(**break_controls, **repair_controls), outputs, buttons


def _quality_slider(label: str, value: int) -> gr.Slider:
    return gr.Slider(1, 100, value, step=1, label=label, buttons=[])


def _shift_slider(label: str, value: int) -> gr.Slider:
    return gr.Slider(0, MAX_SHIFT, value, step=1, label=label, buttons=[])


def _subsampling(label: str, value: str) -> gr.Radio:
    return gr.Radio(list(SUBSAMPLINGS), value=value, label=label, elem_classes="segments inline")

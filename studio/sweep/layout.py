"""The Sweep tab's components and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from models.baselines import PLAIN
from models.card import ModelCard
from studio.page.components import chart, component
from studio.page.controls import first_models, heading, model_choices, run_bar
from studio.session.form import SUBSAMPLINGS
from studio.sweep.files import GAINS, RATES
from studio.sweep.form import SweepForm
from studio.sweep.view import NO_STRIP
from training.evaluation.metrics import convention

START = SweepForm()
EXTENTS = [("centre crop, 0.4 MP", "crop"), ("whole picture", "whole")]
KINDS = [("Quality", "quality"), ("Saved twice", "twice"), ("Told by hand", "by_hand")]
KIND_WORDS = {
    "quality": "Save the picture once at every quality factor, and restore each file with every model.",
    "twice": "Save it at every quality factor, and then again at every quality factor.",
    "by_hand": "Save it once, and tell a steerable model a different quality factor every time.",
}


@dataclass(frozen=True, eq=False)
class SweepControls:
    """The form; field names equal SweepForm's."""

    extent: gr.Radio
    kind: gr.Radio
    lowest: gr.Slider
    highest: gr.Slider
    step: gr.Slider
    subsampling: gr.Radio
    shift_rows: gr.Slider
    shift_columns: gr.Slider
    file_quality: gr.Slider
    model_names: gr.CheckboxGroup
    model_name: gr.Dropdown
    steerable_name: gr.Dropdown
    reading_quality: gr.Slider


@dataclass(frozen=True, eq=False)
class SweepOutputs:
    """What handlers fill; field names equal SweepPage's."""

    record: gr.State
    picture_facts: gr.HTML
    plan: gr.HTML
    notice: gr.HTML
    progress: gr.HTML
    freshness: gr.HTML
    outcome: gr.HTML
    empty: gr.HTML
    curves: gr.HTML
    rates: gr.HTML
    reading: gr.HTML
    gains: gr.HTML
    plain_decodings: gr.HTML
    told_curve: gr.HTML
    strip: gr.HTML


@dataclass(frozen=True, eq=False)
class SweepButtons:
    """What is pressed, and what comes and goes with the kind of sweep.

    Attributes:
        run, stop: the two main buttons.
        kind_words: what the chosen kind does.
        of_kind: by kind, the groups that show with it.
    """

    run: gr.Button
    stop: gr.Button
    kind_words: gr.HTML
    of_kind: dict[str, list[gr.Column]]


def build_sweep_layout(
    cards: Sequence[ModelCard], record: gr.State
) -> tuple[SweepControls, SweepOutputs, SweepButtons]:
    """Build the whole tab inside the current Blocks context.

    Args:
        cards: of every model.
        record: see SweepOutputs.
    """
    of_kind: dict[str, list[gr.Column]] = {kind: [] for _, kind in KINDS}
    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="bench-controls", scale=0, min_width=304):
            with gr.Column(elem_classes="step"):
                heading(1, "What is measured")
                picture_facts = gr.HTML("", elem_id="sweep-picture", elem_classes="facts")
                extent = _choice(EXTENTS, START.extent, "Part of the picture")
            with gr.Column(elem_classes="step"):
                heading(2, "What is varied")
                kind = _choice(KINDS, START.kind, "Kind of sweep")
                kind_words = gr.HTML(kind_markup(START.kind), elem_classes="facts")
                settings = _settings_step(of_kind)
            with gr.Column(elem_classes="step"):
                heading(3, "Who repairs it")
                models = _models_step(cards, of_kind)
                plan = gr.HTML("", elem_id="sweep-plan", elem_classes="facts")
                run, stop, notice = run_bar("Run", "sweep-run", "sweep-stop", "sweep-notice")
        with gr.Column(elem_id="sweep-looking", elem_classes="bench-looking"):
            reading_quality, results = _results(of_kind)
            gr.HTML(f"<p class='fact-note'>{convention()} {RATES} {GAINS}</p>", elem_id="sweep-convention")
    controls = SweepControls(extent=extent, kind=kind, reading_quality=reading_quality, **settings, **models)
    outputs = SweepOutputs(record=record, picture_facts=picture_facts, plan=plan, notice=notice, **results)
    return controls, outputs, SweepButtons(run, stop, kind_words, of_kind)


def kind_markup(kind: object) -> str:
    """What a kind of sweep does, as markup; nothing for anything else."""
    words = KIND_WORDS.get(kind, "") if isinstance(kind, str) else ""
    return f"<p class='fact fact-note'>{words}</p>"


def other_models(cards: Sequence[ModelCard]) -> list[tuple[str, str]]:
    """Titles and names of all but plain decoding, which every sweep shows anyway."""
    return model_choices([card for card in cards if card.name != PLAIN])


def steerable_models(cards: Sequence[ModelCard]) -> list[tuple[str, str]]:
    """Titles and names of those that can be told a quality factor."""
    return model_choices([card for card in cards if card.steerable])


def best_guess(cards: Sequence[ModelCard]) -> str | None:
    """The name first chosen where one model is wanted: a steerable network, else whatever can be steered."""
    steerable = [card for card in cards if card.steerable]
    networks = [card.name for card in steerable if card.architecture]
    return (networks or [card.name for card in steerable] or [None])[0]


def _settings_step(of_kind: dict[str, list[gr.Column]]) -> dict[str, Any]:
    """The sliders of step 2."""
    controls: dict[str, Any] = {}
    with gr.Column(elem_classes="fields", visible=False) as of_file:
        controls["file_quality"] = _slider(1, 100, START.file_quality, "Quality factor of the file")
    with gr.Column(elem_classes="fields"):
        controls["lowest"] = _slider(1, 100, START.lowest, "Quality factors from")
        controls["highest"] = _slider(1, 100, START.highest, "Quality factors to")
        controls["step"] = _slider(1, 50, START.step, "In steps of")
        controls["subsampling"] = gr.Radio(
            list(SUBSAMPLINGS), value=START.subsampling, label="Subsampling", elem_classes="segments inline"
        )
    with gr.Column(elem_classes="fields", visible=False) as of_shift, gr.Row(elem_classes="pair"):
        controls["shift_rows"] = _slider(0, 7, START.shift_rows, "Shift, rows")
        controls["shift_columns"] = _slider(0, 7, START.shift_columns, "Shift, columns")
    of_kind["by_hand"].append(of_file)
    of_kind["twice"].append(of_shift)
    return controls


def _models_step(cards: Sequence[ModelCard], of_kind: dict[str, list[gr.Column]]) -> dict[str, Any]:
    """One picker per kind of sweep."""
    controls: dict[str, Any] = {}
    with gr.Column(elem_classes="fields") as several:
        controls["model_names"] = gr.CheckboxGroup(
            other_models(cards),
            value=first_models(list(cards)),
            label="Models",
            show_label=False,
            elem_classes="models",
        )
    with gr.Column(elem_classes="fields", visible=False) as one:
        controls["model_name"] = _dropdown(other_models(cards), best_guess(cards), "Model")
    with gr.Column(elem_classes="fields", visible=False) as steerable:
        controls["steerable_name"] = _dropdown(steerable_models(cards), best_guess(cards), "Model")
    for kind, group in (("quality", several), ("twice", one), ("by_hand", steerable)):
        of_kind[kind].append(group)
    return controls


def _results(of_kind: dict[str, list[gr.Column]]) -> tuple[gr.Slider, dict[str, Any]]:
    """The right side; the slider of the comparison and the outputs."""
    shown: dict[str, Any] = {
        name: gr.HTML("", elem_id=f"sweep-{name}") for name in ("progress", "freshness", "outcome", "empty")
    }
    with gr.Column(elem_classes="sweep-results") as of_quality:
        shown["curves"] = chart("sweep-curves")
        shown["rates"] = chart("sweep-rates")
        with gr.Column(elem_classes="bench-controls sweep-reading"):
            reading_quality = _slider(1, 100, START.reading_quality, "Compare at quality factor")
            shown["reading"] = gr.HTML("", elem_id="sweep-reading")
    with (
        gr.Column(elem_classes="sweep-results", visible=False) as of_twice,
        gr.Row(elem_classes="sweep-maps"),
    ):
        shown["gains"] = chart("sweep-gains")
        shown["plain_decodings"] = chart("sweep-plain")
    with gr.Column(elem_classes="sweep-results", visible=False) as of_hand:
        shown["strip"] = component("sweep/strip", NO_STRIP, elem_id="sweep-strip")
        shown["told_curve"] = chart("sweep-told")
    for kind, group in (("quality", of_quality), ("twice", of_twice), ("by_hand", of_hand)):
        of_kind[kind].append(group)
    return reading_quality, shown


def _choice(choices: list[tuple[str, str]], value: str, label: str) -> gr.Radio:
    return gr.Radio(choices, value=value, label=label, show_label=False, elem_classes="segments")


def _slider(low: int, high: int, value: int, label: str) -> gr.Slider:
    return gr.Slider(low, high, value, step=1, label=label, buttons=[])


def _dropdown(choices: list[tuple[str, str]], value: str | None, label: str) -> gr.Dropdown:
    return gr.Dropdown(choices, value=value, label=label, elem_classes="inline", filterable=False)

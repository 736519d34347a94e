"""The Sweep tab: its components, where they stand, and which event calls which handler."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gradio as gr

from studio.page.binding import HEAVY, IMMEDIATE, LATEST, LIGHT, Binding
from studio.page.components import chart, component
from studio.page.controls import heading, run_bar
from studio.sweep.files import GAINS, RATES
from studio.sweep.form import CONTROLS, SweepForm
from studio.sweep.handlers import (
    FAILED,
    REFUSED,
    REFUSED_AT_THE_END,
    ChoicesPage,
    SweepHandlers,
    SweepPage,
    kind_chosen,
    stopped,
)
from studio.sweep.run import SweepRecord
from studio.sweep.view import NO_STRIP, kind_line
from training.evaluation.metrics import convention

START = SweepForm()

SHOW_RESULTS = """() => {
  const looking = document.getElementById("sweep-looking");
  if (looking.getBoundingClientRect().top > window.innerHeight / 2) looking.scrollIntoView({ behavior: "smooth" });
}"""


def build_sweep_tab(
    demo: gr.Blocks,
    entering: Iterable[Callable[..., Any]],
    handlers: SweepHandlers,
    session: gr.State,
    session_seconds: int,
) -> None:
    """Lay the tab out and wire it.

    Args:
        demo: the page.
        entering: events that say what is open: the tab is chosen, or another file was opened while it is in front.
        handlers: answer every press.
        session: what is open in the Restore tab.
        session_seconds: how long a visitor's sweeps are kept.
    """
    parts = _layout(handlers)
    parts |= {"session": session, "record": gr.State(SweepRecord(), time_to_live=session_seconds)}
    choices = Binding(ChoicesPage, parts)
    choices.on(demo.load, handlers.models_offered, **LIGHT)
    choices.on(parts["kind"].change, kind_chosen, **IMMEDIATE)

    bound = Binding(SweepPage, parts, form=SweepForm)
    for event in entering:
        bound.on(event, handlers.checked, otherwise=REFUSED, **LIGHT)
    for name in ("lowest", "highest", "step", "shift_rows", "shift_columns", "file_quality"):
        bound.on(parts[name].release, handlers.checked, otherwise=REFUSED, **LATEST)
    for name in ("extent", "kind", "subsampling", "model_names", "model_name", "steerable_name"):
        bound.on(parts[name].input, handlers.checked, otherwise=REFUSED, **LATEST)
    bound.on(parts["reading_quality"].release, handlers.read, otherwise=REFUSED, **LATEST)
    started = bound.on(parts["run"].click, handlers.started, otherwise=REFUSED, **IMMEDIATE)
    started.success(None, None, None, js=SHOW_RESULTS, api_visibility="private")
    swept = bound.on(started.success, handlers.swept, otherwise=FAILED, **HEAVY)
    # also where the line refused a place
    bound.on(swept.then, handlers.settled, otherwise=REFUSED_AT_THE_END, **IMMEDIATE)
    bound.on(parts["stop"].click, stopped, **IMMEDIATE)


def _layout(handlers: SweepHandlers) -> dict[str, Any]:
    """The whole tab, inside the current Blocks context, by the names of SweepPage, ChoicesPage and SweepForm."""
    parts: dict[str, Any] = {}
    with gr.Row(elem_classes="bench"):
        with gr.Column(elem_classes="bench-controls", scale=0, min_width=304):
            with gr.Column(elem_classes="step"):
                heading(1, "What is measured")
                parts["picture_facts"] = gr.HTML("", elem_id="sweep-picture", elem_classes="facts")
                parts["extent"] = _choice("extent")
            with gr.Column(elem_classes="step"):
                heading(2, "What is varied")
                parts["kind"] = _choice("kind")
                parts["kind_words"] = gr.HTML(kind_line(START.kind), elem_classes="facts")
                parts |= _settings_step()
            with gr.Column(elem_classes="step"):
                heading(3, "Models")
                parts |= _models_step(handlers.pickers())
                parts["plan"] = gr.HTML("", elem_id="sweep-plan", elem_classes="facts")
                bar = run_bar("Run", "sweep-run", "sweep-stop", "sweep-notice")
                parts["run"], parts["stop"], parts["notice"] = bar
        with gr.Column(elem_id="sweep-looking", elem_classes="bench-looking"):
            parts |= _results()
            gr.HTML(f"<p class='fact-note'>{convention()} {RATES} {GAINS}</p>", elem_id="sweep-convention")
    shown_with_kind = {
        "quality": ["several", "quality_results"],
        "twice": ["shift", "one", "twice_results"],
        "by_hand": ["file", "steerable", "by_hand_results"],
    }
    return parts | {kind: [parts[name] for name in names] for kind, names in shown_with_kind.items()}


def _settings_step() -> dict[str, Any]:
    """The sliders of step 2."""
    parts: dict[str, Any] = {}
    with gr.Column(elem_classes="fields", visible=False) as parts["file"]:
        parts["file_quality"] = _slider("file_quality")
    with gr.Column(elem_classes="fields"):
        for name in ("lowest", "highest", "step"):
            parts[name] = _slider(name)
        parts["subsampling"] = _choice("subsampling", show_label=True, elem_classes="segments inline")
    with gr.Column(elem_classes="fields", visible=False) as parts["shift"], gr.Row(elem_classes="pair"):
        parts["shift_rows"] = _slider("shift_rows")
        parts["shift_columns"] = _slider("shift_columns")
    return parts


def _models_step(offered: Mapping[str, Any]) -> dict[str, Any]:
    """One picker per kind of sweep."""
    parts: dict[str, Any] = {}
    with gr.Column(elem_classes="fields") as parts["several"]:
        parts["model_names"] = gr.CheckboxGroup(
            **offered["model_names"], label="Models", show_label=False, elem_classes="models"
        )
    for group, name in (("one", "model_name"), ("steerable", "steerable_name")):
        with gr.Column(elem_classes="fields", visible=False) as parts[group]:
            parts[name] = gr.Dropdown(**offered[name], label="Model", elem_classes="inline", filterable=False)
    return parts


def _results() -> dict[str, Any]:
    """The right side."""
    parts: dict[str, Any] = {
        name: gr.HTML("", elem_id=f"sweep-{name}") for name in ("progress", "freshness", "outcome", "empty")
    }
    with gr.Column(elem_classes="sweep-results") as parts["quality_results"]:
        parts["curves"] = chart("sweep-curves")
        parts["rates"] = chart("sweep-rates")
        with gr.Column(elem_classes="bench-controls sweep-reading"):
            parts["reading_quality"] = _slider("reading_quality")
            parts["reading"] = gr.HTML("", elem_id="sweep-reading")
    with (
        gr.Column(elem_classes="sweep-results", visible=False) as parts["twice_results"],
        gr.Row(elem_classes="sweep-maps"),
    ):
        parts["gains"] = chart("sweep-gains")
        parts["plain_decodings"] = chart("sweep-plain")
    with gr.Column(elem_classes="sweep-results", visible=False) as parts["by_hand_results"]:
        parts["strip"] = component("sweep/strip", NO_STRIP, elem_id="sweep-strip")
        parts["manual_curve"] = chart("sweep-told")
    return parts


def _choice(name: str, *, show_label: bool = False, elem_classes: str = "segments") -> gr.Radio:
    control = CONTROLS[name]
    return gr.Radio(
        list(control.choices),
        value=getattr(START, name),
        label=control.label,
        show_label=show_label,
        elem_classes=elem_classes,
    )


def _slider(name: str) -> gr.Slider:
    control = CONTROLS[name]
    value = getattr(START, name)
    return gr.Slider(control.low, control.high, value, step=1, label=control.label, buttons=[])

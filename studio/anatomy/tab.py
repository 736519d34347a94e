"""The Anatomy tab: its components, where they stand, and which event calls which handler."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gradio as gr

from studio.anatomy.block_view import EMPTY_BLOCK, EMPTY_MAP
from studio.anatomy.handlers import NOTHING_SHOWN, AnatomyHandlers, AnatomyPage, picked_elsewhere
from studio.page.binding import LATEST, LIGHT, Binding
from studio.page.components import chart, component, viewer
from studio.session.form import RestoreForm


def build_anatomy_tab(
    entering: Iterable[Callable[..., Any]],
    handlers: AnatomyHandlers,
    opened: Mapping[str, Any],
    session_seconds: int,
) -> None:
    """Lay the tab out and wire it.

    Args:
        entering: events that take the file apart: the tab is chosen, or another file was opened while it is in front.
        handlers: answer every event.
        opened: components of the Restore tab: `session`, `run`, the fields of its form, and its `viewer`, in which a
            block may be picked that is shown when this tab is entered.
        session_seconds: how long a visitor's file is kept.
    """
    parts = _layout()
    parts |= {name: gr.State(None, time_to_live=session_seconds) for name in ("state", "place")}
    bound = Binding(AnatomyPage, {**opened, **parts}, form=RestoreForm)
    for event in entering:
        entered = bound.on(event, handlers.opened, otherwise=NOTHING_SHOWN, **LIGHT)
        bound.on(entered.success, handlers.searched, **LIGHT)
    for picker in (parts["viewer"].block, parts["block_map"].pick, parts["block"].pick):
        bound.on(picker, handlers.picked, **LATEST)
    bound.on(opened["viewer"].block, picked_elsewhere, **LATEST)
    bound.on(parts["block"].frequency, handlers.frequency_picked, **LATEST)
    for slider in (parts["frequency_row"], parts["frequency_column"]):
        bound.on(slider.release, handlers.frequency_set, **LATEST)
    bound.on(parts["component"].input, handlers.frequency_set, **LATEST)


def _layout() -> dict[str, Any]:
    """The whole tab, inside the current Blocks context, by the names of AnatomyPage."""
    parts: dict[str, Any] = {"notice": gr.HTML("", elem_id="anatomy-notice")}
    parts["empty"] = _facts("anatomy-empty")
    with gr.Row(elem_id="anatomy-bench", elem_classes="bench", visible=False) as parts["bench"]:
        with gr.Column(elem_id="anatomy-facts-column", elem_classes="bench-controls", scale=0, min_width=304):
            parts["file_facts"] = _facts("anatomy-facts")
        with gr.Column(elem_classes="bench-looking"), gr.Column(elem_id="anatomy-blocks") as parts["blocks"]:
            parts["hint"] = gr.HTML("", elem_id="anatomy-hint")
            with gr.Row(elem_id="anatomy-pickers"):
                with gr.Column(scale=3, min_width=320):
                    parts["viewer"] = viewer("anatomy-viewer")
                with gr.Column(scale=2, min_width=280):
                    parts["block_map"] = component("anatomy/block_map", EMPTY_MAP, elem_id="block-map")
            parts["block"] = component("anatomy/block", EMPTY_BLOCK, elem_id="block")
            parts |= _evidence()
            parts["shares"] = _facts("anatomy-shares")
    return parts


def _evidence() -> dict[str, Any]:
    """The verdict on an earlier save beside the histogram it can be seen in."""
    parts: dict[str, Any] = {}
    with gr.Row(elem_id="anatomy-evidence"):
        with gr.Column(scale=2, min_width=280):
            parts["earlier"] = _facts("anatomy-earlier")
        with gr.Column(scale=3, min_width=320):
            with gr.Row(elem_id="anatomy-frequency", elem_classes="bench-controls"):
                parts["component"] = gr.Radio([("Y", 0)], value=0, label="Component", elem_classes="segments")
                parts["frequency_row"] = _frequency("Frequency down", 0)
                parts["frequency_column"] = _frequency("Frequency across", 1)
            parts["histogram"] = chart("anatomy-histogram")
    return parts


def _facts(elem_id: str) -> gr.HTML:
    return component("anatomy/facts", "", elem_id=elem_id)


def _frequency(label: str, value: int) -> gr.Slider:
    return gr.Slider(0, 7, value, step=1, label=label, buttons=[])

"""The Anatomy tab's components and where they stand."""

from dataclasses import dataclass

import gradio as gr

from studio.anatomy.block_view import EMPTY_BLOCK, EMPTY_MAP
from studio.page.components import chart, component, viewer


@dataclass(frozen=True, eq=False)
class AnatomyOutputs:
    """What handlers fill; field names equal AnatomyPage's."""

    subject: gr.State
    place: gr.State
    viewer: gr.HTML
    block_map: gr.HTML
    block: gr.HTML
    histogram: gr.HTML
    empty: gr.HTML
    hint: gr.HTML
    file_facts: gr.HTML
    earlier: gr.HTML
    shares: gr.HTML
    notice: gr.HTML
    component: gr.Radio
    frequency_row: gr.Slider
    frequency_column: gr.Slider


@dataclass(frozen=True, eq=False)
class AnatomyGroups:
    """What comes and goes: everything, and what needs blocks."""

    bench: gr.Row
    blocks: gr.Column


def build_anatomy_layout(subject: gr.State, place: gr.State) -> tuple[AnatomyOutputs, AnatomyGroups]:
    """Build the whole tab inside the current Blocks context."""
    shown: dict[str, gr.components.Component] = {"subject": subject, "place": place}
    shown["notice"] = gr.HTML("", elem_id="anatomy-notice")
    shown["empty"] = component("anatomy/facts", "", elem_id="anatomy-empty")
    with gr.Row(elem_id="anatomy-bench", elem_classes="bench", visible=False) as bench:
        with gr.Column(elem_id="anatomy-facts-column", elem_classes="bench-controls", scale=0, min_width=304):
            shown["file_facts"] = component("anatomy/facts", "", elem_id="anatomy-facts")
        with gr.Column(elem_classes="bench-looking"), gr.Column(elem_id="anatomy-blocks") as blocks:
            shown["hint"] = gr.HTML("", elem_id="anatomy-hint")
            with gr.Row(elem_id="anatomy-pickers"):
                with gr.Column(scale=3, min_width=320):
                    shown["viewer"] = viewer("anatomy-viewer")
                with gr.Column(scale=2, min_width=280):
                    shown["block_map"] = component("anatomy/block_map", EMPTY_MAP, elem_id="block-map")
            shown["block"] = component("anatomy/block", EMPTY_BLOCK, elem_id="block")
            shown |= _evidence()
            shown["shares"] = component("anatomy/facts", "", elem_id="anatomy-shares")
    return AnatomyOutputs(**shown), AnatomyGroups(bench, blocks)


def _evidence() -> dict[str, gr.components.Component]:
    """The verdict on an earlier save beside the histogram it can be seen in."""
    controls: dict[str, gr.components.Component] = {}
    with gr.Row(elem_id="anatomy-evidence"):
        with gr.Column(scale=2, min_width=280):
            controls["earlier"] = component("anatomy/facts", "", elem_id="anatomy-earlier")
        with gr.Column(scale=3, min_width=320):
            with gr.Row(elem_id="anatomy-frequency", elem_classes="bench-controls"):
                controls["component"] = gr.Radio(
                    [("Y", 0)], value=0, label="Component", elem_classes="segments"
                )
                controls["frequency_row"] = _frequency("Frequency down", 0)
                controls["frequency_column"] = _frequency("Frequency across", 1)
            controls["histogram"] = chart("anatomy-histogram")
    return controls


def _frequency(label: str, value: int) -> gr.Slider:
    return gr.Slider(0, 7, value, step=1, label=label, buttons=[])

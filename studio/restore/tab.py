"""The Restore tab: what stands where, and which event calls which handler."""

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from models.card import ModelCard
from models.jpeg import SUBSAMPLINGS
from models.jpeg.formats import SUFFIXES
from models.jpeg.limits import MAX_BYTES
from studio.engine.engine import Engine
from studio.page.binding import HEAVY, IMMEDIATE, LATEST, LIGHT, Binding
from studio.page.components import component, viewer
from studio.page.controls import heading, model_choices
from studio.restore import recipes
from studio.restore.handlers import RestoreHandlers
from studio.restore.original_handlers import OriginalHandlers, OriginalPage
from studio.restore.original_handlers import refuse as refuse_original
from studio.restore.page import (
    IDLE,
    FormGroups,
    LinkedPage,
    Page,
    emptied,
    guidance_markup,
    refused_change,
    refused_press,
    refused_value,
    repairing_choices,
    show_guidance,
    show_saves,
)
from studio.restore.queue_handlers import MAX_QUEUED, QueueHandlers, QueuePage
from studio.restore.queue_handlers import refuse as refuse_queued
from studio.restore.results import NO_RESULTS
from studio.restore.takeaway_handlers import TakeawayHandlers, TakeawayPage, refuse
from studio.restore.verdict import NO_VERDICT
from studio.server.files import PictureFolder
from studio.session.form import MAX_RESIZE_PERCENT, MAX_SHIFT, MIN_RESIZE_PERCENT, RestoreForm
from studio.session.uploads import OpenFile
from studio.session.visitor import Present, Run, Session

PACKING = {**LIGHT, "concurrency_limit": 2, "concurrency_id": "packing"}
START = RestoreForm()
ACCEPTED = ",".join(["image/*", *SUFFIXES])
"""Of the file input; phones offer the camera for the first."""
SAVES = [("As it is", "keep"), ("Save once", "once"), ("Save twice", "twice")]
EFFORTS = [("Quick", "quick"), ("Standard", "standard"), ("Best", "best")]
EFFORT_WORDS = (
    "Quick runs the first stage alone. Best takes the mean of eight orientations, and eight times as long."
)
GUIDANCES = [
    ("automatic", "automatic"),
    ("the file's tables", "tables"),
    ("the pixels alone", "pixels"),
    ("a quality set by hand", "manual"),
]

Query = Callable[[Mapping[str, Any]], Mapping[str, str]]
"""From what an event carries to the parameters of a link."""


class RestoreTab:
    """The tab; other tabs read its `components`, by name: what is open, how it is degraded, what was restored."""

    def __init__(
        self,
        engine: Engine,
        pictures: PictureFolder,
        open_file: OpenFile,
        examples: list[dict],
        kept_seconds: int,
    ) -> None:
        """Lay the tab out inside the current Blocks context.

        Args:
            engine, pictures, open_file: what the handlers of its events work with.
            examples: see studio.session.examples.thumbnails.
            kept_seconds: how long a visitor's photograph and results are kept.
        """
        self._handlers = RestoreHandlers(engine, pictures, open_file)
        self._takeaway = TakeawayHandlers(engine, pictures)
        self._originals = OriginalHandlers(self._handlers, open_file)
        self._queueing = QueueHandlers(engine, pictures, self._takeaway)
        state: dict[str, Any] = {
            "session": gr.State(Session(), time_to_live=kept_seconds),
            "run": gr.State(Run(), time_to_live=kept_seconds),
            "present": gr.State(Present()),
            "repaired": gr.State({}, time_to_live=kept_seconds),
        }
        self.components = state | _layout(self._handlers, examples, kept_seconds)
        self._bound = Binding(Page, self.components, form=RestoreForm)

    def wire(self, demo: gr.Blocks) -> None:
        """Connect every event; first visitors find an example degraded and restored."""
        c, handlers, bound = self.components, self._handlers, self._bound
        self.follow(demo.load)
        opened = bound.on(c["photograph"].opened, handlers.open_upload, refused_value, **LIGHT)
        bound.on(opened.success, handlers.diagnose, **LIGHT)
        chosen = bound.on(c["photograph"].example, handlers.open_example, **LIGHT)
        self._run_on(chosen.success, handlers.start_example)
        self._run_on(c["action"].run, handlers.start)
        bound.on(c["action"].stop, handlers.end, **IMMEDIATE)
        bound.on(c["door"].chosen, handlers.change, refused_change, **LATEST)
        for name in RestoreForm.controls():
            if name == "door":
                continue
            moved = c[name].release if isinstance(c[name], gr.Slider) else c[name].input
            bound.on(moved, handlers.change, refused_change, **LATEST)
        adding = Binding(OriginalPage, c, form=RestoreForm)
        adding.on(c["original"].added, self._originals.add, refuse_original, **LIGHT)
        adding.on(c["original"].removed, self._originals.remove, refuse_original, **LIGHT)
        self._run_on(c["original"].measure, handlers.start)
        queued = Binding(QueuePage, c)
        queued.on(c["queue"].begun, self._queueing.begin, refuse_queued, **IMMEDIATE)
        queued.on(c["queue"].kept, self._queueing.keep, refuse_queued, **LIGHT)
        queued.on(c["queue"].packed, self._queueing.pack, refuse_queued, **PACKING)
        cooking = Binding(recipes.RecipePage, c, form=RestoreForm)
        for event, handler in ((c["recipe"].chosen, recipes.choose), (c["recipe"].loaded, recipes.load)):
            set_up = cooking.on(event, handler, recipes.refuse, **LIGHT)
            bound.on(set_up.success, handlers.change, **LIGHT)
        cooking.on(c["recipe"].saved, recipes.save, recipes.refuse, **LIGHT)
        groups = Binding(FormGroups, c)
        groups.on(c["saves"].change, show_saves, **IMMEDIATE)
        groups.on(c["guidance"].change, show_guidance, **IMMEDIATE)
        back = c["automatic"].click(lambda: "automatic", None, c["guidance"], **IMMEDIATE)
        bound.on(back.success, handlers.change, **LIGHT)
        packing = Binding(TakeawayPage, c, form=RestoreForm)
        packing.on(c["takeaway"].take_zip, self._takeaway.make_zip, refuse, **PACKING)
        packing.on(c["takeaway"].take_page, self._takeaway.make_page, refuse, **PACKING)
        packing.on(c["takeaway"].take_share, self._takeaway.make_share, refuse, **PACKING)
        packing.on(c["takeaway"].take_link, self._takeaway.make_link, refuse, **LIGHT)
        packing.on(c["takeaway"].take_picture, self._takeaway.make_picture, refuse, **PACKING)

    def follow(self, event: Callable[..., Any], query_of: Query | None = None) -> None:
        """Whenever an event is triggered: set the tab up as a link would, open its picture and run.

        Args:
            event: of a component, such as `button.click`.
            query_of: None takes the parameters of the page's address.
        """
        arrive = self._handlers.arrive

        def arrive_by_event(event: Mapping[str, Any], present: Present) -> Page:
            return arrive(query_of(event) if query_of else {}, present)

        linked = Binding(LinkedPage, self.components)
        arrived = linked.on(event, arrive_by_event if query_of else arrive, **LIGHT)
        self._run_on(arrived.success, self._handlers.start_unasked)

    def clear_after(self, event: Callable[..., Any], forget: Callable[[str], int]) -> None:
        """Whenever an event is triggered: empty the tab after `forget(visitor)` has deleted so many files."""

        def clear(visitor: str) -> Page:
            return emptied(forget(visitor))

        self._bound.on(event, clear, **IMMEDIATE)

    def _run_on(self, event: Callable[..., Any], start: Callable[..., Page]) -> None:
        bound = self._bound
        started = bound.on(event, start, refused_press, **IMMEDIATE)
        worked = bound.on(started.success, self._handlers.work, Page(**IDLE), **HEAVY)
        bound.on(worked.then, self._handlers.finish, **IMMEDIATE)  # also where the queue refused a place


def _layout(handlers: RestoreHandlers, examples: list[dict], kept_seconds: int) -> dict[str, Any]:
    """Every component by its name."""
    cards = list(handlers.cards().values())
    made: dict[str, Any] = {}
    choices = {"examples": examples, "limit": f"{MAX_BYTES // 2**20} MB", "accept": ACCEPTED}
    choices["kept_seconds"] = kept_seconds
    with gr.Row(elem_id="workbench"):
        with gr.Column(elem_id="steps", scale=0, min_width=304):
            with gr.Column(elem_classes="step"):
                heading(1, "Photograph")
                made["photograph"] = component("restore/photograph", choices, elem_id="photograph")
                made["queue"] = component("restore/queue", {"most": MAX_QUEUED}, elem_id="queue")
                made["photograph_facts"] = gr.HTML("", elem_classes="facts")
                made["diagnosis"] = gr.HTML("", elem_id="diagnosis")
            with gr.Column(elem_classes="step experiment"):
                heading(2, "Damage it")
                made |= _degradation()
                made["bench_facts"] = gr.HTML("", elem_id="bench-facts", elem_classes="facts")
            with gr.Column(elem_classes="step experiment"):
                heading(3, "Repair it")
                made |= _models(cards, handlers.first_models())
            with gr.Column(elem_classes="run-bar"):
                made["action"] = component("restore/action", IDLE["action"], elem_id="action")
                made["notice"] = gr.HTML("", elem_id="notice")
            with gr.Column(elem_classes="step"):
                made |= _options(cards)
                made["original"] = component("restore/original", {"accept": ACCEPTED}, elem_id="original")
        made["door"] = component("restore/door", START.door, elem_id="door")
        made["address"] = component("restore/address", "", elem_id="address")
        with gr.Column(elem_id="looking"):
            made["viewer"] = viewer("viewer")
            made["freshness"] = gr.HTML("", elem_id="freshness")
            with gr.Row(elem_id="take"):
                made["verdict"] = component("restore/verdict", NO_VERDICT, elem_id="verdict")
                made["takeaway"] = component(
                    "restore/takeaway", {"answer": 0, "kept_seconds": kept_seconds}, elem_id="takeaway"
                )
            with gr.Column(elem_id="numbers"):
                made["results"] = component("restore/results", NO_RESULTS, elem_id="results")
                made["quality"] = gr.HTML("", elem_id="quality")
    return made


def _options(cards: list[ModelCard]) -> dict[str, Any]:
    """How long the models may take, and in Repair which one it is."""
    with gr.Accordion("Options", open=False, elem_id="options"):
        return {
            "effort": gr.Radio(
                EFFORTS, value=START.effort, label="Effort", info=EFFORT_WORDS, elem_classes="segments"
            ),
            "repairing_model": gr.Dropdown(
                repairing_choices(cards),
                value=START.repairing_model,
                label="Model",
                elem_id="repairing-model",
                elem_classes="inline",
                filterable=False,
            ),
        }


def _degradation() -> dict[str, Any]:
    """Step 2: how often and how the photograph is saved."""
    made: dict[str, Any] = {
        "recipe": component("restore/recipe", recipes.recipe_choices(), elem_id="recipe"),
        "saves": gr.Radio(
            SAVES, value=START.saves, label="Save as JPEG", show_label=False, elem_classes="segments"
        ),
    }
    with gr.Column(elem_classes="fields") as made["breaking"]:
        made["first_quality"] = _quality("Quality factor", START.first_quality)
        made["first_subsampling"] = _subsampling("Subsampling", START.first_subsampling)
    with gr.Column(elem_classes="fields second-save", visible=False) as made["second_save"]:
        made["second_quality"] = _quality("Second quality factor", START.second_quality)
        made["second_subsampling"] = _subsampling("Second subsampling", START.second_subsampling)
        with gr.Row(elem_classes="pair"):
            made["shift_rows"] = _shift("Shift, rows", START.shift_rows)
            made["shift_columns"] = _shift("Shift, columns", START.shift_columns)
        made["resize_percent"] = gr.Slider(
            MIN_RESIZE_PERCENT,
            MAX_RESIZE_PERCENT,
            START.resize_percent,
            step=1,
            label="Resize between, %",
            buttons=[],
        )
    return made


def _models(cards: list[ModelCard], ticked: list[str]) -> dict[str, Any]:
    """Step 3 without its main buttons: which models, and what steers them."""
    made: dict[str, Any] = {
        "model_names": gr.CheckboxGroup(
            model_choices(cards),
            value=ticked,
            label="Models",
            show_label=False,
            elem_classes="models",
        ),
        "guidance": gr.Dropdown(
            GUIDANCES, value=START.guidance, label="Told quality", elem_classes="inline", filterable=False
        ),
        "guidance_words": gr.HTML(guidance_markup(START.guidance), elem_classes="facts"),
    }
    with gr.Column(elem_classes="fields", visible=False) as made["by_hand"]:
        made["manual_quality"] = _quality("Quality by hand", START.manual_quality)
        made["automatic"] = gr.Button("Back to automatic", size="sm", elem_classes="quiet")
    return made


def _quality(label: str, value: int) -> gr.Slider:
    return gr.Slider(1, 100, value, step=1, label=label, buttons=[])


def _shift(label: str, value: int) -> gr.Slider:
    return gr.Slider(0, MAX_SHIFT, value, step=1, label=label, buttons=[])


def _subsampling(label: str, value: str) -> gr.Radio:
    return gr.Radio(list(SUBSAMPLINGS), value=value, label=label, elem_classes="segments inline")

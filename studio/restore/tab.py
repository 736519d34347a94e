"""The Restore tab: which press calls which method of the desk."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import gradio as gr

from models.errors import RestorationError
from studio.page import facts
from studio.page.binding import HEAVY, IMMEDIATE, LIGHT, UNFORESEEN, EventValues, event_data
from studio.page.controls import first_models, model_choices
from studio.restore.handlers import Desk, Page
from studio.restore.layout import Buttons, Controls, Outputs, build_layout, guidance_words
from studio.session.examples import EXAMPLES, open_example
from studio.session.form import RestoreForm
from studio.session.link import from_query, look_values
from studio.session.uploads import Uploads
from studio.session.visitor import Photograph, Run, Session

logger = logging.getLogger(__name__)


def build_restore_tab(
    demo: gr.Blocks, desk: Desk, examples: list[dict], uploads: Uploads, session_seconds: int
) -> "RestoreTab":
    """Lay the tab out and wire it; first visitors find an example broken and restored.

    Args:
        demo: the page.
        desk: answers every press.
        examples: see studio.session.examples.thumbnails.
        uploads: opens what visitors bring.
        session_seconds: how long a visitor's photograph and results are kept.

    Returns:
        The tab, whose `controls` and `outputs` other tabs read: what is open, how it is broken, what was restored.
    """
    session = gr.State(Session(), time_to_live=session_seconds)
    run = gr.State(Run(), time_to_live=session_seconds)
    cards, kept = list(desk.cards().values()), f"{session_seconds // 60} minutes"
    controls, outputs, buttons = build_layout(cards, examples, session, run, kept)
    tab = RestoreTab(desk, controls, outputs, buttons, uploads)
    tab.wire(demo)
    return tab


class RestoreTab:
    """Handlers with their components; each unpacks, calls the desk, and returns what changed by component."""

    def __init__(
        self, desk: Desk, controls: Controls, outputs: Outputs, buttons: Buttons, uploads: Uploads
    ) -> None:
        self._desk, self.controls, self.outputs, self._buttons = desk, controls, outputs, buttons
        self._uploads = uploads
        self.takeaway, self.delete = buttons.takeaway, buttons.delete

    def wire(self, demo: gr.Blocks) -> None:
        """Connect every event."""
        c, o, b = self.controls, self.outputs, self._buttons
        inputs = self.form_inputs()
        shown = self.shown()

        arrived = demo.load(self.arrived, {o.run}, [*_all(c), *shown], **LIGHT)
        self._run_after(arrived, self.began_unasked)
        b.photograph.opened(self.opened, inputs, shown, **LIGHT)
        b.photograph.example(self.example_opened, inputs, shown, **LIGHT)
        self._run_after(b.restore.click(lambda: None, None, None, **IMMEDIATE), self.began)
        b.stop.click(self.stopped, {o.run}, shown, **IMMEDIATE)
        for slider in (c.first_quality, c.second_quality, c.shift_rows, c.shift_columns, c.manual_quality):
            slider.release(self.rebroken, inputs, shown, trigger_mode="always_last", **LIGHT)
        for choice in (c.saves, c.first_subsampling, c.second_subsampling, c.guidance, c.model_names):
            choice.input(self.rebroken, inputs, shown, trigger_mode="always_last", **LIGHT)
        c.saves.change(self.saves_changed, c.saves, [b.breaking, b.second_save], **IMMEDIATE)
        c.guidance.change(self.guidance_changed, c.guidance, [b.by_hand, b.guidance_words], **IMMEDIATE)
        back = b.automatic.click(lambda: "automatic", None, c.guidance, **IMMEDIATE)
        back.success(self.rebroken, inputs, shown, **LIGHT)

    def follow(self, event: Callable[..., Any], query_of: Callable[[EventValues], Mapping[str, str]]) -> None:
        """Whenever an event is triggered: set the tab up as a link would, open its picture and run.

        Args:
            event: of a component, such as `button.click`.
            query_of: from what the event carries to the parameters of a link, see studio.session.link.
        """

        def followed(values: dict[Any, Any], happened: gr.EventData) -> dict[Any, Any]:
            return self._set_up(query_of(event_data(happened)), self.run_of(values))

        outputs = [*_all(self.controls), *self.shown()]
        self._run_after(event(followed, {self.outputs.run}, outputs, **LIGHT), self.began_unasked)

    def _run_after(self, event: Any, begin: Callable[..., Any]) -> None:
        o, inputs, shown = self.outputs, self.form_inputs(), self.shown()
        began = event.success(begin, inputs, shown, **IMMEDIATE)
        restored = began.success(self.restored, {o.session, o.run}, shown, **HEAVY)
        restored.then(self.settled, inputs, shown, **IMMEDIATE)  # also where the line refused a place

    def shown(self) -> list[Any]:
        """Everything that answer() may change."""
        return [*_all(self.outputs), self._buttons.restore, self._buttons.stop]

    # Links

    def arrived(self, values: dict[Any, Any], request: gr.Request) -> dict[Any, Any]:
        """A page was opened: everything as its address says."""
        return self._set_up(dict(request.query_params), self.run_of(values))

    def _set_up(self, query: Mapping[str, str], run: Run) -> dict[Any, Any]:
        """Controls as a link says, the checkpoints folder as it is now, its picture or the first example broken."""
        cards = list(self._desk.cards().values())
        default = RestoreForm(model_names=tuple(first_models(cards)))
        link = from_query(query, default, tuple(card.name for card in cards))
        changes = self._open(lambda: open_example(link.picture or EXAMPLES[0].name), run, link.form)
        # Where it could not be opened, no run may begin on the photograph before it.
        changes.setdefault(self.outputs.session, Session())
        if isinstance(view := changes.get(self.outputs.viewer), dict):
            changes[self.outputs.viewer] = {**view, "look": look_values(link.look)}
        if link.problems:
            changes[self.outputs.notice] = facts.notice(" ".join(link.problems))
        for one in fields(RestoreForm):
            changes[getattr(self.controls, one.name)] = getattr(link.form, one.name)
        choices, names = model_choices(cards), list(link.form.model_names)
        return {**changes, self.controls.model_names: gr.update(choices=choices, value=names)}

    # Photograph

    def example_opened(self, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
        """One of the thumbnails was pressed."""
        name = event_data(event).get("name")
        return self._open(lambda: open_example(name), self.run_of(values), self.form(values))

    def opened(self, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
        """A file was uploaded."""
        data = event_data(event)
        return self._open(
            lambda: self._uploads.open(data.get("path"), data.get("name")),
            self.run_of(values),
            self.form(values),
        )

    def _open(self, read: Callable[[], Photograph], run: Run, form: RestoreForm) -> dict[Any, Any]:
        return self._calmly(lambda: self._desk.opened(read(), run, form))

    # Settings

    def rebroken(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """A setting changed."""
        return self._calmly(
            lambda: self._desk.rebroken(values[self.outputs.session], self.run_of(values), self.form(values))
        )

    def saves_changed(self, saves: Any) -> list[dict[str, Any]]:
        """Show the settings of as many saves as there are."""
        return [gr.update(visible=saves in ("once", "twice")), gr.update(visible=saves == "twice")]

    def guidance_changed(self, guidance: Any) -> list[Any]:
        """Show the slider where the quality is set by hand, and say what the choice means."""
        return [gr.update(visible=guidance == "manual"), guidance_words(guidance)]

    # Running

    def began(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """Restore was pressed."""
        return self._calmly(
            lambda: self._desk.began(values[self.outputs.session], self.run_of(values), self.form(values)),
            otherwise=Page(run=Run()),
        )

    def began_unasked(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """The first run of a page: what was wrong with its address stays readable; no picture, no run."""
        if (values[self.outputs.session] or Session()).photograph is None:
            return {self.outputs.run: Run()}
        changes = self.began(values)
        if not changes[self.outputs.notice]:
            changes[self.outputs.notice] = gr.skip()
        return changes

    def restored(self, values: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
        """The models at work, result by result."""
        try:
            for page in self._desk.restored(values[self.outputs.session] or Session(), self.run_of(values)):
                yield self.answer(page)
        except Exception:
            logger.exception("a run failed")
            yield self.answer(Page(notice=facts.notice(UNFORESEEN), busy=False))

    def stopped(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """Stop was pressed; the run itself reports its end within one tile."""
        self.run_of(values).end()
        return {self._buttons.stop: gr.update(interactive=False, value="Stopping")}

    def settled(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """A run is over: are its results still what the controls say?"""
        return self._calmly(
            lambda: self._desk.settled(
                values[self.outputs.session] or Session(), self.run_of(values), self.form(values)
            )
        )

    # Between Gradio's dictionaries and the desk's dataclasses

    def form_inputs(self) -> set[Any]:
        """What a handler needs to read the controls, what is open and what was restored."""
        return {*_all(self.controls), self.outputs.session, self.outputs.run}

    def run_of(self, values: dict[Any, Any]) -> Run:
        """The latest run among an event's values."""
        return values[self.outputs.run] or Run()

    def form(self, values: dict[Any, Any]) -> RestoreForm:
        """The controls among an event's values, unchecked."""
        return RestoreForm(
            **{one.name: values[getattr(self.controls, one.name)] for one in fields(RestoreForm)}
        )

    def _calmly(self, work: Callable[[], Page], otherwise: Page | None = None) -> dict[Any, Any]:
        """The work's page, or a page with one clear sentence and whatever else `otherwise` changes."""
        page = otherwise or Page()
        try:
            return self.answer(work())
        except RestorationError as error:
            return self.answer(replace(page, notice=facts.notice(str(error)), busy=False))
        except Exception:
            logger.exception("a handler failed")
            return self.answer(replace(page, notice=facts.notice(UNFORESEEN), busy=False))

    def answer(self, page: Page) -> dict[Any, Any]:
        """A page by component."""
        changes: dict[Any, Any] = {self.outputs.notice: gr.skip()}
        for one in fields(Outputs):
            value = getattr(page, one.name)
            if value is not None:
                changes[getattr(self.outputs, one.name)] = value
        if page.busy is not None:
            words = "Restoring" if page.busy else "Restore"
            changes[self._buttons.restore] = gr.update(interactive=not page.busy, value=words)
            changes[self._buttons.stop] = gr.update(interactive=page.busy, value="Stop")
        return changes


def _all(components: Controls | Outputs) -> list[Any]:
    return [getattr(components, one.name) for one in fields(components)]

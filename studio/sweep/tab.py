"""The Sweep tab: which press calls which method of its desk."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import gradio as gr

from models.errors import RestorationError
from studio.page import facts
from studio.page.binding import HEAVY, IMMEDIATE, LIGHT, UNFORESEEN
from studio.page.controls import first_models
from studio.sweep.form import SweepForm
from studio.sweep.handlers import SweepDesk, SweepPage
from studio.sweep.layout import (
    SweepButtons,
    SweepControls,
    SweepOutputs,
    best_guess,
    build_sweep_layout,
    kind_markup,
    other_models,
    steerable_models,
)
from studio.sweep.run import SweepRecord

logger = logging.getLogger(__name__)

SHOW_RESULTS = """() => {
  const looking = document.getElementById("sweep-looking");
  if (looking.getBoundingClientRect().top > window.innerHeight / 2) looking.scrollIntoView({ behavior: "smooth" });
}"""

REFUSED = SweepPage(plan="")
"""What Run would do is not said where it would do nothing."""


def build_sweep_tab(
    demo: gr.Blocks, tab: gr.Tab, desk: SweepDesk, session: gr.State, session_seconds: int
) -> "SweepTab":
    """Lay the tab out and wire it.

    Args:
        demo: the page.
        tab: the one being built; entering it says what is open.
        desk: answers every press.
        session: what is open in the Restore tab.
        session_seconds: how long a visitor's sweeps are kept.
    """
    record = gr.State(SweepRecord(), time_to_live=session_seconds)
    built = SweepTab(desk, session, *build_sweep_layout(desk.cards(), record))
    built.wire(demo, tab)
    return built


class SweepTab:
    """Handlers with their components; each unpacks, calls the desk, and returns what changed by component."""

    def __init__(
        self,
        desk: SweepDesk,
        session: gr.State,
        controls: SweepControls,
        outputs: SweepOutputs,
        buttons: SweepButtons,
    ) -> None:
        self._desk, self._session = desk, session
        self.controls, self.outputs, self._buttons = controls, outputs, buttons

    def wire(self, demo: gr.Blocks, tab: gr.Tab) -> None:
        """Connect every event."""
        c, o, b = self.controls, self.outputs, self._buttons
        inputs = {*_all(c), self._session, o.record}
        shown = [*_all(o), b.run, b.stop]
        groups = [group for groups in b.of_kind.values() for group in groups]
        demo.load(self.models_found, None, [c.model_names, c.model_name, c.steerable_name], **LIGHT)
        tab.select(self.checked, inputs, shown, **LIGHT)
        c.kind.change(self.kind_changed, c.kind, [b.kind_words, *groups], **IMMEDIATE)
        sliders = {c.lowest, c.highest, c.step, c.shift_rows, c.shift_columns, c.file_quality}
        for slider in sliders:
            slider.release(self.checked, inputs, shown, trigger_mode="always_last", **LIGHT)
        for choice in (c.extent, c.kind, c.subsampling, c.model_names, c.model_name, c.steerable_name):
            choice.input(self.checked, inputs, shown, trigger_mode="always_last", **LIGHT)
        c.reading_quality.release(self.read, inputs, shown, trigger_mode="always_last", **LIGHT)
        began = b.run.click(self.began, inputs, shown, **IMMEDIATE)
        began.success(None, None, None, js=SHOW_RESULTS, api_visibility="private")
        swept = began.success(self.swept, {o.record}, shown, **HEAVY)
        swept.then(self.settled, inputs, shown, **IMMEDIATE)  # also where the line refused a place
        b.stop.click(self.stopped, {o.record}, shown, **IMMEDIATE)

    def models_found(self) -> list[dict[str, Any]]:
        """The checkpoints folder as it is now."""
        cards = self._desk.cards()
        others, steerable, guess = other_models(cards), steerable_models(cards), best_guess(cards)
        return [
            gr.update(choices=others, value=first_models(cards)),
            gr.update(choices=others, value=guess),
            gr.update(choices=steerable, value=guess),
        ]

    def kind_changed(self, kind: Any) -> list[Any]:
        """Show what belongs to the kind of sweep."""
        shown = [
            gr.update(visible=one == kind) for one, groups in self._buttons.of_kind.items() for _ in groups
        ]
        return [kind_markup(kind), *shown]

    def checked(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """The tab was entered, or a control moved."""
        return self._calmly(
            lambda: self._desk.checked(values[self._session], self._record(values), self._form(values))
        )

    def read(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """Another quality factor to compare at."""
        return self._calmly(lambda: self._desk.read(self._record(values), self._form(values)))

    def began(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """Run was pressed."""
        return self._calmly(
            lambda: self._desk.began(values[self._session], self._record(values), self._form(values))
        )

    def swept(self, values: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
        """The models at work, point by point."""
        try:
            for page in self._desk.swept(self._record(values)):
                yield self._answer(page)
        except Exception:
            logger.exception("a sweep failed")
            yield self._answer(SweepPage(notice=facts.notice(UNFORESEEN), progress="", busy=False))

    def stopped(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """Stop was pressed; the sweep itself reports its end within one tile."""
        current = self._record(values).current
        if current is not None:
            current.stop.set()
        return {self._buttons.stop: gr.update(interactive=False, value="Stopping")}

    def settled(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """A sweep is over: are its results still what the controls say?"""
        return self._calmly(
            lambda: self._desk.settled(values[self._session], self._record(values), self._form(values)),
            otherwise=replace(REFUSED, busy=False),
        )

    # Between Gradio's dictionaries and the desk's dataclasses

    def _record(self, values: dict[Any, Any]) -> SweepRecord:
        return values[self.outputs.record] or SweepRecord()

    def _form(self, values: dict[Any, Any]) -> SweepForm:
        return SweepForm(**{one.name: values[getattr(self.controls, one.name)] for one in fields(SweepForm)})

    def _calmly(self, work: Callable[[], SweepPage], otherwise: SweepPage = REFUSED) -> dict[Any, Any]:
        """The work's page, or one clear sentence beside what `otherwise` changes."""
        try:
            return self._answer(work())
        except RestorationError as error:
            return self._answer(replace(otherwise, notice=facts.notice(str(error))))
        except Exception:
            logger.exception("a handler failed")
            return self._answer(replace(otherwise, notice=facts.notice(UNFORESEEN)))

    def _answer(self, page: SweepPage) -> dict[Any, Any]:
        changes: dict[Any, Any] = {self.outputs.notice: gr.skip()}
        for one in fields(SweepOutputs):
            value = getattr(page, one.name)
            if value is not None:
                changes[getattr(self.outputs, one.name)] = value
        if page.busy is not None:
            words = "Running" if page.busy else "Run"
            changes[self._buttons.run] = gr.update(interactive=not page.busy, value=words)
            changes[self._buttons.stop] = gr.update(interactive=page.busy, value="Stop")
        return changes


def _all(components: SweepControls | SweepOutputs) -> list[Any]:
    return [getattr(components, one.name) for one in fields(components)]

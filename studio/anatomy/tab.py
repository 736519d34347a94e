"""The Anatomy tab: which event calls which method of its desk."""

import logging
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import gradio as gr

from models.errors import RestorationError
from studio.anatomy.handlers import AnatomyDesk, AnatomyPage
from studio.anatomy.layout import AnatomyGroups, AnatomyOutputs, build_anatomy_layout
from studio.page import facts
from studio.page.binding import LIGHT, UNFORESEEN, event_data
from studio.restore.tab import RestoreTab
from studio.session.form import RestoreForm
from studio.session.visitor import Run

logger = logging.getLogger(__name__)

NOTHING_SHOWN = AnatomyPage(
    empty="", hint="", file_facts="", earlier="", shares="", open=False, has_blocks=False
)
"""Where a file could not be taken apart, nothing of the one before it stays beside the sentence that says so."""


def build_anatomy_tab(tab: gr.Tab, desk: AnatomyDesk, restore: RestoreTab, session_seconds: int) -> None:
    """Lay the tab out and wire it.

    Args:
        tab: the one being built; entering it takes the file apart.
        desk: answers every event.
        restore: what is open, how it is broken and what was restored; its viewer picks blocks too.
        session_seconds: how long a visitor's file is kept.
    """
    subject, place = (gr.State(None, time_to_live=session_seconds) for _ in range(2))
    AnatomyTab(desk, restore, *build_anatomy_layout(subject, place)).wire(tab)


class AnatomyTab:
    """Handlers with their components; each unpacks, calls the desk, and returns what changed by component."""

    def __init__(
        self, desk: AnatomyDesk, restore: RestoreTab, outputs: AnatomyOutputs, groups: AnatomyGroups
    ) -> None:
        self._desk, self._restore, self._outputs, self._groups = desk, restore, outputs, groups

    def wire(self, tab: gr.Tab) -> None:
        """Connect every event."""
        o, r = self._outputs, self._restore
        shown = [getattr(o, one.name) for one in fields(o)] + [self._groups.bench, self._groups.blocks]
        frequency = {o.subject, o.component, o.frequency_row, o.frequency_column}
        self._form = {field.name: r.components[field.name] for field in fields(RestoreForm)}
        entered = {*self._form.values(), r.components["session"], r.components["run"], o.subject, o.place}
        tab.select(self.opened, entered, shown, **LIGHT).success(self.searched, frequency, shown, **LIGHT)
        latest = {**LIGHT, "trigger_mode": "always_last"}
        for picker in (o.viewer.block, o.block_map.pick, o.block.pick):
            picker(self.picked, {o.subject}, shown, **latest)
        r.components["viewer"].block(self.picked_elsewhere, None, o.place, **latest)
        o.block.frequency(self.frequency_picked, {o.subject}, shown, **latest)
        for slider in (o.frequency_row, o.frequency_column):
            slider.release(self.frequency_set, frequency, shown, **latest)
        o.component.input(self.frequency_set, frequency, shown, **latest)

    def opened(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """The tab was entered."""
        r, o = self._restore, self._outputs
        return self._calmly(
            lambda: self._desk.opened(
                values[r.components["session"]],
                values[r.components["run"]] or Run(),
                RestoreForm(**{name: values[component] for name, component in self._form.items()}),
                values[o.subject],
                values[o.place],
            ),
            otherwise=NOTHING_SHOWN,
        )

    def searched(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """After entering: what takes longer."""
        return self._calmly(lambda: self._desk.searched(*self._frequency(values)))

    def picked(self, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
        """A block was picked in this tab."""
        data = event_data(event)
        return self._calmly(
            lambda: self._desk.picked(values[self._outputs.subject], data.get("row"), data.get("column"))
        )

    def picked_elsewhere(self, event: gr.EventData) -> Any:
        """A block was picked in the Restore tab's viewer; it is shown when this tab is entered."""
        place = event_data(event).get("row"), event_data(event).get("column")
        return place if all(type(one) is int and one >= 0 for one in place) else gr.skip()

    def frequency_picked(self, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
        """A coefficient was chosen in the inspector."""
        which = [event_data(event).get(name) for name in ("component", "row", "column")]
        return self._calmly(lambda: self._desk.histogram(values[self._outputs.subject], *which))

    def frequency_set(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """Another frequency or component was set by its controls."""
        return self._calmly(lambda: self._desk.histogram(*self._frequency(values)))

    def _frequency(self, values: dict[Any, Any]) -> list[Any]:
        o = self._outputs
        return [values[one] for one in (o.subject, o.component, o.frequency_row, o.frequency_column)]

    def _calmly(
        self, work: Callable[[], AnatomyPage], otherwise: AnatomyPage | None = None
    ) -> dict[Any, Any]:
        """The work's page, or one clear sentence beside whatever else `otherwise` changes."""
        page = otherwise or AnatomyPage()
        try:
            return self._answer(work())
        except RestorationError as error:
            return self._answer(replace(page, notice=facts.notice(str(error))))
        except Exception:
            logger.exception("a handler failed")
            return self._answer(replace(page, notice=facts.notice(UNFORESEEN)))

    def _answer(self, page: AnatomyPage) -> dict[Any, Any]:
        changes: dict[Any, Any] = {self._outputs.notice: gr.skip()}
        for one in fields(AnatomyOutputs):
            value = getattr(page, one.name)
            if value is not None:
                changes[getattr(self._outputs, one.name)] = value
        if page.components is not None:
            choices = [(name, number) for number, name in enumerate(page.components)]
            changes[self._outputs.component] = gr.update(choices=choices, value=page.component)
        if page.open is False:
            changes[self._outputs.subject] = (
                None  # or the next step would go on with the file before this one
            )
        if page.open is not None:
            changes[self._groups.bench] = gr.update(visible=page.open)
            changes[self._groups.blocks] = gr.update(visible=page.has_blocks)
        return changes

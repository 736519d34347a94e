"""The Train tab: which event calls which method of its desks."""

import logging
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import gradio as gr

from models.errors import RestorationError
from studio.page import facts
from studio.page.binding import IMMEDIATE, LIGHT, UNFORESEEN, event_data
from studio.page.controls import model_choices
from studio.restore.tab import RestoreTab
from studio.train.checks import picture_folders
from studio.train.handlers import RESUME, START, STOP, Seen, TrainDesk, TrainPage, Watch
from studio.train.layout import (
    RecipeControls,
    TrainButtons,
    TrainOutputs,
    build_train_layout,
)
from studio.train.recipe_handlers import RecipeDesk, RecipePage

logger = logging.getLogger(__name__)

LATEST = {**LIGHT, "trigger_mode": "always_last"}
SHOW_LIFE = """() => {
  const life = document.getElementById("train-life");
  if (life.getBoundingClientRect().top > window.innerHeight / 2) life.scrollIntoView({ behavior: "smooth" });
}"""


def build_train_tab(
    demo: gr.Blocks,
    tab: gr.Tab,
    desk: TrainDesk,
    recipes: RecipeDesk,
    restore: RestoreTab,
) -> None:
    """Lay the tab out and wire it.

    Args:
        demo: the page.
        tab: the one being built; entering it shows what runs.
        desk: answers for runs.
        recipes: answers for the recipe.
        restore: its picker takes what "Use it" makes.
    """
    watch, seen = (
        gr.State(Watch()),
        gr.State(Seen()),
    )  # small, and a run is watched for longer than pictures are kept
    built = build_train_layout(picture_folders(desk.jobs.data_root), watch, seen, desk.pulse)
    TrainTab(desk, recipes, restore, *built).wire(demo, tab)


class TrainTab:
    """Handlers with their components; each unpacks, calls a desk, and returns what changed by component."""

    def __init__(
        self,
        desk: TrainDesk,
        recipes: RecipeDesk,
        restore: RestoreTab,
        controls: RecipeControls,
        outputs: TrainOutputs,
        buttons: TrainButtons,
    ) -> None:
        self._desk, self._recipes, self._restore = desk, recipes, restore
        self._controls, self._outputs, self._buttons = controls, outputs, buttons

    def wire(self, demo: gr.Blocks, tab: gr.Tab) -> None:
        """Connect every event."""
        c, o, b = self._controls, self._outputs, self._buttons
        left = _all(c)
        demo.load(self.recipe_first, None, left, **LIGHT)
        b.preset.input(self.preset_chosen, {b.preset}, left, **LATEST)
        c.yaml.input(self.yaml_typed, {c.yaml}, left, **LATEST)
        c.form.edited(self.form_edited, {c.yaml}, left, **LATEST)
        c.run_name.input(self.named, {c.yaml, c.run_name}, left, **LATEST)
        c.network.input(self.network_chosen, {c.yaml, c.network}, left, **LATEST)
        c.photographs.input(self.photographs_chosen, {c.yaml, c.photographs}, left, **LATEST)
        c.command.copied(self.copied, {c.yaml}, left, **LIGHT)

        life, known = [*_all(o), b.another, b.previews], {o.watch, o.seen, c.run_name}
        tab.select(self.entered, known, life, **LIGHT)
        b.pulse.beat(self.refreshed, known, life, **IMMEDIATE)
        c.run_name.change(self.refreshed, known, life, **LATEST)
        pressed = o.button.click(self.pressed, {*known, c.yaml}, [*{*life, *left}], **LIGHT)
        pressed.success(None, None, None, js=SHOW_LIFE, api_visibility="private")
        b.another.click(self.another, known, life, **LIGHT)
        o.pictures.input(self.pictured, {*known, o.pictures}, life, **LATEST)
        o.runs.chosen(self.chosen, known, life, **LIGHT)
        o.runs.compared(self.compared, None, life, **LIGHT)
        o.runs.deleted(self.deleted, known, life, **LIGHT)
        picker = self._restore.components["model_names"]
        o.runs.used(self.used, {*known, picker}, [*life, picker], **LIGHT)

    # The recipe

    def recipe_first(self) -> dict[Any, Any]:
        """A page was opened."""
        return self._recipe(self._recipes.first)

    def preset_chosen(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """Another recipe to start from."""
        return self._recipe(lambda: self._recipes.preset_chosen(values[self._buttons.preset]))

    def yaml_typed(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """The YAML was edited."""
        return self._recipe(lambda: self._recipes.typed(values[self._controls.yaml]))

    def form_edited(self, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
        """A setting was changed in the form."""
        path, value = event_data(event).get("setting"), event_data(event).get("value")
        return self._recipe(lambda: self._recipes.edited(values[self._controls.yaml], path, value))

    def named(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """Another name was entered."""
        c = self._controls
        return self._recipe(lambda: self._recipes.named(values[c.yaml], values[c.run_name]))

    def network_chosen(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """Another network was chosen."""
        c = self._controls
        return self._recipe(lambda: self._recipes.network_chosen(values[c.yaml], values[c.network]))

    def photographs_chosen(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """Another folder was chosen or entered."""
        c = self._controls
        return self._recipe(lambda: self._recipes.photographs_chosen(values[c.yaml], values[c.photographs]))

    def copied(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """The command was copied."""
        return self._recipe(lambda: self._recipes.copied(values[self._controls.yaml]))

    # The life of a run

    def entered(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """The tab was opened."""
        watch, _, name = self._known(values)
        return self._life(lambda: self._desk.entered(watch, name))

    def refreshed(self, values: dict[Any, Any]) -> Any:
        """There is news, or the recipe has another name."""
        page = self._calmly(lambda: self._desk.refreshed(*self._known(values)), TrainPage)
        return gr.skip() if page is None else self._answer(page)

    def pressed(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """The large button."""
        text, (watch, seen, name) = values[self._controls.yaml], self._known(values)
        config = self._recipes.config_of(text) if seen.action == START else None
        changes = self._life(lambda: self._desk.pressed(watch, seen, name, config))
        started = seen.action == START and not changes[self._outputs.notice]
        return {**self._recipe(lambda: self._recipes.next_of(text)), **changes} if started else changes

    def another(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """Back to the recipe."""
        watch, _, name = self._known(values)
        return self._life(lambda: self._desk.chosen(watch, name, ""))

    def chosen(self, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
        """A run was picked from the list."""
        watch, _, name = self._known(values)
        return self._life(lambda: self._desk.chosen(watch, name, event_data(event).get("name")))

    def pictured(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """Another preview was chosen."""
        return self._life(lambda: self._desk.pictured(*self._known(values), values[self._outputs.pictures]))

    def compared(self, event: gr.EventData) -> dict[Any, Any]:
        """Ticked runs were laid over each other."""
        return self._life(lambda: self._desk.compared(event_data(event).get("names")))

    def deleted(self, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
        """A run was deleted."""
        watch, _, name = self._known(values)
        return self._life(lambda: self._desk.deleted(watch, name, event_data(event).get("name")))

    def used(self, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
        """A run's weights go into the pickers."""
        picker = self._restore.components["model_names"]
        picked, known = values[picker], self._known(values)
        names = [name for name in picked if isinstance(name, str)] if isinstance(picked, list) else []
        made: list[str] = []
        changes = self._life(lambda: self._desk.used_page(*known, event_data(event).get("name"), made.append))
        chosen = gr.update(choices=model_choices(self._desk.cards()), value=[*dict.fromkeys([*names, *made])])
        return {**changes, picker: chosen} if made else changes

    # Between Gradio's dictionaries and the desks' dataclasses

    def _known(self, values: dict[Any, Any]) -> tuple[Watch, Seen, str]:
        o = self._outputs
        name = values[self._controls.run_name]
        return values[o.watch] or Watch(), values[o.seen] or Seen(), name if isinstance(name, str) else ""

    def _recipe(self, work: Callable[[], RecipePage]) -> dict[Any, Any]:
        page = self._calmly(work, RecipePage)
        changes = {
            getattr(self._controls, one.name): value
            for one in fields(RecipeControls)
            if (value := getattr(page, one.name)) is not None
        }
        return changes or {self._controls.notice: gr.skip()}

    def _life(self, work: Callable[[], TrainPage]) -> dict[Any, Any]:
        return self._answer(self._calmly(work, TrainPage))

    def _calmly(self, work: Callable[[], Any], page: type) -> Any:
        """The work's page, or one clear sentence."""
        try:
            return work()
        except RestorationError as error:
            return page(notice=facts.notice(str(error)))
        except Exception:
            logger.exception("a handler failed")
            return page(notice=facts.notice(UNFORESEEN))

    def _answer(self, page: TrainPage) -> dict[Any, Any]:
        o, b = self._outputs, self._buttons
        changes: dict[Any, Any] = {o.notice: gr.skip()}
        for one in fields(TrainOutputs):
            value = getattr(page, one.name)
            if value is not None and one.name not in ("pictures", "button"):
                changes[getattr(o, one.name)] = value
        if page.button is not None:
            action = page.seen.action
            variant = "stop" if action == STOP else "primary"
            active = action in (START, STOP, RESUME)
            changes[o.button] = gr.update(value=page.button, interactive=active, variant=variant)
            changes[b.another] = gr.update(visible=bool(page.seen.head[0]) and action in (START, RESUME))
        if page.pictures is not None:
            names, chosen = page.pictures
            changes[o.pictures] = gr.update(choices=list(names), value=chosen, visible=bool(names))
            changes[b.previews] = gr.update(visible=bool(chosen))
        return changes


def _all(components: RecipeControls | TrainOutputs) -> list[Any]:
    return [getattr(components, one.name) for one in fields(components)]

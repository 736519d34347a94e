"""What happens at each change of a recipe: form and YAML follow each other, problems are said. No page code."""

import re
from dataclasses import dataclass, replace
from typing import Any

from models.errors import InvalidSetting
from studio.train import recipe_view as views
from studio.train.checks import network_words, photograph_words
from studio.train.jobs import Jobs
from studio.train.recipe import PRESETS, Recipe, preset, typed
from training.config import NAME_PATTERN, TrainConfig

TAKEN = "name: {name} has been trained already; Start needs a new name, or resume it from the list of runs"


@dataclass(frozen=True, eq=False)
class RecipePage:
    """What changes on the left side; None leaves a component alone.

    Attributes:
        yaml: the text.
        recipe_form: value of the form.
        run_name, photographs, network: values of their controls.
        preset_words, photograph_words, network_words, problems, notice: markup.
        command: value of the command line.
    """

    yaml: str | None = None
    recipe_form: dict[str, Any] | None = None
    run_name: str | None = None
    photographs: str | None = None
    network: str | None = None
    preset_words: str | None = None
    photograph_words: str | None = None
    network_words: str | None = None
    problems: str | None = None
    command: dict[str, Any] | None = None
    notice: str | None = None


class RecipeHandlers:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def preset_chosen(self, preset_name: Any) -> RecipePage:
        """A recipe to start from, under a name that is free.

        Raises:
            RestorationError: there is no such preset.
        """
        chosen = preset(preset_name)
        recipe = self._with_free_name(Recipe.read(chosen.text()))
        return replace(self.page_of(recipe, everything=True), preset_words=views.fact(chosen.words()))

    def first(self) -> RecipePage:
        """What a fresh page shows."""
        return self.preset_chosen(PRESETS[0].name)

    def typed(self, yaml: Any) -> RecipePage:
        """The YAML was edited: everything but itself follows."""
        return replace(self.page_of(Recipe.read(yaml), everything=True), yaml=None)

    def edited(self, yaml: Any, event: dict[str, Any]) -> RecipePage:
        """A setting was changed in the form.

        Raises:
            RestorationError: the YAML cannot be read, or there is no such setting.
        """
        path = str(event.get("setting"))
        recipe = Recipe.read(yaml).with_value(path, typed(path, event.get("value")))
        return self.page_of(recipe, everything=False)

    def named(self, yaml: Any, run_name: Any) -> RecipePage:
        """Another name was entered."""
        recipe = Recipe.read(yaml).with_value("name", str(run_name or "").strip())
        return replace(self.page_of(recipe, everything=False), run_name=None)

    def network_chosen(self, yaml: Any, network: Any, preset_name: Any) -> RecipePage:
        """Another network was chosen: its own recipe, within the budget of this one."""
        start = next((one for one in PRESETS if one.name == preset_name), None)
        return self.page_of(Recipe.read(yaml).with_network(str(network), start), everything=True)

    def photographs_chosen(self, yaml: Any, photographs: Any) -> RecipePage:
        """Another folder was chosen or entered."""
        return self.page_of(
            Recipe.read(yaml).with_photographs(str(photographs or "").strip()), everything=True
        )

    def copied(self, yaml: Any) -> RecipePage:
        """The command was copied: the configuration it names is put in its place.

        Raises:
            RestorationError: the recipe has problems, or its place is taken.
        """
        config = self.config_of(yaml)
        if config is None:
            raise InvalidSetting(
                "The command would not work yet: the recipe has problems. They stand below it. Correct them, then copy."
            )
        files = self._jobs.write_recipe(config)
        note = f"Copied; the recipe was written to {files.config_path}."
        return RecipePage(command={"line": self._jobs.command_line(config.name), "note": note}, notice="")

    def next_of(self, yaml: Any) -> RecipePage:
        """After a start: the same recipe under a name that is free."""
        return self.page_of(self._with_free_name(Recipe.read(yaml)), everything=True)

    def config_of(self, yaml: Any) -> TrainConfig | None:
        """What would be started; None while something is wrong with it."""
        recipe = Recipe.read(yaml)
        return recipe.config if not self._all_problems(recipe)[0] else None

    def page_of(self, recipe: Recipe, *, everything: bool) -> RecipePage:
        """All of the left side.

        Args:
            recipe: what it shows.
            everything: replace even what somebody is writing in the form.
        """
        problems, about_photographs, about_network = self._all_problems(recipe)
        page = RecipePage(
            yaml=recipe.text,
            problems=views.problems_markup(problems),
            photograph_words=views.fact(about_photographs),
            network_words=views.fact(about_network),
            command=self._command(recipe),
            notice="",
        )
        if recipe.entries is None:
            return replace(page, recipe_form=views.CLOSED_FORM)
        trained = recipe.value("data.train")
        return replace(
            page,
            recipe_form=views.form_of(recipe, problems, everything=everything),
            run_name=str(recipe.value("name") or ""),
            photographs=", ".join(map(str, trained)) if isinstance(trained, list) else str(trained),
            network=str(recipe.value("architecture") or ""),
        )

    def _all_problems(self, recipe: Recipe) -> tuple[list[str], str, str]:
        """Everything that is wrong, and what is trained on and with, in words."""
        on, missing = photograph_words(recipe, self._jobs.data_root)
        network, misfits = network_words(recipe)
        problems = [*recipe.problems, *missing, *misfits]
        name = recipe.value("name")
        if isinstance(name, str) and self._jobs.exists(name):
            problems.append(TAKEN.format(name=name))
        return problems, on, network

    def _command(self, recipe: Recipe) -> dict[str, Any]:
        name = recipe.value("name")
        if not isinstance(name, str) or not re.fullmatch(NAME_PATTERN, name):
            return {"line": "", "note": ""}
        note = (
            f"Copying writes the recipe to {self._jobs.files(name).config_path}, where the command reads it."
        )
        return {"line": self._jobs.command_line(name), "note": note}

    def _with_free_name(self, recipe: Recipe) -> Recipe:
        name = recipe.value("name")
        if recipe.entries is None or not isinstance(name, str):
            return recipe
        free = self._jobs.free_name(name)
        return recipe if free == name else recipe.with_value("name", free)

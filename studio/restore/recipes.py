"""Recipes: ways to damage a picture that are chosen by name, and one's own, saved and opened as JSON. No page code."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from time import monotonic_ns
from typing import Any

from models.errors import InvalidSetting
from models.jpeg import Degradation, Resize, Save
from studio.engine.outputs import RestoreRequest
from studio.restore.page import LinkedPage
from studio.session.form import RestoreForm, one_of

MAX_LETTERS = 4096
"""Of a recipe; ours have 300."""


@dataclass(frozen=True)
class Recipe:
    """Steps with a title for people."""

    title: str
    degradation: Degradation


RECIPES = {
    "messenger": Recipe("Passed on twice by a messenger", Degradation((Save(75), Save(70)))),
    "resized": Recipe("Resized between two saves", Degradation((Save(80), Resize(0.5), Save(60)))),
    "cropped": Recipe("Cropped between two saves", Degradation((Save(40), Save(60, "4:2:0", (4, 4))))),
}
CONTROLS = (
    "saves",
    "first_quality",
    "first_subsampling",
    "second_quality",
    "second_subsampling",
    "shift_rows",
    "shift_columns",
    "resize_percent",
)
"""What a recipe sets of the form."""

RecipePage: Any = make_dataclass(
    "RecipePage", [("recipe", Any, field(default=None))], bases=(LinkedPage,), frozen=True, eq=False
)
"""A page that sets controls, with the value of the recipes' component."""


def recipe_choices() -> dict[str, Any]:
    """The component's first value."""
    return {"recipes": [{"name": name, "title": recipe.title} for name, recipe in RECIPES.items()]}


def choose(event: Mapping[str, Any]) -> Any:
    """A recipe was chosen by name.

    Raises:
        InvalidSetting: there is none of that name.
    """
    name = one_of(event.get("name"), tuple(RECIPES), "The recipe")
    return _set(RECIPES[name].degradation, RECIPES[name].title)


def load(event: Mapping[str, Any]) -> Any:
    """A file with a recipe was opened.

    Raises:
        InvalidSetting: it is none, or none that the controls can show.
    """
    text = event.get("text")
    try:
        value = json.loads(text) if isinstance(text, str) and len(text) <= MAX_LETTERS else None
    except (ValueError, RecursionError):
        value = None
    steps = value.get("steps") if isinstance(value, dict) else value
    if not isinstance(steps, list):
        raise InvalidSetting(
            "The file is no recipe. A recipe is JSON with a list of steps, such as "
            '{"steps": [{"quality_factor": 75}, {"quality_factor": 70}]}. Save one here to see more.'
        )
    degradation = Degradation.from_json(steps)
    few = len(degradation.saves) <= 2
    if not few or RestoreForm.of(RestoreRequest("", (), degradation)).degradation() != degradation:
        raise InvalidSetting(
            f"The recipe says: {degradation.words()}. The page saves once or twice, and resizes between, by whole "
            "percent. Shorten it, or use the command line."
        )
    return _set(degradation, "your own")


def save(form: RestoreForm) -> Any:
    """The controls as a file.

    Raises:
        InvalidSetting: the picture is left as it is, or a control says what it cannot.
    """
    degradation = form.degradation()
    if degradation is None:
        raise InvalidSetting(
            "The picture is left as it is. A recipe damages it. Choose Save once or Save twice."
        )
    text = json.dumps({"steps": degradation.as_json()}, indent=1)
    return RecipePage(recipe=_answer(text=text, file=f"recipe_{degradation.slug()}.json"))


def refuse(sentence: str) -> Any:
    """What is wrong, where it was asked for."""
    return RecipePage(recipe=_answer(trouble=sentence))


def _set(degradation: Degradation, title: str) -> Any:
    form = RestoreForm.of(RestoreRequest("", (), degradation))
    controls = {name: getattr(form, name) for name in CONTROLS}
    return RecipePage(**controls, recipe=_answer(words=f"{title}: {degradation.words()}."))


def _answer(**value: Any) -> dict[str, Any]:
    return {"answer": monotonic_ns() // 1000, **value}

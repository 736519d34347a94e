"""The recipe of a training run as values for the page: the form, its problems in words, and what it is about."""

from collections.abc import Sequence
from html import escape
from typing import Any

from studio.train.recipe import FIELDS, Recipe, shown
from training.config_text import ConfigField

FIRST = (
    "optimizer.minutes",
    "optimizer.steps",
    "optimizer.learning_rate",
    "data.patch_sizes",
    "data.batch_sizes",
    "runtime.validate_every",
)
"""What people change most, in this order; drawn unfolded above everything else."""

ELSEWHERE = ("name", "architecture")
"""Settings that have controls of their own."""

TITLES = {
    "": "Network and card",
    "optimizer": "Optimizer",
    "data": "Photographs and patches",
    "loss": "Loss",
    "degradations": "How patches are damaged",
    "runtime": "Precision, speed and saving",
}


NO_COMMAND = {"line": "", "note": ""}
EMPTY_FORM: dict[str, Any] = {"groups": [], "closed": False, "all": False}
CLOSED_FORM: dict[str, Any] = {"groups": [], "closed": True, "all": False}
"""While the YAML cannot be read the form shows what it held last."""


def form_of(recipe: Recipe, problems: Sequence[str], *, everything: bool) -> dict[str, Any]:
    """The value of the form.

    Args:
        recipe: what it shows.
        problems: sentences, each beginning with the path of its setting where it has one.
        everything: replace even what somebody is writing.
    """
    first = [one for path in FIRST for one in FIELDS if one.path == path]
    rest = [one for one in FIELDS if one.path not in (*FIRST, *ELSEWHERE)]
    groups = [
        {
            "title": "Most used settings",
            "open": True,
            "fields": [_field(one, recipe, problems) for one in first],
        }
    ]
    prefixes = sorted({one.group for one in rest}, key=lambda group: [*TITLES, group].index(group))
    for prefix in prefixes:
        members = [_field(one, recipe, problems) for one in rest if one.group == prefix]
        groups.append({"title": TITLES.get(prefix, prefix), "open": False, "fields": members})
    return {"groups": groups, "closed": False, "all": everything}


def _field(one: ConfigField, recipe: Recipe, problems: Sequence[str]) -> dict[str, Any]:
    about = one.description[:1].upper() + one.description[1:]
    allowed = f"; {one.allowed}" if one.allowed and not one.choices else ""
    empty = "; empty for none" if one.optional else ""
    return {
        "path": one.path,
        "label": one.path.rpartition(".")[2].replace("_", " "),
        "kind": one.kind,
        "about": f"{about}{allowed}{empty}.",
        "unit": "" if one.path.endswith(f".{one.unit}") else one.unit,
        "choices": list(one.choices),
        "value": shown(recipe.value(one.path)),
        "problem": "; ".join(
            problem.removeprefix(one.path).lstrip(": ")
            for problem in problems
            if _is_about(problem, one.path)
        ),
    }


def _is_about(problem: str, path: str) -> bool:
    return problem.startswith((f"{path}:", f"{path} ", f"{path}."))


def problems_markup(problems: Sequence[str]) -> str:
    """All problems of a recipe at once; nothing where there is none."""
    if not problems:
        return ""
    count = f"{len(problems)} problems" if len(problems) > 1 else "One problem"
    items = "".join(f"<li>{escape(problem)}</li>" for problem in problems)
    return (
        f"<div class='notice train-problems' role='status'><b>{count} in the recipe</b><ul>{items}</ul></div>"
    )


def fact(words: str, *, bad: bool = False) -> str:
    """A line below a control."""
    return f"<p class='fact fact-note{' bad' if bad else ''}'>{escape(words)}</p>" if words else ""

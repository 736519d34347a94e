"""Recipes set the controls of Damage it, and go to a file and back."""

import json
from dataclasses import replace

import pytest

from models.errors import InvalidSetting
from studio.restore import recipes
from studio.restore.recipes import CONTROLS, RECIPES, choose, load, refuse, save
from studio.session.form import RestoreForm


def form_of(page) -> RestoreForm:
    return replace(RestoreForm(), **{name: getattr(page, name) for name in CONTROLS})


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_sets_the_controls_to_its_steps_and_says_them(name):
    page = choose({"name": name})
    assert form_of(page).degradation() == RECIPES[name].degradation
    assert RECIPES[name].degradation.words() in page.recipe["words"]
    assert page.model_names is None and page.guidance is None  # nothing else is touched


@pytest.mark.parametrize(
    "form",
    [
        RestoreForm(saves="once", first_quality=1, first_subsampling="4:4:4"),
        RestoreForm(saves="twice", first_quality=33, second_quality=88, shift_rows=7, shift_columns=0),
        RestoreForm(saves="twice", resize_percent=57, second_subsampling="4:2:2"),
    ],
)
def test_what_is_saved_is_opened_again_as_it_was(form):
    saved = save(form).recipe
    assert saved["file"].startswith("recipe_qf") and saved["file"].endswith(".json")
    assert form_of(load({"text": saved["text"]})).degradation() == form.degradation()


def test_the_steps_of_a_report_are_a_recipe():
    steps = RestoreForm(saves="twice").degradation()
    assert steps is not None
    assert form_of(load({"text": json.dumps(steps.as_json())})).degradation() == steps


@pytest.mark.parametrize(
    "text",
    [
        None,
        3,
        "",
        "{",
        "[" * 5000,
        "[" * 4000,
        "null",
        '{"steps": 3}',
        "x" * 100_000,
        '{"quality_factor": 3}',
    ],
)
def test_what_is_no_recipe_is_refused(text):
    with pytest.raises(InvalidSetting, match="no recipe"):
        load({"text": text})


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([{"quality_factor": 30}] * 3, "once or twice"),
        ([{"step": "resize", "factor": 0.5}, {"quality_factor": 30}], "once or twice"),
        ([{"quality_factor": 30}, {"step": "resize", "factor": 0.333}, {"quality_factor": 30}], "whole"),
        ([{"quality_factor": 300}], "300"),
        ([{"step": "melt"}], "Steps with their values"),
        ([], "no save at all"),
    ],
)
def test_steps_that_the_page_cannot_do_are_refused_with_the_reason(steps, words):
    with pytest.raises(InvalidSetting, match=words):
        load({"text": json.dumps({"steps": steps})})


def test_there_is_no_recipe_for_leaving_a_picture_as_it_is():
    with pytest.raises(InvalidSetting, match="left as it is"):
        save(RestoreForm(saves="keep"))
    with pytest.raises(InvalidSetting, match="The recipe"):
        choose({"name": "toast"})
    assert refuse("No.").recipe["trouble"] == "No." and refuse("No.").saves is None
    assert [entry["name"] for entry in recipes.recipe_choices()["recipes"]] == list(RECIPES)

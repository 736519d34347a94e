"""Recipes: form and YAML say the same, every problem is named, presets work, networks and folders can be changed."""

import pytest

from models.errors import InvalidSetting
from models.zoo import ARCHITECTURES
from studio.train.checks import network_words, photograph_words
from studio.train.jobs import Jobs
from studio.train.recipe import (
    BUDGET,
    CONFIGS,
    FIELDS,
    PLACE,
    PRESETS,
    Recipe,
    differences,
    preset,
    shown,
    typed,
)
from studio.train.recipe_handlers import RecipeHandlers
from studio.train.recipe_view import form_of
from tests.present import present
from training.network_of import memory_problem

MINIMAL = "# mine\nname: mine\narchitecture: cascade\n"


@pytest.fixture
def recipes(tmp_path):
    return RecipeHandlers(Jobs(tmp_path / "runs", tmp_path))


@pytest.mark.parametrize("one", PRESETS, ids=lambda one: one.name)
def test_presets_are_sound_and_say_what_they_are(one):
    recipe = Recipe.read(one.text())
    assert recipe.config is not None and recipe.problems == () and one.words()
    assert network_words(recipe)[1] == []


@pytest.mark.parametrize(
    "text", [MINIMAL, *(one.text() for one in PRESETS)], ids=["minimal", *map(str, range(4))]
)
def test_every_field_of_the_form_shows_its_value_and_takes_it_back(text):
    recipe = Recipe.read(text)
    for path, value in recipe.values().items():
        assert typed(path, shown(value)) == value, path
        assert recipe.with_value(path, typed(path, shown(value))).config == recipe.config, path


def test_the_form_draws_every_setting_once():
    form = form_of(Recipe.read(MINIMAL), (), everything=True)
    paths = [field["path"] for group in form["groups"] for field in group["fields"]]
    assert sorted([*paths, "name", "architecture"]) == sorted(one.path for one in FIELDS)
    assert form["groups"][0]["open"] and not any(group["open"] for group in form["groups"][1:])
    assert all(field["about"] for group in form["groups"] for field in group["fields"])


def test_an_edit_changes_one_value_and_keeps_the_remarks():
    changed = Recipe.read(MINIMAL).with_value("optimizer.steps", typed("optimizer.steps", "20"))
    assert changed.text == "# mine\nname: mine\narchitecture: cascade\noptimizer:\n  steps: 20\n"
    assert changed.config is not None and changed.config.optimizer.steps == 20
    endless = changed.with_value("optimizer.minutes", typed("optimizer.minutes", "")).config
    assert endless is not None and endless.optimizer.minutes is None


def test_all_problems_are_named_at_once_and_beside_their_fields():
    text = MINIMAL + "optimizer: {steps: -1, learning_rate: fast}\ndata: {patch_sizes: [33]}\nlos: {}\n"
    recipe = Recipe.read(text)
    assert len(recipe.problems) == 4 and any("did you mean loss?" in problem for problem in recipe.problems)
    form = form_of(recipe, recipe.problems, everything=False)
    wrong = {field["path"] for group in form["groups"] for field in group["fields"] if field["problem"]}
    assert wrong == {"optimizer.steps", "optimizer.learning_rate", "data.patch_sizes"}


@pytest.mark.parametrize(
    "text",
    [
        "name: [",
        "- a\n- b",
        "",
        "just words",
        "a: &x [1]\nb: *x",
        "x: " + "[" * 5000,
        "!!python/object:os.system {}",
        7,
        "\x00",
    ],
)
def test_texts_that_are_no_recipe_are_one_sentence_and_close_the_form(recipes, text):
    recipe = Recipe.read(text)
    assert recipe.config is None and recipe.problems
    page = recipes.typed(text)
    assert page.recipe_form["closed"] and "problem" in page.problems and page.yaml is None
    with pytest.raises(InvalidSetting, match="cannot be read"):
        recipes.edited(text, {"setting": "optimizer.steps", "value": "3"})


def test_settings_that_do_not_exist_are_refused():
    for path in ("optimizer", "nonsense", "optimizer.steps.x", "__class__"):
        with pytest.raises(InvalidSetting, match="no setting"):
            Recipe.read(MINIMAL).with_value(path, 1)
    with pytest.raises(InvalidSetting, match="no preset"):
        preset("../../etc/passwd")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_network_can_be_chosen(architecture):
    recipe = Recipe.read(PRESETS[0].text()).with_network(architecture)
    assert recipe.problems == () and present(recipe.config).architecture == architecture
    words, problems = network_words(recipe)
    assert problems == [] and "parameters" in words


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("one", PRESETS, ids=lambda one: one.name)
def test_another_network_has_its_own_recipe_within_the_budget(one, architecture):
    """But for how long, where and on what it is trained, everything is as its own file says."""
    before, own = Recipe.read(one.text()), Recipe.read((CONFIGS / f"{architecture}.yaml").read_text())
    assert own.config is not None and own.config.architecture == architecture
    after = before.with_network(architecture)
    assert after.config is not None and before.config is not None
    if architecture == "cascade":
        assert after.text == before.text, "it was the cascade's"
        return
    places = {path for path in after.values() if path.startswith("runtime.") or path in (*BUDGET, *PLACE)}
    assert {path: after.value(path) for path in places} == {path: before.value(path) for path in places}
    mixed = {"card", "data.batch_sizes"}
    rest = after.values().keys() - places - mixed
    assert len(rest) > 20
    assert {path: after.value(path) for path in rest} == {path: own.value(path) for path in rest}
    sides, counts = after.config.data.patch_sizes, after.config.data.batch_sizes
    pixels = before.config.data.patch_sizes[0] ** 2 * before.config.data.batch_sizes[0]
    assert len(sides) == len(counts)
    for side, count in zip(sides, counts, strict=True):
        assert count == 1 or abs(count * side**2 - pixels) <= side**2 / 2
    assert after.value("card") == {} and after.value("name") == before.value("name")


@pytest.mark.parametrize("one", PRESETS, ids=lambda one: one.name)
def test_the_network_of_the_preset_gets_its_own_settings_back(recipes, one):
    there = recipes.network_chosen(one.text(), "dncnn", one.name)
    assert "architecture: dncnn" in there.yaml
    back = Recipe.read(recipes.network_chosen(there.yaml, "cascade", one.name).yaml)
    first = Recipe.read(one.text())
    assert {**back.values(), "card": {}} == {**first.values(), "card": {}}
    odd = recipes.network_chosen(there.yaml, "cascade", ["no preset"])
    assert Recipe.read(odd.yaml).value("hyperparameters") == {}, "the network's own file then"


def test_a_recipe_that_cannot_be_read_or_is_wrong_takes_another_network_calmly(recipes):
    with pytest.raises(InvalidSetting, match="cannot be read"):
        recipes.network_chosen("name: [", "dncnn", "tiny-cpu")
    wrong = recipes.network_chosen(MINIMAL + "data: {batch_sizes: many}\n", "dncnn", "tiny-cpu")
    assert "data.batch_sizes" in wrong.problems and "architecture: dncnn" in wrong.yaml
    none = recipes.network_chosen(MINIMAL, "nonsense", "tiny-cpu")
    assert "architecture" in none.problems


def test_another_network_begins_anew_and_without_a_teacher():
    begun = {"start_from": "weights.safetensors", "loss.teacher": "checkpoints/cascade"}
    recipe = Recipe.read(PRESETS[0].text()).with_values(begun).with_network("hr_cnn")
    assert [recipe.value(path) for path in begun] == ["", ""]


def test_hyperparameters_that_build_nothing_are_a_problem(recipes):
    page = recipes.edited(MINIMAL, {"setting": "hyperparameters", "value": "widths: [1, 2]"})
    assert "hyperparameters: they do not build a cascade" in page.problems


def test_photographs_are_counted_and_missing_ones_said(recipes, tmp_path):
    words, problems = photograph_words(Recipe.read(PRESETS[0].text()), tmp_path)
    assert "to learn from" in words and problems == []
    folder = tmp_path / "holiday"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(b"")
    page = recipes.photographs_chosen(PRESETS[0].text(), str(folder))
    assert "3 photographs to learn from" in page.photograph_words and page.problems == ""
    assert f"train: [{folder}]" in page.yaml and "scikit-image package" not in page.yaml
    missing = recipes.photographs_chosen(PRESETS[0].text(), "/nowhere")
    assert "data.train" in missing.problems
    both = recipes.edited(missing.yaml, {"setting": "data.patch_sizes", "value": "33"})
    assert "/nowhere" in both.problems and "33" in both.problems and "2 problems" in both.problems
    for nonsense in ("\x00", "3", "../" * 2000):
        assert "problem" in recipes.photographs_chosen(PRESETS[0].text(), nonsense).problems


def test_names_are_free_and_checked(recipes):
    page = recipes.first()
    assert page.run_name == "tiny-cpu" and "--run" in page.command["line"]
    assert "letters" in recipes.named(MINIMAL, "../evil").problems
    assert recipes.named(MINIMAL, "../evil").command["line"] == ""


def test_copying_puts_the_recipe_where_its_command_reads_it(recipes, tmp_path):
    page = recipes.copied(PRESETS[0].text())
    path = tmp_path / "runs" / "tiny-cpu" / "config.yaml"
    assert path.exists() and str(path) in page.command["note"]
    with pytest.raises(InvalidSetting, match="has problems"):
        recipes.copied("name: [")


def test_differences_name_every_setting_that_is_not_the_same():
    one = Recipe.read(MINIMAL).config
    other = Recipe.read(MINIMAL + "optimizer: {steps: 5}\nhyperparameters: {periods: 3}\n").config
    assert one is not None and other is not None
    assert sorted(differences(one, other)) == [
        ("hyperparameters.periods", None, 3),
        ("optimizer.steps", 100_000, 5),
    ]
    assert differences(one, one) == []


@pytest.mark.parametrize(
    ("architecture", "hyperparameters", "told"),
    [
        ("edsr", {"width": 2048, "blocks": 32}, "parameters"),
        ("edsr", {"width": 8, "blocks": 4000}, "layers"),
        ("dncnn", {"width": 4096, "layers": 2000}, "parameters"),
        ("edsr", {"width": 10**9}, "parameters"),
        ("edsr", {"width": -4}, "do not build"),
        ("dncnn", {"width": "wide"}, "do not build"),
    ],
)
def test_networks_that_fit_nowhere_are_sized_without_their_memory(architecture, hyperparameters, told):
    text = f"name: a\narchitecture: {architecture}\nhyperparameters: {hyperparameters}\n"
    words, problems = network_words(Recipe.read(text))
    assert words == "" and len(problems) == 1
    assert told in problems[0] and len(problems[0]) < 500


def test_memory_for_training_is_a_share_of_the_machines():
    assert memory_problem(10**6, 2**30) == ""
    assert "Half of this machine's memory, 0.5 GB" in memory_problem(10**8, 2**30)

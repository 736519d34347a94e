"""Configurations: the shipped ones are sound, every mistake is named, and the schema says what the reader checks."""

import dataclasses
import math
from pathlib import Path

import pytest
import yaml

from models.errors import InvalidSetting
from models.zoo import ARCHITECTURES
from tests.paths import REPOSITORY
from training.config import DataConfig, TrainConfig, read_config
from training.config_text import ConfigField
from training.schema import fields, reference

FOLDER = REPOSITORY / "training" / "configs"
CONFIGS = sorted([*FOLDER.glob("*.yaml"), *FOLDER.glob("gpu/*.yaml")])
RESOLVED = yaml.safe_load(Path(__file__).with_name("resolved_variants.yaml").read_text(encoding="utf-8"))
FIELDS = fields()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(FOLDER)))
def test_shipped_configuration_builds_its_network_and_survives_a_round_trip(path: Path) -> None:
    config = TrainConfig.from_yaml(path)
    assert config.name == path.stem
    ARCHITECTURES[config.architecture](**config.hyperparameters)
    assert TrainConfig.from_text(config.to_yaml()) == config
    assert path.read_text().startswith("# ") and set(config.card) >= {"title", "summary", "paper"}


def test_all_problems_are_reported_at_once_with_the_nearest_known_key() -> None:
    text = """
    name: a b
    architecture: cascade
    optimiser: {steps: 3}
    hyperparameters: {width: [1, 2, 3]}
    data: {patch_sizes: [90], workers: many}
    optimizer: {learning_rate: 1e-3, steps: 0, minuets: 3}
    """
    with pytest.raises(InvalidSetting) as caught:
        TrainConfig.from_text(text)
    message = str(caught.value)
    assert "6 problems" in message
    for expected in (
        "optimiser: unknown key; did you mean optimizer?",
        "optimizer.minuets: unknown key; did you mean minutes?",
        "data.workers: a whole number is needed, not 'many'",
        "name: 'a b' is not allowed; allowed: 1 to 64 letters",
        "data.patch_sizes: [90] is not allowed; allowed: 32 to 1,024, multiples of 16",
        "optimizer.steps: 0 is not allowed; allowed: 1 to 100,000,000",
    ):
        assert expected in message, expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2]", "a mapping is needed"),
        ("", "a mapping is needed"),
        ("name: [unclosed", "no valid YAML"),
        ("architecture: cascade", "name: missing"),
        ("{name: ../a, architecture: cascade}", "'../a' is not allowed"),
        ("{name: a, architecture: casacde}", "did you mean cascade"),
        ("{name: a, architecture: cascade, hyperparameters: {width: 3}}", "did you mean widths"),
        ("{name: a, architecture: cascade, card: {tittle: x}}", "did you mean title"),
        ("{name: a, architecture: cascade, zebra: 1}", "known here are name, architecture"),
        ("{name: a, architecture: cascade, optimizer: {learning_rate: .nan}}", "a number is needed"),
        ("{name: a, architecture: cascade, runtime: {compile: 1}}", "true or false is needed"),
        ("{name: a, architecture: cascade, degradations: {double_share: 7}}", "double_share: 7"),
        ("{name: a, architecture: cascade, degradations: {subsamplings: [[x, 1]]}}", "degradations: "),
        ("{name: a, architecture: cascade, data: {patch_sizes: 96}}", "a list is needed"),
        (
            "{name: a, architecture: cascade, data: {batch_sizes: [4, 4]}}",
            "one for each of the 1 patch_sizes",
        ),
        ("{name: a, architecture: cascade, data: {planes: 3}}", "data.planes: unknown key"),
        ("{name: a, name: b, architecture: cascade}", "twice"),
        ("name: a\narchitecture: cascade\ncard: {title: &t [1], summary: *t}", "anchors"),
        ("&a [*a]", "anchors"),
        ("name: " + "9" * 5000, "no valid YAML"),
        ("[" * 30_000, "nested too deeply"),
        ("# " + "x" * 65_536, "65,538 bytes"),
        ("!!python/object/apply:os.system [ls]", "no valid YAML"),
    ],
)
def test_a_mistake_is_named(text: str, expected: str) -> None:
    with pytest.raises(InvalidSetting, match=expected.replace("[", r"\[").replace("(", r"\(")) as caught:
        TrainConfig.from_text(text)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("name", RESOLVED)
def test_a_variant_stands_for_the_same_settings_as_when_it_was_written_out(name: str) -> None:
    path = FOLDER / name
    assert "\nbase: " in path.read_text(encoding="utf-8")
    values: dict = {}
    for setting, value in RESOLVED[name].items():
        *groups, key = setting.split(".")
        group = values
        for part in groups:
            group = group.setdefault(part, {})
        group[key] = value
    assert TrainConfig.from_yaml(path) == TrainConfig.from_values(values, name)


def test_a_configuration_may_build_on_another_which_builds_on_a_third(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    first, second, third = (
        tmp_path / "first.yaml",
        tmp_path / "inner" / "second.yaml",
        tmp_path / "third.yaml",
    )
    first.write_text(
        "{name: a, architecture: cascade, hyperparameters: {stages: 2, embedding: 8},"
        " data: {train: [x, y]}, optimizer: {steps: 5, minutes: 3}}"
    )
    second.write_text("{base: ../first.yaml, hyperparameters: {stages: 1}, optimizer: {minutes: null}}")
    third.write_text("{base: inner/second.yaml, name: c, data: {train: [z]}, optimizer: {clip: 2}}")
    config = TrainConfig.from_yaml(third)
    assert (config.name, config.hyperparameters) == ("c", {"stages": 1, "embedding": 8})
    assert config.data.train == ("z",)
    assert (config.optimizer.steps, config.optimizer.minutes, config.optimizer.clip) == (5, None, 2.0)
    assert "base" not in config.to_yaml() and TrainConfig.from_text(config.to_yaml()) == config


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("b.yaml", "builds on itself: .*a.yaml on .*b.yaml on .*a.yaml. Each base must be another file"),
        ("../{folder}/a.yaml", "builds on itself"),
        ("none.yaml", "none.yaml, the base of .*a.yaml, cannot be read"),
        ("list.yaml", "list.yaml, the base of .*a.yaml, holds .1, 2.. A mapping is needed"),
        ("[b.yaml]", "The base of .*a.yaml is .'b.yaml'.. A path"),
        ("null", "The base of .*a.yaml is None. A path"),
    ],
)
def test_a_base_that_cannot_be_built_on_is_named(base: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"base: {base.format(folder=tmp_path.name)}\nname: a")
    (tmp_path / "b.yaml").write_text("{base: a.yaml, architecture: cascade}")
    (tmp_path / "list.yaml").write_text("[1, 2]")
    with pytest.raises(InvalidSetting, match=expected):
        TrainConfig.from_yaml(tmp_path / "a.yaml")


def test_a_text_without_a_file_cannot_have_a_base() -> None:
    config, problems = read_config("{base: a.yaml, name: a, architecture: cascade, seed: x}")
    assert config is None and [problem.split(":")[0] for problem in problems] == ["base", "seed"]


def test_the_license_of_a_card_may_be_spelled_in_two_ways() -> None:
    british, american = (
        TrainConfig.from_text(f"{{name: a, architecture: cascade, card: {{{key}: mine}}}}")
        for key in ("licence", "license")
    )
    assert british == american and british.card == {"license": "mine"}
    _, problems = read_config("{name: a, architecture: cascade, card: {license: mine, licence: yours}}")
    assert problems == ["card.licence: unknown key; did you mean license?"]


def test_settings_made_by_hand_are_checked_as_well() -> None:
    config = TrainConfig("a", "cascade")
    with pytest.raises(
        InvalidSetting, match="OptimizerConfig cannot be made: steps: 0 is not allowed; allowed: 1 to"
    ):
        dataclasses.replace(config.optimizer, steps=0)
    with pytest.raises(
        InvalidSetting, match="patch_sizes: a whole number is needed, not 'x'; zebra: unknown key"
    ):
        DataConfig(patch_sizes=("x",), zebra=1)  # type: ignore[call-arg]


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="cannot be read"):
        TrainConfig.from_yaml(tmp_path / "none.yaml")


def sample(path: str, value: object) -> str:
    """A small configuration with one setting set."""
    values: dict = {"name": "a", "architecture": "cascade"}
    *groups, key = path.split(".")
    inner = values
    for group in groups:
        inner = inner.setdefault(group, {})
    inner[key] = value
    return yaml.safe_dump(values)


def outside(field: ConfigField) -> list[float]:
    """The values nearest to the range that are not in it."""
    whole = field.kind.startswith("integer")
    below = (
        [] if field.lowest is None else [field.lowest - 1 if whole else math.nextafter(field.lowest, -1e300)]
    )
    over = (
        []
        if field.highest is None
        else [field.highest + 1 if whole else math.nextafter(field.highest, 1e300)]
    )
    return [
        *below,
        *over,
        *([] if field.above is None else [field.above]),
        *([field.below] if field.below else []),
    ]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.path)
def test_what_the_schema_says_is_what_the_reader_checks(field: ConfigField) -> None:
    assert len(field.description) > 10 and not field.description.endswith(".")
    if not field.required:
        config, problems = read_config(sample(field.path, field.default))
        assert problems == [] and config == TrainConfig("a", "cascade")
    several = field.kind in ("integers", "numbers")
    for value in outside(field):
        _, problems = read_config(sample(field.path, [value] if several else value))
        assert len(problems) == 1 and problems[0].startswith(f"{field.path}: "), (value, problems)
        assert field.allowed in problems[0]
    for choice in field.choices:
        config, problems = read_config(sample(field.path, choice))
        assert not any(problem.startswith(field.path) for problem in problems)
    if field.choices:
        _, problems = read_config(sample(field.path, "none of them"))
        assert len(problems) == 1
    _, problems = read_config(sample(field.path, None))
    assert (problems == []) == field.optional


def test_the_schema_names_every_setting_once() -> None:
    def leaves(values: dict, prefix: str = "") -> list[str]:
        found = []
        for key, value in values.items():
            inner = isinstance(value, dict) and key not in ("hyperparameters", "card")
            found += leaves(value, f"{prefix}{key}.") if inner else [prefix + key]
        return found

    written = yaml.safe_load(TrainConfig("a", "cascade").to_yaml())
    assert [field.path for field in FIELDS] == leaves(written)
    assert all(field.path in reference() for field in FIELDS)
    assert len({dataclasses.astuple(field)[0] for field in FIELDS}) == len(FIELDS)

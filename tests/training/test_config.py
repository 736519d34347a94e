"""Configurations: the shipped ones are sound, and every mistake is named."""

from pathlib import Path

import pytest

from models.errors import InvalidSetting
from models.zoo import ARCHITECTURES
from tests.paths import REPOSITORY
from training.config import TrainConfig

CONFIGS = sorted((REPOSITORY / "training" / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configuration_builds_its_network_and_survives_a_round_trip(path: Path) -> None:
    config = TrainConfig.from_yaml(path)
    assert config.name == path.stem
    ARCHITECTURES[config.architecture](**config.hyperparameters)
    assert TrainConfig.from_text(config.to_yaml()) == config


def test_all_problems_are_reported_at_once_with_the_known_keys() -> None:
    text = """
    name: a b
    architecture: cascade
    optimiser: {steps: 3}
    data: {patch_sizes: [90], workers: many}
    optimizer: {learning_rate: 1e-3, steps: 0}
    """
    with pytest.raises(InvalidSetting) as caught:
        TrainConfig.from_text(text)
    message = str(caught.value)
    assert "optimiser: unknown key; known here are name, architecture" in message
    assert "data.workers: int is needed, not 'many'" in message
    repaired = text.replace("optimiser: {steps: 3}", "").replace(", workers: many", "")
    with pytest.raises(InvalidSetting) as caught:
        TrainConfig.from_text(repaired)
    message = str(caught.value)
    assert "3 problems" in message
    assert "'a b'" in message and "multiples of 16" in message and "optimizer.steps" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2]", "a mapping is needed"),
        ("name: [unclosed", "no valid YAML"),
        ("architecture: cascade", "name: missing"),
        ("{name: a, architecture: cascade, optimizer: {learning_rate: .nan}}", "float is needed"),
        ("{name: a, architecture: cascade, runtime: {compile: 1}}", "bool is needed"),
        ("{name: a, architecture: cascade, degradations: {double_share: 7}}", "double_share is 7"),
        ("{name: a, architecture: cascade, data: {patch_sizes: 96}}", "a list is needed"),
        ("{name: a, architecture: cascade, data: {batch_sizes: [4, 4]}}", "one for each of patch_sizes"),
    ],
)
def test_a_mistake_is_named(text: str, expected: str) -> None:
    with pytest.raises(InvalidSetting, match=expected):
        TrainConfig.from_text(text)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="cannot be read"):
        TrainConfig.from_yaml(tmp_path / "none.yaml")

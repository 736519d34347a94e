"""What a recipe would work with, before it is started: its photographs counted, its network built on trial."""

from functools import lru_cache
from pathlib import Path

from models.errors import RestorationError
from models.zoo import ARCHITECTURES
from studio.train_recipe import SKIMAGE, Recipe
from training.pictures import SKIMAGE_TRAIN, SKIMAGE_VALIDATION, picture_paths

LARGEST_TRIED = 2048
"""Networks with larger hyperparameters are not built for their size alone: they might not fit into memory."""


def photograph_words(recipe: Recipe, data_root: Path) -> tuple[str, list[str]]:
    """What is trained and validated on, in words, and what is wrong with the folders.

    Args:
        recipe: with a configuration.
        data_root: what relative folders lie below.
    """
    if recipe.config is None:
        return "", []
    data, problems, count = recipe.config.data, [], 0
    for folder in data.train:
        if folder == SKIMAGE:
            count += len(SKIMAGE_TRAIN)
            continue
        try:
            count += len(picture_paths(data_root / folder))
        except RestorationError as error:
            problems.append(f"data.train: {error}")
    validated = len(SKIMAGE_VALIDATION)
    if data.validation != SKIMAGE:
        try:
            validated = len(picture_paths(data_root / data.validation))
        except RestorationError as error:
            problems.append(f"data.validation: {error}")
    own = " of scikit-image's own" if data.validation == SKIMAGE else f" in {data.validation}"
    words = f"{count:,} photograph{'s' * (count != 1)} to learn from; validated on {validated:,}{own}."
    return ("" if problems else words), problems


def network_words(recipe: Recipe) -> tuple[str, list[str]]:
    """The size and cost of the network, in words, and why it cannot be built."""
    if recipe.config is None:
        return "", []
    hyperparameters = _frozen(recipe.config.hyperparameters)
    if _largest(hyperparameters) > LARGEST_TRIED:
        return "", []
    try:
        parameters, cost = _size_of(recipe.config.architecture, hyperparameters)
    except (TypeError, ValueError, RuntimeError, ArithmeticError, IndexError, MemoryError) as error:
        return "", [f"hyperparameters: they do not build a {recipe.config.architecture} ({str(error)[:200]})"]
    size = f"{parameters / 1e6:.2f} M" if parameters >= 1e6 else f"{parameters / 1e3:.1f} k"
    return f"{size} parameters, {cost:.3f} MMAC per pixel.", []


@lru_cache(maxsize=64)
def _size_of(architecture: str, hyperparameters: tuple) -> tuple[int, float]:
    """Parameters, and 1e6 multiply-accumulates per pixel."""
    network = ARCHITECTURES[architecture](**_thawed(hyperparameters))
    return sum(parameter.numel() for parameter in network.parameters()), float(network.mmac_per_pixel())


def _largest(value: object) -> float:
    """The largest number in a frozen value."""
    if isinstance(value, tuple):
        return max(map(_largest, value), default=0)
    return value if isinstance(value, int | float) else 0


def _frozen(value: object) -> object:
    if isinstance(value, dict):
        return ("{}", *((key, _frozen(one)) for key, one in value.items()))
    return ("[]", *map(_frozen, value)) if isinstance(value, list | tuple) else value


def _thawed(value: object) -> object:
    if not isinstance(value, tuple):
        return value
    kind, *entries = value
    return {key: _thawed(one) for key, one in entries} if kind == "{}" else [_thawed(one) for one in entries]

"""What a recipe would work with, before it is started: its photographs counted, its network described, not built."""

import contextlib
import inspect
from functools import lru_cache
from itertools import islice
from pathlib import Path

from models.errors import RestorationError
from models.network_size import count_parameters, described_network
from models.zoo import ARCHITECTURES, NOT_BUILT
from studio.train.recipe import SKIMAGE, Recipe
from training.network_of import memory_problem
from training.pictures import PICTURE_SUFFIXES, SKIMAGE_TRAIN, SKIMAGE_VALIDATION, picture_paths


def picture_folders(data_root: Path) -> list[str]:
    """Names of the folders below the data root that hold pictures; looks at their first files only."""
    with contextlib.suppress(OSError):
        return sorted(path.name for path in data_root.iterdir() if path.is_dir() and _has_pictures(path))
    return []


def _has_pictures(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(path.suffix.lower() in PICTURE_SUFFIXES for path in islice(folder.iterdir(), 50))
    return False


def photograph_words(recipe: Recipe, data_root: Path) -> tuple[str, list[str]]:
    """What is trained and validated on, in words, and what is wrong with the folders.

    Args:
        recipe: with or without other problems.
        data_root: what relative folders lie below.
    """
    trained, validated_on = recipe.value("data.train"), recipe.value("data.validation")
    if not isinstance(trained, list) or not all(isinstance(one, str) for one in [*trained, validated_on]):
        return "", []
    problems: list[str] = []

    def count(path: str, folder: str, own: int) -> int:
        try:
            return own if folder == SKIMAGE else len(picture_paths(data_root / folder))
        except (RestorationError, ValueError) as error:
            problems.append(f"{path}: {error}")
            return 0

    learned = sum(count("data.train", folder, len(SKIMAGE_TRAIN)) for folder in trained)
    validated = count("data.validation", validated_on, len(SKIMAGE_VALIDATION))
    where = " of scikit-image's own" if validated_on == SKIMAGE else f" in {validated_on}"
    words = f"{learned:,} photograph{'s' * (learned != 1)} to learn from; validated on {validated:,}{where}."
    return ("" if problems else words), problems


def network_words(recipe: Recipe) -> tuple[str, list[str]]:
    """The size and cost of the network, in words, and why it cannot be built."""
    architecture, hyperparameters = recipe.value("architecture"), recipe.value("hyperparameters")
    if not isinstance(architecture, str) or not isinstance(hyperparameters, dict):
        return "", []
    if architecture not in ARCHITECTURES:
        return "", []
    if hyperparameters.keys() - inspect.signature(ARCHITECTURES[architecture]).parameters.keys():
        return "", []  # the configuration names unknown ones itself
    try:
        parameters, cost = _size_of(architecture, _frozen(hyperparameters))
        problem = memory_problem(parameters)
    except RestorationError as error:
        return "", [f"hyperparameters: {error}"]
    except NOT_BUILT as error:
        problem = f"they do not build a {architecture} ({' '.join(str(error).split())[:200]})"
        return "", [f"hyperparameters: {problem}"]
    if problem:
        return "", [f"hyperparameters: {problem}"]
    size = f"{parameters / 1e6:.2f} M" if parameters >= 1e6 else f"{parameters / 1e3:.1f} k"
    return f"{size} parameters, {cost:.3f} MMAC per pixel.", []


@lru_cache(maxsize=64)
def _size_of(architecture: str, hyperparameters: tuple) -> tuple[int, float]:
    """Parameters, and 1e6 multiply-accumulates per pixel."""
    thawed = _thawed(hyperparameters)
    assert isinstance(thawed, dict)
    network = described_network(ARCHITECTURES[architecture], thawed)
    return count_parameters(network), float(network.mmac_per_pixel())


def _frozen(value: object) -> object:
    if isinstance(value, dict):
        return ("{}", *((key, _frozen(one)) for key, one in value.items()))
    return ("[]", *map(_frozen, value)) if isinstance(value, list | tuple) else value


def _thawed(value: object) -> object:
    if not isinstance(value, tuple):
        return value
    kind, *entries = value
    return {key: _thawed(one) for key, one in entries} if kind == "{}" else [_thawed(one) for one in entries]

"""Checkpoints that people drop into a folder: what is missing where they are not whole, and what is too large."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.card import ModelCard
from models.errors import BrokenCheckpoint
from models.plain_values import quoted

LARGEST_WEIGHTS_BYTES = 2 * 2**30
LARGEST_NUMBER = 4096
"""Among hyperparameters; widths and depths of networks are far below."""

PICKLES = (".pt", ".pth", ".ckpt", ".bin")
WHOLE = (
    "A checkpoint is a folder NAME/ with weights.safetensors and card.yaml, which gives at least name, title, "
    "architecture, summary and paper"
)


def unfinished(folder: Path, card_file: str) -> dict[str, str]:
    """What lies in a checkpoints folder and could be a model, if more were there.

    Args:
        folder: of checkpoints; it may be missing.
        card_file: name of the cards.

    Returns:
        File or folder name -> the sentence that says what is missing.
    """
    problems = {}
    for path in found_in(folder):
        try:
            problem = _what_is_missing(path, card_file)
        except OSError as error:
            problem = (
                f"{path.name} cannot be looked into ({error.strerror}). Folders that this user may read are taken. "
                "Change its permissions, or take it away."
            )
        if problem:
            problems[path.name] = problem
    return problems


def found_in(folder: Path) -> list[Path]:
    """What lies in a folder, by name; nothing where it is missing or may not be read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _what_is_missing(path: Path, card_file: str) -> str:
    """The sentence for one file or folder; "" where nothing is missing, or nothing is there."""
    if path.is_file():
        return _loose(path) if path.suffix.lower() in (".safetensors", *PICKLES) else ""
    if not path.is_dir() or (path / card_file).exists():
        return ""
    weights = [one.name for one in path.glob("*") if one.suffix.lower() in (".safetensors", *PICKLES)]
    return _without_card(path.name, sorted(weights)[0], card_file) if weights else ""


def check_size(path: Path) -> None:
    """Refuse weights before they fill the memory.

    Raises:
        BrokenCheckpoint: too large.
    """
    size = path.stat().st_size if path.is_file() else 0
    if size > LARGEST_WEIGHTS_BYTES:
        raise BrokenCheckpoint(
            f"{path.parent.name}/{path.name} has {size / 2**30:.1f} GB. Up to {LARGEST_WEIGHTS_BYTES // 2**30} GB are "
            "read. Store it in half precision, or choose a smaller network."
        )


def check_hyperparameters(card: ModelCard) -> None:
    """Refuse numbers that no network has, before one is built by them.

    Raises:
        BrokenCheckpoint: naming the first of them.
    """
    for name, value in card.hyperparameters.items():
        if _exceeds(value):
            raise BrokenCheckpoint(
                f"On the card of {card.name!r} the hyperparameter {name} is {quoted(value)}. Numbers up to "
                f"{LARGEST_NUMBER} and lists of up to 64 of them are allowed. Correct the card."
            )


def _exceeds(value: Any) -> bool:
    if isinstance(value, bool | str | None):
        return False
    if isinstance(value, int | float):
        return not abs(value) <= LARGEST_NUMBER  # true for what is no number, too
    if isinstance(value, Mapping):
        return len(value) > 64 or any(map(_exceeds, value.values()))
    return len(value) > 64 or any(map(_exceeds, value)) if isinstance(value, list | tuple) else True


def _loose(path: Path) -> str:
    if path.suffix.lower() in PICKLES:
        return (
            f"{path.name} is a pickle, which could run any program when opened, so it is not. {WHOLE}. Convert it as "
            "docs/own-models.md shows."
        )
    return (
        f"{path.name} lies there alone, and nothing in it says reliably what network it is for. {WHOLE}. Put it into "
        f"{path.stem}/ and write a card; docs/own-models.md has one to copy."
    )


def _without_card(folder: str, weights: str, card_file: str) -> str:
    return (
        f"{folder}/ holds {weights} but no {card_file}, and weights do not say reliably what network they are for. "
        f"{WHOLE}. Write {folder}/{card_file}; docs/own-models.md has one to copy."
    )

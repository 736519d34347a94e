"""A run's best weights as a checkpoint of one's own, which the pickers find beside the shipped ones."""

import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from models.card import ModelCard, read_card, write_card
from models.errors import InvalidSetting, RestorationError
from models.files import replace as move
from models.zoo import CARD_FILE, WEIGHTS_FILE
from training.config import NAME_PATTERN
from training.run import RunFolder


def publish(run: RunFolder, own_folder: Path, taken: frozenset[str]) -> ModelCard:
    """Write the best weights so far under the run's name, with a card that says which run they are of.

    Args:
        run: its folder.
        own_folder: holds the checkpoints that were trained here.
        taken: names of other models.

    Raises:
        RestorationError: no validation yet, or files that cannot be read or written.
    """
    name = own_name(run, taken)
    try:
        own_folder.mkdir(parents=True, exist_ok=True)
        workplace = Path(tempfile.mkdtemp(dir=own_folder, prefix=".part-"))
        try:
            made = run.publish(workplace)
            card = read_card(made / CARD_FILE)
            card = replace(card, name=name, title=f"{card.title} ({name})")
            write_card(card, made / CARD_FILE)
            (own_folder / name).mkdir(exist_ok=True)
            for each in (WEIGHTS_FILE, CARD_FILE):
                move(made / each, own_folder / name / each)
        finally:
            shutil.rmtree(workplace, ignore_errors=True)
    except OSError as error:
        raise InvalidSetting(
            f"The checkpoint of {name} cannot be written to {own_folder} ({error.strerror}). A folder with free space "
            "is needed. Make room and press Use it again."
        ) from None
    return card


def withdraw(folder: Path, name: str) -> None:
    """Remove a checkpoint that was trained here, so that no picker has it any more; the run stays.

    Args:
        folder: holds the checkpoints that were trained here.
        name: of the one to remove.

    Raises:
        InvalidSetting: there is none of that name, what lies there is none of ours, or it cannot be removed.
    """
    place = folder / name
    if not re.fullmatch(NAME_PATTERN, name) or place.is_symlink() or not _is_ours(place):
        raise InvalidSetting(
            f"There is no model called {name[:80]!r} in {folder}. Models that were trained here can be withdrawn. "
            "Choose one of them."
        )
    try:
        shutil.rmtree(place)
    except OSError as error:
        raise InvalidSetting(
            f"The model {name} cannot be removed whole ({error.strerror}). Its folder must be writable. "
            f"Remove {place} by hand."
        ) from None


def _is_ours(place: Path) -> bool:
    """Whether a card lies there that names its folder, as publish() writes it."""
    try:
        return read_card(place / CARD_FILE).name == place.name
    except (OSError, RestorationError):
        return False


def own_name(run: RunFolder, taken: frozenset[str]) -> str:
    """What a run's checkpoint is called: as the run, unless a shipped model is."""
    name = run.folder.name
    return f"{name[:58]}-own" if name in taken else name


def is_published(run: RunFolder, own_folder: Path, taken: frozenset[str]) -> bool:
    """Whether the pickers have weights of the run, of whatever age."""
    return (own_folder / own_name(run, taken) / CARD_FILE).is_file()


def is_newer(run: RunFolder, own_folder: Path, taken: frozenset[str]) -> bool:
    """Whether the run has weights that the pickers do not have."""
    try:
        best = run.best_path.stat().st_mtime
    except OSError:
        return False
    try:
        return best > (own_folder / own_name(run, taken) / WEIGHTS_FILE).stat().st_mtime
    except OSError:
        return True

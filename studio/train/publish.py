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
from training.evaluation.score_files import SCORES_FILE
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


def withdraw(own_folder: Path, name: str) -> None:
    """Take a published checkpoint out of the pickers; the run it came from stays.

    Deletes what publishing and measuring write, and nothing else that may lie in the folder.

    Args:
        own_folder: holds the checkpoints that were trained here.
        name: of the checkpoint.

    Raises:
        InvalidSetting: no checkpoint of that name was published here, or its files cannot be removed.
    """
    folder = own_folder / str(name)
    if not re.fullmatch(NAME_PATTERN, str(name)) or folder.is_symlink() or not _is_ours(folder):
        raise InvalidSetting(
            f"There is no published model called {str(name)[:80]!r}. Models that were trained here can be withdrawn. "
            "Nothing was done."
        )
    try:
        for file_name in (CARD_FILE, WEIGHTS_FILE, SCORES_FILE):  # without a card it is no model any more
            (folder / file_name).unlink(missing_ok=True)
        if not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise InvalidSetting(
            f"{name} cannot be withdrawn whole ({error.strerror}). Its folder must be writable. Remove "
            f"{folder} by hand."
        ) from None


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds a card that publish() wrote: it gives the folder's name."""
    try:
        return read_card(folder / CARD_FILE).name == folder.name
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

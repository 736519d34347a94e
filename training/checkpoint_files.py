"""Checkpoint files of the trainer, which survive a kill at any moment."""

import zipfile
from pathlib import Path
from typing import Any

import torch

from models.errors import BrokenCheckpoint
from models.files import write_atomically


def save_state(state: dict[str, Any], path: Path, *, keep: Path | None = None) -> None:
    """Write tensors and plain values; see models.files.write_atomically."""

    def write(temporary: Path) -> None:
        try:
            with open(temporary, "wb") as file:
                torch.save(state, file)
        except RuntimeError as error:  # torch's own writer stumbles over what a failed write left
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise

    write_atomically(path, write, keep=keep)


def load_state(path: Path) -> dict[str, Any]:
    """Read what save_state() wrote, after comparing every part with its checksum; no code in it is run.

    Raises:
        BrokenCheckpoint: missing, cut off, changed, or no such file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f"{damaged} does not have its checksum")
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise TypeError("it holds no mapping")
    except Exception as error:  # torch raises many kinds of exceptions for damaged files
        raise BrokenCheckpoint(
            f"{path} cannot be read ({str(error).splitlines()[0] if str(error) else type(error).__name__}). A whole "
            "file that this trainer saved is needed. Start the run again in another folder."
        ) from error
    return state

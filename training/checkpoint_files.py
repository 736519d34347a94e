"""Checkpoint files that survive a kill at any moment: written whole or not at all, the one before kept."""

import contextlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from models.errors import BrokenCheckpoint

PART = ".part"
"""Ending of files that are being written."""


def write_atomically(path: Path, write: Callable[[Path], Any], *, keep: Path | None = None) -> None:
    """Let `write` make a file beside `path`, flush it to disk, then put it in place in one step.

    Args:
        path: what appears whole or not at all.
        write: called with the path to write to.
        keep: where what was at `path` stays, or None.

    Raises:
        OSError: no room, no permission; what was at `path` is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        write(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        if keep is not None and path.exists():
            _keep_as(path, keep)
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise
    _flush_folder(path.parent)


def sweep(folder: Path) -> None:
    """Remove what writers left that were killed; for the only process that writes there."""
    for path in folder.glob(f".*{PART}"):
        path.unlink(missing_ok=True)


def save_state(state: dict[str, Any], path: Path, *, keep: Path | None = None) -> None:
    """Write tensors and plain values; see write_atomically."""

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


def _keep_as(path: Path, keep: Path) -> None:
    """Make `keep` another name of the file at `path`, which stays in place where the file system has hard links."""
    link = keep.with_name(f".{keep.name}.{os.getpid()}{PART}")
    link.unlink(missing_ok=True)
    try:
        os.link(path, link)
    except OSError:
        os.replace(path, keep)
    else:
        os.replace(link, keep)


def _flush_folder(folder: Path) -> None:
    """Make renames in a folder last; not every system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

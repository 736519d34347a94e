"""Writing files: whole or not at all, and never in the place of one that was not made here."""

import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from models.atomic_files import replace
from models.errors import InvalidSetting
from models.operating_system import flush_folder

UNFINISHED = ".part"
"""Ending of a file that is being written; the rest of its name is random, so that it is nobody else's."""


def write_whole(data: bytes, path: Path) -> None:
    """Put a file in place in one step, after it has reached the disk; a device or pipe is written to as it is.

    Args:
        data: all of it.
        path: a file there is replaced, see check_output; parents are made.

    Raises:
        OSError: no room, no permission; what was at `path` is still there.
    """
    if _is_stream(path):
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{secrets.token_hex(8)}{UNFINISHED}")
    try:
        with unfinished.open("xb") as file:  # fails where the name is taken
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        replace(unfinished, path)
    except FileExistsError:
        raise
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def check_output(
    path: Path, is_ours: Callable[[Path], bool], *, inputs: Iterable[Path] = (), overwrite: bool = False
) -> None:
    """Refuse to write where somebody's file would be lost.

    Args:
        path: where a result is to go.
        is_ours: says of a regular file whether this program made it, so that it may be replaced.
        inputs: files that the same command reads; they are never replaced.
        overwrite: replace anything else as well.

    Raises:
        InvalidSetting: with a sentence for people.
    """
    if not os.path.lexists(path) or _is_stream(path):
        return
    taken = file_identity(path)
    if taken is not None and any(file_identity(read) == taken for read in inputs):
        raise InvalidSetting(
            f"{path} is read by this same command and is never replaced, with --overwrite neither. The result needs "
            "a name of its own. Choose another."
        )
    if not overwrite and (path.is_symlink() or not path.is_file() or not is_ours(path)):
        raise InvalidSetting(
            f"{path} is there already and was not made by this command. Only files of its own are replaced. "
            "Choose another name, move that file away, or add --overwrite."
        )


def file_identity(path: Path) -> tuple[int, int] | None:
    """What is equal for two names of one file, links followed; None where there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def begins_with(path: Path, *starts: bytes) -> bool:
    """True where a file can be read and begins with one of these."""
    try:
        with path.open("rb") as file:
            return file.read(max(map(len, starts))).startswith(starts)
    except OSError:
        return False


def _is_stream(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()

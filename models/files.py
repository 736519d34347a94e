"""Writing files: whole or not at all, kept through a kill at any moment, never in the place of somebody else's."""

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from models.errors import InvalidSetting
from models.operating_system import flush, flush_folder

UNFINISHED = ".part"
"""Ending of a file that is being written; the rest of its name is random, so that it is nobody else's."""

_WAITS_SECONDS = (0.02, 0.08, 0.15, 0.25)
"""Windows replaces no file that another program has open, which virus scanners do for a moment."""


def write_atomically(
    path: Path, write: Callable[[Path], Any], *, keep: Path | None = None, lasting: bool = True
) -> None:
    """Let `write` make a file beside `path`, flush it to disk, then put it in place in one step.

    Args:
        path: what appears whole or not at all.
        write: called with the path to write to, of an empty file.
        keep: where what was at `path` stays, or None.
        lasting: False spares the flush, for files that need not outlive a power cut.

    Raises:
        OSError: no room, no permission; what was at `path` is still there.
    """
    unfinished = _unfinished_beside(path)
    try:
        unfinished.touch(exist_ok=False)
        try:
            write(unfinished)
            if lasting:
                flush(unfinished)
            if keep is not None and path.exists():
                _keep_as(path, keep)
            replace(unfinished, path)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        error.filename = str(path)
        raise
    if lasting:
        flush_folder(path.parent)


def write_text_atomically(path: Path, text: str) -> None:
    """Write text as UTF-8 with line feeds; see write_atomically."""
    write_atomically(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8", newline="\n"))


def write_whole(data: bytes, path: Path) -> None:
    """Write what people asked for; see write_atomically. A device or pipe is written to as it is.

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
    write_atomically(path, lambda unfinished: unfinished.write_bytes(data))


def replace(source: Path, target: Path) -> None:
    """Give a file another's name and place; on Windows, wait half a second for a program that has that one open."""
    for seconds in _WAITS_SECONDS if sys.platform == "win32" else ():
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(seconds)
    os.replace(source, target)


def remove_unfinished(folder: Path) -> None:
    """Remove what writers left that were killed; for the only process that writes there."""
    for path in folder.glob(f".*{UNFINISHED}"):
        path.unlink(missing_ok=True)


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


def _unfinished_beside(path: Path) -> Path:
    return path.with_name(f".{secrets.token_hex(8)}{UNFINISHED}")


def _keep_as(path: Path, keep: Path) -> None:
    """Make `keep` another name of the file at `path`, which stays in place where the file system has hard links."""
    link = _unfinished_beside(keep)
    try:
        os.link(path, link)
    except OSError:
        replace(path, keep)
    else:
        replace(link, keep)

"""Files that survive a kill at any moment: written whole or not at all, the one before kept if wanted."""

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.operating_system import flush, flush_folder

PART = ".part"
"""Ending of files that are being written."""

_WAITS_SECONDS = (0.02, 0.08, 0.15, 0.25)
"""Windows replaces no file that another program has open, which virus scanners do for a moment."""


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
        flush(temporary)
        if keep is not None and path.exists():
            _keep_as(path, keep)
        replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise
    flush_folder(path.parent)


def write_text_atomically(path: Path, text: str) -> None:
    """Write text as UTF-8 with line feeds; see write_atomically."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


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
    for path in folder.glob(f".*{PART}"):
        path.unlink(missing_ok=True)


def _keep_as(path: Path, keep: Path) -> None:
    """Make `keep` another name of the file at `path`, which stays in place where the file system has hard links."""
    link = keep.with_name(f".{keep.name}.{os.getpid()}{PART}")
    link.unlink(missing_ok=True)
    try:
        os.link(path, link)
    except OSError:
        replace(path, keep)
    else:
        replace(link, keep)

"""The one folder that is this process's own: made fresh, marked and locked, and gone when the process ends.

Only in such a folder files are ever deleted because of their age.
"""

import atexit
import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from models.errors import InvalidSetting

PREFIX = "jpeg-restoration-studio-"
MARK = ".jpeg-restoration-studio"
"""A file that lies in every folder made here; locked for as long as the folder's process lives."""

FILES = "files"
"""What is handed out lies one level below the mark, which is never swept or served."""

TRIES = 5
"""A folder that was made just now may be taken for a dead process's, by another studio that starts."""

_held: dict[Path, FileLock] = {}


def own_temporary_folder(parent: Path | None = None) -> Path:
    """A fresh folder below another one, for this process and user alone; deleted when the process ends.

    Folders of studios that died are deleted, and nothing else: those with the mark, of this user, not locked, and no
    links.

    Args:
        parent: made if missing; a folder that was made by this function is returned as it is. None stands for
            GRADIO_TEMP_DIR, or the system's folder for temporary files.

    Raises:
        InvalidSetting: nothing can be written there.
    """
    where = "any of the system's folders for them"
    try:
        where = str(parent or os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
        parent = Path(where).resolve()
        if parent in _held:
            return parent
        parent.mkdir(parents=True, exist_ok=True)
        _delete_abandoned(parent)
        return _made_below(parent)
    except OSError as error:
        raise InvalidSetting(
            f"No temporary files can be kept in {where} ({error.strerror or error}). A folder with free space that "
            "may be written is needed. Name another one in GRADIO_TEMP_DIR, or leave that out."
        ) from None


def _made_below(parent: Path) -> Path:
    for _ in range(TRIES):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))  # mode 0700
        lock = FileLock(folder / MARK, timeout=0)
        with contextlib.suppress(Timeout, FileNotFoundError):
            lock.acquire()
            if (folder / MARK).is_file():
                files = folder / FILES
                files.mkdir()
                _held[files] = lock
                atexit.register(delete_own_folders)
                return files
    raise FileNotFoundError(None, "other processes delete what is written there")


def delete_own_folders() -> None:
    """Take away all that own_temporary_folder has made, when the process ends."""
    for files in list(_held):
        shutil.rmtree(files.parent, ignore_errors=True)
        with contextlib.suppress(OSError, KeyError):
            _held.pop(files).release()


def _delete_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        mark = folder / MARK
        if not (_is_own(folder, stat.S_ISDIR) and _is_own(mark, stat.S_ISREG)):
            continue
        with contextlib.suppress(Timeout, OSError), FileLock(mark, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)  # removes links, never what they point at


def _is_own(path: Path, is_kind: Callable[[int], bool]) -> bool:
    """Whether something lies there itself, no link, that belongs to this user."""
    try:
        facts = path.lstat()
    except OSError:
        return False
    return is_kind(facts.st_mode) and (not hasattr(os, "getuid") or facts.st_uid == os.getuid())

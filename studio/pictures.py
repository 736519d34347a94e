"""Every file the page shows or offers, pictures as lossless PNG, written once into a folder that is swept by age."""

import atexit
import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from models.images import RgbImage, write_png


class PictureFolder:
    """Writes, names and forgets the page's files; safe to call from several threads."""

    def __init__(self, root: Path, lifetime_seconds: int) -> None:
        """Files not asked for during `lifetime_seconds` are deleted by the next sweep."""
        self.root = root
        self.lifetime_seconds = lifetime_seconds
        self._kept: frozenset[Path] = frozenset()

    def keep_present(self) -> None:
        """Never sweep the files that are there now, such as the page's thumbnails."""
        self._kept = frozenset(self.root.rglob("*"))

    def served(self, file_name: str, pixels: RgbImage) -> dict[str, Any]:
        """The picture as a file the page can load and people can keep.

        Args:
            file_name: what a download is called.
            pixels: (rows, columns, 3) uint8; three equal channels are stored as one, which loses nothing.
                The folder is named after what is in them, so that equal pictures are written once and a file can
                never be mistaken for an older one.

        Returns:
            A Gradio file dictionary: on its way to the page it gains a `url` that serves these very bytes.
        """
        content = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
        content.update(np.ascontiguousarray(pixels))
        path = self.root / content.hexdigest() / file_name
        return self._written_once(path, lambda place: write_png(_without_repeats(pixels), place))

    def served_bytes(self, file_name: str, data: bytes) -> dict[str, Any]:
        """Like served(), for a file that is made already."""
        path = self.root / hashlib.blake2b(data, digest_size=16).hexdigest() / file_name
        return self._written_once(path, lambda place: place.write_bytes(data))

    def _written_once(self, path: Path, write: Callable[[Path], object]) -> dict[str, Any]:
        """The file, new or touched; it appears whole or not at all."""
        if path.is_file():
            os.utime(path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.parent / f".{os.getpid()}-{time.monotonic_ns()}.part"
            write(unfinished)
            unfinished.replace(path)
        return served_file(path)

    def sweep(self) -> int:
        """Delete files that are older than the lifetime, forgotten uploads among them; returns how many."""
        limit, count = time.time() - self.lifetime_seconds, 0
        for path in set(self.root.rglob("*")) - self._kept:
            with contextlib.suppress(OSError):  # somebody else was quicker, or a folder is not empty
                if path.is_file() and path.stat().st_mtime < limit:
                    path.unlink()
                    count += 1
                elif path.is_dir() and path.stat().st_mtime < limit:
                    path.rmdir()
        return count

    def sweep_forever(self, every_seconds: float) -> None:
        """Sweep in a thread of its own that ends with the process."""

        def work() -> None:
            while True:
                time.sleep(every_seconds)
                self.sweep()

        Thread(target=work, name="sweep", daemon=True).start()


def own_temporary_folder() -> Path:
    """A fresh folder of this process, deleted when it ends; those of processes that died are deleted now."""
    parent = Path(tempfile.gettempdir()) / "jpeg-restoration-studio"
    for folder in [one for one in parent.glob("*") if one.name.isdecimal()]:
        if not _is_running(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)
    own = parent / str(os.getpid())
    own.mkdir(parents=True, exist_ok=True)
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def served_file(path: Path) -> dict[str, Any]:
    """A Gradio file dictionary for a file of ours."""
    return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}


def _without_repeats(pixels: RgbImage) -> np.ndarray:
    red, green, blue = np.moveaxis(pixels, 2, 0)
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return np.ascontiguousarray(red)
    return pixels

"""Every file the page shows or offers, pictures as lossless PNG, written once into a folder that is swept by age."""

import contextlib
import hashlib
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from weakref import ref

import numpy as np

from models.ages import Ages
from models.errors import RestorationError
from models.files import write_atomically
from models.images import RgbImage
from models.jpeg.density import Density
from models.png_files import write_png

logger = logging.getLogger(__name__)

WRITING_TRIES = 5
"""Somebody who leaves, or the sweep, may take a folder away just when a file is to be put into it."""


SHARED_PAGE, SECRET_BYTES = "shared-comparison.html", 16


def nobody() -> str | None:
    """Whose request is being answered, where nobody's is."""
    return None


class PictureFolder:
    """Writes, names and forgets the page's files; safe to call from several threads."""

    def __init__(self, root: Path, lifetime_seconds: int, visitor: Callable[[], str | None] = nobody) -> None:
        """Files not asked for during `lifetime_seconds` are deleted by the next sweep.

        Args:
            root: a folder of the studio's own, see server.temporary_folder: whatever lies there longer is deleted.
            lifetime_seconds: how long.
            visitor: names who is being answered by the calling thread; files belong to those they were made for.
        """
        self.root = root
        self.lifetime_seconds = lifetime_seconds
        self._visitor = visitor
        self._kept: frozenset[Path] = frozenset()
        self._everybodys: set[Path] = set()
        self._owners: dict[Path, set[str]] = {}
        self._lock = Lock()
        self._contents = _Contents()
        self._ages = Ages()
        self.on_written: Callable[[Path], object] = lambda _path: None

    def keep(self, paths: Iterable[Path]) -> None:
        """Never sweep these, such as the page's thumbnails."""
        self._kept = frozenset(paths)

    def is_everybodys(self, path: str) -> bool:
        """Whether a file shows nobody's own picture; since its path names its content, browsers may keep it."""
        return Path(path) in self._everybodys or Path(path) in self._kept

    def adopt(self, path: Path) -> None:
        """Note that a file belongs to whoever is being answered; files may have several owners."""
        visitor = self._visitor()
        if visitor is not None:
            with self._lock:
                self._owners.setdefault(path, set()).add(visitor)

    def forget(self, visitor: str) -> int:
        """Delete the files that are this visitor's and nobody else's; returns how many were theirs."""
        count = 0
        with self._lock:
            for path in [one for one, owners in self._owners.items() if visitor in owners]:
                count += 1
                self._owners[path].discard(visitor)
                if not self._owners[path]:
                    del self._owners[path]
                    if path not in self._kept:
                        _deleted(path)
        return count

    def served(
        self, file_name: str, pixels: RgbImage, density: Density | None = None, *, everybodys: bool = False
    ) -> dict[str, Any]:
        """The picture as a file the page can load and people can keep.

        Args:
            file_name: what a download is called.
            pixels: (rows, columns, 3) uint8, not to be changed any more; three equal channels are stored as one,
                which loses nothing. The folder is named after what is in them, so that equal pictures are written
                once and a file can never be mistaken for an older one.
            density: how large the picture is printed.
            everybodys: it is made of one of the studio's own pictures.

        Returns:
            A Gradio file dictionary: on its way to the page it gains a `url` that serves these very bytes.
        """
        folder = self._contents.digest(pixels)
        if density is not None:
            folder = hashlib.blake2b(f"{folder} {density}".encode(), digest_size=16).hexdigest()
        path = self.root / folder / file_name
        if everybodys:
            self._everybodys.add(path)
        return self._written_once(path, lambda place: write_png(_without_repeats(pixels), place, density))

    def renew(self, file: dict[str, Any]) -> bool:
        """Keep a served file for another lifetime; False where it is gone and has to be served again."""
        path = Path(file["path"])
        try:
            self._ages.seconds(path, path.stat().st_mtime_ns, is_new=True)
        except OSError:
            return False
        return True

    def under_another_name(self, file: dict[str, Any], file_name: str) -> dict[str, Any]:
        """A served file once more, for those who keep it."""
        path = Path(file["path"])
        return self._written_once(path.with_name(file_name), lambda place: shutil.copyfile(path, place))

    def served_bytes(self, file_name: str, data: bytes) -> dict[str, Any]:
        """Like served(), for a file that is made already."""
        path = self.root / hashlib.blake2b(data, digest_size=16).hexdigest() / file_name
        return self._written_once(path, lambda place: place.write_bytes(data))

    def served_made(self, file_name: str, content: str, write: Callable[[Path], object]) -> dict[str, Any]:
        """Like served(), for a file that `write` makes at a place, piece by piece; `content` tells equal ones."""
        folder = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
        return self._written_once(self.root / folder / file_name, write)

    def share(self, page: bytes) -> str:
        """Keep a page that whoever has its address may see, as long as other files; returns its secret name."""
        secret = secrets.token_hex(SECRET_BYTES)
        self._written_once(self.root / secret / SHARED_PAGE, lambda place: place.write_bytes(page))
        return secret

    def shared_page(self, secret: str) -> Path | None:
        """The file of a page by its secret name, 32 hexadecimal digits; None where it has gone or its time is over."""
        path = self.root / secret / SHARED_PAGE
        try:
            return None if self._is_old(path) else path
        except OSError:
            return None

    def _written_once(self, path: Path, write: Callable[[Path], object]) -> dict[str, Any]:
        """The file, new or touched; it appears whole or not at all."""
        self.adopt(path)  # first, so that nobody else's going takes it away
        for tries_left in reversed(range(WRITING_TRIES)):
            try:
                if not path.is_file():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    write_atomically(path, write, lasting=False)
                    self.on_written(path)
                self._ages.seconds(path, path.stat().st_mtime_ns, is_new=True)
                break
            except (FileNotFoundError, FileExistsError):  # file or folder went between two of these lines
                if not tries_left:
                    raise
            except OSError as error:
                with contextlib.suppress(OSError):
                    path.parent.rmdir()
                raise cannot_be_kept(error) from error
        return served_file(path)

    def sweep(self) -> int:
        """Delete files older than the lifetime, also of aborted uploads and earlier processes; returns how many."""
        count, places = 0, []
        for folder, _, names in os.walk(
            self.root, topdown=False
        ):  # follows no links; vanishing folders do not trip it up
            here = Path(folder)
            for path in {here / name for name in names} - self._kept:
                with contextlib.suppress(OSError):  # somebody else was quicker
                    if self._is_old(path):
                        path.unlink()
                        count += 1
            with contextlib.suppress(OSError):  # it is not empty
                if here != self.root and self._is_old(here):
                    here.rmdir()
            places += [here, *(here / name for name in names)]
        self._ages.forget_all_but(places)
        with self._lock:
            self._owners = {path: owners for path, owners in self._owners.items() if path.exists()}
            self._everybodys = {path for path in self._everybodys if path.exists()}
        return count

    def _is_old(self, path: Path) -> bool:
        """Whether nobody has asked for it during its lifetime; a link counts, not what it leads to."""
        return self._ages.seconds(path, path.lstat().st_mtime_ns) > self.lifetime_seconds


class _Contents:
    """What is in pictures, in a word for each; known for as long as the picture is in memory.

    A page shows the same pictures after every press, and to read one of 0.3 megapixels through takes a millisecond.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[RgbImage], str]] = {}

    def digest(self, pixels: RgbImage) -> str:
        """32 hexadecimal digits, the same for equal pictures only."""
        number = id(pixels)
        known = self._known.get(number)
        if known is not None and known[0]() is pixels:  # else it was another picture's place in memory
            return known[1]
        content = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
        content.update(np.ascontiguousarray(pixels).data)
        digest = content.hexdigest()
        self._known[number] = (ref(pixels, lambda _gone: self._known.pop(number, None)), digest)
        return digest


def sweep_forever(every_seconds: float, *sweeps: Callable[[], object]) -> None:
    """Call these now and then, in a thread of its own that ends with the process."""

    def work() -> None:
        while True:
            for sweep in sweeps:
                try:
                    sweep()
                except Exception:
                    logger.exception("sweeping failed")
            time.sleep(every_seconds)

    Thread(target=work, name="sweep", daemon=True).start()


def cannot_be_kept(error: OSError) -> RestorationError:
    """What people are told where a file finds no place on the disk."""
    return RestorationError(
        f"The file could not be stored on the server ({error.strerror or error}). Files need free space on its disk, "
        "and old ones go every minute. Try again in a few minutes."
    )


def served_file(path: Path) -> dict[str, Any]:
    """A Gradio file dictionary for a file of ours."""
    return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}


def _deleted(path: Path) -> None:
    """Delete a file, and its folder where it was the last one."""
    with contextlib.suppress(OSError):
        path.unlink()
        path.parent.rmdir()


def _without_repeats(pixels: RgbImage) -> np.ndarray:
    red, green, blue = np.moveaxis(pixels, 2, 0)
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return np.ascontiguousarray(red)
    return pixels

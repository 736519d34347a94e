"""Every picture the page shows, written once as lossless PNG into a folder that is swept by age."""

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from models.images import RgbImage, write_png


class PictureFolder:
    """Writes, names and forgets the page's PNG files; safe to call from several threads."""

    def __init__(self, root: Path, lifetime_seconds: int) -> None:
        """Files not asked for during `lifetime_seconds` are deleted by the next sweep."""
        self.root = root
        self.lifetime_seconds = lifetime_seconds

    def served(self, key: str, file_name: str, pixels: RgbImage) -> dict[str, Any]:
        """The picture as a file the page can load and people can keep.

        Args:
            key: decides the picture; equal keys are written once.
            file_name: what a download is called.
            pixels: (rows, columns, 3) uint8; three equal channels are stored as one, which loses nothing.

        Returns:
            A Gradio file dictionary: on its way to the page it gains a `url` that serves these very bytes.
        """
        folder = self.root / hashlib.sha256(key.encode()).hexdigest()[:32]
        path = folder / file_name
        if path.is_file():
            os.utime(path)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            unfinished = folder / f".{os.getpid()}-{time.monotonic_ns()}.png"
            write_png(_without_repeats(pixels), unfinished)
            unfinished.replace(path)
        return served_file(path)

    def sweep(self) -> int:
        """Delete files that are older than the lifetime; returns how many."""
        limit = time.time() - self.lifetime_seconds
        old = [path for path in self.root.rglob("*") if path.is_file() and path.stat().st_mtime < limit]
        for path in old:
            path.unlink(missing_ok=True)
        for folder in [one for one in self.root.glob("*") if one.is_dir() and not any(one.iterdir())]:
            folder.rmdir()
        return len(old)


def served_file(path: Path) -> dict[str, Any]:
    """A Gradio file dictionary for a file of ours."""
    return {"path": str(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}


def _without_repeats(pixels: RgbImage) -> np.ndarray:
    red, green, blue = np.moveaxis(pixels, 2, 0)
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return np.ascontiguousarray(red)
    return pixels

"""What one visitor has open: the photograph and the latest run. Frozen; handlers replace it, never change it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from threading import Event
from typing import Any

from models.jpeg import JpegImage, read
from studio.engine.clean_original import CleanOriginal
from studio.engine.outputs import RestoreRequest, StageOutputs


@dataclass(frozen=True, eq=False)
class Photograph:
    """One opened file.

    Attributes:
        name: stem of the file's name, safe in file names; shown to people.
        key: identifies the bytes; part of every cache key.
        image: decoded picture with the file's own bytes and tables.
        example: name of the studio's own picture that it is, "" for one that somebody brought.
        original: what it was before it was damaged, where somebody added it.
    """

    name: str
    key: str
    image: JpegImage
    example: str = ""
    original: CleanOriginal | None = None

    @property
    def original_key(self) -> str:
        """Identifies the clean original; "" where there is none."""
        return self.original.key if self.original else ""


@dataclass(frozen=True, eq=False)
class Session:
    """Held in one gr.State, written where a photograph is opened.

    Attributes:
        photograph: None before anything was opened.
    """

    photograph: Photograph | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """The latest restoration; a gr.State of its own, because it is written while a photograph may be opened.

    Attributes:
        stop: set by whoever wants the run to end; checked after every tile.
        dropped: set as well where nobody wants its results any more, because the settings have changed.
        request: what was asked for; compared with the controls to tell whether the results are current.
        outputs: what has been restored so far, None before the degraded picture is ready.
        view: the viewer's value for these outputs.
        taken: set once the run has come to the head of the line; a run that was refused a place in it never does.
    """

    stop: Event | None = None
    dropped: Event | None = None
    request: RestoreRequest | None = None
    outputs: StageOutputs | None = None
    view: dict[str, Any] | None = None
    taken: Event | None = None

    @property
    def photograph_key(self) -> str | None:
        """Of the photograph it restores."""
        return self.request.photograph_key if self.request else None

    def drop(self) -> None:
        """End the run and say that its results are not wanted."""
        if self.dropped is not None:
            self.dropped.set()
        self.end()

    def end(self) -> None:
        """End the run within one tile; what is finished stays."""
        if self.stop is not None:
            self.stop.set()


class Present:
    """What a visitor's page is about now; one object per visitor, shared by all events that are under way.

    Handlers get session and run as they were when an event began. Whoever has worked for a while asks here whether the
    answer still belongs to the page.

    Attributes:
        run: the latest one, until another photograph is opened.
        photograph_key: of the one that is open.
    """

    def __init__(self) -> None:
        self.run: Run | None = None
        self.photograph_key: str | None = None
        self._openings = 0

    def begin_opening(self) -> int:
        """A file is on its way; the number that `is_latest` takes."""
        self._openings += 1
        return self._openings

    def is_latest(self, opening: int) -> bool:
        """Whether no other file has been opened since."""
        return opening == self._openings

    def shows(self, run: Run) -> bool:
        """Whether the page is still about this run."""
        return self.run is not None and self.run.stop is run.stop

    def replace_run(self, run: Run | None) -> None:
        """Drop the run that is under way, whichever event began it."""
        if self.run is not None:
            self.run.drop()
        self.run = run


def open_photograph(data: bytes, file_name: str, decode: Callable[[bytes], JpegImage] = read) -> Photograph:
    """Decode a file's bytes.

    Args:
        data: the file, untouched.
        file_name: as the person's machine calls it; only its stem is used.
        decode: opens it, here or, as studio.server.decoder does, in another process.

    Raises:
        RestorationError: with the sentence to show.
    """
    return Photograph(safe_stem(file_name), content_key(data), decode(data))


def content_key(data: bytes) -> str:
    """Identifies a file's bytes."""
    return hashlib.sha256(data).hexdigest()[:24]


def safe_stem(file_name: str) -> str:
    """Stem of a file name with letters, digits, dash and underscore only, at most 40 characters, never empty."""
    stem = PurePath(file_name.replace("\\", "/")).stem
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in stem)
    return kept.strip("-")[:40] or "photograph"

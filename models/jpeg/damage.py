"""What libjpeg complains of while it decodes, heard instead of printed, and what that means for a picture."""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

import numpy as np

from models.images import RgbImage
from models.jpeg.header import END_MARKER, JpegHeader

_COMPLAINTS = ("Corrupt JPEG data", "Premature end of JPEG", "Inconsistent progression", "Warning: ")
"""How libjpeg's lines begin; of each picture it prints the first."""
DAMAGED = "picture data are damaged; what follows the damage is read as well as it can be"
_MISSING = ("premature end of data segment", "Premature end of JPEG")
_GRAY = 128
_lock = Lock()


@contextmanager
def heard(complaints: list[str], signs: tuple[str, ...] = _COMPLAINTS) -> Iterator[None]:
    """Collect what libjpeg prints meanwhile, and hand on what others do.

    libjpeg writes to the process's standard error, past Python, and without the file's name. One thread at a time.

    Args:
        complaints: what is heard goes here, line by line.
        signs: how lines begin that count; "" takes all of them.
    """
    with _lock, ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile())
            own = os.dup(2)
        except OSError:  # there is no standard error, or no place for what is heard
            yield
            return
        stack.callback(os.close, own)
        if sys.stderr is not None:
            sys.stderr.flush()
        try:
            os.dup2(file.fileno(), 2)
            yield
        finally:
            os.dup2(own, 2)
            file.seek(0)
            _sort(file.read(2**20).decode(errors="replace"), complaints, signs)


def _sort(printed: str, complaints: list[str], signs: tuple[str, ...]) -> None:
    for line in printed.splitlines(keepends=True):
        start = min((at for sign in signs if (at := line.find(sign)) >= 0), default=len(line))
        if start < len(line):
            complaints.append(line[start:].strip())
        if start:
            os.write(2, line[:start].encode(errors="replace"))


def damage_notes(stream: bytes, header: JpegHeader, pixels: RgbImage) -> list[str]:
    """What a person should know of damage in a picture's data.

    Args:
        stream: what was decoded, with an end marker.
        header: of the file.
        pixels: (rows, columns, 3) uint8, what came of it, before any rotation and conversion.
    """
    serious = _complaints(stream)
    notes = []
    if header.stray_bytes:
        notes.append(f"{header.stray_bytes} stray bytes in the header were passed over")
    if not header.refined:
        kind = "picture data are not complete" if header.complete else "file is truncated"
        notes.append(f"{kind}, its finest detail may be missing")
    elif any(sign in line for line in serious for sign in _MISSING) and (
        words := _what_is_there(header, pixels)
    ):
        damaged = header.complete or header.look_alikes
        notes.append(("picture data end early" if damaged else "file is truncated") + words)
    elif serious and not header.complete and not header.look_alikes:
        notes.append("file is truncated, part of it is missing")
    elif serious or header.look_alikes:
        notes.append(DAMAGED)
    elif not header.complete:
        whole = "part of it may be missing" if header.arithmetic else "the picture is whole"
        notes.append(f"the end marker is missing, {whole}")
    return notes


def is_damaged(streams: Iterable[bytes]) -> bool:
    """Whether something is wrong with the data of one of these JPEG streams, which have end markers."""
    return bool(_complaints(*streams))


def _complaints(*streams: bytes) -> list[str]:
    """What libjpeg says of damage; of each stream the first."""
    import cv2  # late: decoders of other formats need not hold it in their little memory

    complaints: list[str] = []
    with heard(complaints):
        # A picture of an eighth of the size takes a fifth of the time, and the whole of the data is read for it.
        small = cv2.IMREAD_REDUCED_GRAYSCALE_8 | cv2.IMREAD_IGNORE_ORIENTATION
        for stream in streams:
            cv2.imdecode(np.frombuffer(stream, np.uint8), small)
    return [line for line in complaints if not line.startswith("Warning")]


def _what_is_there(header: JpegHeader, pixels: RgbImage) -> str:
    """Words on how much was decoded, "" where nothing shows that the rest is missing."""
    if header.progressive:
        return ", its finest detail may be missing"
    if header.color_model not in ("gray", "YCbCr"):
        return ""
    down = 8 if len(header.components) == 1 else 8 * max(part.vertical for part in header.components)
    rows = header.rows
    while rows > 0 and (pixels[rows - 1, -1] == _GRAY).all():  # missing units are decoded as middle gray
        rows = (rows - 1) // down * down
    if rows >= header.rows:
        return ""
    return f": {rows} of {header.rows} rows are there, the missing part is gray"


def finished(stream: bytes, header: JpegHeader) -> bytes:
    """The stream with an end marker: with one, libjpeg fills in what is missing instead of waiting for more."""
    return stream if header.complete else stream + END_MARKER

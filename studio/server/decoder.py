"""Opens pictures from strangers in child processes with little memory and time, which are replaced when they die."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock
from typing import Any

import numpy as np
import PIL

from models import errors
from models.errors import RestorationError, UnreadableImage
from models.images import RgbImage
from models.jpeg import ImageFacts, JpegComponent, JpegImage
from models.jpeg.density import Density
from models.jpeg.header import JpegHeader
from models.jpeg.limits import TRY_ANOTHER, check_dimensions
from models.jpeg.metadata import MAX_PROFILE_BYTES
from studio.server.decoder_child import ANSWER, COEFFICIENTS, COLORS, COLORS_HEAD, PICTURE, REQUEST
from studio.server.header_facts import header_from_facts
from studio.server.later import Later

logger = logging.getLogger(__name__)

_TIME_IS_UP = Later("decoders")
"""Kills children whose time is up; one thread for all of them."""

ROOT = Path(__file__).resolve().parents[2]
MAX_TEXT = 2**20
MAX_EXIF_BYTES = 64 * 2**10
NEWER_PILLOW = 13
PIPE_BYTES = 2**20
"""As much as Linux gives without asking; the usual 64 kB would make both sides wait for each other all the time."""

TOLD_ERRORS = ("UnreadableImage", "UnsupportedImage", "ImageTooLarge")
"""What a child may say of a picture."""


@dataclass(frozen=True)
class DecoderLimits:
    """What opening one picture may cost.

    Attributes:
        seconds: from sending the file to having its pixels.
        memory_bytes: of a child, beyond what it needs by itself.
        children: pictures that can be opened at the same time.
        waiting_seconds: how long a picture waits for a free child.
    """

    seconds: float = 10.0
    memory_bytes: int = 1280 * 2**20
    children: int = 2
    waiting_seconds: float = 30.0


def warn_of_old_pillow() -> None:
    """Say at the start where a Pillow opens pictures whose own JPEG decoder has known holes."""
    if int(PIL.__version__.partition(".")[0]) < NEWER_PILLOW:
        logger.warning(
            "Pillow %s opens pictures. 13 mends two overflows in its JPEG decoder that no file reaches here as far as "
            'is known. For strangers, install it: pip install --no-deps "pillow>=13" (docs/hosting.md).',
            PIL.__version__,
        )


class Decoder:
    """Reads pictures like models.jpeg.read, with the decoding done elsewhere; safe to call from several threads.

    Children are started when first needed. Which child answers whom is decided by a queue of slots; a slot is empty
    until it is used, and after its child has died.
    """

    def __init__(self, limits: DecoderLimits | None = None) -> None:
        """Nothing is started yet."""
        self.limits = limits or DecoderLimits()
        self._lock = Lock()
        self._children: set[_Child] = set()
        self._free: LifoQueue[_Child | None] = LifoQueue()
        for _ in range(self.limits.children):
            self._free.put(None)

    def read(self, data: bytes) -> JpegImage:
        """Open a picture file.

        Args:
            data: the whole file, untrusted.

        Raises:
            RestorationError: with a message for people.
        """
        facts = None
        try:
            with self._child() as child:
                told, rest = child.ask(PICTURE, data)
                _raise_told(told)
                facts = _facts(told, len(data))
                told = rest.told()
                _raise_told(told)
                return _picture(data, facts.jpeg, told, rest, self)
        except (_Died, OSError, ValueError, KeyError, TypeError):
            logger.warning("a decoder died on a file of %d bytes", len(data))
            what = f"{facts.columns} x {facts.rows} {facts.format} file" if facts else "file"
            raise UnreadableImage(
                f"Opening this {what} was given up: it crashed its "
                f"decoder, or took more than {self.limits.seconds:g} s or the memory of one picture. Sound files "
                f"of that size open in a second. {TRY_ANOTHER}"
            ) from None

    def processes(self) -> list[int]:
        """Identifiers of the children that are running."""
        with self._lock:
            return sorted(child.process.pid for child in self._children if child.process.poll() is None)

    def close(self) -> None:
        """End all children; the next picture starts new ones."""
        with self._lock:
            children = list(self._children)
        for child in children:
            child.end()

    def coefficients(self, data: bytes, header: JpegHeader) -> tuple[JpegComponent, ...] | None:
        """Stands in for models.jpeg.coefficients.components_from_bitstream."""
        try:
            with self._child() as child:
                told, rest = child.ask(COEFFICIENTS, data)
                return _components(told, rest, header)
        except (_Died, RestorationError, OSError, ValueError, KeyError, TypeError, IndexError):
            return None

    def to_srgb(self, pixels: RgbImage, icc_profile: bytes, *, is_gray: bool) -> RgbImage:
        """Stands in for models.jpeg.metadata.to_srgb.

        Raises:
            RestorationError: the profile was too much for a decoder.
        """
        head = COLORS_HEAD.pack(*pixels.shape[:2], is_gray, len(icc_profile))
        try:
            with self._child() as child:
                told, rest = child.ask(COLORS, head, icc_profile, np.ascontiguousarray(pixels))
                _raise_told(told)
                converted = rest.array(pixels.shape, np.uint8)
                rest.ended(sound=True)
                return converted
        except (_Died, OSError, ValueError, KeyError, TypeError):
            logger.warning("a decoder died on a profile of %d bytes", len(icc_profile))
            raise RestorationError(
                f"The colours of this picture could not be converted: its profile crashed a decoder, or took more "
                f"than {self.limits.seconds:g} s. Profiles of cameras and screens take a second. {TRY_ANOTHER}"
            ) from None

    @contextmanager
    def _child(self) -> Iterator["_Child"]:
        """A child of one's own; it is used again only where its last answer was whole."""
        try:
            child = self._free.get(timeout=self.limits.waiting_seconds)
        except Empty:
            raise RestorationError(
                f"Many pictures are being opened at the moment; this one waited {self.limits.waiting_seconds:g} s. "
                "Each takes its turn. Try again in a minute."
            ) from None
        try:
            if child is None or child.process.poll() is not None:
                child = self._started(child)
            yield child
        finally:
            if child is not None and not child.is_sound:
                self._forget(child)
                child = None
            self._free.put(child)

    def _started(self, dead: "_Child | None") -> "_Child":
        if dead is not None:
            self._forget(dead)
        child = _Child(self.limits)
        with self._lock:
            self._children.add(child)
        return child

    def _forget(self, child: "_Child") -> None:
        child.end()
        with self._lock:
            self._children.discard(child)


class _Died(Exception):
    """The child ended before its answer did."""


class _Child:
    """One process and the pipes to it; used by one thread at a time."""

    def __init__(self, limits: DecoderLimits) -> None:
        self._seconds = limits.seconds
        self.is_sound = True
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        places = {
            name: os.environ[name]
            for name in ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP")
            if name in os.environ
        }
        alarm = str(int(limits.seconds) + 5)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "studio.server.decoder_child", str(limits.memory_bytes), alarm],
            cwd=ROOT,
            env={**single, **places},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            pipesize=PIPE_BYTES,
        )
        questions, answers = self.process.stdin, self.process.stdout
        assert isinstance(questions, io.FileIO) and isinstance(answers, io.FileIO)  # pipes, not buffered
        self.questions, self.answers = questions, answers

    def ask(self, kind: bytes, *parts: bytes | np.ndarray) -> tuple[dict[str, Any], "_Answer"]:
        """What the child says first, and where the rest comes from.

        Raises:
            _Died: it crashed, ran out of memory, or took too long.
        """
        self.is_sound = False  # until the answer has been read to its end
        answer = _Answer(self, self._seconds)
        views = [(memoryview(part) if isinstance(part, bytes) else part.data).cast("B") for part in parts]
        try:
            self._write(memoryview(REQUEST.pack(kind, sum(map(len, views)))))
            for view in views:
                self._write(view)
        except OSError:
            answer.ended()
            raise _Died from None
        return answer.told(), answer

    def end(self) -> None:
        """Kill the process and let go of the pipes."""
        self.is_sound = False
        self.process.kill()
        self.process.wait()
        self.questions.close()
        self.answers.close()

    def _write(self, view: memoryview) -> None:
        while view:
            view = view[self.questions.write(view) :]


class _Answer:
    """Reads an answer within its time: a timer kills the child, which ends every wait."""

    def __init__(self, child: _Child, seconds: float) -> None:
        self._child = child
        _TIME_IS_UP.call(id(self), seconds, child.process.kill)

    def take(self, count: int) -> bytearray:
        """So many bytes.

        Raises:
            _Died: fewer came.
        """
        found = bytearray(count)
        view = memoryview(found)
        while view:
            read = self._child.answers.readinto(view)
            if not read:
                _TIME_IS_UP.forget(id(self))
                raise _Died
            view = view[read:]
        return found

    def told(self) -> dict[str, Any]:
        """The next facts.

        Raises:
            _Died: the child ended before they did, or ran out of memory.
            ValueError: they are none.
        """
        length = ANSWER.unpack(self.take(ANSWER.size))[0]
        if length > MAX_TEXT:
            raise ValueError("an answer of that length is none")
        try:
            told = json.loads(bytes(self.take(length)))
        except RecursionError:
            raise ValueError("an answer of that depth is none") from None
        if not isinstance(told, dict):
            raise ValueError("an answer is an object")
        if told.get("error") == "MemoryError":
            self.ended()
            raise _Died
        if "error" in told:
            self.ended(sound=True)
        return told

    def array(self, shape: tuple[int, ...], kind: type) -> np.ndarray:
        """An array of that shape and type."""
        count = int(np.prod(shape)) * np.dtype(kind).itemsize
        return np.frombuffer(self.take(count), kind).reshape(shape)

    def ended(self, *, sound: bool = False) -> None:
        """Nothing more is expected."""
        _TIME_IS_UP.forget(id(self))
        self._child.is_sound = sound


def _raise_told(told: dict[str, Any]) -> None:
    if told.get("error") in TOLD_ERRORS:
        raise getattr(errors, told["error"])(str(told["words"]))
    if "error" in told:
        raise RestorationError(str(told["words"]))


def _facts(told: dict[str, Any], length: int) -> ImageFacts:
    """What is known of a file of that length before it is decoded."""
    rows, columns = _size(told["rows"]), _size(told["columns"])
    check_dimensions(rows, columns)
    header = None if told["jpeg"] is None else header_from_facts(told["jpeg"], length)
    return ImageFacts(str(told["format"]), rows, columns, _size(told["bits"]), bool(told["several"]), header)


def _picture(
    data: bytes, header: JpegHeader | None, told: dict[str, Any], rest: _Answer, decoder: Decoder
) -> JpegImage:
    """The picture a child describes; sizes are checked before room is made for them."""
    rows, columns = _size(told["rows"]), _size(told["columns"])
    check_dimensions(rows, columns)
    pixels = rest.array((rows, columns, 3), np.uint8)
    alpha = None
    if told["alpha"] is not None:
        shape = tuple(_size(side) for side in told["alpha"])
        if sorted(shape) != sorted((rows, columns)):
            raise ValueError("transparency of another size")
        alpha = rest.array(shape, np.uint8)
    most = {"exif": MAX_EXIF_BYTES, "icc_profile": MAX_PROFILE_BYTES}
    blocks = {name: bytes(rest.take(_size(told[name], limit))) or None for name, limit in most.items()}
    if told["orientation"] not in range(1, 9):
        raise ValueError("no such orientation")
    turned = (columns, rows, 3) if told["orientation"] >= 5 else (rows, columns, 3)
    shown = rest.array(turned, np.uint8) if told["profile_applies"] is True else None
    rest.ended(sound=True)
    return JpegImage(
        data=data,
        decoded_pixels=pixels,
        format=str(told["format"]),
        header=header,
        is_gray=bool(told["is_gray"]),
        alpha=alpha,
        orientation=told["orientation"],
        profile_applies=shown is not None,
        shown=shown,
        notes=tuple(str(note) for note in told["notes"]),
        density=_density(told["density"]),
        read_coefficients=decoder.coefficients,
        convert_colors=decoder.to_srgb,
        **blocks,
    )


def _density(told: Any) -> Density | None:
    if told is None:
        return None
    across, down, in_meters = told
    return Density(_size(across, 2**31 - 1), _size(down, 2**31 - 1), bool(in_meters))


def _components(told: dict[str, Any], rest: _Answer, header: JpegHeader) -> tuple[JpegComponent, ...] | None:
    """The components a child describes, with the tables of the header that was read here."""
    components = []
    for number, one in enumerate(told["components"]):
        tall, wide, *block = (_size(side) for side in one["shape"])
        if block != [8, 8] or tall * wide * 64 > 8 * (header.rows + 64) * (header.columns + 64):
            raise ValueError("blocks of another size")
        coefficients = rest.array((tall, wide, 8, 8), np.int16)
        table, sides = header.components[number].table, (_size(one["rows"]), _size(one["columns"]))
        components.append(JpegComponent(str(one["name"]), coefficients, table, "bitstream", *sides))
    rest.ended(sound=True)
    return tuple(components) or None


def _size(value: Any, most: int = 2**17) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError("no size")
    return value

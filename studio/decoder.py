"""Opens pictures from strangers in child processes with little memory and time, which are replaced when they die."""

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

from models import errors
from models.errors import RestorationError, UnreadableImage
from models.jpeg import JpegComponent, JpegImage
from models.jpeg.density import Density
from models.jpeg.header import JpegHeader
from models.jpeg.limits import TRY_ANOTHER, check_dimensions
from models.jpeg.probe import probe
from studio.decoder_child import ANSWER, COEFFICIENTS, PICTURE, REQUEST
from studio.later import Later

logger = logging.getLogger(__name__)

_TIME_IS_UP = Later("decoders")
"""Kills children whose time is up; one thread for all of them."""

ROOT = Path(__file__).resolve().parent.parent
MOST_TEXT = 2**20
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
        facts = probe(data)
        try:
            with self._child() as child:
                told, rest = child.ask(PICTURE, data)
                _raise_told(told)
                return _picture(data, facts.jpeg, told, rest, self._coefficients)
        except (_Died, OSError, ValueError, KeyError, TypeError):
            logger.warning("a decoder died on a file of %d bytes", len(data))
            raise UnreadableImage(
                f"Opening this {facts.columns} x {facts.rows} {facts.format} file was given up: it crashed its "
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

    def _coefficients(self, data: bytes, header: JpegHeader) -> tuple[JpegComponent, ...] | None:
        """Stands in for models.jpeg.coefficients.components_from_bitstream."""
        try:
            with self._child() as child:
                told, rest = child.ask(COEFFICIENTS, data)
                return _components(told, rest, header)
        except (_Died, RestorationError, OSError, ValueError, KeyError, TypeError, IndexError):
            return None

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
            [sys.executable, "-m", "studio.decoder_child", str(limits.memory_bytes), alarm],
            cwd=ROOT,
            env={**single, **places},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            pipesize=PIPE_BYTES,
        )

    def ask(self, kind: bytes, data: bytes) -> tuple[dict[str, Any], "_Answer"]:
        """What the child says of a file, and where the arrays that belong to it come from.

        Raises:
            _Died: it crashed, ran out of memory, or took too long.
        """
        self.is_sound = False  # until the answer has been read to its end
        answer = _Answer(self, self._seconds)
        try:
            self._write(REQUEST.pack(kind, len(data)))
            self._write(data)
        except OSError:
            answer.ended()
            raise _Died from None
        length = ANSWER.unpack(answer.take(ANSWER.size))[0]
        if length > MOST_TEXT:
            raise ValueError("an answer of that length is none")
        told = json.loads(bytes(answer.take(length)))
        if told.get("error") == "MemoryError":
            answer.ended()
            raise _Died
        if "error" in told:
            answer.ended(sound=True)
        return told, answer

    def end(self) -> None:
        """Kill the process and let go of the pipes."""
        self.is_sound = False
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self.process.stdin.write(view) :]


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
            read = self._child.process.stdout.readinto(view)
            if not read:
                _TIME_IS_UP.forget(id(self))
                raise _Died
            view = view[read:]
        return found

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


def _picture(
    data: bytes, header: JpegHeader | None, told: dict[str, Any], rest: _Answer, coefficients: Any
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
    blocks = {
        name: bytes(rest.take(_size(told[name], len(data) * 2))) or None for name in ("exif", "icc_profile")
    }
    rest.ended(sound=True)
    if told["orientation"] not in range(1, 9):
        raise ValueError("no such orientation")
    return JpegImage(
        data=data,
        decoded_pixels=pixels,
        format=str(told["format"]),
        header=header,
        is_gray=bool(told["is_gray"]),
        alpha=alpha,
        orientation=told["orientation"],
        profile_applies=bool(told["profile_applies"]),
        notes=tuple(str(note) for note in told["notes"]),
        density=_density(told["density"]),
        read_coefficients=coefficients,
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

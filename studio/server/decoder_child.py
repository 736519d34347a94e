"""The process that decodes what strangers send: python -m studio.server.decoder_child, started by server.decoder.

Asked over standard input, it answers over standard output, with JSON and bare arrays only: whoever takes this process
over can send wrong pixels, nothing more. It never holds more memory than its limit and ends with its parent.
"""

import json
import os
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict, astuple, replace
from typing import BinaryIO

import numpy as np

from models.errors import RestorationError
from models.jpeg import ImageFacts, JpegImage, read
from models.jpeg.coefficients import components_from_bitstream
from models.jpeg.kept_exif import kept_exif
from models.jpeg.metadata import to_srgb
from models.jpeg.probe import probe
from studio.server.header_facts import header_facts

REQUEST, ANSWER = struct.Struct("!cQ"), struct.Struct("!I")
PICTURE, COEFFICIENTS, COLORS = b"P", b"C", b"S"
COLORS_HEAD = struct.Struct("!QQ?Q")
"""Rows, columns, whether the file stores gray, and the length of its profile; profile and pixels follow."""

Message = tuple[dict, list[np.ndarray | bytes]]
"""Facts for JSON, and the arrays that follow them."""

BARE_BYTES = 512 * 2**20
"""Virtual memory of the interpreter and its libraries, before the first picture."""


def main() -> None:
    """Answer until nobody asks any more; the arguments are a limit in bytes and one in seconds."""
    limit_memory(int(sys.argv[1]))
    asked = os.fdopen(os.dup(0), "rb")
    answered = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever libraries print
    while True:
        head = asked.read(REQUEST.size)
        if len(head) < REQUEST.size:
            return
        kind, length = REQUEST.unpack(head)
        data = asked.read(length)
        if len(data) < length:
            return
        _alarm(int(sys.argv[2]))
        for facts, arrays in _answers(kind, data):
            _send(answered, facts, arrays)
        _alarm(0)


def limit_memory(most_bytes: int) -> None:
    """Let this process have so much memory for a picture; without effect on Windows."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # elsewhere the limit is not kept, or refused
        limit = BARE_BYTES + most_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _alarm(seconds: int) -> None:
    """End this process in so many seconds, whatever it is doing; 0 takes that back."""
    try:
        from signal import alarm
    except ImportError:
        return
    alarm(seconds)


def _answers(kind: bytes, data: bytes) -> Iterator[Message]:
    try:
        if kind == COEFFICIENTS:
            yield _coefficients(data)
        elif kind == COLORS:
            yield {}, [_converted(data)]
        else:
            yield _facts(probe(data)), []  # first, so that somebody knows of what this process may die
            yield _picture(read(data))
    except RestorationError as error:
        yield {"error": type(error).__name__, "words": str(error)}, []
    except MemoryError:
        yield {"error": "MemoryError", "words": ""}, []


def _facts(facts: ImageFacts) -> dict:
    return {**asdict(replace(facts, jpeg=None)), "jpeg": header_facts(facts.jpeg) if facts.jpeg else None}


def _picture(image: JpegImage) -> Message:
    blocks = {
        "exif": kept_exif(image.exif) or b"",
        "icc_profile": (image.icc_profile if image.profile_applies else None) or b"",
    }
    facts = {
        "format": image.format,
        "rows": image.decoded_pixels.shape[0],
        "columns": image.decoded_pixels.shape[1],
        "alpha": None if image.alpha is None else list(image.alpha.shape),
        "is_gray": image.is_gray,
        "orientation": image.orientation,
        "profile_applies": image.profile_applies,
        "notes": list(image.notes),
        "density": None if image.density is None else list(astuple(image.density)),
        **{name: len(block) for name, block in blocks.items()},
    }
    arrays = [image.decoded_pixels] if image.alpha is None else [image.decoded_pixels, image.alpha]
    shown = [image.pixels] if image.profile_applies else []
    return facts, [*arrays, *blocks.values(), *shown]


def _converted(data: bytes) -> np.ndarray:
    rows, columns, is_gray, length = COLORS_HEAD.unpack_from(data)
    start = COLORS_HEAD.size
    pixels = np.frombuffer(data, np.uint8, rows * columns * 3, start + length).reshape(rows, columns, 3)
    return to_srgb(pixels, data[start : start + length], is_gray=is_gray)


def _coefficients(data: bytes) -> Message:
    header = probe(data).jpeg
    found = components_from_bitstream(data, header) if header else None
    facts = [
        {"name": one.name, "shape": list(one.coefficients.shape), "rows": one.rows, "columns": one.columns}
        for one in found or ()
    ]
    return {"components": facts}, [one.coefficients for one in found or ()]


def _send(answered: BinaryIO, facts: dict, arrays: list[np.ndarray | bytes]) -> None:
    text = json.dumps(facts).encode()
    answered.write(ANSWER.pack(len(text)) + text)
    for array in arrays:
        answered.write(array if isinstance(array, bytes) else np.ascontiguousarray(array).data.cast("B"))
    answered.flush()


if __name__ == "__main__":
    main()

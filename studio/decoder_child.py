"""The process that decodes what strangers send: python -m studio.decoder_child, spoken to by studio.decoder.

Asked over standard input, it answers over standard output, with JSON and bare arrays only: whoever takes this process
over can send wrong pixels, nothing more. It never holds more memory than its limit and ends with its parent.
"""

import json
import os
import struct
import sys
from dataclasses import astuple
from typing import BinaryIO

import numpy as np

from models.errors import RestorationError
from models.jpeg import JpegImage, read
from models.jpeg.coefficients import components_from_bitstream
from models.jpeg.probe import probe

REQUEST, ANSWER = struct.Struct("!cQ"), struct.Struct("!I")
PICTURE, COEFFICIENTS = b"P", b"C"
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
        facts, arrays = _answer(kind, data)
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


def _answer(kind: bytes, data: bytes) -> tuple[dict, list[np.ndarray | bytes]]:
    try:
        return _coefficients(data) if kind == COEFFICIENTS else _picture(read(data))
    except RestorationError as error:
        return {"error": type(error).__name__, "words": str(error)}, []
    except MemoryError:
        return {"error": "MemoryError", "words": ""}, []


def _picture(image: JpegImage) -> tuple[dict, list[np.ndarray | bytes]]:
    blocks = {"exif": image.exif or b"", "icc_profile": image.icc_profile or b""}
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
    return facts, [*arrays, *blocks.values()]


def _coefficients(data: bytes) -> tuple[dict, list[np.ndarray | bytes]]:
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
        answered.write(
            array if isinstance(array, bytes) else memoryview(np.ascontiguousarray(array)).cast("B")
        )
    answered.flush()


if __name__ == "__main__":
    main()

"""The decoder in another process: the same pictures, one sentence where a child dies, and nobody else notices."""

import os
import signal
import sys
import threading
import time
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.errors import RestorationError, UnreadableImage
from models.jpeg import read
from studio.decoder import Decoder, DecoderLimits
from studio.examples import EXAMPLES
from tests.paths import SHARED, needs_shared_data


@pytest.fixture(scope="module")
def decoder():
    one = Decoder()
    yield one
    one.close()


def png_of(pixels):
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def small():
    return png_of(np.random.default_rng(5).integers(0, 256, (40, 56, 4), np.uint8))


def same(mine, theirs):
    for name in ("decoded_pixels", "alpha"):
        a, b = getattr(mine, name), getattr(theirs, name)
        assert (a is None) == (b is None)
        assert a is None or np.array_equal(a, b)
    for name in (
        "format",
        "is_gray",
        "exif",
        "icc_profile",
        "orientation",
        "profile_applies",
        "notes",
        "data",
    ):
        assert getattr(mine, name) == getattr(theirs, name), name
    assert len(mine.components) == len(theirs.components)
    for one, other in zip(mine.components, theirs.components, strict=True):
        assert np.array_equal(one.coefficients, other.coefficients)
        assert np.array_equal(one.quantization_table, other.quantization_table)
        assert (one.name, one.rows, one.columns) == (other.name, other.rows, other.columns)
        assert one.coefficients_from == other.coefficients_from


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.name)
def test_pictures_are_those_of_read(decoder, one):
    data = one.read_bytes()
    same(decoder.read(data), read(data))


def test_transparency_comes_along(decoder, small):
    same(decoder.read(small), read(small))


@needs_shared_data
@pytest.mark.parametrize("folder", ["04_colour", "05_icc", "06_exif_orientation", "10_truncated_corrupt"])
def test_odd_files_are_read_or_refused_like_at_home(decoder, folder):
    for path in sorted((SHARED / "hostile" / folder).iterdir()):
        data = path.read_bytes()
        try:
            expected = read(data)
        except RestorationError as error:
            with pytest.raises(type(error)) as refused:
                decoder.read(data)
            assert str(refused.value) == str(error), path.name
        else:
            same(decoder.read(data), expected)


def test_children_are_used_again_and_end(small):
    decoder = Decoder()
    for _ in range(3):
        decoder.read(small)
    (only,) = decoder.processes()
    decoder.close()
    assert decoder.processes() == []
    decoder.read(small)
    assert decoder.processes() != [only]
    decoder.close()


@pytest.mark.skipif(sys.platform != "linux", reason="memory limits are kept on Linux")
def test_too_little_memory_is_one_sentence_and_the_next_picture_opens(small):
    decoder = Decoder(DecoderLimits(memory_bytes=-300 * 2**20))
    large = png_of(np.zeros((6000, 6000, 3), np.uint8))
    decoder.read(small)
    (first,) = decoder.processes()
    with pytest.raises(UnreadableImage, match="6000 x 6000 PNG file was given up"):
        decoder.read(large)
    decoder.read(small)
    assert decoder.processes() != [first]
    decoder.close()


def test_a_killed_child_is_one_sentence_and_nobody_else_notices(small):
    decoder = Decoder()
    large = png_of(np.random.default_rng(1).integers(0, 256, (3000, 3000, 3), np.uint8))
    decoder.read(small)
    (victim,) = decoder.processes()
    said, seen = [], []

    def unlucky():
        try:
            decoder.read(large)
        except RestorationError as error:
            said.append(str(error))

    def others():
        for _ in range(5):
            seen.append(decoder.read(small).pixels.shape)

    os.kill(victim, signal.SIGSTOP)  # caught in the middle of its work
    first = threading.Thread(target=unlucky)
    first.start()
    time.sleep(0.3)
    second = threading.Thread(target=others)
    second.start()
    second.join(60)
    os.kill(victim, signal.SIGKILL)
    first.join(60)
    assert len(said) == 1 and "was given up" in said[0] and said[0].endswith("picture.")
    assert seen == [(40, 56, 3)] * 5
    assert victim not in decoder.processes()
    decoder.close()


def test_a_hanging_child_is_ended_in_time(small):
    decoder = Decoder(DecoderLimits(seconds=1.5, children=1))
    decoder.read(small)
    (victim,) = decoder.processes()
    os.kill(victim, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(UnreadableImage):
        decoder.read(small)
    assert time.monotonic() - began < 20
    assert decoder.processes() == []
    assert decoder.read(small).pixels.shape == (40, 56, 3)
    decoder.close()


def test_a_child_that_lies_is_not_believed(monkeypatch, small):
    decoder = Decoder(DecoderLimits(children=1))
    decoder.read(small)
    for lie in (
        {"rows": 10**9},
        {"rows": -1},
        {"rows": "1"},
        {"alpha": [1, 1]},
        {"exif": 10**12},
        {"rows": None},
    ):
        told = {"format": "PNG", "rows": 1, "columns": 1, "alpha": None, "exif": 0, "icc_profile": 0} | lie

        def lying(self, kind, data, told=told):
            from studio.decoder import _Answer

            self.is_sound = False
            return told, _Answer(self, 5)

        with monkeypatch.context() as patch:
            patch.setattr("studio.decoder._Child.ask", lying)
            patch.setattr("studio.decoder._Answer.take", lambda self, count: bytearray(count))
            with pytest.raises(RestorationError):
                decoder.read(small)
    assert decoder.read(small).pixels.shape == (40, 56, 3)
    decoder.close()

"""The decoder in another process: the same pictures, one sentence where a child dies, and nobody else notices."""

import contextlib
import json
import os
import signal
import struct
import sys
import threading
import time
from dataclasses import fields
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from models.errors import RestorationError, UnreadableImage
from models.jpeg import Save, encode, probe, read
from models.jpeg.header import JpegHeader
from models.jpeg.kept_exif import kept_exif
from studio.server.decoder import MAX_EXIF_BYTES, Decoder, DecoderLimits, _Answer, warn_of_old_pillow
from studio.server.decoder_child import ANSWER
from studio.server.header_facts import header_facts
from studio.session.examples import EXAMPLES
from tests.paths import SHARED, needs_shared_data
from tests.present import present


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
    """The decoder's picture and the one read here; what only a decoder may read does not come along."""
    for name in ("decoded_pixels", "alpha", "pixels"):
        a, b = getattr(mine, name), getattr(theirs, name)
        assert (a is None) == (b is None)
        assert a is None or np.array_equal(a, b)
    for name in ("format", "is_gray", "orientation", "profile_applies", "notes", "data"):
        assert getattr(mine, name) == getattr(theirs, name), name
    assert mine.exif == kept_exif(theirs.exif)
    assert mine.icc_profile == (theirs.icc_profile if theirs.profile_applies else None)
    assert np.array_equal(mine.present(mine.decoded_pixels), theirs.pixels)
    same_header(mine.header, theirs.header)
    assert len(mine.components) == len(theirs.components)
    for one, other in zip(mine.components, theirs.components, strict=True):
        assert np.array_equal(one.coefficients, other.coefficients)
        assert np.array_equal(one.quantization_table, other.quantization_table)
        assert (one.name, one.rows, one.columns) == (other.name, other.rows, other.columns)
        assert one.coefficients_from == other.coefficients_from


def same_header(mine, theirs):
    assert (mine is None) == (theirs is None)
    if theirs is None:
        return
    assert mine.exif is None and mine.icc_profile is None
    names = {field.name for field in fields(JpegHeader)} - {"exif", "icc_profile", "components"}
    for name in names:
        assert getattr(mine, name) == getattr(theirs, name), name
    for one, other in zip(mine.components, theirs.components, strict=True):
        for name in ("identifier", "horizontal", "vertical", "table_number"):
            assert getattr(one, name) == getattr(other, name), name
        assert np.array_equal(one.table, other.table) and one.table.dtype == other.table.dtype


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


JPEG = encode(np.random.default_rng(8).integers(0, 256, (24, 40, 3), np.uint8), Save(70)).data


def png_told(**lie):
    facts = {"format": "PNG", "rows": 1, "columns": 1, "bits": 8, "several": False, "jpeg": None}
    return (
        facts | {"alpha": None, "exif": 0, "icc_profile": 0, "orientation": 1, "profile_applies": False} | lie
    )


def jpeg_told(**lie):
    header = header_facts(present(probe(JPEG).jpeg))
    return png_told(format="JPEG", jpeg=json.loads(json.dumps(header)) | lie)


LIES = [
    png_told(rows=10**9), png_told(rows=-1), png_told(rows="1"), png_told(rows=None), png_told(alpha=[1, 1]),
    png_told(exif=10**12), png_told(exif=2**20), png_told(icc_profile=2**30), png_told(orientation=9),
    png_told(jpeg=[]), png_told(jpeg={}), png_told(bits=[8]), png_told(format=None, rows=10**6, columns=10**6),
    jpeg_told(rows=10**6), jpeg_told(components=[]), jpeg_told(components=[[1, 9, 1, 0, [1] * 64]] * 3),
    jpeg_told(components=[[1, 1, 1, 0, [1] * 63]] * 3), jpeg_told(components=[[1, 1, 1, 0, [-1] * 64]] * 3),
    jpeg_told(color_model="Lab"), jpeg_told(end=10**9), jpeg_told(metadata_spans=[[9, 5]]), jpeg_told(coding=3),
    jpeg_told(metadata_spans=[[0, 10**9]]), jpeg_told(metadata_spans=[[1, 2, 3]]), jpeg_told(scans={"a": 1}),
    jpeg_told(more=1), jpeg_told(complete="yes"),
]  # fmt: skip


def test_a_child_that_lies_is_not_believed(monkeypatch, small):
    decoder = Decoder(DecoderLimits(children=1))
    decoder.read(small)
    for told in LIES:

        def lying(self, kind, *parts, told=told):
            self.is_sound = False
            return told, _Answer(self, 5)

        with monkeypatch.context() as patch:
            patch.setattr("studio.server.decoder._Child.ask", lying)
            patch.setattr("studio.server.decoder._Answer.told", lambda self, told=told: told)
            patch.setattr("studio.server.decoder._Answer.take", lambda self, count: bytearray(count))
            with pytest.raises(RestorationError):
                decoder.read(small)
    assert decoder.read(small).pixels.shape == (40, 56, 3)
    decoder.close()


@pytest.mark.parametrize(
    "text", [b"[" * 10**5, b"[]", b"3", b'{"a": ' * 10**5, b"\xff", b"", b'{"error": []}']
)
def test_an_answer_that_is_none_is_one_sentence(monkeypatch, small, text):
    decoder = Decoder(DecoderLimits(children=1))
    decoder.read(small)
    pieces = [ANSWER.pack(len(text)), text]
    with monkeypatch.context() as patch:
        patch.setattr("studio.server.decoder._Answer.take", lambda self, count: bytearray(pieces.pop(0)))
        with pytest.raises(RestorationError):
            decoder.read(small)
    assert decoder.read(small).pixels.shape == (40, 56, 3)
    decoder.close()


def swapped_profile():
    """sRGB with two primaries exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = data.find(b"rXYZ", 128), data.find(b"bXYZ", 128)
    data[red : red + 4], data[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_colors_are_converted_elsewhere(decoder, monkeypatch, kind, mode, orientation):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Maker"
    buffer, picture = (
        BytesIO(),
        Image.fromarray(np.random.default_rng(2).integers(0, 256, (30, 44, 3), np.uint8)),
    )
    picture.convert(mode).save(buffer, kind, icc_profile=swapped_profile(), exif=exif)
    expected = read(buffer.getvalue())
    restored = 255 - expected.decoded_pixels
    in_srgb, pixels = expected.present(restored), expected.pixels
    assert expected.profile_applies

    def nobody(*_, **__):
        raise AssertionError("a stranger's profile was read in this process")

    for name in ("ImageCms.getOpenProfile", "ImageCms.buildTransform", "ImageCms.applyTransform"):
        monkeypatch.setattr(f"PIL.{name}", nobody)
    mine = decoder.read(buffer.getvalue())
    assert np.array_equal(mine.pixels, pixels)
    assert np.array_equal(mine.present(restored), in_srgb)


def test_a_profile_that_kills_its_decoder_is_one_sentence(small):
    decoder = Decoder(DecoderLimits(seconds=1.5, children=1))
    decoder.read(small)
    (victim,) = decoder.processes()
    os.kill(victim, signal.SIGSTOP)
    with pytest.raises(RestorationError, match="colours of this picture could not be converted"):
        decoder.to_srgb(np.zeros((4, 4, 3), np.uint8), b"x", is_gray=False)
    assert decoder.read(small).pixels.shape == (40, 56, 3)
    decoder.close()


def test_nothing_of_a_file_is_read_in_this_process(decoder, monkeypatch):
    def nobody(*_, **__):
        raise AssertionError("a stranger's file was read in this process")

    for module, name in (
        ("models.jpeg.probe", "read_header"), ("models.jpeg.probe", "_format_of"), ("models.jpeg.codec", "probe"),
        ("models.jpeg.metadata", "exif_orientation"), ("models.jpeg.coefficients", "decodable_stream"),
        ("PIL.Image", "open"),
    ):  # fmt: skip
        monkeypatch.setattr(sys.modules[module], name, nobody)
    image = decoder.read(JPEG)
    assert image.coefficients_from == "bitstream" and image.estimated_quality_factor
    with pytest.raises(RestorationError, match="empty"):
        decoder.read(b"")


def test_a_long_run_of_fill_bytes_costs_this_process_nothing(decoder):
    jpeg = encode(np.zeros((16, 16, 3), np.uint8), Save(50)).data
    decoder.read(jpeg)
    for data in (jpeg[:2] + b"\xff" * 3_000_000 + b"\0" + jpeg[2:], jpeg[:-2] + b"\xff" * 3_000_000):
        began = time.process_time()
        with contextlib.suppress(RestorationError):
            decoder.read(data)
        assert time.process_time() - began < 0.2


def test_what_a_decoder_hands_on_of_exif_is_small(decoder):
    rows = b"".join(struct.pack("<HHII", tag, 7, 2**20, 3000) for tag in range(0x0100, 0x0100 + 150))
    block = b"II*\0" + struct.pack("<IH", 8, 150) + rows
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG", exif=block.ljust(3000, b"\0") + bytes(2**20))
    exif = decoder.read(buffer.getvalue()).exif
    assert exif is None or len(exif) <= MAX_EXIF_BYTES


@pytest.mark.parametrize(("version", "warned"), [("12.3.0", 1), ("13.0.0", 0), ("14.1.0.dev0", 0)])
def test_an_old_pillow_is_said_at_the_start(monkeypatch, caplog, version, warned):
    monkeypatch.setattr("PIL.__version__", version)
    warn_of_old_pillow()
    assert len(caplog.records) == warned and caplog.text.count("pip install") == warned

"""The reader of coefficients in Python gives what libjpeg gives, to the bit, and stands in where that is missing."""

import io

import numpy as np
import pytest
from PIL import Image

from models.errors import RestorationError
from models.jpeg import coefficients, read
from models.jpeg.damage import finished
from models.jpeg.header import decodable_stream, read_header
from models.jpeg.huffman_decoding import decoded_coefficients
from models.jpeg.huffman_tables import DamagedData, code_table
from studio.session.examples import example
from tests.paths import HOSTILE_FILES, needs_shared_data

if not coefficients.has_pyjpegio():
    pytest.skip("pyjpegio is not here to compare with", allow_module_level=True)

CAT = read(example("chelsea").read_bytes()).pixels[:75, :117]
NOISE = np.random.default_rng(11).integers(0, 256, (61, 83, 3), np.uint8)
SAVES = [
    {"quality": 1},
    {"quality": 30, "subsampling": "4:2:0"},
    {"quality": 75, "subsampling": "4:2:2", "optimize": True},
    {"quality": 95, "subsampling": "4:4:4", "restart_marker_blocks": 3},
    {"quality": 60, "restart_marker_rows": 1},
    {"quality": 100, "subsampling": "4:4:4"},
    {"quality": 20, "progressive": True},
    {"quality": 90, "progressive": True, "subsampling": "4:4:4"},
    {"quality": 100, "progressive": True, "restart_marker_rows": 1},
]


def saved(pixels, mode="RGB", **settings):
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, "JPEG", **settings)
    return buffer.getvalue()


def both(data):
    header = read_header(data)
    stream = decodable_stream(data, header)
    stream = finished(stream, header)
    return decoded_coefficients(stream, header), coefficients._read_with_pyjpegio(stream, header)


def assert_equal(own, libjpeg):
    assert len(own) == len(libjpeg)
    for one, other in zip(own, libjpeg, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("settings", SAVES, ids=str)
def test_sound_files(settings, mode):
    for pixels in (CAT, NOISE):
        own, libjpeg = both(saved(pixels, mode, **settings))
        assert own is not None
        assert_equal(own, libjpeg)


@pytest.mark.parametrize("settings", SAVES, ids=str)
def test_files_that_end_too_early(settings):
    data = saved(CAT, **settings)
    scan = data.index(b"\xff\xda")
    for share in (0.02, 0.4, 0.77, 0.99):
        own, libjpeg = both(data[: scan + 14 + int(share * (len(data) - scan - 14))])
        if own is None:  # the cut went through a table or the head of a scan
            assert settings.get("progressive")
            continue
        assert_equal(own, libjpeg)


def test_changed_bytes_are_read_as_libjpeg_reads_them_or_not_at_all():
    moves, compared = np.random.default_rng(3), 0
    for settings in SAVES:
        data = bytearray(saved(CAT, **settings))
        scan = data.index(b"\xff\xda") + 14
        for _ in range(12):
            changed = bytearray(data)
            changed[int(moves.integers(scan, len(data) - 2))] = int(moves.integers(0, 255))
            try:
                own, libjpeg = both(bytes(changed))
            except RestorationError:
                continue
            if own is not None and libjpeg is not None:
                compared += 1
                assert_equal(own, libjpeg)
    assert compared > 30


@needs_shared_data
def test_hostile_files():
    compared = 0
    for path in HOSTILE_FILES:
        data = path.read_bytes()
        try:
            header = read_header(data) if data[:2] == b"\xff\xd8" else None
        except RestorationError:
            continue
        if header is None or header.rows * header.columns > 500_000:
            continue
        own, libjpeg = both(data)
        if own is not None and libjpeg is not None:
            compared += 1
            assert_equal(own, libjpeg)
        assert own is not None or header.arithmetic or libjpeg is None or "damaged" in known(path), path
    assert compared > 80


def known(path):
    """Of files whose data is damaged libjpeg makes something; the reader in Python leaves them alone."""
    return "damaged" if path.parent.name[:2] in ("10", "11", "14") else ""


def test_a_picture_is_the_same_without_pyjpegio(monkeypatch):
    data = saved(CAT, quality=40)
    fast = read(data).components
    monkeypatch.setattr(coefficients, "has_pyjpegio", lambda: False)
    slow = read(data)
    assert slow.coefficients_from == "bitstream" and not any("pyjpegio" in note for note in slow.notes)
    for one, other in zip(fast, slow.components, strict=True):
        np.testing.assert_array_equal(one.coefficients, other.coefficients)


@needs_shared_data
def test_arithmetic_coding_without_pyjpegio_is_said_once(monkeypatch):
    path = next(path for path in HOSTILE_FILES if "_ari" in path.name)
    assert not any("pyjpegio" in note for note in read(path.read_bytes()).notes)
    monkeypatch.setattr(coefficients, "has_pyjpegio", lambda: False)
    image = read(path.read_bytes())
    assert sum("pyjpegio" in note for note in image.notes) == 1 and image.coefficients_from == "pixels"


def test_tables_that_cannot_be_are_refused():
    with pytest.raises(DamagedData):
        code_table(bytes([3] + [0] * 15), bytes(3))  # three codes of one bit
    with pytest.raises(DamagedData):
        code_table(bytes([0, 2] + [0] * 14), bytes(1))

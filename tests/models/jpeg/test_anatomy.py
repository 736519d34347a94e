"""A JPEG file taken apart: every byte is in one segment, whatever the file; scans carry the tables in force."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from models.jpeg.anatomy import anatomy_of, marker_name
from tests.paths import SHARED, needs_shared_data

RNG = np.random.default_rng(11)
PICTURE = RNG.integers(0, 256, (40, 56, 3), np.uint8)


def saved(**settings) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, "JPEG", **settings)
    return buffer.getvalue()


def assert_whole(data: bytes) -> None:
    position = 0
    anatomy = anatomy_of(data)
    for segment in anatomy.segments:
        assert segment.offset == position
        assert segment.size > 0
        position += segment.size
    assert position == len(data)
    assert len(anatomy.problem) < 120


def test_a_plain_file():
    data = saved(quality=80)
    anatomy = anatomy_of(data)
    names = [segment.name for segment in anatomy.segments]
    assert names == ["SOI", "APP0", "DQT", "DQT", "SOF0", "DHT", "DHT", "DHT", "DHT", "SOS"] + [
        "picture data",
        "EOI",
    ]
    assert anatomy.problem == ""
    assert "56 × 40" in anatomy.segments[4].words
    assert "2×2, 1×1, 1×1" in anatomy.segments[4].words
    assert anatomy.segments[0].size == anatomy.segments[-1].size == 2
    for segment in anatomy.segments:
        if segment.name not in ("picture data",):
            assert data[segment.offset] == 0xFF
    assert_whole(data)


def test_a_scan_knows_its_tables_and_restarts():
    data = saved(quality=80, restart_marker_blocks=2)
    (scan,) = anatomy_of(data).scans
    assert scan.tables == ((1, 0, 0), (2, 1, 1), (3, 1, 1))
    assert scan.restart_interval == 2
    assert scan.restart_markers == 5  # 12 units of 16 x 16, a marker after every second one but the last
    assert (scan.ac_lengths[0] > 0).sum() == 162
    codes = 2.0 ** -scan.dc_lengths[0][scan.dc_lengths[0] > 0].astype(float)
    assert codes.sum() < 1  # Kraft's inequality; the code of all ones stays unused
    assert scan.code_bits % 8 == 0
    assert "5 restart markers" in [one.words for one in anatomy_of(data).segments]


def test_a_progressive_file_has_many_scans():
    anatomy = anatomy_of(saved(quality=80, progressive=True))
    assert len(anatomy.scans) == 10
    words = [segment.words for segment in anatomy.segments if segment.name == "SOS"]
    assert "down to bit" in words[0]
    assert any("frequencies 1 to 63, bit" in one for one in words)


def test_metadata_is_named_but_never_quoted():
    data = saved(
        quality=80,
        comment=b"<script>alert(1)</script>",
        exif=b"Exif\0\0II*\0\x08\0\0\0\0\0",
        icc_profile=b"x" * 99,
    )
    words = [segment.words for segment in anatomy_of(data).segments]
    assert "comment" in words
    assert any(one.startswith("Exif") for one in words)
    assert "colour profile (ICC), part 1 of 1" in words
    assert not any("script" in one for one in words)
    assert anatomy_of(data).metadata_bytes > 99 + 25


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 5, 21, 100, 170, 400, 625, -2, -1])
def test_a_file_cut_anywhere_is_one_sentence(cut):
    data = saved(quality=80)[:cut] if cut else b""
    anatomy = anatomy_of(data)
    assert anatomy.problem.count(".") == 1
    assert_whole(data)


def test_what_follows_the_end_is_listed():
    first, second = saved(quality=80), saved(quality=20)
    assert anatomy_of(first + second).segments[-1].words == "another JPEG picture"
    assert anatomy_of(first + b"PK").segments[-1].words == "no decoder reads it"
    assert len(anatomy_of(first + second).scans) == 1


def test_a_length_of_zero_ends_the_walk():
    data = saved(quality=80)
    broken = data[:20] + b"\xff\xdb\x00\x00" + data[24:]
    anatomy = anatomy_of(broken)
    assert anatomy.problem == "DQT at byte 20 claims a length of 0 bytes, and 2 is the least."
    assert_whole(broken)


def test_every_marker_has_a_name():
    assert marker_name(0xC2) == "SOF2"
    assert marker_name(0xC4) == "DHT"
    assert marker_name(0xED) == "APP13"
    assert marker_name(0x0A) == "0xFF0A"
    assert all(marker_name(code) for code in range(1, 255))


def test_changed_bytes_never_raise():
    data = bytearray(saved(quality=60, restart_marker_blocks=3))
    for _ in range(300):
        damaged = bytearray(data)
        for place in RNG.integers(0, len(data), RNG.integers(1, 9)):
            damaged[place] = RNG.choice([0, 0xFF, 0xC4, 0xDA, 0xD9, int(RNG.integers(256))])
        assert_whole(bytes(damaged))


def hostile_files() -> list[str]:
    manifest = SHARED / "hostile" / "MANIFEST.csv"
    if not manifest.is_file():
        return []
    with manifest.open(newline="") as lines:
        return [row["file"] for row in csv.DictReader(lines)]


@needs_shared_data
def test_hostile_files():
    names = hostile_files()
    assert len(names) >= 250
    for name in names:
        assert_whole((SHARED / "hostile" / name).read_bytes())

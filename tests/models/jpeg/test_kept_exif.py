"""What is kept of a camera's EXIF block, and that place, thumbnail and serial numbers never are."""

import io
import struct
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from models.jpeg.kept_exif import LONGEST_TEXT, kept_exif, png_with_exif
from tests.paths import SHARED


def camera_block() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x8298] = "Maker", 6, "A. Person"
    exif[0x8769] = {0x829A: 0.01, 0x927C: b"secret notes", 0x9003: "2020:01:01 10:00:00", 0xA431: "serial 77"}
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}
    return exif.tobytes()


@pytest.mark.parametrize("prefix", [True, False])
def test_how_it_was_taken_stays_and_where_goes(prefix):
    block = camera_block()
    kept = kept_exif(block if prefix else block.removeprefix(b"Exif\0\0"))
    assert kept is not None
    again = Image.Exif()
    again.load(b"Exif\0\0" + kept)
    assert again[0x010F] == "Maker" and again[0x8298] == "A. Person"
    assert again.get_ifd(0x8769)[0x9003] == "2020:01:01 10:00:00"
    assert float(again.get_ifd(0x8769)[0x829A]) == pytest.approx(0.01)
    assert 0x0112 not in again and 0x8825 not in again and not again.get_ifd(0x8825)
    assert b"secret" not in kept and b"serial" not in kept


@pytest.mark.parametrize("block", [None, b"", b"Exif\0\0", b"II*\0\xff\xff\xff\xff", b"MM" + bytes(40)])
def test_nothing_or_damage_keeps_nothing(block):
    assert kept_exif(block) is None


def test_truncated_blocks_do_no_harm():
    block = camera_block()
    for end in range(0, len(block), 3):
        kept_exif(block[:end])


def test_a_png_carries_it_and_keeps_its_pixels():
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    kept = kept_exif(camera_block())
    assert kept is not None
    with Image.open(io.BytesIO(png_with_exif(file.getvalue(), kept))) as picture:
        assert np.array_equal(np.asarray(picture), pixels)
        assert picture.getexif()[0x010F] == "Maker"
    with pytest.raises(ValueError, match="PNG"):
        png_with_exif(b"GIF89a", b"")


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"there are no shared pictures in {SHARED}")
def test_no_hostile_block_gets_through_with_a_place():
    from models.errors import RestorationError
    from models.jpeg import read

    seen = 0
    for folder in ("06_exif_orientation", "07_exif_gps", "08_metadata_broken"):
        for path in sorted((SHARED / "hostile" / folder).glob("*")):
            try:
                exif = read(path.read_bytes()).exif
            except RestorationError:
                continue
            kept = kept_exif(exif)
            if kept is not None:
                again = Image.Exif()
                again.load(b"Exif\0\0" + kept)
                assert not again.get_ifd(0x8825)
                seen += 1
    assert seen > 0


def _block(
    order: str, tags: dict[int, tuple[int, int, bytes]], inner: dict[int, tuple[int, int, bytes]]
) -> bytes:
    """A TIFF structure of two directories, made without any library; every value lies behind them."""
    place = 8 + 2 + 12 * (len(tags) + 1) + 4
    behind = place + 2 + 12 * len(inner) + 4
    rows, inner_rows, values = [], [], b""
    for given, made in ((tags, rows), (inner, inner_rows)):
        for tag, (kind, count, value) in given.items():
            field = (
                value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(order + "I", behind + len(values))
            )
            values += value if len(value) > 4 else b""
            made.append(struct.pack(order + "HHI", tag, kind, count) + field)
    rows.append(struct.pack(order + "HHII", 0x8769, 4, 1, place))
    first = struct.pack(order + "H", len(rows)) + b"".join(rows) + bytes(4)
    second = struct.pack(order + "H", len(inner_rows)) + b"".join(inner_rows) + bytes(4)
    mark = {"<": b"II", ">": b"MM"}[order]
    return mark + struct.pack(order + "HI", 42, 8) + first + second + values


@pytest.mark.parametrize("order", "<>")
def test_texts_keep_their_bytes_and_times_their_zone(order):
    words = "Überblick 写真 ☂".encode() + b"\0"
    latin, zone, part = "Zoë".encode("latin-1") + b"\0", b"+09:30\0", b"047\0"
    tags = {0x010E: (2, len(words), words), 0x013B: (2, len(latin), latin), 0x8298: (129, len(words), words)}
    inner = {0x9011: (2, 7, zone), 0x9291: (2, 4, part), 0x829A: (5, 1, struct.pack(order + "II", 1, 250)),
             0x8827: (3, 2, struct.pack(order + "HH", 100, 200)), 0x9290: (2, 4, b"12\0\0")}  # fmt: skip
    kept = kept_exif(_block(order, tags, inner))
    assert kept is not None
    assert kept.count(words) == 2 and latin in kept and zone in kept and part in kept
    again = Image.Exif()
    again.load(b"Exif\0\0" + kept)
    told = again.get_ifd(0x8769)
    assert told[0x9011] == "+09:30" and told[0x9291] == "047" and told[0x8827] == (100, 200)
    assert float(told[0x829A]) == 1 / 250
    assert kept_exif(kept) == kept


def test_a_block_that_says_the_same_megabyte_in_every_tag_stays_small():
    text = b"x" * 2**20
    tags = {tag: (7, len(text), b"12345") for tag in range(256, 256 + 150)}
    rows = b"".join(
        struct.pack("<HHII", tag, 7, len(text), 9000) for tag in sorted(tags | {0x010E: 0, 0x8298: 0})
    )
    bomb = b"II*\0" + struct.pack("<IH", 8, len(rows) // 12) + rows
    bomb = bomb.ljust(9000, b"\0") + text
    tracemalloc.start()
    kept = kept_exif(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kept is None and peak < 4 * len(bomb)
    longest = struct.pack("<HHII", 0x010E, 2, LONGEST_TEXT, 9000)
    most = b"II*\0" + struct.pack("<IH", 8, 1) + longest + bytes(4)
    kept = kept_exif(most.ljust(9000, b"\0") + text)
    assert kept is not None and len(kept) < 65536


@pytest.mark.parametrize("entries", [201, 65535])
def test_more_entries_than_any_camera_writes_are_none(entries):
    row = struct.pack("<HHI4s", 0x010F, 2, 4, b"abc\0")
    assert kept_exif(b"II*\0" + struct.pack("<IH", 8, entries) + row * entries + bytes(4)) is None


def test_a_directory_that_leads_back_to_itself_ends():
    row = struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<HHI4s", 0x010F, 2, 4, b"abc\0")
    kept = kept_exif(b"II*\0" + struct.pack("<IH", 8, 2) + row + bytes(4))
    assert kept is not None and b"abc\0" in kept and len(kept) < 100

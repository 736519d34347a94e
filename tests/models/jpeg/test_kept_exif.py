"""What is kept of a camera's EXIF block, and that place, thumbnail and serial numbers never are."""

import io

import numpy as np
import pytest
from PIL import Image

from models.jpeg.kept_exif import kept_exif, png_with_exif
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
    with Image.open(io.BytesIO(png_with_exif(file.getvalue(), kept_exif(camera_block())))) as picture:
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

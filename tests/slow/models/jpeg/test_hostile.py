"""Every odd, damaged or hostile file of the shared folder: a picture or a message, in time and in memory."""

import csv
import io
import re
import resource
import time

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from models.errors import RestorationError
from models.jpeg import planes, read
from tests.paths import SHARED, needs_shared_data
from tests.present import present

FOLDER = SHARED / "hostile"
MANIFEST = FOLDER / "MANIFEST.csv"


def _manifest() -> list[dict[str, str]]:
    if not MANIFEST.is_file():
        return []
    with MANIFEST.open(newline="") as lines:
        return list(csv.DictReader(lines))


ENTRIES = _manifest()


@needs_shared_data
def test_the_manifest_is_there():
    assert len(ENTRIES) >= 250


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["file"] for entry in ENTRIES])
def test_hostile_file(entry):
    data = (FOLDER / entry["file"]).read_bytes()
    peak_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    try:
        image = read(data)
        assert image.pixels.dtype == np.uint8
        assert image.pixels.ndim == 3
        assert image.present(image.decoded_pixels).shape == image.pixels.shape
        assert all(np.isfinite(plane).all() for plane in planes(image))
        assert image.bits_per_pixel > 0
    except RestorationError as refusal:
        message = str(refusal)
        assert len(re.split(r"(?<=[.!?])\s+(?=[A-Z])", message)) >= 3, message
        assert len(message) < 400, message
    assert time.perf_counter() - started < 10
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_before
    assert growth / 1024 < 1500  # ru_maxrss counts kilobytes on Linux


SOUND_JPEGS = [entry for entry in ENTRIES if entry["expected_code"] == "OK" and entry["pil_result"] == "ok"]


@pytest.mark.parametrize("entry", SOUND_JPEGS, ids=[entry["file"] for entry in SOUND_JPEGS])
def test_sound_jpegs_decode_as_with_their_metadata(entry):
    data = (FOLDER / entry["file"]).read_bytes()
    image = read(data)
    by_pillow = Image.open(io.BytesIO(data))
    if by_pillow.mode == "CMYK" and image.icc_profile:
        pytest.skip("CMYK with a profile goes through the profile")
    assert np.array_equal(image.decoded_pixels, np.asarray(by_pillow.convert("RGB")))
    assert (image.jpeg_header.columns, image.jpeg_header.rows) == by_pillow.size
    assert isinstance(by_pillow, JpegImageFile)
    tables = by_pillow.quantization
    assert np.array_equal(
        present(image.luma_table).ravel(), tables[image.jpeg_header.components[0].table_number]
    )

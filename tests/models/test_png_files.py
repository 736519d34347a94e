"""PNG files hold the very pixels, in the order people see them."""

import numpy as np
import pytest
from PIL import Image

from models.png_files import write_png


@pytest.mark.parametrize("shape", [(7, 9, 3), (7, 9), (1, 1, 3)])
def test_a_png_holds_the_very_pixels(shape, tmp_path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    path = write_png(pixels, tmp_path / "picture.part")
    with Image.open(path) as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB" if len(shape) == 3 else "L")
        np.testing.assert_array_equal(np.asarray(picture), pixels)


def test_pixels_that_are_a_view_are_written_too(tmp_path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)[::-1, 2:9]
    with Image.open(write_png(pixels, tmp_path / "picture.png")) as picture:
        np.testing.assert_array_equal(np.asarray(picture), pixels)

"""Restorers without a network: plain decoding, and re-application of JPEG."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

from models.baselines import BASELINES, SHIFTS
from models.errors import RestorationCancelled
from models.jpeg import JpegImage, Save, encode, read
from models.restorer import RestoreOptions
from tests.models.sample_networks import photograph
from training.evaluation.metrics import psnr_b_db, psnr_db

ORIGINAL = skimage.data.astronaut()[:256, 64:320]


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_plain_decoding_is_what_pillow_decodes() -> None:
    image = encode(ORIGINAL, Save(10))
    restoration = BASELINES["plain"].restore(image)
    np.testing.assert_array_equal(restoration.pixels, np.asarray(Image.open(io.BytesIO(image.data))))
    assert restoration.stages == ()
    assert restoration.steered_by == ""


def test_the_shifts_put_the_luma_grid_everywhere_once() -> None:
    assert len(SHIFTS) == 64
    assert {(row % 8, column % 8) for row, column in SHIFTS} == {(i, j) for i in range(8) for j in range(8)}
    assert max(map(max, SHIFTS)) < 16


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("quality_factor", [10, 30])
def test_reapplication_improves_a_photograph(quality_factor, subsampling) -> None:
    image = encode(ORIGINAL, Save(quality_factor, subsampling))
    restored = BASELINES["reapply"].restore(image).pixels
    assert psnr_db(restored, ORIGINAL) > psnr_db(image.pixels, ORIGINAL) + 0.3
    assert psnr_b_db(restored, ORIGINAL) > psnr_b_db(image.pixels, ORIGINAL) + 1


def test_reapplication_keeps_gray_gray() -> None:
    gray = ORIGINAL[..., 1]
    image = encode(gray, Save(10))
    restored = BASELINES["reapply"].restore(image).pixels
    assert np.ptp(restored, axis=2).max() == 0
    assert psnr_db(restored[..., 0], gray) > psnr_db(image.pixels[..., 0], gray) + 0.3


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (17, 250)])
@pytest.mark.parametrize("name", BASELINES)
def test_every_size_comes_back_in_full(name, size) -> None:
    image = encode(photograph(*size), Save(20))
    assert BASELINES[name].restore(image).pixels.shape == (*size, 3)


def test_reapplication_without_tables_hands_the_picture_on_unless_told_a_quality_factor() -> None:
    reapply = BASELINES["reapply"]
    jpeg = encode(ORIGINAL, Save(10))
    without_header = read(png(jpeg.pixels))
    for restoration in (reapply.restore(without_header), reapply.restore(jpeg, RestoreOptions("pixels"))):
        np.testing.assert_array_equal(restoration.pixels, jpeg.pixels)
        assert "no quantization tables" in restoration.steered_by
    told = reapply.restore(without_header, RestoreOptions("manual", 10))
    assert told.applied_quality_factor == 10
    np.testing.assert_array_equal(told.pixels, reapply.restore(jpeg).unguarded)


def test_reapplication_in_tiles_equals_that_in_one_piece(monkeypatch) -> None:
    image = encode(photograph(136, 232), Save(10))
    whole = BASELINES["reapply"].restore(image).pixels
    monkeypatch.setattr("models.baselines.LONGEST_TILE", 128)
    np.testing.assert_array_equal(BASELINES["reapply"].restore(image).pixels, whole)


def test_reapplication_reports_every_shift_and_stops_when_told() -> None:
    image = encode(photograph(40, 40), Save(10))
    calls: list[tuple[int, int]] = []
    BASELINES["reapply"].restore(image, on_tile=lambda done, total, part=None: calls.append((done, total)))
    assert calls == [(index, 64) for index in range(1, 65)]

    def stop(done: int, total: int, part: object = None) -> None:
        raise RestorationCancelled("Stopped.")

    for baseline in BASELINES.values():
        with pytest.raises(RestorationCancelled):
            baseline.restore(image, on_tile=stop)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("quality_factor", [10, 40, 75])
def test_centered_dequantization_comes_closer_than_plain_decoding(quality_factor, subsampling) -> None:
    pixels = photograph(264, 320)
    image = encode(pixels, Save(quality_factor, subsampling))
    restoration = BASELINES["centered"].restore(image)
    assert psnr_db(restoration.pixels, pixels) > psnr_db(image.pixels, pixels) + 0.05
    assert "coefficients" in restoration.steered_by


def test_centered_dequantization_hands_on_what_it_has_no_integers_of() -> None:
    pixels = photograph(40, 56)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=60, keep_rgb=True)
    image = encode(pixels, Save(60))
    for other in (read(file.getvalue()), JpegImage(b"", pixels, "PNG")):
        np.testing.assert_array_equal(BASELINES["centered"].restore(other).pixels, other.pixels)
    np.testing.assert_array_equal(
        BASELINES["centered"].restore(image, RestoreOptions("pixels")).pixels, image.pixels
    )

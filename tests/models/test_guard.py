"""QuantizationCells: a picture saved once is moved into what its file allows, one saved before is left alone."""

import numpy as np
import pytest

from models.images import RgbImage
from models.jpeg import Degradation, JpegEncoding, JpegImage, degrade, encode
from models.jpeg.encoder_planes import encoder_coefficients
from models.quantization_cells import MARGIN, QuantizationCells, cells_of
from models.zoo import Zoo
from tests.models.sample_networks import lively_restorer, photograph
from tests.paths import REPOSITORY
from training.metrics import psnr_db


def degraded(pixels: RgbImage, *quality_factors: int, shift: tuple[int, int] = (0, 0)) -> JpegImage:
    first, *later = [JpegEncoding(quality_factor) for quality_factor in quality_factors]
    later = [JpegEncoding(save.quality_factor, grid_shift=shift) for save in later]
    return degrade(pixels, Degradation((first, *later))).image


def put_whole(cells: QuantizationCells, picture: np.ndarray) -> None:
    rows, columns = picture.shape[:2]
    cells.put(picture.astype(np.float32), slice(0, rows), slice(0, columns))


def outside(image: JpegImage, picture: RgbImage, number: int, factors: tuple[int, int]) -> np.ndarray:
    """By how many steps the coefficients of a picture leave their cells."""
    component = image.components[number]
    found = encoder_coefficients(picture, number, *factors)
    tall, wide = found.shape[:2]
    steps = component.quantization_table
    return np.abs(found / steps - component.coefficients[:tall, :wide]) - 0.5


@pytest.mark.parametrize(
    ("subsampling", "factors"), [("4:2:0", (2, 2)), ("4:2:2", (1, 2)), ("4:4:4", (1, 1))]
)
def test_every_coefficient_of_a_wrong_picture_comes_into_its_cell(subsampling, factors) -> None:
    pixels = photograph(96, 128) // 4 + 96  # far from black and white, so that nothing is clipped
    image = encode(pixels, JpegEncoding(50, subsampling))
    wrong = np.clip(image.pixels + np.random.default_rng(0).normal(0, 20, pixels.shape), 0, 255)
    cells = cells_of(image)
    put_whole(cells, wrong)
    for number, covered in enumerate([(1, 1), factors, factors]):
        before = outside(image, np.rint(wrong).astype(np.uint8), number, covered)
        after = outside(image, cells.moved, number, covered)
        assert before.max() > 0.2
        assert after.max() < 0  # MARGIN is for rounding to whole levels, too


def test_a_picture_well_inside_its_cells_stays_as_it_is() -> None:
    image = encode(photograph(96, 128), JpegEncoding(10))
    cells = cells_of(image)
    put_whole(cells, image.pixels)
    assert np.abs(cells.moved.astype(int) - image.pixels).max() <= 1
    assert cells.are_the_pictures_own()


def test_the_nearest_allowed_place_is_taken() -> None:
    """Steps of a flat gray block's mean: 8 times its distance from 128 is the coefficient."""
    image = encode(np.full((16, 16), 128, np.uint8), JpegEncoding(50))
    step = image.luma_table[0, 0]
    cells = cells_of(image)
    put_whole(cells, np.full((16, 16, 3), 140.0))
    assert cells.moved.shape == (16, 16, 3)
    np.testing.assert_array_equal(cells.moved, round(128 + (0.5 - MARGIN) * step / 8))


@pytest.mark.parametrize("gray", [False, True])
def test_tile_by_tile_is_the_same_as_at_once(gray) -> None:
    pixels = photograph(136, 200)
    image = encode(pixels[..., 1] if gray else pixels, JpegEncoding(20))
    wrong = np.clip(image.pixels + np.random.default_rng(0).normal(0, 8, pixels.shape), 0, 255).astype(
        np.float32
    )
    if gray:
        wrong[:] = wrong[..., :1]
    at_once, by_tiles = cells_of(image), cells_of(image)
    put_whole(at_once, wrong)
    assert by_tiles.grid == (8 if gray else 16)
    for top in range(0, 136, 48):
        for left in range(0, 200, 64):
            rows, columns = slice(top, min(top + 48, 136)), slice(left, min(left + 64, 200))
            by_tiles.put(wrong[rows, columns], rows, columns)
    np.testing.assert_array_equal(at_once.moved, by_tiles.moved)
    assert at_once.are_the_pictures_own() == by_tiles.are_the_pictures_own()


def test_files_whose_integers_are_not_of_this_picture_have_no_cells() -> None:
    pixels = photograph(264, 300)
    assert cells_of(encode(pixels, JpegEncoding(30))) is not None
    assert cells_of(degraded(pixels, 10, 50, shift=(4, 4))) is None
    plain = encode(pixels, JpegEncoding(30))
    assert cells_of(JpegImage(plain.data, plain.decoded_pixels, "PNG")) is None


@pytest.fixture(scope="module")
def cascade():
    return Zoo(REPOSITORY / "checkpoints", "cpu").load("cascade")


def without_cells(restorer, image: JpegImage) -> RgbImage:
    """What the network itself makes."""
    restorer.network.keeps_to_cells = False
    try:
        return restorer.restore(image).pixels
    finally:
        del restorer.network.keeps_to_cells


@pytest.mark.parametrize("quality_factor", [10, 40, 90])
def test_the_cascade_gains_by_the_files_coefficients(cascade, quality_factor) -> None:
    pixels = photograph(264, 400)
    image = degraded(pixels, quality_factor)
    restoration = cascade.restore(image)
    assert restoration.condition == "the file's quantization tables and coefficients"
    assert psnr_db(restoration.pixels, pixels) > psnr_db(without_cells(cascade, image), pixels)
    np.testing.assert_array_equal(restoration.stages[-1].pixels, restoration.pixels)


@pytest.mark.parametrize("quality_factors", [(10, 30), (20, 40), (30, 60)])
def test_a_coarser_save_on_the_same_grid_is_told_by_the_restoration(cascade, quality_factors) -> None:
    image = degraded(photograph(264, 400), *quality_factors)
    restoration = cascade.restore(image)
    assert restoration.condition == "the file's quantization tables"
    np.testing.assert_array_equal(restoration.pixels, without_cells(cascade, image))


def test_only_the_last_stage_steered_by_tables_is_moved(cascade) -> None:
    image = degraded(photograph(200, 264), 20)
    for settings in ({"blind": True}, {"quality_factor": 20}, {"stages": 2}):
        assert "coefficients" not in cascade.restore(image, **settings).condition
    all_stages, two = cascade.restore(image), cascade.restore(image, stages=2)
    np.testing.assert_array_equal(all_stages.stages[1].pixels, two.pixels)


def test_a_gray_file_stays_gray() -> None:
    image = encode(photograph(80, 120)[..., 0], JpegEncoding(50))
    restored = lively_restorer("cascade").restore(image).pixels
    assert (restored == restored[..., :1]).all()

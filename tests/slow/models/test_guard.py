"""The guard: no network's picture comes back worse than the file, and what a network repairs stays repaired."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from models.guard import Guard
from models.images import RgbImage
from models.jpeg import Degradation, JpegImage, Save, degrade, encode, quantization_tables, read
from models.jpeg.color import rgb_to_ycbcr
from models.jpeg.encoder_planes import encoder_coefficients
from models.restorer import RestoreOptions
from models.zoo import Zoo
from tests.models.drawings import DRAWINGS
from tests.models.sample_networks import lively_restorer, photograph
from tests.paths import REPOSITORY
from tests.present import present
from training.evaluation.metrics import psnr_db


def separate_tables(luma: int, chroma: int) -> tuple[np.ndarray, np.ndarray]:
    """Those of a quality factor for luma and of another for chroma."""
    return quantization_tables(luma)[0], quantization_tables(chroma)[1]


SLOPE = np.add.outer(np.arange(8), np.arange(8))
TABLE_SETS = {
    "flat": (np.full((8, 8), 3), np.full((8, 8), 4)),
    "editor": (1 + SLOPE // 7, 1 + SLOPE // 5),
    "camera": (2 + SLOPE, 1 + SLOPE // 2),
    "steep": (2 + SLOPE**2 // 4, 3 + SLOPE**2 // 3),
    **{f"{luma}, {chroma}": separate_tables(luma, chroma) for luma, chroma in ((95, 60), (45, 80))},
}


def saved(pixels: RgbImage, tables: int | str, subsampling: str) -> JpegImage:
    """A picture saved once, at a quality factor or with one of TABLE_SETS."""
    if isinstance(tables, int):
        return encode(pixels, Save(tables, subsampling))
    file = io.BytesIO()
    luma, chroma = (table.ravel().tolist() for table in TABLE_SETS[tables])
    Image.fromarray(pixels).save(file, "JPEG", qtables=[luma, chroma], subsampling=subsampling)
    return read(file.getvalue())


def gain(image: JpegImage, picture: RgbImage, clean: RgbImage) -> float:
    """Decibels above plain decoding; pictures without any error count as 80 dB."""
    return min(80.0, psnr_db(picture, clean)) - min(80.0, psnr_db(image.pixels, clean))


@pytest.fixture(scope="module")
def zoo() -> Zoo:
    return Zoo(REPOSITORY / "checkpoints", "cpu")


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "gray"])
@pytest.mark.parametrize("tables", [30, 60, 90, 97, 100, "flat", "steep"])
def test_nonsense_comes_back_as_the_file(tables, subsampling) -> None:
    """Noise, another picture, black: what a network could at worst make of it."""
    clean = photograph(120, 152)
    if subsampling == "gray":
        clean = np.repeat(clean[..., :1], 3, axis=2)
        image = encode(clean[..., 0], Save(tables if isinstance(tables, int) else 50))
    else:
        image = saved(clean, tables, subsampling)
    rng = np.random.default_rng(5)
    for nonsense in (
        ndimage.gaussian_filter(rng.uniform(-200, 456, clean.shape), (1, 1, 0)).astype(np.float32),
        np.ascontiguousarray(clean[::-1]).astype(np.float32),
        np.zeros(clean.shape, np.float32),
        255 - image.pixels.astype(np.float32),
    ):
        held = Guard(image, None).hold(image.decoded_pixels, nonsense)
        assert gain(image, held, clean) > -0.05


@pytest.mark.parametrize("tables", ["95, 60", "45, 80"])
def test_chroma_with_a_quality_factor_of_its_own_is_believed_less(tables) -> None:
    """Networks have seen tables of one quality factor only; a perfect one goes part of the way."""
    clean = photograph(200, 264)
    image = saved(clean, tables, "4:4:4")
    held = Guard(image, None).hold(image.decoded_pixels, clean.astype(np.float32))
    before, after = (rgb_to_ycbcr(picture) - rgb_to_ycbcr(clean) for picture in (image.pixels, held))
    left = np.sqrt((after**2).mean((0, 1)) / (before**2).mean((0, 1)))
    assert left[1:].min() > 0.35 and left[1:].max() < 0.75


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
@pytest.mark.parametrize("quality_factor", [10, 40, 80])
def test_a_perfect_network_is_believed(quality_factor, subsampling) -> None:
    clean = photograph(200, 264)
    image = saved(clean, quality_factor, subsampling)
    held = Guard(image, None).hold(image.decoded_pixels, clean.astype(np.float32))
    # Its picture lies where the cells allow; of what lies beyond REACH a part is lost.
    assert gain(image, held, clean) > 5


def test_strips_leave_no_seams(monkeypatch) -> None:
    clean = photograph(360, 120)
    image = encode(clean, Save(30))
    network = np.clip(image.pixels + np.random.default_rng(1).normal(0, 6, clean.shape), 0, 255)
    at_once = Guard(image, None).hold(image.decoded_pixels, network)
    monkeypatch.setattr("models.guard.STRIP_ROWS", 32)
    by_strips = Guard(image, None).hold(image.decoded_pixels, network)
    assert np.abs(at_once.astype(int) - by_strips).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (7, 7), (3, 40), (9, 1), (12, 12), (17, 33)])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_pictures_smaller_than_a_unit_are_no_worse(zoo, size, subsampling) -> None:
    clean = photograph(100, 140)[40 : 40 + size[0], 60 : 60 + size[1]]
    image = saved(np.ascontiguousarray(clean), 50, subsampling)
    for name in ("cascade", "ar_cnn"):
        assert gain(image, zoo.load(name).restore(image).pixels, clean) > -0.1


@pytest.mark.parametrize("gray_as_color", [True, False])
@pytest.mark.parametrize("architecture", ["cascade", "dncnn", "ar_cnn", "luma_chroma"])
def test_neutral_stays_neutral_to_the_bit(architecture, gray_as_color) -> None:
    gray = np.repeat(photograph(88, 120)[..., :1], 3, axis=2)
    image = saved(gray, 30, "4:2:0") if gray_as_color else encode(gray[..., 0], Save(30))
    restorer = lively_restorer(architecture, guarded=True)
    for options in (RestoreOptions(), RestoreOptions("pixels"), RestoreOptions("manual", 30)):
        restored = restorer.restore(image, options).pixels
        assert np.ptp(restored, axis=2).max() == 0


@pytest.mark.parametrize("quality_factor", [50, 75, 90, 97])
@pytest.mark.parametrize("color", [(12, 60, 20), (201, 201, 201), (240, 30, 90)])
def test_one_flat_color_stays_that_color(zoo, quality_factor, color) -> None:
    clean = np.full((96, 112, 3), color, np.uint8)
    image = saved(clean, quality_factor, "4:2:0")
    for name in ("cascade", "ar_cnn", "dncnn"):
        restored = zoo.load(name).restore(image).pixels
        assert np.abs(restored.astype(int) - image.pixels).max() <= 1


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_what_never_was_a_jpeg_is_not_changed(zoo, drawing) -> None:
    image = JpegImage(b"", DRAWINGS[drawing](11), "PNG")
    for name in ("cascade", "ar_cnn"):
        restoration = zoo.load(name).restore(image)
        np.testing.assert_array_equal(restoration.pixels, image.pixels)
        assert "no JPEG tables" in restoration.steered_by


@pytest.mark.parametrize("tables", [50, 90, 97, "camera"])
@pytest.mark.parametrize("drawing", DRAWINGS)
def test_drawings_saved_once_are_no_worse_and_no_earlier_save_is_claimed(zoo, drawing, tables) -> None:
    clean = DRAWINGS[drawing](7)
    for subsampling in ("4:2:0", "4:4:4"):
        image = saved(clean, tables, subsampling)
        assert image.judgement.coarser_save is None
        for name in ("cascade", "ar_cnn"):
            assert gain(image, zoo.load(name).restore(image).pixels, clean) > -0.1, (subsampling, name)


@pytest.mark.parametrize("name", ["cascade", "dncnn"])
@pytest.mark.parametrize("tables", [90, 95, 97, 99, "flat", "editor", "camera", "steep"])
def test_photographs_of_high_quality_are_no_worse(zoo, tables, name) -> None:
    clean = photograph(264, 400)
    for subsampling in ("4:2:0", "4:4:4"):
        image = saved(clean, tables, subsampling)
        assert gain(image, zoo.load(name).restore(image).pixels, clean) > -0.05, subsampling


@pytest.mark.parametrize(("quality_factor", "least"), [(10, 1.0), (40, 1.0), (90, 0.5)])
def test_the_cascade_repairs_and_loses_nothing_by_the_guard(zoo, quality_factor, least) -> None:
    clean = photograph(264, 400)
    image = saved(clean, quality_factor, "4:2:0")
    restoration = zoo.load("cascade").restore(image)
    assert gain(image, restoration.pixels, clean) > least
    assert gain(image, restoration.pixels, clean) > gain(image, restoration.unguarded, clean) - 0.04
    np.testing.assert_array_equal(restoration.stages[-1].pixels, restoration.pixels)


@pytest.mark.parametrize("name", ["cascade", "dncnn", "qcn"])
@pytest.mark.parametrize("last", [100, 99, None])
@pytest.mark.parametrize("shift", [(0, 0), (3, 5)])
def test_a_damaged_picture_saved_again_at_its_finest_or_cropped_is_repaired(zoo, name, last, shift) -> None:
    whole = photograph(272, 392)
    first = degrade(whole, Degradation((Save(25),))).image.pixels
    cropped = np.ascontiguousarray(first[shift[0] :, shift[1] :])
    clean = whole[shift[0] :, shift[1] :]
    image = JpegImage(b"", cropped, "PNG") if last is None else saved(cropped, last, "4:4:4")
    found = present(image.judgement.coarser_save)
    assert abs(found.quality_factor - 25) <= 1 and found.grid_shift == shift
    restoration = zoo.load(name).restore(image)
    assert gain(image, restoration.pixels, clean) > 0.7
    if name == "cascade":
        by_hand = zoo.load(name).restore(image, RestoreOptions("manual", 25))
        assert gain(image, restoration.pixels, clean) > gain(image, by_hand.pixels, clean) - 0.1


def test_files_that_store_other_colors_are_guarded_too() -> None:
    clean = photograph(88, 120)
    for settings in ({"keep_rgb": True}, {}):
        picture = Image.fromarray(clean)
        picture = picture if settings else picture.convert("CMYK")
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=90, **settings)
        image = read(file.getvalue())
        nonsense = np.random.default_rng(2).integers(0, 256, clean.shape).astype(np.float32)
        held = Guard(image, None).hold(image.decoded_pixels, nonsense)
        assert psnr_db(held, image.pixels) > 34


def test_results_keep_within_their_cells() -> None:
    clean = photograph(96, 128) // 4 + 96  # far from black and white, so that nothing is clipped
    image = encode(clean, Save(50, "4:4:4"))
    wrong = np.clip(image.pixels + np.random.default_rng(0).normal(0, 2, clean.shape), 0, 255)
    held = Guard(image, None).hold(image.decoded_pixels, wrong)
    for number, part in enumerate(image.components):
        off = encoder_coefficients(held, number) / part.quantization_table - part.coefficients
        assert np.abs(off).max() < 0.5


@pytest.mark.parametrize(
    "structure", ["every third row", "two pictures in columns", "a color filter's pattern"]
)
def test_fine_structures_of_small_pictures_are_no_earlier_save(structure) -> None:
    for seed in range(4):
        picture = photograph(300, 450)[7 * seed : 7 * seed + 192, 60 : 60 + 192].copy()
        if structure == "every third row":
            picture[seed % 3 :: 3] //= 2
        elif structure == "two pictures in columns":
            picture[:, ::2] = photograph(300, 450)[100:292, 200 + seed : 392 + seed][:, ::2]
        else:
            places = (np.arange(192)[:, None] % 2) + (np.arange(192) % 2)
            picture[:] = np.take_along_axis(picture, places[..., None], axis=2)
        for quality_factor, subsampling in ((74, "4:2:0"), (85, "4:4:4"), (97, "4:2:2")):
            assert saved(picture, quality_factor, subsampling).judgement.coarser_save is None
        assert JpegImage(b"", picture, "PNG").judgement.coarser_save is None


def test_a_picture_that_decodes_to_gray_stays_gray(zoo) -> None:
    """Chroma below half a level is in the integers, and in no pixel."""
    gray = photograph(88, 120)[..., 1]
    picture = np.stack([gray, gray, gray], axis=2)
    tables = [[16] * 64, [2] * 64]
    ycbcr = Image.fromarray(
        np.stack([gray, np.full_like(gray, 128), np.full_like(gray, 128)], axis=2), "YCbCr"
    )
    file = io.BytesIO()
    ycbcr.save(file, "JPEG", qtables=tables, subsampling="4:4:4")
    image = read(file.getvalue())
    assert image.judgement.neutral
    for name in ("cascade", "dncnn"):
        restored = zoo.load(name).restore(image).pixels
        assert np.ptp(restored, axis=2).max() == 0
        assert gain(image, restored, picture) > 0


def test_the_sentence_says_what_steered(zoo) -> None:
    first = degrade(photograph(272, 392), Degradation((Save(30),))).image.pixels
    image = JpegImage(b"", np.ascontiguousarray(first[3:, 5:]), "PNG")
    cascade = zoo.load("cascade")
    assert "an earlier save at quality factor 30" in cascade.restore(image).steered_by
    assert "30 set by hand" in cascade.restore(image, RestoreOptions("manual", 30)).steered_by
    assert "estimate" in cascade.restore(image, RestoreOptions("pixels")).steered_by
    assert zoo.load("ar_cnn").restore(image).steered_by == ""


def test_qualities_below_five_are_steered_as_by_hand(zoo) -> None:
    clean = photograph(264, 400)
    for quality_factor in (1, 3):
        image = encode(clean, Save(quality_factor))
        restorer = zoo.load("cascade")
        automatic = gain(image, restorer.restore(image).pixels, clean)
        assert (
            automatic
            > gain(image, restorer.restore(image, RestoreOptions("manual", quality_factor)).pixels, clean)
            - 0.05
        )

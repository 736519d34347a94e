"""Breaking pictures: sizes, alignment, the fast path, and validation."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

from models.errors import ImageTooLarge, InvalidSetting
from models.jpeg import (
    Degradation,
    JpegEncoding,
    degrade,
    degrade_pixels,
    encode,
    quantization_tables,
)
from tests.paths import SHARED, needs_shared_data

ASTRONAUT = skimage.data.astronaut()[100:228, 150:290]  # 128 x 140
DOUBLE = Degradation((JpegEncoding(20), JpegEncoding(60, "4:4:4", grid_shift=(3, 6))))


def _psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def test_one_save_equals_pillow():
    buffer = io.BytesIO()
    Image.fromarray(ASTRONAUT).save(buffer, "JPEG", quality=30)
    degraded = degrade(ASTRONAUT, Degradation((JpegEncoding(30),)))
    assert degraded.image.data == buffer.getvalue()
    assert np.array_equal(degraded.image.pixels, np.asarray(Image.open(buffer)))
    assert np.array_equal(degraded.reference, ASTRONAUT)


def test_two_saves_equal_pillow_step_by_step():
    first, second = io.BytesIO(), io.BytesIO()
    Image.fromarray(ASTRONAUT).save(first, "JPEG", quality=20, subsampling="4:2:0")
    between = np.asarray(Image.open(first))[3:, 6:]
    Image.fromarray(between).save(second, "JPEG", quality=60, subsampling="4:4:4")
    degraded = degrade(ASTRONAUT, DOUBLE)
    assert np.array_equal(degraded.image.pixels, np.asarray(Image.open(second)))
    assert np.array_equal(degraded.reference, ASTRONAUT[3:, 6:])
    assert DOUBLE.total_shift == (3, 6)


def test_shifts_add_up_and_the_reference_stays_aligned():
    shifts = [(1, 2), (7, 0), (4, 5)]
    degradation = Degradation(tuple(JpegEncoding(95, "4:4:4", shift) for shift in shifts))
    degraded = degrade(ASTRONAUT, degradation)
    assert degradation.total_shift == (12, 7)
    assert degraded.image.pixels.shape == degraded.reference.shape == (116, 133, 3)
    assert _psnr(degraded.image.pixels, degraded.reference) > 35
    assert _psnr(degraded.image.pixels[1:], degraded.reference[:-1]) < 30


@pytest.mark.parametrize("factor", [0.5, 0.73, 1.4])
def test_resize_between_keeps_the_reference_aligned(factor):
    encodings = (JpegEncoding(95, "4:4:4"), JpegEncoding(95, "4:4:4", grid_shift=(2, 3)))
    degraded = degrade(ASTRONAUT, Degradation(encodings, resize_between=factor))
    expected = (round(128 * factor) - 2, round(140 * factor) - 3, 3)
    assert degraded.image.pixels.shape == degraded.reference.shape == expected
    assert _psnr(degraded.image.pixels, degraded.reference) > 33


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("resize_between", [None, 0.6])
def test_fast_path_gives_the_same_pixels(gray, resize_between):
    original = np.repeat(ASTRONAUT[..., :1], 3, axis=2) if gray else ASTRONAUT
    degradation = Degradation(DOUBLE.encodings, resize_between)
    pixels, luma_table, chroma_table = degrade_pixels(original, degradation, gray=gray)
    image = degrade(original, degradation, gray=gray).image
    assert np.array_equal(pixels, image.pixels)
    assert np.array_equal(luma_table, image.luma_table)
    assert np.array_equal(luma_table, quantization_tables(60)[0])
    if gray:
        assert chroma_table is None
        assert image.is_gray
    else:
        assert np.array_equal(chroma_table, image.chroma_table)


@pytest.mark.parametrize("flat", [False, True])
def test_gray_stays_gray(flat):
    gray = ASTRONAUT[..., 1]
    original = gray if flat else np.repeat(gray[..., None], 3, axis=2)
    degraded = degrade(original, Degradation((JpegEncoding(10),)), gray=True)
    assert degraded.image.subsampling == "gray"
    assert len(degraded.image.components) == 1
    assert np.ptp(degraded.image.pixels, axis=2).max() == 0
    assert degraded.reference.shape == degraded.image.pixels.shape == (128, 140, 3)
    assert np.array_equal(degraded.reference[..., 2], gray)


def test_lower_quality_is_worse_and_smaller():
    scores, sizes = [], []
    for quality_factor in (5, 20, 50, 90):
        degraded = degrade(ASTRONAUT, Degradation((JpegEncoding(quality_factor),)))
        scores.append(_psnr(degraded.image.pixels, degraded.reference))
        sizes.append(degraded.image.bits_per_pixel)
    assert scores == sorted(scores)
    assert sizes == sorted(sizes)
    assert sizes[0] == pytest.approx(
        8 * len(encode(ASTRONAUT, JpegEncoding(5)).data) / ASTRONAUT[..., 0].size
    )


@needs_shared_data
def test_plain_decoding_of_live1_gives_the_published_figure():
    scores = []
    for path in sorted((SHARED / "benchmarks" / "LIVE1").iterdir()):
        original = np.asarray(Image.open(path).convert("RGB"))
        degraded = degrade(original, Degradation((JpegEncoding(10),)))
        scores.append(_psnr(degraded.image.pixels, degraded.reference))
    assert len(scores) == 29
    assert np.mean(scores) == pytest.approx(25.69, abs=0.005)


@pytest.mark.parametrize(
    "make",
    [
        lambda: JpegEncoding(0),
        lambda: JpegEncoding(101),
        lambda: JpegEncoding(50, "4:1:1"),
        lambda: JpegEncoding(50, None),
        lambda: JpegEncoding(50, grid_shift=(8, 0)),
        lambda: JpegEncoding(50, grid_shift=(0, -1)),
        lambda: JpegEncoding(50, grid_shift=(0.5, 0)),
        lambda: JpegEncoding(50, grid_shift=(1,)),
        lambda: JpegEncoding(50, grid_shift=3),
        lambda: Degradation(()),
        lambda: Degradation((JpegEncoding(50),), resize_between=0.5),
        lambda: Degradation(DOUBLE.encodings, resize_between=0),
        lambda: Degradation(DOUBLE.encodings, resize_between=float("nan")),
        lambda: degrade(ASTRONAUT[:4, :4], Degradation((JpegEncoding(50, grid_shift=(4, 0)),))),
    ],
)
def test_wrong_settings_are_refused_in_three_sentences(make):
    with pytest.raises(InvalidSetting) as refusal:
        make()
    assert len(str(refusal.value).split(". ")) >= 3


def test_pictures_too_long_for_jpeg_are_refused():
    with pytest.raises(ImageTooLarge, match="65500"):
        encode(np.zeros((1, 65501, 3), np.uint8), JpegEncoding(50))


@pytest.mark.parametrize("wrong", [np.zeros((8, 8, 3)), np.zeros((8, 8, 4), np.uint8), np.zeros(8, np.uint8)])
def test_pixels_of_another_kind_are_a_callers_bug(wrong):
    with pytest.raises((ValueError, IndexError)):
        encode(wrong, JpegEncoding(50))


def test_encodings_are_values():
    assert JpegEncoding(50.0, grid_shift=[1, 2]) == JpegEncoding(50, grid_shift=(1, 2))
    assert len({DOUBLE, Degradation(DOUBLE.encodings), Degradation(DOUBLE.encodings, 0.5)}) == 2

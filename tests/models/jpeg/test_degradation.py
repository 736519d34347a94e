"""Breaking pictures: sizes, alignment, the fast path, validation, and drawing at random."""

import io
import json
import math
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image

from models.errors import ImageTooLarge, InvalidSetting
from models.jpeg import (
    Degradation,
    Resize,
    Save,
    Step,
    degrade,
    degrade_pixels,
    encode,
    quantization_tables,
)
from tests.paths import SHARED, needs_shared_data
from tests.present import present
from training.degradation_range import DegradationRange

ASTRONAUT = skimage.data.astronaut()[100:228, 150:290]  # 128 x 140
UNTYPED_SAVE: Any = Save
"""Save as values reach it that nobody has checked."""
DOUBLE = Degradation((Save(20), Save(60, "4:4:4", grid_shift=(3, 6))))


def _psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def test_one_save_equals_pillow():
    buffer = io.BytesIO()
    Image.fromarray(ASTRONAUT).save(buffer, "JPEG", quality=30)
    degraded = degrade(ASTRONAUT, Degradation((Save(30),)))
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
    degradation = Degradation(tuple(Save(95, "4:4:4", shift) for shift in shifts))
    degraded = degrade(ASTRONAUT, degradation)
    assert degradation.total_shift == (12, 7)
    assert degraded.image.pixels.shape == degraded.reference.shape == (116, 133, 3)
    assert _psnr(degraded.image.pixels, degraded.reference) > 35
    assert _psnr(degraded.image.pixels[1:], degraded.reference[:-1]) < 30


@pytest.mark.parametrize("factor", [0.5, 0.73, 1.4])
def test_resize_between_keeps_the_reference_aligned(factor):
    steps = Save(95, "4:4:4"), Resize(factor), Save(95, "4:4:4", grid_shift=(2, 3))
    degraded = degrade(ASTRONAUT, Degradation(steps))
    expected = (round(128 * factor) - 2, round(140 * factor) - 3, 3)
    assert degraded.image.pixels.shape == degraded.reference.shape == expected
    assert _psnr(degraded.image.pixels, degraded.reference) > 33


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("between", [(), (Resize(0.6),)])
def test_fast_path_gives_the_same_pixels(gray, between):
    original = np.repeat(ASTRONAUT[..., :1], 3, axis=2) if gray else ASTRONAUT
    degradation = Degradation((DOUBLE.steps[0], *between, DOUBLE.steps[1]))
    pixels, luma_table, chroma_table = degrade_pixels(original, degradation, gray=gray)
    image = degrade(original, degradation, gray=gray).image
    assert np.array_equal(pixels, image.pixels)
    assert np.array_equal(luma_table, present(image.luma_table))
    assert np.array_equal(luma_table, quantization_tables(60)[0])
    if gray:
        assert chroma_table is None
        assert image.is_gray
    else:
        assert np.array_equal(present(chroma_table), present(image.chroma_table))


@pytest.mark.parametrize("flat", [False, True])
def test_gray_stays_gray(flat):
    gray = ASTRONAUT[..., 1]
    original = gray if flat else np.repeat(gray[..., None], 3, axis=2)
    degraded = degrade(original, Degradation((Save(10),)), gray=True)
    assert degraded.image.subsampling == "gray"
    assert len(degraded.image.components) == 1
    assert np.ptp(degraded.image.pixels, axis=2).max() == 0
    assert degraded.reference.shape == degraded.image.pixels.shape == (128, 140, 3)
    assert np.array_equal(degraded.reference[..., 2], gray)


def test_lower_quality_is_worse_and_smaller():
    scores, sizes = [], []
    for quality_factor in (5, 20, 50, 90):
        degraded = degrade(ASTRONAUT, Degradation((Save(quality_factor),)))
        scores.append(_psnr(degraded.image.pixels, degraded.reference))
        sizes.append(degraded.image.bits_per_pixel)
    assert scores == sorted(scores)
    assert sizes == sorted(sizes)
    assert sizes[0] == pytest.approx(8 * len(encode(ASTRONAUT, Save(5)).data) / ASTRONAUT[..., 0].size)


@needs_shared_data
def test_plain_decoding_of_live1_gives_the_published_figure():
    scores = []
    for path in sorted((SHARED / "benchmarks" / "LIVE1").iterdir()):
        original = np.asarray(Image.open(path).convert("RGB"))
        degraded = degrade(original, Degradation((Save(10),)))
        scores.append(_psnr(degraded.image.pixels, degraded.reference))
    assert len(scores) == 29
    assert np.mean(scores) == pytest.approx(25.69, abs=0.005)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Save(0),
        lambda: Save(101),
        lambda: Save(50, "4:1:1"),
        lambda: UNTYPED_SAVE(50, None),
        lambda: Save(50, grid_shift=(8, 0)),
        lambda: Save(50, grid_shift=(0, -1)),
        lambda: UNTYPED_SAVE(50, grid_shift=(0.5, 0)),
        lambda: UNTYPED_SAVE(50, grid_shift=(1,)),
        lambda: UNTYPED_SAVE(50, grid_shift=3),
        lambda: Degradation(()),
        lambda: Degradation((Save(50), Resize(0.5))),
        lambda: Degradation((Resize(0.5),)),
        lambda: Degradation((Save(50),) * 17),
        lambda: Resize(0),
        lambda: Resize(4.1),
        lambda: Resize(True),
        lambda: Resize(float("nan")),
        lambda: DegradationRange(quality_factors=((60, 5, 1.0),)),
        lambda: DegradationRange(quality_factors=()),
        lambda: DegradationRange(quality_factors=((0, 5, 1.0),)),
        lambda: DegradationRange(subsamplings=(("4:2:1", 1.0),)),
        lambda: DegradationRange(subsamplings=(("4:2:0", 0.0),)),
        lambda: DegradationRange(subsamplings=(("4:2:0", -1.0), ("4:4:4", 2.0))),
        lambda: DegradationRange(double_share=1.1),
        lambda: DegradationRange(shifted_share=-0.1),
        lambda: DegradationRange(gray_share=float("nan")),
        lambda: degrade(ASTRONAUT[:4, :4], Degradation((Save(50, grid_shift=(4, 0)),))),
    ],
)
def test_wrong_settings_are_refused_in_three_sentences(make):
    with pytest.raises(InvalidSetting) as refusal:
        make()
    assert len(str(refusal.value).split(". ")) >= 3


def test_pictures_too_long_for_jpeg_are_refused():
    with pytest.raises(ImageTooLarge, match="65500"):
        encode(np.zeros((1, 65501, 3), np.uint8), Save(50))


@pytest.mark.parametrize("wrong", [np.zeros((8, 8, 3)), np.zeros((8, 8, 4), np.uint8), np.zeros(8, np.uint8)])
def test_pixels_of_another_kind_are_a_callers_bug(wrong):
    with pytest.raises((ValueError, IndexError)):
        encode(wrong, Save(50))


def test_degradations_are_values():
    assert UNTYPED_SAVE(50.0, grid_shift=[1, 2]) == Save(50, grid_shift=(1, 2))
    first, second = DOUBLE.steps
    assert len({DOUBLE, Degradation((first, second)), Degradation((first, Resize(0.5), second))}) == 2


def test_sampling_is_deterministic():
    one, other = (np.random.default_rng(11) for _ in range(2))
    choices = DegradationRange()
    assert [choices.sample(one) for _ in range(50)] == [choices.sample(other) for _ in range(50)]
    assert choices.sample(one) != choices.sample(np.random.default_rng(12))


def test_sampling_keeps_to_its_shares():
    rng = np.random.default_rng(5)
    drawn = [DegradationRange().sample(rng) for _ in range(4000)]
    doubles = [degradation for degradation in drawn if len(degradation.saves) == 2]
    assert len(doubles) / 4000 == pytest.approx(0.35, abs=0.03)
    shifted = sum(degradation.total_shift != (0, 0) for degradation in doubles)
    assert shifted / len(doubles) == pytest.approx(0.75 * 63 / 64, abs=0.04)
    assert {degradation.total_shift[0] for degradation in doubles} == set(range(8))
    assert {degradation.total_shift[1] for degradation in doubles} == set(range(8))
    lasts = [degradation.last_save for degradation in drawn]
    quality_factors = [encoding.quality_factor for encoding in lasts]
    assert (min(quality_factors), max(quality_factors)) == (5, 95)
    above_60 = np.mean([quality_factor > 60 for quality_factor in quality_factors])
    assert above_60 == pytest.approx(0.2 * 35 / 36, abs=0.03)
    names = [encoding.subsampling for encoding in lasts]
    for name, share in (("4:2:0", 0.8), ("4:4:4", 0.12), ("4:2:2", 0.08)):
        assert names.count(name) / 4000 == pytest.approx(share, abs=0.03)
    grays = [DegradationRange(gray_share=0.2).sample_gray(rng) for _ in range(2000)]
    assert np.mean(grays) == pytest.approx(0.2, abs=0.04)


def test_a_single_choice_is_always_taken():
    choices = DegradationRange(((10, 10, 1.0),), (("4:4:4", 1.0),), double_share=1, shifted_share=0)
    expected = Degradation((Save(10, "4:4:4"), Save(10, "4:4:4")))
    assert choices.sample(np.random.default_rng(0)) == expected


def random_steps(rng: np.random.Generator) -> tuple[Step, ...]:
    """One to five steps that end with a save."""
    steps: list[Step] = []
    for _ in range(int(rng.integers(0, 5))):
        if rng.random() < 0.4:
            steps.append(Resize(float(rng.choice([0.25, 0.5, 0.73, 1.0, 1.5, 2.0, rng.uniform(0.25, 2)]))))
        else:
            steps.append(random_save(rng))
    return (*steps, random_save(rng))


def random_save(rng: np.random.Generator) -> Save:
    shift = (int(rng.integers(8)), int(rng.integers(8))) if rng.random() < 0.7 else (0, 0)
    return Save(int(rng.integers(1, 101)), str(rng.choice(["4:4:4", "4:2:2", "4:2:0"])), shift)


def by_pillow(picture: Image.Image, steps: tuple[Step, ...]) -> tuple[bytes, Image.Image]:
    """The last file, and the original that was cropped and resized likewise."""
    clean, data = picture, b""
    for step in steps:
        if isinstance(step, Resize):
            size = [max(1, round(side * step.factor)) for side in picture.size]
            picture, clean = (
                each.resize((size[0], size[1]), Image.Resampling.LANCZOS) for each in (picture, clean)
            )
            continue
        assert isinstance(step, Save)
        down, right = step.grid_shift
        picture, clean = (each.crop((right, down, *each.size)) for each in (picture, clean))
        file = io.BytesIO()
        subsampling = {} if picture.mode == "L" else {"subsampling": step.subsampling}
        picture.save(file, "JPEG", quality=step.quality_factor, **subsampling)
        data = file.getvalue()
        picture = Image.open(file)
    return data, clean


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_any_steps_equal_pillow_by_hand(seed, gray):
    """Odd sizes, shifts and factors from .25 to 2, in any order; the reference never was a JPEG."""
    rng = np.random.default_rng(seed)
    rows, columns = (int(side) for side in rng.integers(64, 140, 2))
    noise = rng.normal(0, 20, (rows, columns, 3))
    original = np.clip(skimage.data.astronaut()[:rows, 90 : 90 + columns] + noise, 0, 255).astype(np.uint8)
    if gray:
        original = np.repeat(original[..., 1:2], 3, axis=2)
    degradation = Degradation(random_steps(rng))
    degraded = degrade(original, degradation, gray=gray)
    data, clean = by_pillow(Image.fromarray(original[..., 0] if gray else original), degradation.steps)
    assert degraded.image.data == data
    np.testing.assert_array_equal(degraded.reference, np.asarray(clean.convert("RGB")))
    assert degraded.image.pixels.shape == degraded.reference.shape
    quick, luma, chroma = degrade_pixels(original, degradation, gray=gray)
    np.testing.assert_array_equal(quick, degraded.image.pixels)
    np.testing.assert_array_equal(luma, degraded.image.luma_table)
    assert (chroma is None) == gray
    assert degradation.largest_pixels(rows, columns) >= clean.width * clean.height
    if degradation.keeps_grid:
        down, right = degradation.total_shift
        np.testing.assert_array_equal(degraded.reference, original[down:, right:])


def test_steps_are_read_back_from_json_and_have_a_name_of_their_own():
    rng = np.random.default_rng(3)
    drawn = {Degradation(random_steps(rng)) for _ in range(400)}
    for degradation in drawn:
        assert Degradation.from_json(json.loads(json.dumps(degradation.as_json()))) == degradation
    assert len({degradation.slug() for degradation in drawn}) == len(drawn)
    assert all(
        set(degradation.slug()) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.") for degradation in drawn
    )


@pytest.mark.parametrize(
    ("steps", "words", "slug", "saved"),
    [
        (
            (Save(10),),
            "saved at quality 10 (4:2:0)",
            "qf10-420",
            [{"quality_factor": 10, "subsampling": "4:2:0", "grid_shift": [0, 0]}],
        ),
        (
            (Save(7, "4:4:4"), Save(30, "4:2:2", (4, 0))),
            "saved at quality 7 (4:4:4), then 30 (4:2:2), grid shifted by 4 and 0",
            "qf7-444_qf30-422-shift4x0",
            [
                {"quality_factor": 7, "subsampling": "4:4:4", "grid_shift": [0, 0]},
                {"quality_factor": 30, "subsampling": "4:2:2", "grid_shift": [4, 0]},
            ],
        ),
        (
            (Save(10), Resize(0.29), Save(30)),
            "saved at quality 10 (4:2:0), resized to 29%, then 30 (4:2:0), grid shifted by 0 and 0",
            "qf10-420_resized0.29_qf30-420",
            [
                {"quality_factor": 10, "subsampling": "4:2:0", "grid_shift": [0, 0]},
                {"step": "resize", "factor": 0.29},
                {"quality_factor": 30, "subsampling": "4:2:0", "grid_shift": [0, 0]},
            ],
        ),
    ],
)
def test_words_file_names_and_json_stay_what_they_are(steps, words, slug, saved):
    """Old file names, records and reports are compared with new ones."""
    degradation = Degradation(steps)
    assert (degradation.words(), degradation.slug(), degradation.as_json()) == (words, slug, saved)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        "save",
        [],
        [None],
        [[]],
        [{"quality_factor": 10, "grid_shift": [8, 0]}],
        [{"quality_factor": "10"}],
        [{"quality_factor": 10, "quality": 3}],
        [{"quality_factor": 10, "subsampling": "x" * 10**6}],
        [{"quality_factor": 10, "subsampling": ["4:2:0"]}],
        [{"subsampling": "4:2:0"}],
        [{"step": "resize", "factor": "0.5"}, {"quality_factor": 10}],
        [{"step": "resize", "factor": math.nan}, {"quality_factor": 10}],
        [{"step": "resize"}, {"quality_factor": 10}],
        [{"step": ["resize"]}, {"quality_factor": 10}],
        [{"step": "sharpen"}, {"quality_factor": 10}],
        [{"quality_factor": 10}, {"step": "resize", "factor": 0.5}],
        [{"quality_factor": 10}] * 17,
    ],
    ids=range(19),
)
def test_steps_that_anybody_sends_are_refused_in_short_sentences(value):
    with pytest.raises(InvalidSetting) as refusal:
        Degradation.from_json(value)
    assert len(str(refusal.value).split(". ")) >= 3 and len(str(refusal.value)) < 500


def test_a_resize_makes_no_picture_larger_than_a_picture_may_be():
    with pytest.raises(ImageTooLarge, match=r"Resized to 400%.*160 megapixels.*40 megapixels are allowed"):
        Resize(4).apply(np.zeros((2500, 4000), np.uint8))

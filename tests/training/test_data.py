"""Patches: what is paired with what, and that a batch depends on the seed and the step alone."""

import dataclasses

import numpy as np
import pytest
import torch

from models.errors import InvalidSetting
from models.images import RgbImage
from models.jpeg import Save, degrade, degrade_pixels, quantization_tables
from models.jpeg.dct import blocks_to_plane, inverse_dct
from models.jpeg.degradation import Degradation
from models.networks.base import ColorRule
from training.config import DataConfig, TrainConfig
from training.data import DegradedPatches, validation_batches
from training.degradation_range import DegradationRange
from training.evaluation.benchmarks import VALIDATION_CASES
from training.grain import STRONGEST_GRAIN, as_scanned
from training.pictures import PictureFile, draw_picture, load_photographs, picture_paths


def make_config(**data) -> TrainConfig:
    settings = {"train": ("skimage",), "patch_sizes": (64,), "batch_sizes": (6,), "workers": 0, **data}
    return TrainConfig("test", "cascade", data=DataConfig(**settings), seed=5)


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> tuple[RgbImage | PictureFile, ...]:
    return load_photographs(("skimage",), tmp_path_factory.mktemp("empty"), smallest=72).images


def test_a_batch_is_a_function_of_seed_and_step(images) -> None:
    patches, again = (
        DegradedPatches(make_config(), ColorRule.RGB, images),
        DegradedPatches(make_config(), ColorRule.RGB, images),
    )
    again[3]
    for first, second in zip(vars(patches[7]).values(), vars(again[7]).values(), strict=True):
        assert torch.equal(first, second)
    assert not torch.equal(patches[7].clean, patches[8].clean)


def test_tables_belong_to_the_quality_factor_and_pictures_are_broken_but_aligned(images) -> None:
    config = make_config(uncompressed_share=0.0, batch_sizes=(48,))
    batch = DegradedPatches(config, ColorRule.RGB, images)[0]
    assert batch.degraded.shape == batch.clean.shape == (48, 3, 64, 64)
    luma = [torch.tensor(quantization_tables(int(q))[0].ravel()) for q in batch.quality_factor]
    assert torch.equal(batch.tables[:, :64], torch.stack(luma).float())
    difference = (batch.degraded.float() - batch.clean.float()).flatten(1)
    shifted = (batch.degraded.float() - batch.clean.float().roll((4, 4), (2, 3))).flatten(1)
    assert (difference.std(1) > 0).all()
    closer = (difference.square().mean(1) < shifted.square().mean(1)).float().mean()
    assert closer > 0.8  # flat patches of drawings are the same after any shift


def test_uncompressed_patches_say_so(images) -> None:
    batch = DegradedPatches(make_config(uncompressed_share=1.0), ColorRule.RGB, images)[0]
    assert torch.equal(batch.degraded, batch.clean)
    assert (batch.quality_factor == 100).all() and (batch.tables == 0).all()


def test_gray_patches_have_no_chroma_table(images) -> None:
    config = dataclasses.replace(
        make_config(uncompressed_share=0.0), degradations=DegradationRange(gray_share=1.0)
    )
    batch = DegradedPatches(config, ColorRule.RGB, images)[0]
    assert (batch.tables[:, 64:] == 0).all() and (batch.tables[:, :64] > 0).all()
    for pixels in (batch.degraded, batch.clean):
        assert torch.equal(pixels[:, 0], pixels[:, 1]) and torch.equal(pixels[:, 0], pixels[:, 2])


def test_planes_are_single(images) -> None:
    batch = DegradedPatches(make_config(batch_sizes=(16,)), ColorRule.PLANES, images)[2]
    assert batch.degraded.shape == batch.clean.shape == (16, 1, 64, 64)
    assert batch.degraded.float().sub(batch.clean.float()).abs().mean() < 30


def test_coefficients_of_planes_decode_to_the_degraded_plane(images) -> None:
    batch = DegradedPatches(make_config(batch_sizes=(24,)), ColorRule.COEFFICIENTS, images)[2]
    steps = batch.tables[:, :64, None, None]
    assert (batch.coefficients / steps - (batch.coefficients / steps).round()).abs().max() < 1e-3
    assert (batch.coefficients != 0).any(dim=(1, 2, 3)).all()
    cases = validation_batches(make_config(validation_size=64), ColorRule.COEFFICIENTS, images[:1])
    differences = []
    for each in (cases["qf10"][0], cases["double_10_30"][0], batch):
        blocks = each.coefficients.permute(0, 2, 3, 1).unflatten(3, (8, 8)).numpy()
        decoded = [blocks_to_plane(inverse_dct(found), *each.degraded.shape[2:]) + 128 for found in blocks]
        differences.append(np.abs(np.stack(decoded).clip(0, 255) - each.degraded[:, 0].numpy()))
    assert max(differences[0].max(), differences[1].max()) <= 2
    # Of a thousand coefficients about one lies so near half a step that libjpeg's integers round it otherwise.
    assert (differences[2] > 2).mean() < 0.03 and differences[2].mean() < 0.4


def test_growing_patches_and_too_small_pictures(images) -> None:
    config = make_config(patch_sizes=(64, 96), batch_sizes=(6, 2))
    assert DegradedPatches(config, ColorRule.RGB, images, phase=1)[0].clean.shape == (2, 3, 96, 96)
    with pytest.raises(InvalidSetting, match="as large as 104"):
        DegradedPatches(config, ColorRule.RGB, [np.zeros((90, 200, 3), np.uint8)], phase=1)


def test_validation_pictures_are_the_grid_aligned_crops_they_claim_to_be(images) -> None:
    found = validation_batches(make_config(validation_size=128), ColorRule.RGB, images[:1])
    assert list(found) == [case.name for case in VALIDATION_CASES]
    single = found["qf10"][0]
    clean = single.clean[0].permute(1, 2, 0).numpy()
    expected, _, _ = degrade_pixels(np.ascontiguousarray(clean), Degradation((Save(10),)))
    np.testing.assert_array_equal(single.degraded[0].permute(1, 2, 0).numpy(), expected)
    assert torch.equal(found["double_10_30"][0].clean, single.clean)


def test_an_empty_folder_is_a_sentence(tmp_path) -> None:
    with pytest.raises(InvalidSetting, match="no pictures"):
        picture_paths(tmp_path)


def test_drawings_are_reproducible_and_various() -> None:
    first, second = (draw_picture(np.random.default_rng(1), 128) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (128, 128, 3) and first.dtype == np.uint8 and first.std() > 5


def test_folders_have_their_shares_and_both_candidates_come_from_one() -> None:
    """Textured pictures would win more often, were candidates drawn from different folders."""
    rng = np.random.default_rng(2)
    flat = [np.full((90, 90 + 7 * number, 3), 60 + number, np.uint8) for number in range(3)]
    noisy = [rng.integers(0, 256, (300, 300, 3)).astype(np.uint8) for _ in range(2)]
    config = make_config(
        train=("one", "two"),
        folder_shares=(0.7, 0.3),
        batch_sizes=(400,),
        textured_share=1.0,
        shrunk_share=0.0,
        drawn_share=0.0,
        uncompressed_share=1.0,
    )
    batch = DegradedPatches(config, ColorRule.RGB, flat + noisy, folders=[0, 0, 0, 1, 1])[0]
    assert (batch.clean.flatten(1).float().std(1) < 1).float().mean() == pytest.approx(0.7, abs=0.08)


def test_resized_between_saves_both_pictures_show_the_same(images) -> None:
    config = make_config(uncompressed_share=0.0, batch_sizes=(40,), drawn_share=0.0)
    often = DegradationRange(
        quality_factors=((85, 95, 1.0),), double_share=1.0, shifted_share=1.0, resized_share=1.0
    )
    batch = DegradedPatches(dataclasses.replace(config, degradations=often), ColorRule.RGB, images)[0]
    assert batch.degraded.shape == batch.clean.shape == (40, 3, 64, 64)
    difference = (batch.degraded.float() - batch.clean.float()).square().mean((1, 2, 3))
    moved = (batch.degraded.float() - batch.clean.float().roll(1, 3)).square().mean((1, 2, 3))
    assert (difference < moved).float().mean() > 0.9


@pytest.mark.parametrize("gray", [False, True])
def test_patches_are_saved_as_files_are(images, gray) -> None:
    """OpenCV saves patches, Pillow files; both call the same library."""
    for number, subsampling in enumerate(("4:2:0", "4:2:2", "4:4:4")):
        for quality_factor in (5, 40, 75, 95, 100):
            pixels = np.ascontiguousarray(images[0][10 : 90 - number, 20 : 131 + number])
            pixels = pixels[..., 1] if gray else pixels
            once = Degradation((Save(quality_factor, subsampling),))
            patch, luma, _ = degrade_pixels(pixels, once, gray=gray)
            file = degrade(pixels, once, gray=gray).image
            np.testing.assert_array_equal(patch, file.pixels)
            np.testing.assert_array_equal(luma, file.luma_table)


def test_shares_of_folders_must_fit_the_folders() -> None:
    text = "name: x\narchitecture: cascade\ndata: {train: [one, two], folder_shares: [1.0]}"
    with pytest.raises(InvalidSetting, match="one for each of the 2 folders"):
        TrainConfig.from_text(text)


def test_grain_falls_on_the_folders_that_are_to_have_it() -> None:
    smooth = [np.full((200, 200, 3), value, np.uint8) for value in (70, 150)]
    settings = {"train": ("photographs", "drawings"), "folder_shares": (0.5, 0.5), "batch_sizes": (300,)}
    config = make_config(
        **settings, grainy_shares=(0.6, 0.0), drawn_share=0.0, uncompressed_share=1.0, textured_share=0.0
    )
    batch = DegradedPatches(config, ColorRule.RGB, smooth, folders=[0, 1])[0]
    photographs = batch.clean.flatten(1).float().mean(1) < 110
    grainy = batch.clean.flatten(1).float().std(1) > 0
    assert not grainy[~photographs].any()
    assert grainy[photographs].float().mean() == pytest.approx(0.6 * 0.75, abs=0.1)  # the rest is sharpened


def test_grain_is_as_strong_as_it_is_said_to_be_and_sharpening_adds_contrast() -> None:
    gray = np.full((96, 96, 3), 128, np.uint8)
    strengths = [float(as_scanned(gray, np.random.default_rng(seed)).std()) for seed in range(60)]
    assert max(strengths) < 4 * STRONGEST_GRAIN and sum(strength > 0.5 for strength in strengths) > 30
    edge = np.repeat(np.repeat(np.array([[80, 160]], np.uint8), 48, 1)[..., None], 3, 2).repeat(96, 0)
    spans = [int(np.ptp(as_scanned(edge, np.random.default_rng(seed)).mean((0, 2)))) for seed in range(60)]
    assert min(spans) >= 78 and max(spans) > 110
    black = as_scanned(np.zeros((64, 64, 3), np.uint8), np.random.default_rng(1))
    assert black.dtype == np.uint8 and black.max() < 60


def test_shares_of_grain_must_fit_the_folders() -> None:
    text = "name: x\narchitecture: cascade\ndata: {train: [one, two], grainy_shares: [0.5, 0.5]}"
    with pytest.raises(InvalidSetting, match="one for each of data.folder_shares"):
        TrainConfig.from_text(text)

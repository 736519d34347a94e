"""NetworkRestorer: any size, tiles without seams, gray without tint, steering, stopping, and memory that ends."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.errors import InvalidSetting, OutOfMemory, RestorationCancelled
from models.jpeg import Degradation, JpegImage, Save, degrade, encode, read
from models.restorer import Box, RestoredPart, RestoreOptions
from models.steering import quality_of_two_saves
from models.zoo import ARCHITECTURES
from tests.models.sample_networks import CARDS, lively_network, lively_restorer, photograph
from tests.present import present
from training.evaluation.metrics import psnr_db

SIZES = [(1, 1), (7, 9), (8, 8), (17, 250), (250, 17), (65, 64)]
LARGE = (264, 400)
every_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)


def difference(first: np.ndarray, second: np.ndarray) -> int:
    return int(np.abs(first.astype(int) - second).max())


@pytest.fixture(scope="module")
def image() -> JpegImage:
    return encode(photograph(*LARGE), Save(20))


@every_architecture
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_every_size_comes_back_in_full(architecture, size, subsampling) -> None:
    image = encode(photograph(*size), Save(30, subsampling))
    restoration = lively_restorer(architecture).restore(image)
    assert restoration.pixels.shape == (*size, 3)
    assert restoration.pixels.dtype == np.uint8
    assert restoration.seconds > 0
    for stage, name in zip(restoration.stages, CARDS[architecture].stage_names, strict=True):
        assert stage.name == name
        assert stage.pixels.shape == (*size, 3)
    if restoration.stages:
        np.testing.assert_array_equal(restoration.stages[-1].pixels, restoration.pixels)


@every_architecture
@pytest.mark.parametrize("longest", [256, 300])
def test_tiled_equals_untiled(architecture, longest, image) -> None:
    whole = lively_restorer(architecture).restore(image)
    tiled = lively_restorer(architecture, longest_tile=longest).restore(image)
    assert difference(whole.pixels, image.pixels) > 4, "a network that does nothing proves nothing"
    assert difference(whole.pixels, tiled.pixels) <= 1
    assert whole.predicted_quality_factor == tiled.predicted_quality_factor


def test_a_trunk_as_deep_as_published_needs_no_more_than_its_overlap_around_a_tile(image) -> None:
    """All its layers together reach four times as far."""
    card = replace(CARDS["edsr"], hyperparameters={"width": 16, "blocks": 32})
    settings = {"network": lively_network(card), "card": card}
    whole = lively_restorer("edsr", **settings).restore(image)
    tiled = lively_restorer("edsr", longest_tile=256, **settings).restore(image)
    assert difference(whole.pixels, image.pixels) > 4
    assert difference(whole.pixels, tiled.pixels) <= 1


@every_architecture
def test_a_picture_without_jpeg_header_is_restored_too(architecture, tmp_path: Path) -> None:
    from models.png_files import write_png

    data = write_png(photograph(40, 56), tmp_path / "picture.png").read_bytes()
    restoration = lively_restorer(architecture).restore(read(data))
    assert restoration.pixels.shape == (40, 56, 3)
    assert "table" not in restoration.steered_by


def test_tables_of_a_file_that_stores_rgb_are_not_taken_for_luma_and_chroma() -> None:
    buffer = io.BytesIO()
    Image.fromarray(photograph(40, 56)).save(buffer, "JPEG", quality=20, keep_rgb=True)
    restoration = lively_restorer("cascade").restore(read(buffer.getvalue()))
    assert "estimate" in restoration.steered_by
    gray = encode(photograph(40, 72)[..., 0], Save(15))
    assert "tables" in lively_restorer("cascade").restore(gray).steered_by


@every_architecture
def test_gray_stays_gray(architecture) -> None:
    gray = encode(photograph(40, 72)[..., 0], Save(15))
    restoration = lively_restorer(architecture).restore(gray)
    for pixels in (restoration.pixels, *(stage.pixels for stage in restoration.stages)):
        assert np.ptp(pixels, axis=2).max() == 0
    assert difference(restoration.pixels, gray.pixels) > 0


@every_architecture
def test_progress_is_told_after_every_tile_and_an_exception_in_it_stops(architecture, image) -> None:
    restorer = lively_restorer(architecture, longest_tile=256)
    calls: list[tuple[int, int]] = []
    restorer.restore(image, on_tile=lambda done, total, part=None: calls.append((done, total)))
    assert len(calls) > 2
    assert calls == [(index, len(calls)) for index in range(1, len(calls) + 1)]

    seen: list[int] = []

    def stop_at_two(done: int, total: int, part: object = None) -> None:
        seen.append(done)
        if done == 2:
            raise RestorationCancelled("Stopped.")

    with pytest.raises(RestorationCancelled):
        restorer.restore(image, on_tile=stop_at_two)
    assert seen == [1, 2]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_parts_lie_where_the_finished_picture_has_them_and_what_is_in_sight_comes_first(orientation) -> None:
    image = replace(encode(photograph(*LARGE), Save(20)), orientation=orientation)
    restorer = lively_restorer("cascade", longest_tile=256)
    rows, columns = image.pixels.shape[:2]
    box = Box(0.75, 0.1, 0.85, 0.2)
    parts: list[RestoredPart] = []

    def take(done: int, total: int, part: RestoredPart | None = None) -> None:
        parts.append(present(part))

    whole = restorer.restore(image, RestoreOptions(in_sight=box), take)
    np.testing.assert_array_equal(whole.pixels, restorer.restore(image).pixels)
    painted = np.zeros((rows, columns), int)
    for part in parts:
        place = np.s_[
            part.row : part.row + part.pixels.shape[0], part.column : part.column + part.pixels.shape[1]
        ]
        painted[place] += 1
        assert difference(part.pixels, present(whole.unguarded)[place]) <= 1  # its surroundings end elsewhere
    first = parts[0]
    assert first.row <= 0.75 * rows and first.row + first.pixels.shape[0] >= 0.85 * rows
    assert first.column <= 0.1 * columns and first.column + first.pixels.shape[1] >= 0.2 * columns
    assert first.pixels.size < whole.pixels.size / 4
    assert painted.min() == 1 and painted.max() == 2


@every_architecture
def test_a_stopped_restoration_goes_on_with_the_tiles_that_are_left(architecture, image) -> None:
    restorer = lively_restorer(architecture, longest_tile=256)
    calls: list[int] = []

    def stop_at_two(done: int, total: int, part: object = None) -> None:
        if done == 2:
            raise RestorationCancelled("Stopped.")

    with pytest.raises(RestorationCancelled) as stopped:
        restorer.restore(image, on_tile=stop_at_two)
    left = stopped.value.unfinished
    assert len(left.tiles) == 2 < left.total and left.seconds > 0

    counted = restorer.network.register_forward_hook(lambda *_: calls.append(1))
    went_on = restorer.restore(image, RestoreOptions(unfinished=left))
    counted.remove()
    assert len(calls) == left.total - 2
    np.testing.assert_array_equal(went_on.pixels, restorer.restore(image).pixels)
    assert went_on.seconds > left.seconds


def test_a_network_that_returns_its_input_returns_it_exactly(image) -> None:
    untouched = ARCHITECTURES["cascade"](**CARDS["cascade"].hyperparameters).eval()
    for settings in ({}, {"longest_tile": 300}, {"self_ensemble": True}, {"reduced_precision": True}):
        restorer = lively_restorer("cascade", network=untouched, **settings)
        np.testing.assert_array_equal(restorer.restore(image).pixels, image.pixels)


def test_plane_networks_decode_as_libjpeg_does_where_they_change_nothing(image) -> None:
    untouched = ARCHITECTURES["ar_cnn"]().eval()
    restored = lively_restorer("ar_cnn", network=untouched).restore(image)
    assert difference(restored.pixels, image.pixels) <= 3
    assert psnr_db(restored.pixels, image.pixels) > 50


def test_coefficient_networks_decode_as_libjpeg_does_where_they_change_nothing() -> None:
    untouched = ARCHITECTURES["hr_cnn"]().eval()
    buffer = io.BytesIO()
    Image.fromarray(photograph(40, 56)).save(buffer, "JPEG", quality=90, keep_rgb=True)
    pictures = [
        encode(photograph(75, 90), Save(20)),
        encode(photograph(40, 56)[..., 0], Save(20)),
    ]
    for image in (*pictures, read(buffer.getvalue())):
        restored = lively_restorer("hr_cnn", network=untouched).restore(image)
        assert psnr_db(restored.pixels, image.pixels) > 48


def test_a_quality_factor_set_by_hand_stands_in_for_the_tables_of_the_file(image) -> None:
    restorer = lively_restorer("qgcn")
    by_tables, by_hand = restorer.restore(image), restorer.restore(image, RestoreOptions("manual", 20))
    np.testing.assert_array_equal(by_hand.pixels, by_tables.pixels)
    assert difference(restorer.restore(image, RestoreOptions("manual", 70)).pixels, by_tables.pixels) > 0
    assert difference(restorer.restore(image, RestoreOptions("pixels")).pixels, by_tables.pixels) > 0
    assert by_tables.predicted_quality_factor is None and "tables" in by_tables.steered_by


def test_two_saves_on_different_grids_steer_together() -> None:
    def saved(*factors: int) -> JpegImage:
        first, last = factors
        both = Degradation((Save(first), Save(last, grid_shift=(4, 3))))
        return degrade(photograph(248, 336), both).image

    twice = saved(20, 45)
    found = present(twice.judgement.coarser_save)
    together = present(quality_of_two_saves(found))
    assert abs(found.quality_factor - 20) <= 2 and found.grid_shift == (4, 3)
    assert together < found.quality_factor, "two saves do more harm than one of them"
    restorer = lively_restorer("cascade")
    alone, blind = restorer.restore(twice), restorer.restore(twice, RestoreOptions("pixels"))
    by_hand = restorer.restore(twice, RestoreOptions("manual", together))
    np.testing.assert_array_equal(alone.pixels, by_hand.pixels)
    assert alone.applied_quality_factor == together
    for number in (found.quality_factor, together):
        assert f" {number}" in alone.steered_by
    assert "estimate" in blind.steered_by and blind.applied_quality_factor == blind.predicted_quality_factor
    assert "tables" in lively_restorer("qgcn").restore(twice).steered_by


@pytest.mark.parametrize("architecture", ["cascade", "qgcn", "ar_cnn"])
def test_after_a_much_finer_save_the_earlier_grid_and_quality_count(architecture) -> None:
    """What stands in the picture is then the earlier save alone, as if its own file had been opened."""
    pixels = photograph(248, 336)
    first = degrade(pixels, Degradation((Save(20),))).image.pixels
    cropped = JpegImage(b"", np.ascontiguousarray(first[3:, 5:]), "PNG")
    padded = np.pad(cropped.decoded_pixels, ((3, 0), (5, 0), (0, 0)), mode="edge")
    restorer = lively_restorer(architecture)
    expected = restorer.restore(JpegImage(b"", padded, "PNG"), RestoreOptions("manual", 20))
    found = restorer.restore(cropped)
    if restorer.card.steerable:
        assert found.applied_quality_factor == 20 and "20" in found.steered_by
        np.testing.assert_array_equal(found.pixels, expected.pixels[3:, 5:])
    assert found.pixels.shape == cropped.pixels.shape


def test_what_steers_is_said_and_has_an_effect(image) -> None:
    restorer = lively_restorer("cascade")
    tables = restorer.restore(image)
    blind = restorer.restore(image, RestoreOptions("pixels"))
    by_hand = restorer.restore(image, RestoreOptions("manual", 90))
    assert "tables" in tables.steered_by
    assert "estimate" in blind.steered_by
    assert "90 set by hand" in by_hand.steered_by
    assert by_hand.applied_quality_factor == 90
    assert blind.applied_quality_factor == blind.predicted_quality_factor
    assert (
        tables.predicted_quality_factor == blind.predicted_quality_factor == by_hand.predicted_quality_factor
    )
    assert difference(tables.pixels, blind.pixels) > 0
    assert difference(by_hand.pixels, blind.pixels) > 0


def test_the_network_receives_the_tables_of_the_file_in_row_order(image) -> None:
    received = []

    class Listening(ARCHITECTURES["cascade"]):
        def condition(self, summary, *, quality_factor=None, tables=None):
            received.append((quality_factor, tables))
            return super().condition(summary, quality_factor=quality_factor, tables=tables)

    network = Listening(**CARDS["cascade"].hyperparameters).eval()
    restorer = lively_restorer("cascade", network=network, self_ensemble=True)
    restorer.restore(image)
    upright, sideways = (tables[0].numpy().reshape(2, 8, 8) for _, tables in received)
    np.testing.assert_array_equal(upright, np.stack([image.luma_table, image.chroma_table]))
    np.testing.assert_array_equal(sideways, np.stack([image.luma_table.T, image.chroma_table.T]))
    received.clear()
    lively_restorer("cascade", network=network).restore(image, RestoreOptions("manual", 30))
    ((quality_factor, tables),) = received
    assert quality_factor.tolist() == [30]
    assert tables is None


def test_stages_can_stop_early(image) -> None:
    restorer = lively_restorer("cascade")
    every = restorer.restore(image)
    early = restorer.restore(image, RestoreOptions(stages=2))
    assert [stage.name for stage in early.stages] == ["stage 1", "stage 2"]
    np.testing.assert_array_equal(early.pixels, every.stages[1].pixels)
    assert difference(every.stages[0].pixels, every.stages[2].pixels) > 0


@every_architecture
@pytest.mark.parametrize(
    "setting", [{"quality_factor": 0}, {"quality_factor": 101}, {"stages": 0}, {"stages": 8}]
)
def test_settings_out_of_range_are_refused(architecture, setting, image) -> None:
    with pytest.raises(InvalidSetting, match=r"\d"):
        lively_restorer(architecture).restore(image, RestoreOptions.of(**setting))


@every_architecture
def test_a_self_ensemble_does_not_care_how_the_picture_lies(architecture) -> None:
    """The ensemble of a flipped picture is the flipped ensemble, which no single run is."""
    rows = photograph(64, 64)
    upright = encode(rows, Save(20, "4:4:4"))
    flipped = JpegImage(upright.data, np.ascontiguousarray(upright.decoded_pixels[:, ::-1]), "PNG")
    upright = JpegImage(upright.data, upright.decoded_pixels, "PNG")
    ensemble = lively_restorer(architecture, self_ensemble=True)
    first, second = (ensemble.restore(each).pixels for each in (upright, flipped))
    assert difference(first, second[:, ::-1]) <= 1
    single = lively_restorer(architecture)
    first, second = (single.restore(each).pixels for each in (upright, flipped))
    assert difference(first, second[:, ::-1]) > 1


def test_bfloat16_costs_next_to_nothing(image) -> None:
    full = lively_restorer("cascade").restore(image)
    reduced = lively_restorer("cascade", reduced_precision=True).restore(image)
    assert difference(full.pixels, reduced.pixels) > 0, "both ran in the same precision"
    assert psnr_db(reduced.pixels, full.pixels) > 50


@pytest.mark.parametrize(
    "problem",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."
        ),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    ],
)
def test_without_memory_tiles_get_smaller_and_the_result_stays_the_same(problem, image) -> None:
    class Cramped(ARCHITECTURES["cascade"]):
        _largest = 384

        def forward(self, pixels, /, condition=None, stages=None):
            if max(pixels.shape[2:]) > self._largest:
                raise problem
            return super().forward(pixels, condition, stages)

    network = Cramped(**CARDS["cascade"].hyperparameters).eval()
    network.load_state_dict(lively_restorer("cascade").network.state_dict())
    cramped = lively_restorer("cascade", network=network)
    assert difference(cramped.restore(image).pixels, lively_restorer("cascade").restore(image).pixels) <= 1
    network._largest = 8
    with pytest.raises(OutOfMemory, match="256 pixels"):
        cramped.restore(image)


def test_other_failures_are_not_taken_for_a_lack_of_memory(image) -> None:
    class Failing(ARCHITECTURES["cascade"]):
        def forward(self, pixels, /, condition=None, stages=None):
            raise RuntimeError("shapes cannot be multiplied")

    network = Failing(**CARDS["cascade"].hyperparameters).eval()
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        lively_restorer("cascade", network=network).restore(image)

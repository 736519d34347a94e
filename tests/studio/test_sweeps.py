"""The sweeping engine: what it measures, in which order, that a repeat is free, and that it stops."""

import time
from dataclasses import dataclass, field, replace
from io import BytesIO
from threading import Event

import numpy as np
import pytest
from PIL import Image

from models.baselines import PLAIN, PlainDecoding
from models.card import ModelCard
from models.errors import BrokenCheckpoint, InvalidSetting, OutOfMemory, RestorationCancelled, UnknownModel
from models.jpeg import Degradation, Save, degrade
from models.restorer import Restoration, RestoreOptions
from models.zoo import Zoo
from studio.engine.cache import ResultCache
from studio.session.crop import CROP_PIXELS, swept_picture
from studio.session.examples import example
from studio.session.visitor import open_photograph
from studio.sweep.sweeper import (
    ByHandSweep,
    QualitySweep,
    Sweeper,
    SweepFailure,
    SweepJob,
    SweepPoint,
    SweepStep,
    TwiceSweep,
)
from tests.present import present
from training.evaluation.metrics import measure

QUALITY = QualitySweep((10, 40), "4:2:0", (PLAIN, "ar_cnn", "cascade"))
TWICE = TwiceSweep((20, 60), "4:4:4", (3, 5), "cascade")
BY_HAND = ByHandSweep((10, 50), "4:2:0", 20, "cascade")


@pytest.fixture
def sweeper(zoo):
    return Sweeper(zoo, ResultCache(64 * 2**20))


@pytest.fixture
def picture(photograph):
    return swept_picture(photograph, "crop")


def items_of(sweeper, picture, sweep, stop=None):
    return list(sweeper.run(picture, sweep, stop or Event()))


def points_of(sweeper, picture, sweep):
    return [item for item in items_of(sweeper, picture, sweep) if isinstance(item, SweepPoint)]


def photograph_of(rows, columns):
    pixels = np.random.default_rng(rows).integers(0, 256, (rows, columns, 3), np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return open_photograph(buffer.getvalue(), "noise.png")


class OneModelZoo(Zoo):
    """A zoo of plain decoding and one restorer in the place of another model."""

    def __init__(self, zoo, restorer):
        super().__init__(zoo.folder, "cpu")
        self._zoo, self._restorer = zoo, restorer

    def cards(self):
        return self._zoo.cards()

    def load(self, name):
        return self._restorer if name == "ar_cnn" else self._zoo.load(name)


@dataclass(frozen=True, eq=False)
class SlowRestorer:
    """Counts tiles; stands for any restorer that reports them."""

    tiles: int = 200
    error: Exception | None = None
    seen: list = field(default_factory=list)
    card: ModelCard = PlainDecoding().card

    def restore(self, image, options, on_tile):
        for done in range(1, self.tiles + 1):
            time.sleep(0.01)
            self.seen.append(done)
            on_tile(done, self.tiles)
        if self.error is not None:
            raise self.error
        return Restoration(image.pixels)


# ---------------------------------------------------------------- the picture


def test_small_pictures_are_measured_whole(photograph):
    crop = swept_picture(photograph, "crop")
    assert crop.is_whole
    np.testing.assert_array_equal(crop.pixels, photograph.image.pixels)
    assert crop.key == swept_picture(photograph, "whole").key


@pytest.mark.parametrize(
    ("rows", "columns"), [(700, 1000), (1000, 700), (801, 503), (18, 40_000), (9, 60_000)]
)
def test_crops_lie_on_the_grid_in_the_middle_and_fill_the_limit(rows, columns):
    photograph = photograph_of(rows, columns)
    crop = swept_picture(photograph, "crop")
    kept_rows, kept_columns = crop.pixels.shape[:2]
    assert not crop.is_whole
    assert kept_rows * kept_columns <= CROP_PIXELS
    assert crop.top % 16 == 0
    assert crop.left % 16 == 0
    assert abs(crop.top - (rows - kept_rows) / 2) <= 8
    assert abs(crop.left - (columns - kept_columns) / 2) <= 8
    cut = photograph.image.pixels[crop.top : crop.top + kept_rows, crop.left : crop.left + kept_columns]
    np.testing.assert_array_equal(crop.pixels, cut)
    if min(rows, columns) > 100:
        assert kept_rows * kept_columns > 0.9 * CROP_PIXELS
        assert kept_rows / kept_columns == pytest.approx(rows / columns, rel=0.05)
    whole = swept_picture(photograph, "whole")
    assert whole.is_whole
    assert whole.key != crop.key


def test_a_jpeg_serves_as_its_own_original():
    photograph = open_photograph(example("rocket").read_bytes(), "rocket.jpg")
    picture = swept_picture(photograph, "whole")
    assert picture.was_jpeg
    assert picture.pixels is photograph.image.pixels or np.array_equal(
        picture.pixels, photograph.image.pixels
    )


# ---------------------------------------------------------------- what is measured


def test_a_quality_sweep_measures_every_model_at_every_quality_one_curve_after_the_other(
    sweeper, zoo, picture
):
    points = points_of(sweeper, picture, QUALITY)
    assert [(point.job.model_name, point.job.quality_factors) for point in points] == [
        (name, (quality,)) for name in QUALITY.model_names for quality in (10, 40)
    ]
    for point in points:
        broken = degrade(picture.pixels, Degradation((Save(point.job.quality_factors[0], "4:2:0"),)))
        restored = zoo.load(point.job.model_name).restore(broken.image).pixels
        assert point.metrics == measure(restored=restored, reference=broken.reference)
        assert point.file_bytes == len(broken.image.data)
        assert point.bits_per_pixel == broken.image.bits_per_pixel
        assert point.pixels is None


def test_a_sweep_of_two_saves_fills_its_map_cell_by_cell(sweeper, zoo, picture):
    points = points_of(sweeper, picture, TWICE)
    cells = [(20, 20), (20, 60), (60, 20), (60, 60)]
    expected = [(name, cell) for cell in cells for name in (PLAIN, "cascade")]
    assert [(point.job.model_name, point.job.quality_factors) for point in points] == expected
    saves = Degradation((Save(20, "4:4:4"), Save(60, "4:4:4", (3, 5))))
    broken = degrade(picture.pixels, saves)
    restored = zoo.load("cascade").restore(broken.image).pixels
    assert points[3].metrics == measure(restored=restored, reference=broken.reference)


def test_a_sweep_by_hand_keeps_the_pictures_and_says_what_steered(sweeper, zoo, picture):
    points = points_of(sweeper, picture, BY_HAND)
    assert [point.job.by_hand for point in points] == [None, None, 10, 50]
    broken = degrade(picture.pixels, Degradation((Save(20, "4:2:0"),))).image
    cascade = zoo.load("cascade")
    np.testing.assert_array_equal(points[0].pixels, broken.pixels)
    np.testing.assert_array_equal(points[1].pixels, cascade.restore(broken).pixels)
    for point, told in zip(points[2:], (10, 50), strict=True):
        np.testing.assert_array_equal(
            point.pixels, cascade.restore(broken, RestoreOptions("manual", told)).pixels
        )
        assert f"{told} set by hand" in point.condition
        assert point.applied_quality_factor == told


def test_gray_pictures_are_saved_as_gray(sweeper):
    photograph = open_photograph(example("camera").read_bytes(), "camera.png")
    picture = replace(swept_picture(photograph, "crop"), pixels=photograph.image.pixels[:64, :64], key="gray")
    assert picture.is_gray
    point = points_of(sweeper, picture, replace(QUALITY, model_names=(PLAIN,)))[0]
    assert point.file_bytes == len(degrade(picture.pixels, point.job.degradation, gray=True).image.data)


# ---------------------------------------------------------------- progress, cache, stop


def test_every_job_tells_where_it_is_and_the_end_is_foreseen(sweeper, picture):
    steps = [item for item in items_of(sweeper, picture, QUALITY) if isinstance(item, SweepStep)]
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert {step.done for step in steps} == set(range(6))
    assert {step.total for step in steps} == {6}
    assert steps[0].seconds_left is None
    last = [step for step in steps if step.done == 5]
    assert present(last[0].seconds_left) > 0


def test_a_repeat_is_instant_and_other_sweeps_share_its_points(sweeper, picture):
    first = points_of(sweeper, picture, QUALITY)
    again = items_of(sweeper, picture, QUALITY)
    assert again == first
    wider = items_of(sweeper, picture, replace(QUALITY, quality_factors=(10, 25, 40)))
    assert {item.job.quality_factors for item in wider if isinstance(item, SweepStep)} == {(25,)}
    other = items_of(sweeper, replace(picture, key="another picture"), QUALITY)
    assert any(isinstance(item, SweepStep) for item in other)


def test_stop_ends_within_one_tile(zoo, picture):
    restorer, stop = SlowRestorer(), Event()
    sweeper = Sweeper(OneModelZoo(zoo, restorer), ResultCache(2**20))
    sweep = replace(QUALITY, model_names=(PLAIN, "ar_cnn"))
    items = sweeper.run(picture, sweep, stop)
    plain = [item for item in (next(items) for _ in range(4)) if isinstance(item, SweepPoint)]
    for item in items:
        plain += [item] if isinstance(item, SweepPoint) else []
        if isinstance(item, SweepStep) and item.tile.done == 3:
            stop.set()
            break
    with pytest.raises(RestorationCancelled):
        for _ in items:
            pass
    assert [point.job.model_name for point in plain] == [PLAIN, PLAIN]
    seen = len(restorer.seen)
    time.sleep(0.1)
    assert len(restorer.seen) == seen < 10


def test_an_abandoned_sweep_ends_too(zoo, picture):
    restorer = SlowRestorer()
    items = Sweeper(OneModelZoo(zoo, restorer), ResultCache(0)).run(
        picture, replace(QUALITY, model_names=("ar_cnn",)), Event()
    )
    while not (isinstance(step := next(items), SweepStep) and step.tile.done == 2):
        pass
    items.close()
    time.sleep(0.1)
    seen = len(restorer.seen)
    time.sleep(0.1)
    assert len(restorer.seen) == seen < 50


def test_a_model_that_gives_up_leaves_the_others_their_points(zoo, picture):
    restorer = SlowRestorer(tiles=1, error=OutOfMemory("Too large. Tiles fit. Take less."))
    sweeper = Sweeper(OneModelZoo(zoo, restorer), ResultCache(2**20))
    items = items_of(sweeper, picture, QUALITY)
    failures = [item for item in items if isinstance(item, SweepFailure)]
    assert failures == [SweepFailure("ar_cnn", "Too large. Tiles fit. Take less.")]
    assert len(restorer.seen) == 1
    names = [item.job.model_name for item in items if isinstance(item, SweepPoint)]
    assert names == [PLAIN, PLAIN, "cascade", "cascade"]


def test_weights_that_cannot_be_used_are_a_failure_of_their_model_alone(zoo, picture):
    class Broken(OneModelZoo):
        def load(self, name):
            if name == "ar_cnn":
                raise BrokenCheckpoint("Damaged. Whole files are read. Copy it again.")
            return super().load(name)

    items = items_of(Sweeper(Broken(zoo, None), ResultCache(0)), picture, QUALITY)
    assert [item.model_name for item in items if isinstance(item, SweepFailure)] == ["ar_cnn"]
    assert len([item for item in items if isinstance(item, SweepPoint)]) == 4


def test_a_crop_does_not_keep_the_photograph_in_memory():
    crop = swept_picture(photograph_of(700, 1000), "crop")
    assert crop.pixels.base is None


def test_unknown_models_and_impossible_shifts_are_refused(sweeper, picture):
    with pytest.raises(UnknownModel, match="nobody"):
        items_of(sweeper, picture, replace(QUALITY, model_names=("nobody",)))
    tiny = replace(picture, pixels=picture.pixels[:3, :40], key="tiny")
    with pytest.raises(InvalidSetting, match="grid shift"):
        items_of(sweeper, tiny, TWICE)


def test_jobs_are_comparable():
    saved = Degradation((Save(10),))
    assert SweepJob(PLAIN, saved) == SweepJob(PLAIN, saved)
    assert SweepJob(PLAIN, saved) != SweepJob(PLAIN, saved, by_hand=10)

"""The engine: what it yields, in which order, what it measures, and that it stops."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from models.errors import OutOfMemory, RestorationCancelled, UnknownModel
from models.jpeg import Degradation, Save, degrade
from models.restorer import Box, Restoration, RestoreOptions, Unfinished
from models.zoo import Zoo
from studio.engine import engine as pipeline
from studio.engine.cache import ResultCache, array_bytes
from studio.engine.engine import Engine, Progress
from studio.engine.outputs import RestoreRequest, StageOutputs
from training.evaluation.metrics import measure

ONCE = Degradation((Save(10, "4:2:0"),))
TWICE = Degradation((Save(10, "4:2:0"), Save(30, "4:4:4", (3, 5))))


def request(photograph, *names, **settings):
    return RestoreRequest(photograph.key, names, **{"degradation": ONCE, **settings})


def results(engine, photograph, wanted, stop=None):
    return list(engine.run_stages(photograph.image, wanted, stop or Event()))


def end_of(engine, photograph, wanted):
    *_, last = results(engine, photograph, wanted)
    assert isinstance(last, StageOutputs)
    return last


@dataclass(frozen=True, eq=False)
class SlowRestorer:
    """Counts tiles; stands for any restorer that reports them."""

    card: object
    tiles: int = 200
    seconds: float = 0.01
    error: Exception | None = None
    seen: list = field(default_factory=list)

    def restore(self, image, options, on_tile):
        for done in range(1, self.tiles + 1):
            time.sleep(self.seconds)
            self.seen.append(done)
            on_tile(done, self.tiles)
        if self.error is not None:
            raise self.error
        return Restoration(image.pixels)


class OneModelZoo(Zoo):
    """A zoo whose only model is the given one."""

    def __init__(self, card, restorer_type, **settings):
        super().__init__(Path("nowhere"), "cpu")
        self.restorer = restorer_type(card, **settings)

    def cards(self):
        return [self.restorer.card]

    def load(self, name):
        return self.restorer


def engine_of(zoo, **settings):
    card = next(card for card in zoo.cards() if card.name == "plain")
    one = OneModelZoo(card, SlowRestorer, **settings)
    return Engine(one, ResultCache(2**20)), one.restorer


def test_degraded_comes_first_then_every_model_cheapest_first(engine, photograph):
    names = [card.name for card in engine.zoo.cards()]
    steps = results(engine, photograph, request(photograph, *reversed(names)))
    outputs = [step for step in steps if isinstance(step, StageOutputs)]
    assert list(outputs[0].restorations) == []
    assert [len(one.restorations) for one in outputs] == list(range(len(names) + 1))
    costs = {card.name: card.mmac_per_pixel for card in engine.zoo.cards()}
    finished = [costs[name] for name in outputs[-1].restorations]
    assert finished == sorted(finished)


def test_pictures_and_numbers_are_those_of_the_models_themselves(engine, zoo, photograph):
    outputs = results(engine, photograph, request(photograph, "cascade", degradation=TWICE))[-1]
    broken = degrade(photograph.image.pixels, TWICE)
    np.testing.assert_array_equal(outputs.original, broken.reference)
    np.testing.assert_array_equal(outputs.degraded.pixels, broken.image.pixels)
    alone = zoo.load("cascade").restore(broken.image)
    np.testing.assert_array_equal(outputs.restorations["cascade"].pixels, alone.pixels)
    assert outputs.metrics["cascade"] == measure(restored=alone.pixels, reference=broken.reference)
    assert outputs.metrics["degraded"] == measure(restored=broken.image.pixels, reference=broken.reference)
    by_stage = [
        measure(restored=stage.pixels, reference=broken.reference)["psnr_db"] for stage in alone.stages
    ]
    assert list(outputs.stage_psnr_db["cascade"]) == by_stage


def test_a_kept_file_is_restored_but_not_measured(engine, photograph):
    outputs = results(engine, photograph, request(photograph, "ar_cnn", degradation=None))[-1]
    assert outputs.degraded is photograph.image
    assert outputs.original is None
    assert dict(outputs.metrics) == {}
    assert "ar_cnn" in outputs.restorations


def test_the_second_run_comes_from_the_cache(engine, photograph):
    wanted = request(photograph, "cascade")
    first = results(engine, photograph, wanted)[-1].restorations["cascade"]
    again = results(engine, photograph, replace(wanted, model_names=("cascade", "plain")))[-1]
    assert again.restorations["cascade"] is first
    other = results(engine, photograph, replace(wanted, options=RestoreOptions("pixels")))[-1]
    assert other.restorations["cascade"] is not first


def test_stop_ends_within_one_tile(zoo, photograph):
    engine, restorer = engine_of(zoo)
    stop = Event()
    steps = engine.run_stages(photograph.image, request(photograph, "plain"), stop)
    for step in steps:
        if isinstance(step, Progress) and step.done == 3:
            break
    stop.set()
    with pytest.raises(RestorationCancelled, match="Press the button again"):
        for _ in steps:
            pass
    seen = len(restorer.seen)
    time.sleep(0.1)
    assert len(restorer.seen) == seen
    assert seen < 10


def test_a_stopped_run_does_not_begin(engine, photograph):
    stop = Event()
    stop.set()
    with pytest.raises(RestorationCancelled):
        results(engine, photograph, request(photograph, "cascade"), stop)


def test_an_abandoned_run_ends_too(zoo, photograph):
    engine, restorer = engine_of(zoo)
    steps = engine.run_stages(photograph.image, request(photograph, "plain"), Event())
    for step in steps:
        if isinstance(step, Progress) and step.done == 2:
            break
    steps.close()
    time.sleep(0.1)
    seen = len(restorer.seen)
    time.sleep(0.1)
    assert len(restorer.seen) == seen < 50


@pytest.mark.parametrize(
    "error", [OutOfMemory("Too large. Tiles fit. Take less."), RuntimeError("secret detail")]
)
def test_one_model_failing_leaves_a_sentence_and_the_others(zoo, photograph, error):
    engine, _ = engine_of(zoo, tiles=1, error=error)
    outputs = end_of(engine, photograph, request(photograph, "plain"))
    assert list(outputs.restorations) == []
    assert outputs.failures["plain"].endswith(".")
    assert "secret" not in outputs.failures["plain"]


def test_unknown_models_are_refused(engine, photograph):
    with pytest.raises(UnknownModel, match="nobody"):
        results(engine, photograph, request(photograph, "nobody"))


@pytest.mark.parametrize(
    "settings", [{}, {"guidance": "pixels"}, {"guidance": "manual", "quality_factor": 44}]
)
def test_a_request_hands_its_options_to_the_model(engine, zoo, photograph, settings):
    (*_, outputs) = results(
        engine, photograph, request(photograph, "cascade", options=RestoreOptions(stages=2, **settings))
    )
    alone = zoo.load("cascade").restore(outputs.degraded, RestoreOptions(stages=2, **settings))
    np.testing.assert_array_equal(outputs.restorations["cascade"].pixels, alone.pixels)
    assert outputs.restorations["cascade"].steered_by == alone.steered_by != ""


def test_steering_from_tables_needs_tables(engine, photograph):
    wanted = request(photograph, "cascade", degradation=None, options=RestoreOptions("tables"))
    assert "no JPEG header" in results(engine, photograph, wanted)[-1].failures["cascade"]
    degraded = results(engine, photograph, replace(wanted, degradation=ONCE))[-1]
    assert degraded.restorations["cascade"].applied_quality_factor == 10


def test_same_settings_ignores_the_ticked_models_only(photograph):
    wanted = request(photograph, "cascade")
    assert wanted.same_settings(replace(wanted, model_names=()))
    assert not wanted.same_settings(replace(wanted, degradation=TWICE))
    assert not wanted.same_settings(replace(wanted, options=RestoreOptions("pixels")))
    assert not wanted.same_settings(replace(wanted, photograph_key="other"))


def test_the_cache_forgets_what_was_used_longest_ago():
    cache = ResultCache(3000)
    for name in "abc":
        cache.put(name, np.zeros(1000, np.uint8))
    cache.get("a")
    cache.put("d", np.zeros(900, np.uint8))
    assert [cache.get(name) is None for name in "abcd"] == [False, True, False, False]
    cache.put("huge", np.zeros(4000, np.uint8))
    assert cache.get("huge") is None
    assert cache.get("a") is not None


def test_shared_arrays_count_once(engine, photograph):
    outputs = results(engine, photograph, request(photograph, "cascade"))[-1]
    restoration = outputs.restorations["cascade"]
    assert restoration.stages[-1].pixels is restoration.pixels
    assert array_bytes(restoration) == 3 * restoration.pixels.nbytes


def test_a_picture_that_nothing_changed_is_measured_once(engine, photograph, monkeypatch):
    asked = []
    monkeypatch.setattr(pipeline, "measure", lambda **pictures: asked.append(pictures) or measure(**pictures))
    outputs = results(engine, photograph, request(photograph, "plain"))[-1]
    assert outputs.metrics["plain"] == outputs.metrics["degraded"] and len(asked) == 1
    assert outputs.metrics["plain"] == measure(restored=outputs.degraded.pixels, reference=outputs.original)


def test_what_plain_decoding_gives_is_measured_once(zoo, photograph, monkeypatch):
    seen = []

    def noted(*, restored, reference, metrics):
        seen.append(restored)
        return dict.fromkeys((metric.name for metric in metrics), 1.0)

    engine = Engine(zoo, ResultCache(2**24))
    request = RestoreRequest(photograph.key, ("plain", "reapply"), Degradation((Save(20),)))
    steps = engine.run_stages(photograph.image, request, Event())
    *_, outputs = (step for step in steps if isinstance(step, StageOutputs))
    monkeypatch.setattr("studio.engine.engine.measure", noted)
    measured = engine.with_slow_metrics(outputs, Event()).metrics
    assert [id(pixels) for pixels in seen] == [
        id(outputs.degraded.pixels),
        id(outputs.restorations["reapply"].pixels),
    ]
    assert measured["plain"]["ssimulacra2"] == measured["degraded"]["ssimulacra2"] == 1.0


class StoppableRestorer(SlowRestorer):
    """Leaves what it has finished where it is stopped, and begins there."""

    def restore(self, image, options, on_tile):
        begun = options.unfinished
        for done in range(len(begun.tiles) + 1 if begun else 1, self.tiles + 1):
            time.sleep(0.1)
            self.seen.append(done)
            try:
                on_tile(done, self.tiles)
            except RestorationCancelled as stop:
                stop.unfinished = Unfinished(image.pixels, frozenset(range(done)), self.tiles, 1.0)
                raise
        return Restoration(image.pixels, seconds=1.0)


def test_a_stopped_model_goes_on_where_it_was(zoo, photograph):
    card = next(card for card in zoo.cards() if card.name == "plain")
    one = OneModelZoo(card, StoppableRestorer, tiles=6)
    engine, wanted, stop = Engine(one, ResultCache(2**24)), request(photograph, "plain"), Event()
    assert engine.share_done(wanted) is None
    with pytest.raises(RestorationCancelled):
        for step in engine.run_stages(photograph.image, wanted, stop):
            if isinstance(step, Progress) and step.done == 1:
                stop.set()
    done = max(one.restorer.seen)
    assert engine.share_done(wanted) == done / 6 < 1
    assert engine.share_done(request(photograph, "plain", degradation=TWICE)) is None
    outputs = end_of(engine, photograph, replace(wanted, options=RestoreOptions(in_sight=Box(0, 0, 1, 1))))
    assert "plain" in outputs.restorations
    assert one.restorer.seen == [*range(1, done + 1), *range(done + 1, 7)], "no tile twice"
    assert engine.share_done(wanted) is None


def test_another_checkpoint_begins_anew(zoo, photograph):
    card = next(card for card in zoo.cards() if card.name == "plain")
    one = OneModelZoo(card, StoppableRestorer, tiles=3)
    engine, wanted, stop = Engine(one, ResultCache(2**24)), request(photograph, "plain"), Event()
    with pytest.raises(RestorationCancelled):
        for step in engine.run_stages(photograph.image, wanted, stop):
            if isinstance(step, Progress) and step.done == 1:
                stop.set()
    one.restorer = StoppableRestorer(card, tiles=3)
    assert "plain" in end_of(engine, photograph, wanted).restorations
    assert one.restorer.seen == [1, 2, 3]

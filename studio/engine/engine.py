"""The engine behind the page and the command line: break a photograph, repair it with several models, measure.

Data flows one way: JpegImage -> Degradation -> Restorer -> Restoration -> Measured. Nothing here knows the page.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from time import monotonic
from types import MappingProxyType

from models.card import ModelCard
from models.errors import RestorationCancelled, RestorationError
from models.images import RgbImage
from models.jpeg import Degradation, JpegImage, degrade
from models.restorer import OnTile, Restoration, RestoreOptions, Restorer, Unfinished
from models.zoo import Zoo
from studio.engine.background import Progress, in_background, needs_turn
from studio.engine.cache import ResultCache
from studio.engine.clean_original import CleanOriginal
from studio.engine.expectations import Condition, Expectations, condition_of
from studio.engine.outputs import Broken, Finished, Observed, RestoreRequest, StageOutputs, observe
from studio.engine.pixel_gate import PixelGate
from studio.engine.zero_gpu_zoo import ZeroGpuZoo
from training.evaluation.metrics import Measured, measure, slow_metrics

_MEASURING = ThreadPoolExecutor(1, "slow-metrics")
"""Measures one picture at a time, whoever waits for it."""
STOP_SECONDS = 0.1
FEWEST_MEGAPIXELS = 0.05
"""Of pictures by which a model's pace is told."""


@dataclass(frozen=True, eq=False)
class _Begun:
    """A stopped model's work; with another restorer, after its checkpoint has changed, it cannot go on."""

    restorer: Restorer
    unfinished: Unfinished


class Engine:
    """Degrades and restores for every visitor; owns the zoo and the cache, and both are safe across threads."""

    def __init__(self, zoo: Zoo, cache: ResultCache) -> None:
        self.zoo = zoo
        self._cache = cache
        self._gate = PixelGate()
        self.expectations = Expectations(zoo)
        self._seconds_per_megapixel: dict[str, float] = {}

    def broken(
        self,
        photograph_key: str,
        image: JpegImage,
        degradation: Degradation | None,
        original: CleanOriginal | None = None,
    ) -> Broken:
        """Save the photograph the way `degradation` says; cached.

        Args:
            photograph_key: identifies `image`.
            image: the opened photograph; never changed.
            degradation: None keeps the file.
            original: what somebody added; without it, the photograph itself is what it was before the degradation.

        Raises:
            RestorationError: with a sentence for people.
        """
        if degradation is None:
            return Broken(image, original.pixels if original else None)
        if original is not None:
            key = ("original", photograph_key, original.key, degradation)
            reference = self._cache.get_or_make(key, lambda: original.trimmed(degradation))
            return Broken(self.broken(photograph_key, image, degradation).image, reference)

        key = ("broken", photograph_key, degradation)
        known = self._cache.get(key)
        if known is not None:
            return known

        def work() -> Broken:
            degraded = degrade(image.pixels, degradation, gray=image.is_gray)
            return Broken(degraded.image, degraded.reference)

        rows, columns = image.decoded_pixels.shape[:2]
        with self._gate.of(degradation.largest_pixels(rows, columns)):
            # Where others waited for the same, it is there by now.
            return self._cache.get_or_make(key, work)

    def run_stages(
        self,
        image: JpegImage,
        request: RestoreRequest,
        stop: Event,
        cards: Mapping[str, ModelCard] | None = None,
        original: CleanOriginal | None = None,
    ) -> Generator[Progress | StageOutputs, None, None]:
        """Restore with every model of the request, cheapest first.

        Args:
            image: the opened photograph that `request.photograph_key` names.
            request: the settings.
            stop: set it from anywhere to end the run within one tile.
            cards: see cards(), where they have been asked for already.
            original: the one that `request.original_key` names.

        Yields:
            The degraded picture with its metrics first, then Progress per tile and StageOutputs per model.

        Raises:
            RestorationError: where the picture could not be degraded or a name is unknown.
            RestorationCancelled: once `stop` is set.
        """
        broken = self.broken(request.photograph_key, image, request.degradation, original)
        outputs = StageOutputs(
            request,
            broken.original,
            broken.image,
            metrics=self._input_metrics(request, broken),
            observed=self._input_observed(request, broken),
        )
        yield outputs
        names = self.by_cost(request.model_names, self.cards() if cards is None else cards)
        together = self._together(names, request, broken)
        for name in names:
            try:
                finished = yield from self._run_model(name, together.get(name), request, broken, stop)
            except RestorationCancelled:
                raise
            except RestorationError as error:
                outputs = outputs.with_failure(name, str(error))
            else:
                outputs = outputs.with_result(name, finished)
            yield outputs

    def with_slow_metrics(self, outputs: StageOutputs, stop: Event) -> StageOutputs:
        """The outputs with the slow metrics of every picture; without them where there is no original.

        Args:
            outputs: of a run whose models are done.
            stop: once it is set, the outputs come back as they are.
        """
        original, request = outputs.original, outputs.request
        if original is None or not slow_metrics():
            return outputs
        pictures = {"degraded": outputs.degraded.pixels}
        pictures |= {name: restoration.pixels for name, restoration in outputs.restorations.items()}
        measured, seconds = dict(outputs.metrics), {}
        for name, pixels in pictures.items():
            of = request.photograph_key, request.degradation, request.original_key
            is_degraded = pixels is outputs.degraded.pixels  # what plain decoding gives, too
            key = ("slow metrics", *(of if is_degraded else self._key(name, request)))
            work = partial(_measure_slowly, pixels, original)
            waiting = _MEASURING.submit(copy_context().run, self._cache.get_or_make, key, work)
            while not wait([waiting], timeout=STOP_SECONDS).done:
                if stop.is_set():
                    waiting.cancel()
                    return outputs
            values, seconds[name] = waiting.result()
            measured[name] = {**measured[name], **values}
        return replace(outputs, metrics=MappingProxyType(measured), slow_seconds=MappingProxyType(seconds))

    def cards(self) -> dict[str, ModelCard]:
        """Every model's card by name, as the checkpoints folder holds them now."""
        return {card.name: card for card in self.zoo.cards()}

    def by_cost(self, names: tuple[str, ...], cards: Mapping[str, ModelCard]) -> list[str]:
        """The names, cheapest model first.

        Args:
            names: of models.
            cards: see cards().

        Raises:
            RestorationError: where a name has no card.
        """
        for name in names:
            if name not in cards:
                self.zoo.load(name)  # raises the zoo's own sentence
        return sorted(names, key=lambda name: cards[name].mmac_per_pixel)

    def _input_metrics(self, request: RestoreRequest, broken: Broken) -> Mapping[str, Measured]:
        if broken.original is None:
            return MappingProxyType({})
        key = ("input metrics", request.photograph_key, request.degradation, request.original_key)
        pixels, original = broken.image.pixels, broken.original
        return {
            "degraded": self._cache.get_or_make(key, lambda: measure(restored=pixels, reference=original))
        }

    def observed_as_brought(self, photograph_key: str, image: JpegImage) -> Observed:
        """What can be said of a file before anything is done to it; `photograph_key` identifies it."""
        key = ("observed as brought", photograph_key)
        return self._cache.get_or_make(key, lambda: observe(image.pixels, image.pixels))

    def _input_observed(self, request: RestoreRequest, broken: Broken) -> Mapping[str, Observed]:
        if broken.original is not None:
            return MappingProxyType({})
        return {"degraded": self.observed_as_brought(request.photograph_key, broken.image)}

    def condition(self, image: JpegImage) -> Condition:
        """See expectations.condition_of; pictures are judged one after the other."""
        rows, columns = image.decoded_pixels.shape[:2]
        with self._gate.of(rows * columns):
            return condition_of(image)

    def expected_seconds(self, names: Iterable[str], megapixels: float) -> float | None:
        """How long models will take, by how fast they were here lately; None where one of them has not run yet.

        Args:
            names: of models, with their effort as `pace` tells it.
            megapixels: of the picture.
        """
        rates = [self._seconds_per_megapixel.get(name) for name in names]
        return None if None in rates else megapixels * sum(rate for rate in rates if rate is not None)

    def share_done(self, request: RestoreRequest) -> float | None:
        """How much of a stopped request is finished, 0..1; None where nothing of it is held."""
        begun = [self._cache.get(_begun_key(name, request)) for name in request.model_names]
        shares = [len(one.unfinished.tiles) / one.unfinished.total for one in begun if one is not None]
        return max(shares, default=None)

    def _note_pace(self, name: str, options: RestoreOptions, restoration: Restoration) -> None:
        megapixels = restoration.pixels.shape[0] * restoration.pixels.shape[1] / 1e6
        if megapixels >= FEWEST_MEGAPIXELS:
            self._seconds_per_megapixel[pace(name, options)] = restoration.seconds / megapixels

    def _together(
        self, names: Sequence[str], request: RestoreRequest, broken: Broken
    ) -> Mapping[str, Restorer]:
        """Where a GPU is lent by the call: what serves all models that have to run now in one call."""
        if not isinstance(self.zoo, ZeroGpuZoo):
            return {}
        try:
            request.options.steering_factor(broken.image)
            missing = [name for name in names if self._known(name, request, broken) is None]
        except RestorationError:
            return {}  # every model says it for itself
        return self.zoo.together(missing, broken.image, request.options)

    def _key(self, name: str, request: RestoreRequest) -> tuple[str, Restorer, RestoreRequest]:
        """Of a result; once its checkpoint has changed the restorer is another object, so that the cache misses."""
        return "restored", self.zoo.load(name), replace(request, model_names=())

    def _known(self, name: str, request: RestoreRequest, broken: Broken) -> Finished | None:
        """A result that is there; one of before the original was added is measured against it."""
        key = self._key(name, request)
        known = self._cache.get(key)
        if known is None and request.original_key:
            before = self._cache.get(self._key(name, replace(request, original_key="")))
            if before is not None:
                known = Finished.of(before.restoration, broken)
                self._cache.put(key, known)
        return known

    def _run_model(
        self, name: str, shared: Restorer | None, request: RestoreRequest, broken: Broken, stop: Event
    ) -> Generator[Progress, None, Finished]:
        yield Progress(name, 0, 0, 0.0)
        key = self._key(name, request)
        known = self._known(name, request, broken)
        if known is not None:
            return known
        restorer = shared or key[1]
        begun = self._cache.get(_begun_key(name, request))
        unfinished = begun.unfinished if begun and begun.restorer is restorer else None
        options = replace(request.options, unfinished=unfinished)

        def work(on_tile: OnTile) -> Finished:
            restoration = restorer.restore(broken.image, options, on_tile)
            restoration = replace(restoration, unguarded=None)  # nobody looks at it here
            if restoration.pixels is broken.image.pixels and not restoration.stages:  # measured already
                measured = self._input_metrics(request, broken).get("degraded")
                return Finished(
                    restoration, measured, (), self._input_observed(request, broken).get("degraded")
                )
            return Finished.of(restoration, broken)

        in_turn = needs_turn(restorer.card, broken.image)
        try:
            finished = yield from in_background(name, work, stop, in_turn=in_turn)
        except RestorationCancelled as cancelled:
            if cancelled.unfinished is not None:
                self._cache.put(_begun_key(name, request), _Begun(restorer, cancelled.unfinished))
            raise
        self._cache.discard(_begun_key(name, request))
        self._note_pace(name, options, finished.restoration)
        self._cache.put(key, finished)
        return finished


def _begun_key(name: str, request: RestoreRequest) -> tuple[str, str, RestoreRequest]:
    return "begun", name, replace(request, model_names=())


def pace(name: str, options: RestoreOptions) -> str:
    """A model at an effort, whose pace is noted."""
    return f"{name}, {options.effort}"


def _measure_slowly(pixels: RgbImage, original: RgbImage) -> tuple[Measured, float]:
    began = monotonic()
    return measure(restored=pixels, reference=original, metrics=slow_metrics()), monotonic() - began

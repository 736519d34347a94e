"""The engine behind the page and the command line: break a photograph, repair it with several models, measure.

Data flows one way: JpegImage -> Degradation -> Restorer -> Restoration -> Measured. Nothing here knows the page.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from time import monotonic
from types import MappingProxyType

from models.card import ModelCard
from models.errors import RestorationCancelled, RestorationError
from models.images import RgbImage
from models.jpeg import Degradation, JpegImage, degrade
from models.restorer import Guidance, OnTile, Restoration, RestoreOptions, Restorer
from models.zoo import Zoo
from studio.engine.background import Progress, in_background, needs_turn
from studio.engine.cache import ResultCache
from studio.engine.pixel_gate import PixelGate
from studio.engine.zero_gpu_zoo import ZeroGpuZoo
from training.evaluation.metrics import Measured, measure, psnr_db, slow_metrics

_MEASURING = ThreadPoolExecutor(1, "slow-metrics")
"""Measures one picture at a time, whoever waits for it."""
STOP_SECONDS = 0.1


@dataclass(frozen=True)
class RestoreRequest:
    """Everything that decides a result; equal requests give equal pictures.

    Attributes:
        photograph_key: identifies the opened file's bytes.
        model_names: in the order people ticked them.
        degradation: None keeps the file as it is.
        guidance, quality_factor, stages: see models.restorer.RestoreOptions.
    """

    photograph_key: str
    model_names: tuple[str, ...]
    degradation: Degradation | None = None
    guidance: Guidance = "automatic"
    quality_factor: int | None = None
    stages: int | None = None

    @property
    def options(self) -> RestoreOptions:
        """What restorers are told."""
        return RestoreOptions(self.guidance, self.quality_factor, self.stages)

    def same_settings(self, other: "RestoreRequest") -> bool:
        """True where both describe the same degraded picture and steering, whatever models are ticked."""
        return replace(self, model_names=()) == replace(other, model_names=())


@dataclass(frozen=True, eq=False)
class Broken:
    """The picture as it enters the models.

    Attributes:
        image: the degraded file, or the photograph itself where it is kept as it is.
        original: (rows, columns, 3) uint8 of the same size, None where nothing clean is known.
    """

    image: JpegImage
    original: RgbImage | None


@dataclass(frozen=True, eq=False)
class StageOutputs:
    """What a run has produced so far.

    Attributes:
        request: what was asked.
        original: (rows, columns, 3) uint8, None where no clean picture is known.
        degraded: what the models saw.
        restorations: by model name, in the order they were finished.
        metrics: by model name and, as "degraded", for the input; empty without an original.
        slow_seconds: by the same names, how long the slow metrics took; empty before they were computed.
        stage_psnr_db: by model name, one number per stage; empty without an original.
        failures: by model name, the sentence to show.
    """

    request: RestoreRequest
    original: RgbImage | None
    degraded: JpegImage
    restorations: Mapping[str, Restoration] = field(default_factory=lambda: MappingProxyType({}))
    metrics: Mapping[str, Measured] = field(default_factory=lambda: MappingProxyType({}))
    slow_seconds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    stage_psnr_db: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: MappingProxyType({}))
    failures: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, eq=False)
class _Finished:
    """One model's part of the outputs; what the cache holds."""

    restoration: Restoration
    metrics: Measured | None
    stage_psnr_db: tuple[float, ...]


class Engine:
    """Degrades and restores for every visitor; owns the zoo and the cache, and both are safe across threads."""

    def __init__(self, zoo: Zoo, cache: ResultCache) -> None:
        self.zoo = zoo
        self._cache = cache
        self._gate = PixelGate()

    def broken(self, photograph_key: str, image: JpegImage, degradation: Degradation | None) -> Broken:
        """Save the photograph the way `degradation` says; cached.

        Args:
            photograph_key: identifies `image`.
            image: the opened photograph; never changed.
            degradation: None keeps the file.

        Raises:
            RestorationError: with a sentence for people.
        """
        if degradation is None:
            return Broken(image, None)

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
    ) -> Iterator[Progress | StageOutputs]:
        """Restore with every model of the request, cheapest first.

        Args:
            image: the opened photograph that `request.photograph_key` names.
            request: the settings.
            stop: set it from anywhere to end the run within one tile.
            cards: see cards(), where they have been asked for already.

        Yields:
            The degraded picture with its metrics first, then Progress per tile and StageOutputs per model.

        Raises:
            RestorationError: where the picture could not be degraded or a name is unknown.
            RestorationCancelled: once `stop` is set.
        """
        broken = self.broken(request.photograph_key, image, request.degradation)
        outputs = StageOutputs(
            request, broken.original, broken.image, metrics=self._input_metrics(request, broken)
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
                outputs = replace(outputs, failures=_with(outputs.failures, name, str(error)))
            else:
                outputs = _joined(outputs, name, finished)
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
            of = request.photograph_key, request.degradation
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
        key = ("input metrics", request.photograph_key, request.degradation)
        pixels, original = broken.image.pixels, broken.original
        return {
            "degraded": self._cache.get_or_make(key, lambda: measure(restored=pixels, reference=original))
        }

    def _together(
        self, names: Sequence[str], request: RestoreRequest, broken: Broken
    ) -> Mapping[str, Restorer]:
        """Where a GPU is lent by the call: what serves all models that have to run now in one call."""
        if not isinstance(self.zoo, ZeroGpuZoo):
            return {}
        try:
            request.options.steering_factor(broken.image)
            missing = [name for name in names if self._cache.get(self._key(name, request)) is None]
        except RestorationError:
            return {}  # every model says it for itself
        return self.zoo.together(missing, broken.image, request.options)

    def _key(self, name: str, request: RestoreRequest) -> tuple[str, Restorer, RestoreRequest]:
        """Of a result; once its checkpoint has changed the restorer is another object, so that the cache misses."""
        return "restored", self.zoo.load(name), replace(request, model_names=())

    def _run_model(
        self, name: str, shared: Restorer | None, request: RestoreRequest, broken: Broken, stop: Event
    ) -> Generator[Progress, None, _Finished]:
        yield Progress(name, 0, 0, 0.0)
        key = self._key(name, request)
        known = self._cache.get(key)
        if known is not None:
            return known
        restorer = shared or key[1]
        options = request.options

        def work(on_tile: OnTile) -> _Finished:
            restoration = restorer.restore(broken.image, options, on_tile)
            restoration = replace(restoration, unguarded=None)  # nobody looks at it here
            if restoration.pixels is broken.image.pixels and not restoration.stages:  # measured already
                return _Finished(restoration, self._input_metrics(request, broken).get("degraded"), ())
            return _measured(restoration, broken.original)

        in_turn = needs_turn(restorer.card, broken.image)
        finished = yield from in_background(name, work, stop, in_turn=in_turn)
        self._cache.put(key, finished)
        return finished


def _measured(restoration: Restoration, original: RgbImage | None) -> _Finished:
    if original is None:
        return _Finished(restoration, None, ())
    final = measure(restored=restoration.pixels, reference=original)
    by_stage = tuple(psnr_db(stage.pixels, original) for stage in restoration.stages)
    return _Finished(restoration, final, by_stage)


def _measure_slowly(pixels: RgbImage, original: RgbImage) -> tuple[Measured, float]:
    began = monotonic()
    return measure(restored=pixels, reference=original, metrics=slow_metrics()), monotonic() - began


def _with(mapping: Mapping, name: str, value: object) -> Mapping:
    return MappingProxyType({**mapping, name: value})


def _joined(outputs: StageOutputs, name: str, finished: _Finished) -> StageOutputs:
    metrics = outputs.metrics if finished.metrics is None else _with(outputs.metrics, name, finished.metrics)
    return replace(
        outputs,
        restorations=_with(outputs.restorations, name, finished.restoration),
        metrics=metrics,
        stage_psnr_db=_with(outputs.stage_psnr_db, name, finished.stage_psnr_db),
    )

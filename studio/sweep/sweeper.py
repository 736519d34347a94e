"""Sweeps: one picture broken and repaired at many settings, and every point measured. Nothing here knows the page.

A sweep is a list of jobs; the sweeper works through them one after the other and hands out each point as it is there.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from threading import Event
from time import monotonic
from typing import ClassVar

from models.baselines import PLAIN
from models.errors import InvalidSetting, RestorationCancelled, RestorationError, UnknownModel
from models.images import RgbImage
from models.jpeg import Degradation, Degraded, Save, degrade
from models.restorer import OnTile, RestoreOptions, Restorer
from models.zoo import Zoo
from studio.engine.background import Progress, in_background, needs_turn
from studio.engine.cache import ResultCache
from studio.session.crop import SweptPicture
from training.evaluation.metrics import Measured, measure


@dataclass(frozen=True)
class SweepJob:
    """One restoration.

    Attributes:
        model_name: which model.
        degradation: how the picture is broken before.
        by_hand: quality factor 1..100 that the model is told, None lets it decide.
    """

    model_name: str
    degradation: Degradation
    by_hand: int | None = None

    @property
    def quality_factors(self) -> tuple[int, ...]:
        """Of each save."""
        return tuple(save.quality_factor for save in self.degradation.saves)


@dataclass(frozen=True)
class QualitySweep:
    """One save at many quality factors, several models.

    Attributes:
        quality_factors: ascending, 1..100.
        subsampling: of every save.
        model_names: plain decoding among them; the page gives the cheapest first.
    """

    kind: ClassVar[str] = "quality"
    keeps_pictures: ClassVar[bool] = False
    quality_factors: tuple[int, ...]
    subsampling: str
    model_names: tuple[str, ...]

    def jobs(self) -> list[SweepJob]:
        """One curve after the other."""
        pairs = product(self.model_names, self.quality_factors)
        return [SweepJob(name, _once(quality, self.subsampling)) for name, quality in pairs]


@dataclass(frozen=True)
class TwiceSweep:
    """Two saves at every pair of quality factors, plain decoding and one model.

    Attributes:
        quality_factors: ascending, 1..100, of both saves.
        subsampling: of both saves.
        grid_shift: rows and columns trimmed between the saves, 0..7.
        model_name: another than plain decoding.
    """

    kind: ClassVar[str] = "twice"
    keeps_pictures: ClassVar[bool] = False
    quality_factors: tuple[int, ...]
    subsampling: str
    grid_shift: tuple[int, int]
    model_name: str

    def jobs(self) -> list[SweepJob]:
        """Cell by cell, the first quality factor outermost."""
        return [
            SweepJob(name, self._twice(first, second))
            for first, second in product(self.quality_factors, repeat=2)
            for name in (PLAIN, self.model_name)
        ]

    def _twice(self, first: int, second: int) -> Degradation:
        last = Save(second, self.subsampling, self.grid_shift)
        return Degradation((Save(first, self.subsampling), last))


@dataclass(frozen=True)
class ByHandSweep:
    """One file, one steerable model, told many quality factors.

    Attributes:
        quality_factors: ascending, 1..100, what the model is told.
        subsampling: of the save.
        file_quality: quality factor of the one save, 1..100.
        model_name: a steerable one.
    """

    kind: ClassVar[str] = "by_hand"
    keeps_pictures: ClassVar[bool] = True
    quality_factors: tuple[int, ...]
    subsampling: str
    file_quality: int
    model_name: str

    def jobs(self) -> list[SweepJob]:
        """Plain decoding, the model's own choice, then each quality by hand."""
        saved = _once(self.file_quality, self.subsampling)
        told = [SweepJob(self.model_name, saved, quality) for quality in self.quality_factors]
        return [SweepJob(PLAIN, saved), SweepJob(self.model_name, saved), *told]


Sweep = QualitySweep | TwiceSweep | ByHandSweep


@dataclass(frozen=True, eq=False)
class SweepPoint:
    """One restoration, measured.

    Attributes:
        job: which.
        metrics: against the picture as it was before it was broken.
        file_bytes: size of the degraded file.
        bits_per_pixel: of the whole degraded file.
        condition: what steered the model, as its Restoration says.
        applied_quality_factor: 1..100 that it was really steered by, None where there is no such number.
        pixels: (rows, columns, 3) uint8 of the restored picture; None where the sweep keeps no pictures.
    """

    job: SweepJob
    metrics: Measured
    file_bytes: int
    bits_per_pixel: float
    condition: str
    applied_quality_factor: float | None
    pixels: RgbImage | None


@dataclass(frozen=True)
class SweepFailure:
    """A model gave up; its other jobs are left out.

    Attributes:
        model_name: which.
        sentence: for people.
    """

    model_name: str
    sentence: str


@dataclass(frozen=True)
class SweepStep:
    """Where a sweep is.

    Attributes:
        job: at work.
        done, total: jobs.
        tile: progress within the job.
        seconds_left: about how long the rest will take; None until every model of the rest has been timed once.
    """

    job: SweepJob
    done: int
    total: int
    tile: Progress
    seconds_left: float | None


class Sweeper:
    """Sweeps for every visitor; the models are the zoo's, and points are cached across visitors."""

    def __init__(self, zoo: Zoo, cache: ResultCache) -> None:
        self._zoo = zoo
        self._cache = cache

    def run(
        self, picture: SweptPicture, sweep: Sweep, stop: Event
    ) -> Generator[SweepStep | SweepPoint | SweepFailure, None, None]:
        """Work through a sweep's jobs.

        Args:
            picture: what is broken and repaired.
            sweep: the settings.
            stop: set it from anywhere to end the sweep within one tile.

        Yields:
            SweepStep per tile, SweepPoint per job, SweepFailure where a model cannot.

        Raises:
            RestorationError: where the picture cannot be broken that way, or a name is unknown.
            RestorationCancelled: once `stop` is set.
        """
        course = _Course(self._zoo, self._cache, picture, sweep, stop)
        failed: set[str] = set()
        for number, job in enumerate(course.jobs):
            if stop.is_set():
                raise RestorationCancelled(
                    "The sweep was stopped. Points so far are kept. Press Run for the rest."
                )
            if job.model_name in failed:
                continue
            try:
                yield (yield from course.point(number))
            except (RestorationCancelled, InvalidSetting, UnknownModel):
                raise
            except RestorationError as error:
                failed.add(job.model_name)
                yield SweepFailure(job.model_name, str(error))


class _Course:
    """One way through a sweep's jobs, and what they share: restorers, the last broken picture, the time they took."""

    def __init__(
        self, zoo: Zoo, cache: ResultCache, picture: SweptPicture, sweep: Sweep, stop: Event
    ) -> None:
        self.jobs = sweep.jobs()
        self._zoo, self._cache, self._picture, self._stop = zoo, cache, picture, stop
        self._keeps_pictures = sweep.keeps_pictures
        self._restorers: dict[str, Restorer] = {}
        self._last_broken: tuple[Degradation, Degraded] | None = None
        self._seconds: dict[str, list[float]] = {}

    def point(self, number: int) -> Generator[SweepStep, None, SweepPoint]:
        """Do one job, telling every tile, or remember how it ended.

        Raises:
            RestorationError: with a sentence for people.
        """
        job = self.jobs[number]
        restorer = self._restorer(job.model_name)
        # Once its checkpoint has changed the restorer is another object, so that the cache misses.
        key = ("swept", restorer, self._picture.key, job, self._keeps_pictures)
        known = self._cache.get(key)
        if known is not None:
            return known
        began, left = monotonic(), self._seconds_left(number)
        broken = self._broken(job.degradation)
        work = _Work(job, restorer, broken, self._keeps_pictures)
        tile, in_turn = Progress(job.model_name, 0, 0, 0.0), needs_turn(restorer.card, broken.image)
        with closing(in_background(job.model_name, work, self._stop, in_turn=in_turn)) as tiles:
            while True:
                yield SweepStep(job, number, len(self.jobs), tile, left)
                try:
                    tile = next(tiles)
                except StopIteration as end:
                    self._seconds.setdefault(job.model_name, []).append(monotonic() - began)
                    self._cache.put(key, end.value)
                    return end.value

    def _restorer(self, name: str) -> Restorer:
        if name not in self._restorers:
            self._restorers[name] = self._zoo.load(name)
        return self._restorers[name]

    def _broken(self, degradation: Degradation) -> Degraded:
        """The broken picture; jobs that share a degradation follow each other."""
        if self._last_broken is None or self._last_broken[0] != degradation:
            picture = self._picture
            self._last_broken = degradation, degrade(picture.pixels, degradation, gray=picture.is_gray)
        return self._last_broken[1]

    def _seconds_left(self, number: int) -> float | None:
        """From the beginning of job `number`; None where a model of the rest has not been timed."""
        means = {name: sum(each) / len(each) for name, each in self._seconds.items()}
        rest = [job.model_name for job in self.jobs[number:]]
        return sum(means[name] for name in rest) if all(name in means for name in rest) else None


@dataclass(frozen=True, eq=False)
class _Work:
    """A job with everything it needs; called in a thread of its own."""

    job: SweepJob
    restorer: Restorer
    broken: Degraded
    keeps_picture: bool

    def __call__(self, on_tile: OnTile) -> SweepPoint:
        image = self.broken.image
        restoration = self.restorer.restore(image, RestoreOptions.of(self.job.by_hand), on_tile)
        return SweepPoint(
            job=self.job,
            metrics=measure(restored=restoration.pixels, reference=self.broken.reference),
            file_bytes=len(image.data),
            bits_per_pixel=image.bits_per_pixel,
            condition=restoration.steered_by,
            applied_quality_factor=restoration.applied_quality_factor,
            pixels=restoration.pixels if self.keeps_picture else None,
        )


def _once(quality_factor: int, subsampling: str) -> Degradation:
    return Degradation((Save(quality_factor, subsampling),))

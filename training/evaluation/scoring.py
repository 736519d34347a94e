"""Running restorers over a benchmark's conditions and summing up: one Row per model and condition."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from models.jpeg import JpegImage
from models.network_restorer import NetworkRestorer
from models.restorer import RestoreOptions, Restorer
from training.evaluation import metrics
from training.evaluation.benchmarks import USUAL_SUBSAMPLING, Case, Condition, comparable
from training.evaluation.metrics import Measured, Metric, measure, psnr_db
from training.evaluation.resources import Cost, Resources, cost_of

DO_NOTHING = "none"
COLOR_NOTES = {
    "rgb": "Colour pictures are compared in RGB, gray ones in their one channel.",
    "y": "Compared in full-range BT.601 luma.",
    "gray": "Coloured pictures are turned to full-range BT.601 luma first; all are saved as gray JPEG.",
}
PERFECT_DB = 100.0
"""PSNR at which gains no longer count: identical pictures, whose own is infinite, have means as well."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One model under one condition; means over all pictures.

    Attributes:
        model: name, "none" for plain decoding.
        condition: for people.
        quality_factor, double: see training.evaluation.benchmarks.Condition.
        images: how many pictures.
        values: by Metric.name.
        gain_db: PSNR above plain decoding, of both at most PERFECT_DB.
        worst_gain_db, worst_image: the picture that gained least.
        share_worse: share of pictures with a lower PSNR than plain decoding, 0..1.
        stage_psnr_db: PSNR after each stage; empty where there is one result only.
        quality_factor_error: mean absolute error of the quality factor that the network estimates from pixels
            alone; None where it estimates none or the truth is unknown.
        mmac_per_pixel: 1e6 multiply-accumulates per pixel, counted while running; 0 without a network.
        parameters: trainable parameters.
        megapixels_per_second, milliseconds_per_megapixel: of restoring; of decoding the file for "none".
        times_plain_decoding: how many times longer than decoding the file.
        peak_memory_mb: most memory in 1e6 bytes: of the GPU where one is used, else of the whole process.
        subsampling, tables: see training.evaluation.benchmarks.Condition.
        unguarded_psnr_db, unguarded_gain_db, unguarded_worst_gain_db, unguarded_share_worse: the same of what the
            network gave before the restorer's guard; None without a network.
        picture_gains_db: gain_db of every picture by its name; empty for "none".
    """

    model: str
    condition: str
    quality_factor: int | None
    double: tuple[int, int, int, int] | None
    images: int
    values: Measured
    gain_db: float
    worst_gain_db: float
    worst_image: str
    share_worse: float
    stage_psnr_db: tuple[float, ...]
    quality_factor_error: float | None
    mmac_per_pixel: float
    parameters: int
    megapixels_per_second: float
    milliseconds_per_megapixel: float
    times_plain_decoding: float
    peak_memory_mb: float
    subsampling: str | None = USUAL_SUBSAMPLING
    tables: str = ""
    unguarded_psnr_db: float | None = None
    unguarded_gain_db: float | None = None
    unguarded_worst_gain_db: float | None = None
    unguarded_share_worse: float | None = None
    picture_gains_db: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The fields and values by name; None where JSON has no number."""
        named = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        place = list(named).index("values")
        pairs = list(named.items())
        pairs[place : place + 1] = self.values.items()
        return {name: _finite(value) for name, value in pairs}


@dataclasses.dataclass(frozen=True)
class Options:
    """How restorers are run and compared.

    Attributes:
        color: one of training.evaluation.protocols.COLORS.
        blind: hide the file's quantization tables from the networks.
        stages: run only so many stages.
        slow: compute the slow metrics too.
    """

    color: str = "rgb"
    blind: bool = False
    stages: int | None = None
    slow: bool = False

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is computed."""
        return metrics.METRICS if self.slow else metrics.fast_metrics()

    @property
    def restore(self) -> RestoreOptions:
        """What restorers are told."""
        return RestoreOptions.of(blind=self.blind, stages=self.stages)

    @property
    def convention(self) -> str:
        """How the values of all rows are to be read, for people."""
        return f"{metrics.convention(self.metrics)} {COLOR_NOTES[self.color]}"


@dataclasses.dataclass(frozen=True)
class _Outcome:
    """One picture after one restorer."""

    name: str
    measured: Measured
    seconds: float
    megapixels: float
    stage_psnr_db: tuple[float, ...] = ()
    predicted_quality_factor: float | None = None
    unguarded_psnr_db: float | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class PlainDecodings:
    """A condition's pictures without any restoration, which every restorer is compared with.

    Attributes:
        row: the do-nothing row.
        outcomes: one by one.
    """

    row: Row
    outcomes: tuple[_Outcome, ...]


Follow = Callable[[Iterable[Case], str], Iterable[Case]]
"""Wraps the pictures of one row, given what the row is called; for a progress bar."""


def just_iterate(cases: Iterable[Case], _title: str) -> Iterable[Case]:
    """The Follow that shows nothing."""
    return cases


def score(
    conditions: Sequence[Condition],
    restorers: Sequence[Restorer],
    options: Options,
    *,
    follow: Follow = just_iterate,
) -> Iterator[Row]:
    """Measure restorers under all conditions.

    Args:
        conditions: from training.evaluation.benchmarks.
        restorers: what to measure; plain decoding is always there and needs not be among them.
        options: how.
        follow: see Follow.

    Yields:
        For every condition the do-nothing row, then one row per restorer.

    Raises:
        RestorationError: a picture or a setting that a restorer refuses.
    """
    costs = [cost_of(restorer, options.restore) for restorer in restorers]
    for condition in conditions:
        plain = decode_plainly(condition, options, follow=follow)
        yield plain.row
        for restorer, cost in zip(restorers, costs, strict=True):
            yield score_one(restorer, condition, plain, cost, options, follow=follow)


def decode_plainly(
    condition: Condition, options: Options, *, follow: Follow = just_iterate
) -> PlainDecodings:
    """Open every picture of a condition and do nothing; see score() for the arguments."""
    used = Resources.watch(None)
    outcomes = [_do_nothing(case, options) for case in follow(condition.cases(), condition.label)]
    row = _row(DO_NOTHING, condition, outcomes, outcomes, Cost(), used.peak_mb())
    return PlainDecodings(row, tuple(outcomes))


def score_one(
    restorer: Restorer,
    condition: Condition,
    plain: PlainDecodings,
    cost: Cost,
    options: Options,
    *,
    follow: Follow = just_iterate,
) -> Row:
    """Measure one restorer under one condition.

    Args:
        restorer: what to measure.
        condition: from training.evaluation.benchmarks.
        plain: the same condition, decoded plainly with the same options.
        cost: of the restorer with these options, from cost_of().
        options: how.
        follow: see Follow.

    Raises:
        RestorationError: a picture or a setting that the restorer refuses.
    """
    used = Resources.watch(restorer)
    cases = follow(condition.cases(), f"{restorer.card.name}, {condition.label}")
    restored = [_restore(restorer, case, options) for case in cases]
    return _row(restorer.card.name, condition, restored, plain.outcomes, cost, used.peak_mb())


def _do_nothing(case: Case, options: Options) -> _Outcome:
    """Plain decoding; the time is that of opening the file's bytes."""
    start = time.perf_counter()
    Image.open(BytesIO(case.image.data)).convert("RGB").load()
    seconds = time.perf_counter() - start
    pixels, reference = (
        comparable(each, case.image, options.color) for each in (case.image.pixels, case.reference)
    )
    measured = measure(restored=pixels, reference=reference, metrics=options.metrics)
    return _Outcome(case.name, measured, seconds, _megapixels(case.image))


def _restore(restorer: Restorer, case: Case, options: Options) -> _Outcome:
    restoration = restorer.restore(case.image, options.restore)
    pixels, reference, *stages = (
        comparable(each, case.image, options.color)
        for each in (restoration.pixels, case.reference, *(stage.pixels for stage in restoration.stages))
    )
    measured = measure(restored=pixels, reference=reference, metrics=options.metrics)
    unguarded_psnr_db = measured["psnr_db"] if isinstance(restorer, NetworkRestorer) else None
    if restoration.unguarded is not None:
        unguarded_psnr_db = psnr_db(comparable(restoration.unguarded, case.image, options.color), reference)
    return _Outcome(
        name=case.name,
        measured=measured,
        seconds=restoration.seconds,
        megapixels=_megapixels(case.image),
        stage_psnr_db=tuple(psnr_db(stage, reference) for stage in stages),
        predicted_quality_factor=restoration.predicted_quality_factor,
        unguarded_psnr_db=unguarded_psnr_db,
    )


def _row(
    model: str,
    condition: Condition,
    restored: Sequence[_Outcome],
    plain: Sequence[_Outcome],
    cost: Cost,
    peak_memory_mb: float,
) -> Row:
    """Sum up one restorer's outcomes, beside those of plain decoding of the same pictures."""
    pairs = list(zip(restored, plain, strict=True))
    gains = [_gain_db(after.measured["psnr_db"], before.measured["psnr_db"]) for after, before in pairs]
    worst = min(range(len(gains)), key=lambda index: gains[index])
    picture_gains = {each.name: round(gain, 4) for each, gain in zip(restored, gains, strict=True)}
    truth = condition.last_quality_factor
    errors = [
        abs(each.predicted_quality_factor - truth)
        for each in restored
        if truth is not None and each.predicted_quality_factor is not None
    ]
    seconds, plain_seconds = (sum(each.seconds for each in outcomes) for outcomes in (restored, plain))
    megapixels = sum(each.megapixels for each in restored)
    stages = zip(*(each.stage_psnr_db for each in restored), strict=True)
    return Row(
        model=model,
        condition=condition.label,
        quality_factor=condition.quality_factor,
        double=condition.double,
        images=len(restored),
        values={name: _mean(outcome.measured[name] for outcome in restored) for name in restored[0].measured},
        gain_db=_mean(gains),
        worst_gain_db=gains[worst],
        worst_image=restored[worst].name,
        share_worse=_mean(gain < 0 for gain in gains),
        stage_psnr_db=tuple(_mean(stage) for stage in stages),
        quality_factor_error=_mean(errors) if errors else None,
        mmac_per_pixel=cost.mmac_per_pixel,
        parameters=cost.parameters,
        megapixels_per_second=megapixels / seconds,
        milliseconds_per_megapixel=1000 * seconds / megapixels,
        times_plain_decoding=seconds / plain_seconds,
        peak_memory_mb=peak_memory_mb,
        subsampling=condition.subsampling,
        tables=condition.tables,
        **_unguarded(pairs),
        picture_gains_db=picture_gains if model != DO_NOTHING else {},
    )


def _unguarded(pairs: Sequence[tuple[_Outcome, _Outcome]]) -> dict[str, float]:
    """Row's fields of the network before the guard; none without a network."""
    if all(after.unguarded_psnr_db is None for after, _before in pairs):
        return {}
    found = [
        (after.measured["psnr_db"] if after.unguarded_psnr_db is None else after.unguarded_psnr_db, before)
        for after, before in pairs
    ]
    gains = [_gain_db(psnr, before.measured["psnr_db"]) for psnr, before in found]
    return {
        "unguarded_psnr_db": _mean(psnr for psnr, _before in found),
        "unguarded_gain_db": _mean(gains),
        "unguarded_worst_gain_db": min(gains),
        "unguarded_share_worse": _mean(gain < 0 for gain in gains),
    }


def _gain_db(after_db: float, before_db: float) -> float:
    """PSNR gained; 0 where both are perfect."""
    return min(after_db, PERFECT_DB) - min(before_db, PERFECT_DB)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _megapixels(image: JpegImage) -> float:
    rows, columns = image.pixels.shape[:2]
    return rows * columns / 1e6


def _finite(value: Any) -> Any:
    """Numbers that JSON does not know, also within tuples, as None."""
    if isinstance(value, tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

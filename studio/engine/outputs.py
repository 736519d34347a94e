"""What a run is asked for, and what it has produced so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from models.images import RgbImage
from models.jpeg import Degradation, JpegImage
from models.restorer import AUTOMATIC, Restoration, RestoreOptions
from training.evaluation.metrics import (
    Measured,
    blocking_effect_factor,
    mean_absolute_difference,
    measure,
    psnr_db,
)


@dataclass(frozen=True)
class RestoreRequest:
    """Everything that decides a result; equal requests give equal pictures.

    Attributes:
        photograph_key: identifies the opened file's bytes.
        model_names: in the order people ticked them.
        degradation: None keeps the file as it is.
        options: what restorers are told.
        original_key: identifies the clean original that was added to the photograph; "" where none was.
    """

    photograph_key: str
    model_names: tuple[str, ...]
    degradation: Degradation | None = None
    options: RestoreOptions = AUTOMATIC
    original_key: str = ""

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


@dataclass(frozen=True)
class Observed:
    """What can be said of a picture without an original.

    Attributes:
        block_edges: how much steps across its 8x8 grid exceed the others, see metrics.blocking_effect_factor.
        changed_levels: mean distance of its values from the degraded picture's, 0..255.
    """

    block_edges: float
    changed_levels: float


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
        observed: by the names of `metrics`, where there is no original; else empty.
        stage_psnr_db: by model name, one number per stage; empty without an original.
        failures: by model name, the sentence to show.
    """

    request: RestoreRequest
    original: RgbImage | None
    degraded: JpegImage
    restorations: Mapping[str, Restoration] = field(default_factory=lambda: MappingProxyType({}))
    metrics: Mapping[str, Measured] = field(default_factory=lambda: MappingProxyType({}))
    slow_seconds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    observed: Mapping[str, Observed] = field(default_factory=lambda: MappingProxyType({}))
    stage_psnr_db: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: MappingProxyType({}))
    failures: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def with_failure(self, name: str, sentence: str) -> "StageOutputs":
        """One more model is done, in vain."""
        return replace(self, failures=_with(self.failures, name, sentence))

    def with_result(self, name: str, finished: "Finished") -> "StageOutputs":
        """One more model is done."""
        return replace(
            self,
            observed=_with(self.observed, name, finished.observed),
            restorations=_with(self.restorations, name, finished.restoration),
            metrics=_with(self.metrics, name, finished.metrics),
            stage_psnr_db=_with(self.stage_psnr_db, name, finished.stage_psnr_db),
        )


@dataclass(frozen=True, eq=False)
class Finished:
    """One model's part of the outputs; what the cache holds."""

    restoration: Restoration
    metrics: Measured | None
    stage_psnr_db: tuple[float, ...]
    observed: Observed | None = None

    @classmethod
    def of(cls, restoration: Restoration, broken: Broken) -> "Finished":
        """Measured against the original where there is one, else observed."""
        original = broken.original
        if original is None:
            return cls(restoration, None, (), observe(restoration.pixels, broken.image.pixels))
        final = measure(restored=restoration.pixels, reference=original)
        by_stage = tuple(psnr_db(stage.pixels, original) for stage in restoration.stages)
        return cls(restoration, final, by_stage)


def _with(mapping: Mapping, name: str, value: object) -> Mapping:
    return mapping if value is None else MappingProxyType({**mapping, name: value})


def observe(pixels: RgbImage, degraded: RgbImage) -> Observed:
    """What can be said of a restored picture beside the degraded one."""
    return Observed(blocking_effect_factor(pixels), mean_absolute_difference(pixels, degraded))

"""A batch: any number of files restored by any number of models, each result once, whatever happens in between.

The same restorer of one file serves the command line here and, on many machines, studio.batch.on_ray. No page code.
"""

import contextlib
import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any, Literal

from models.errors import InvalidSetting, RestorationError
from models.files import check_output, write_whole
from models.images import RgbImage
from models.jpeg import Degradation, JpegImage
from models.jpeg.metadata import to_srgb
from models.restorer import AUTOMATIC, Restoration, RestoreOptions
from models.zoo import Zoo
from studio.batch.attempts import Attempt
from studio.batch.files import BatchPicture, bytes_at, cannot_be_written, photograph_at
from studio.batch.results import is_result, record_in, result_png
from studio.engine.background import Progress
from studio.engine.cache import ResultCache
from studio.engine.engine import Engine
from studio.engine.file_facts import file_facts, quality_facts, versions
from studio.engine.outputs import RestoreRequest, StageOutputs
from studio.session.visitor import Photograph, open_photograph
from training.evaluation.metrics import as_json, measure
from training.evaluation.score_files import Weights, weights_of

logger = logging.getLogger(__name__)

OnProgress = Callable[[Progress], None]

State = Literal["restored", "done before", "failed"]


@dataclass(frozen=True)
class BatchSettings:
    """Everything that decides the results of a batch, besides the files.

    Attributes:
        model_names: each gives one result per file.
        degradation: None keeps the files as they are.
        options: what restorers are told.
        keep_exif: results keep the camera's facts, never the place.
        keep_icc: results stay in the colours of the file's own profile and carry it; otherwise they are sRGB.
        overwrite: results take the place of any file but those that are read; otherwise of earlier results only.
        keep_dates: files of results say that they were last changed when their picture was.
    """

    model_names: tuple[str, ...]
    degradation: Degradation | None = None
    options: RestoreOptions = AUTOMATIC
    keep_exif: bool = False
    keep_icc: bool = False
    overwrite: bool = False
    keep_dates: bool = False

    def __post_init__(self) -> None:
        if self.keep_icc and self.degradation is not None:
            raise InvalidSetting(
                "The colour profile is to be kept of pictures that are saved again first. A profile can be kept only "
                "where files are restored as they are. Leave out one of --keep-icc and --recompress."
            )

    def as_json(self) -> dict[str, Any]:
        """What every result depends on besides its file and its model, as JSON gives it back."""
        others = ("model_names", "options", "overwrite", "keep_dates")
        settings = {name: value for name, value in vars(self).items() if name not in others}
        settings |= self.options.as_json()
        if self.options.effort == "standard":  # which records of earlier results do not tell
            del settings["effort"]
        if self.degradation is not None:  # as the records of earlier results say it, which count as done
            settings["degradation"] = {"encodings": self.degradation.as_json(), "resize_between": None}
        return settings

    def request(self, photograph_key: str, model_names: tuple[str, ...]) -> RestoreRequest:
        """One file with some of the models."""
        return RestoreRequest(photograph_key, model_names, self.degradation, self.options)


@dataclass(frozen=True)
class BatchRow:
    """One file and one model: a line of the report.

    Attributes:
        picture: the file as it was named.
        model: the model's name.
        result: the result's name below the output folder; "" where there is none.
        state: restored now, done before with the same settings, or failed.
        result_sha256: of the result's file, "" where there is none.
        sentence: why it failed, or why nothing was measured.
        seconds: the restoration took in this run, None where it did not run.
        record: what the result's own file says, see BatchRestorer.
    """

    picture: str
    model: str
    result: str
    state: State
    result_sha256: str = ""
    sentence: str = ""
    seconds: float | None = None
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """On the file, as they were when it was restored."""
        return tuple(self.record.get("facts", {}).get("notes", ()))


class BatchRestorer:
    """Restores one file after the other; equal files, settings and weights give equal bytes.

    Every result's record says under "made_of" what a later run compares (hashes of the file, its reference and the
    weights, and the settings), under "facts" what was found, under "metrics" what was measured, or None, and under
    "versions" by which software.
    """

    def __init__(self, zoo: Zoo, settings: BatchSettings, output: Path) -> None:
        """Load nothing yet; `output` is made when the first result goes there."""
        self._engine = Engine(zoo, ResultCache(max_bytes=0))
        self.settings = settings
        self.output = output
        self._versions = {**versions(), "device": str(zoo.device)}
        self._weights: dict[str, Weights | None] = {}

    def check_models(self) -> None:
        """Load every model.

        Raises:
            RestorationError: with a sentence for people.
        """
        for name in self.settings.model_names:
            self._engine.zoo.load(name)

    def restore(self, picture: BatchPicture, on_progress: OnProgress | None = None) -> list[BatchRow]:
        """Whatever is not done yet of one file; what goes wrong ends in the rows.

        Args:
            picture: the file.
            on_progress: hears of every tile.

        Returns:
            One row per model, in the order of the settings.
        """
        name = str(picture.source)
        try:
            data = bytes_at(picture.source)
            made_of = {model: self._made_of(picture, data, model) for model in self.settings.model_names}
            known = {
                model: self._done_before(picture, model, made_of[model]) or self._taken(picture, model)
                for model in made_of
            }
            rows = {model: row for model, row in known.items() if row is not None}
            missing = tuple(model for model in known if model not in rows)
            if missing:
                photograph = open_photograph(data, name)
                rows |= self._restored(picture, photograph, missing, made_of, on_progress)
        except RestorationError as error:
            return self.failed(picture, str(error))
        except Exception:
            logger.exception("%s failed", name)
            return self.failed(
                picture,
                "It failed for a reason nobody foresaw; the log has the details. Other files are not affected. "
                "Try this one on the page, or leave it out.",
            )
        return [rows[model] for model in self.settings.model_names]

    def failed(self, picture: BatchPicture, sentence: str) -> list[BatchRow]:
        """Rows of a file that gives nothing."""
        name = str(picture.source)
        return [BatchRow(name, model, "", "failed", sentence=sentence) for model in self.settings.model_names]

    def _made_of(self, picture: BatchPicture, data: bytes, model: str) -> dict[str, Any]:
        """What decides a result: equal here, equal there."""
        if model not in self._weights:
            card = self._engine.zoo.load(model).card
            folder = self._engine.zoo.folder_of(model)
            self._weights[model] = weights_of(folder, card) if card.architecture else None
        weights = self._weights[model]
        return {
            "picture_sha256": hashlib.sha256(data).hexdigest(),
            "reference_sha256": _sha256(picture.reference) if picture.reference else None,
            "model": model,
            "weights_sha256": weights.sha256 if weights else None,
            "hyperparameters": weights.hyperparameters if weights else {},
            "settings": self.settings.as_json(),
        }

    def _done_before(self, picture: BatchPicture, model: str, made_of: dict[str, Any]) -> BatchRow | None:
        result = picture.result_name(model)
        record = record_in(self.output / result)
        if record is None or record.get("made_of") != made_of:
            return None
        self._date(self.output / result, picture)
        return BatchRow(
            str(picture.source),
            model,
            result,
            "done before",
            _sha256(self.output / result) or "",
            record.get("not_measured") or "",
            record=record,
        )

    def _taken(self, picture: BatchPicture, model: str) -> BatchRow | None:
        """A failed row where the result's name is taken by a file that must stay."""
        try:
            self._check(self.output / picture.result_name(model), picture)
        except InvalidSetting as error:
            return BatchRow(str(picture.source), model, "", "failed", sentence=str(error))
        return None

    def _check(self, path: Path, picture: BatchPicture) -> None:
        inputs = [path for path in (picture.source, picture.reference) if path is not None]
        check_output(path, is_result, inputs=inputs, overwrite=self.settings.overwrite)

    def _restored(
        self,
        picture: BatchPicture,
        photograph: Photograph,
        models: tuple[str, ...],
        made_of: dict[str, dict[str, Any]],
        on_progress: OnProgress | None,
    ) -> dict[str, BatchRow]:
        """Run some models on one file, and write what they give."""
        source, name = photograph.image, str(picture.source)
        keeps_profile = self.settings.keep_icc and source.profile_applies
        image = replace(source, profile_applies=False) if keeps_profile else source
        request = self.settings.request(photograph.key, models)
        outputs = StageOutputs(request, None, image)
        for item in self._engine.run_stages(image, request, Event()):
            if isinstance(item, StageOutputs):
                outputs = item
            elif on_progress is not None:
                on_progress(item)
        rows = {
            model: BatchRow(name, model, "", "failed", sentence=sentence)
            for model, sentence in outputs.failures.items()
        }
        profile = source.icc_profile if keeps_profile else None
        compared = _Comparison.of(picture, outputs, profile)
        for model, restoration in outputs.restorations.items():
            record = {
                "made_of": made_of[model],
                "facts": _facts(photograph, outputs.degraded, restoration),
                **compared.record(model, restoration),
                "versions": self._versions,
            }
            data = result_png(
                restoration.pixels,
                source,
                record,
                keep_exif=self.settings.keep_exif,
                keep_icc=keeps_profile,
            )
            result = picture.result_name(model)
            self._write(data, self.output / result, picture)
            digest, sentence = hashlib.sha256(data).hexdigest(), record["not_measured"]
            rows[model] = BatchRow(
                name, model, result, "restored", digest, sentence, restoration.seconds, record
            )
        return rows

    def _write(self, data: bytes, path: Path, picture: BatchPicture) -> None:
        self._check(path, picture)  # again: restoring takes long enough for a file to appear
        try:
            write_whole(data, path)
        except OSError as error:
            raise cannot_be_written(path, error) from error
        self._date(path, picture)

    def _date(self, path: Path, picture: BatchPicture) -> None:
        if self.settings.keep_dates:
            with contextlib.suppress(OSError):  # the result is whole; some file systems keep no dates
                found = picture.source.stat()
                os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


@dataclass(frozen=True, eq=False)
class _Comparison:
    """What results of one file are compared with.

    Attributes:
        outputs: of the run; they hold metrics where the file was broken here.
        reference: (rows, columns, 3) uint8 of a file beside it, None where there is none.
        profile: what the restored pixels' colours follow, None for sRGB; metrics are of sRGB.
        not_measured: why nothing is compared, "" where it is or nobody asked.
    """

    outputs: StageOutputs
    reference: RgbImage | None = None
    profile: bytes | None = None
    not_measured: str = ""

    @staticmethod
    def of(picture: BatchPicture, outputs: StageOutputs, profile: bytes | None) -> "_Comparison":
        if picture.reference is None:
            return _Comparison(outputs, profile=profile)
        try:
            reference = photograph_at(picture.reference).image.pixels
        except RestorationError as error:
            return _Comparison(outputs, profile=profile, not_measured=f"{picture.reference}: {error}")
        if reference.shape != outputs.degraded.pixels.shape:
            sizes = [f"{shape[1]} x {shape[0]}" for shape in (reference.shape, outputs.degraded.pixels.shape)]
            return _Comparison(
                outputs,
                profile=profile,
                not_measured=f"The reference {picture.reference} is {sizes[0]} pixels, the picture {sizes[1]}. "
                "Only pictures of one size can be compared. Put the right file into the folder of references.",
            )
        return _Comparison(outputs, reference, profile)

    def record(self, model: str, restoration: Restoration) -> dict[str, Any]:
        """The part of a result's record that says how close it is."""
        if self.reference is not None:
            pair = {
                "degraded": measure(
                    restored=self._srgb(self.outputs.degraded.pixels), reference=self.reference
                ),
                "restored": measure(restored=self._srgb(restoration.pixels), reference=self.reference),
            }
        elif self.outputs.metrics:
            pair = {
                "degraded": self.outputs.metrics["degraded"],
                "restored": self.outputs.metrics[model],
            }
        else:
            return {"metrics": None, "not_measured": self.not_measured}
        metrics = {name: as_json(measured) for name, measured in pair.items()}
        return {"metrics": metrics, "not_measured": ""}

    def _srgb(self, pixels: RgbImage) -> RgbImage:
        if self.profile is None:
            return pixels
        return to_srgb(pixels, self.profile, is_gray=self.outputs.degraded.is_gray)


def run_batch(
    restorer: BatchRestorer, pictures: Sequence[BatchPicture], on_progress: OnProgress | None = None
) -> Iterator[list[BatchRow]]:
    """The local engine: one file after the other, the rows of each as soon as it is done."""
    for picture in pictures:
        yield restored_or_passed_over(restorer, picture, on_progress)


def restored_or_passed_over(
    restorer: BatchRestorer, picture: BatchPicture, on_progress: OnProgress | None = None
) -> list[BatchRow]:
    """One file's rows; failed ones where trying it has ended the process before, see studio.batch.attempts."""
    settings = restorer.settings
    attempt = Attempt(restorer.output, picture, [*settings.model_names, settings.as_json()])
    if attempt.is_hopeless:
        return restorer.failed(picture, attempt.sentence)
    with attempt.running():
        return restorer.restore(picture, on_progress)


def _facts(photograph: Photograph, degraded: JpegImage, restoration: Restoration) -> dict[str, Any]:
    return {
        **file_facts(photograph.image),
        **quality_facts(degraded),
        "predicted_quality_factor": _rounded(restoration.predicted_quality_factor),
        "applied_quality_factor": _rounded(restoration.applied_quality_factor),
        "steered_by": restoration.steered_by,
        "computed_by": restoration.computed_by,
    }


def _rounded(quality_factor: float | None) -> float | None:
    """Three digits are more than it means; the rest depends on the number of threads."""
    return None if quality_factor is None else round(quality_factor, 3)


def _sha256(path: Path) -> str | None:
    """Of a file's bytes; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None

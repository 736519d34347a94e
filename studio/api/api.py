"""What programs can ask the studio for: the engine behind plain values, every one of them checked. No page code.

Arguments come from anywhere and are untrusted; answers are ready for JSON, pictures are files the page's folder serves.
"""

from collections.abc import Iterable
from threading import Event
from typing import Any, get_args

import numpy as np

from models.card import ModelCard
from models.errors import InvalidSetting
from models.images import RgbImage
from models.jpeg import SUBSAMPLINGS, Degradation, JpegImage, Save, Step
from models.jpeg.density import png_with_density
from models.png_files import encode_png
from models.restorer import Effort, RestoreOptions
from studio.engine.engine import Engine
from studio.engine.file_facts import file_facts, opaque_notes
from studio.engine.outputs import RestoreRequest, StageOutputs
from studio.server.files import PictureFolder
from studio.session.form import (
    MAX_RESIZE_PERCENT,
    MAX_SHIFT,
    MIN_RESIZE_PERCENT,
    SAME_SIZE_PERCENT,
    clipped,
    one_of,
    resize_of,
    whole,
)
from studio.session.uploads import OpenFile
from studio.session.visitor import Photograph
from training.evaluation import metrics
from training.evaluation.metrics import Measured, as_json, convention_of, measure
from training.evaluation.score_files import weights_of

DEFAULT_MODEL = "cascade"


class Api:
    """Serves every caller; holds nothing of any of them. Methods raise RestorationError with the sentence to show."""

    def __init__(self, engine: Engine, open_file: OpenFile, pictures: PictureFolder) -> None:
        self._engine, self._open_file, self._pictures = engine, open_file, pictures

    def restore(
        self,
        picture: Any,
        model_names: Any = None,
        quality_factor: Any = None,
        blind: Any = False,
        stages: Any = None,
        effort: Any = "standard",
        stop: Event | None = None,
    ) -> dict[str, Any]:
        """Repair a file as it is.

        Args:
            picture: an uploaded file, see _opened.
            model_names: list of names; None takes the cascade.
            quality_factor: 1..100 by hand, or None.
            blind: True ignores the file's quantization tables.
            stages: stop after that many, None leaves it to the effort.
            effort: see models.restorer.Effort.
            stop: ends the work within a tile once it is set.

        Returns:
            "picture" (facts of the file), "results" and "failures", one entry per model in the order they finished.
        """
        names = self._known(model_names)
        if not isinstance(blind, bool):
            raise InvalidSetting(f"blind is {clipped(blind)}. true and false are allowed. Send one of them.")
        factor = None if quality_factor is None else whole(quality_factor, 1, 100, "quality_factor")
        count = None if stages is None else whole(stages, 1, 99, "stages")
        one_of(effort, get_args(Effort), "effort")
        options = RestoreOptions.of(factor, blind=blind, stages=count, effort=effort)
        photograph = self._opened(picture)
        request = RestoreRequest(photograph.key, names, None, options)
        steps = self._engine.run_stages(photograph.image, request, stop or Event())
        *_, outputs = (step for step in steps if isinstance(step, StageOutputs))
        return {
            "picture": file_facts(photograph.image),
            "results": [self._result(photograph, outputs, name) for name in outputs.restorations],
            "failures": [{"model": name, "sentence": words} for name, words in outputs.failures.items()],
        }

    def degrade(
        self,
        picture: Any,
        quality_factor: Any = None,
        subsampling: Any = "4:2:0",
        second_quality_factor: Any = None,
        second_subsampling: Any = "4:2:0",
        shift_rows: Any = 0,
        shift_columns: Any = 0,
        resize_percent: Any = SAME_SIZE_PERCENT,
        steps: Any = None,
    ) -> dict[str, Any]:
        """Save a picture as JPEG, once or twice, or do to it any steps that end with a save.

        Args:
            picture: an uploaded file, see _opened.
            quality_factor, subsampling: of the first save.
            second_quality_factor: of a second save, None for one save.
            second_subsampling: of the second save.
            shift_rows, shift_columns: trimmed off between the saves, 0..7.
            resize_percent: of the picture's size between the saves, 25..200; 100 leaves it as it is.
            steps: in place of all these, a list that Degradation.from_json reads; None for the others.

        Returns:
            "file" (the JPEG), "reference" (the picture before, of the same size, PNG), "degradation" (what was done, in
            words) and "steps" (the same, to be sent again), "facts", "notes" on the file that was sent, "metrics" and
            their "convention".
        """
        if steps is None:
            first = quality_factor, subsampling
            second = second_quality_factor, second_subsampling
            degradation = _degradation(first, second, (shift_rows, shift_columns), resize_percent)
        elif quality_factor is None and second_quality_factor is None:
            degradation = Degradation.from_json(steps)
        else:
            raise InvalidSetting(
                "Both steps and a quality factor were sent. One of the two says how to save the picture. Leave one out."
            )
        photograph = self._opened(picture)
        broken, name = self._engine.broken(photograph.key, photograph.image, degradation), photograph.name
        assert broken.original is not None  # only a file that is kept has none
        return {
            "file": self._pictures.served_bytes(f"{name}_{degradation.slug()}.jpg", broken.image.data),
            "reference": self._pictures.served(
                f"{name}_before.png", broken.original, photograph.image.density
            ),
            "degradation": degradation.words(),
            "steps": degradation.as_json(),
            "facts": {**file_facts(broken.image), "bits_per_pixel": broken.image.bits_per_pixel},
            "notes": opaque_notes(photograph.image),
            **_measured(measure(restored=broken.image.pixels, reference=broken.original)),
        }

    def measure(self, picture: Any, reference: Any) -> dict[str, Any]:
        """Compare two files of the same size.

        Args:
            picture, reference: uploaded files, see _opened.

        Returns:
            "metrics" and their "convention", and "notes" on both files.
        """
        images = [self._opened(file).image for file in (picture, reference)]
        first, second = (image.pixels for image in images)
        if first.shape != second.shape:
            sizes = [f"{pixels.shape[1]} x {pixels.shape[0]}" for pixels in (first, second)]
            raise InvalidSetting(
                f"The picture is {sizes[0]} pixels, the reference {sizes[1]}. Only pictures of one size can be "
                "compared. Send two that are."
            )
        notes = zip(("picture", "reference"), (opaque_notes(image) for image in images), strict=True)
        return {
            **_measured(measure(restored=first, reference=second, metrics=metrics.METRICS)),
            "notes": dict(notes),
        }

    def inspect(self, picture: Any) -> dict[str, Any]:
        """Say what a file is.

        Args:
            picture: an uploaded file, see _opened.

        Returns:
            Size, format and subsampling; "quality" as the quantization tables tell it and the "tables" themselves, row
            by row, both None for files that are no JPEG; "notes" for people.
        """
        image = self._opened(picture).image
        estimate = image.estimated_quality_factor
        tables = {"luma": image.luma_table, "chroma": image.chroma_table}
        return {
            **file_facts(image),
            "bits_per_pixel": image.bits_per_pixel,
            "progressive": image.header.progressive if image.header else None,
            "quality": None if estimate is None else dict(vars(estimate)),
            "tables": None
            if image.luma_table is None
            else {name: None if table is None else table.tolist() for name, table in tables.items()},
        }

    def models(self) -> list[dict[str, Any]]:
        """What can be asked to restore, cheapest first."""
        return [_card(card) for card in self._engine.zoo.cards()]

    def _opened(self, uploaded: Any) -> Photograph:
        """The photograph in a file dictionary, {"path": ..., "orig_name": ...}, as Gradio's clients send it."""
        if not isinstance(uploaded, dict):
            raise InvalidSetting(
                f"The picture arrived as {clipped(uploaded)}. An uploaded file is needed. With gradio_client, send "
                "handle_file('photo.jpg')."
            )
        place, name = uploaded.get("path"), uploaded.get("orig_name")
        return self._open_file(
            place, name if isinstance(name, str) else str(place)
        )  # only a name's stem is used

    def _known(self, names: Any) -> tuple[str, ...]:
        """The names, each once, all of them in the zoo."""
        names = [DEFAULT_MODEL] if names is None else names
        if not isinstance(names, list) or not names:
            raise InvalidSetting(
                f"models is {clipped(names)}. A list of names such as ['cascade'] is needed. /models tells the names."
            )
        known = tuple(card.name for card in self._engine.zoo.cards())
        return tuple(dict.fromkeys(one_of(name, known, "The model") for name in names))

    def _result(self, photograph: Photograph, outputs: StageOutputs, name: str) -> dict[str, Any]:
        restoration = outputs.restorations[name]
        card = next(card for card in self._engine.zoo.cards() if card.name == name)
        weights = weights_of(self._engine.zoo.folder_of(name), card) if card.architecture else None
        return {
            "model": name,
            "file": self._picture(f"{photograph.name}_{name}.png", restoration.pixels, photograph.image),
            "seconds": restoration.seconds,
            "predicted_quality_factor": restoration.predicted_quality_factor,
            "applied_quality_factor": restoration.applied_quality_factor,
            "steered_by": restoration.steered_by,
            "computed_by": restoration.computed_by,
            "weights_sha256": weights.sha256 if weights else None,
        }

    def _picture(self, file_name: str, pixels: RgbImage, image: JpegImage) -> dict[str, Any]:
        """A restored picture as a file, with the transparency and the print resolution of what was sent."""
        if image.alpha is None or image.alpha.shape != pixels.shape[:2]:
            return self._pictures.served(file_name, pixels, image.density)
        png = encode_png(np.dstack([pixels, image.alpha]))
        return self._pictures.served_bytes(file_name, png_with_density(png, image.density))


def _degradation(
    first: tuple[Any, Any], second: tuple[Any, Any], shift: tuple[Any, Any], resize_percent: Any
) -> Degradation:
    """One save, or two with what happens between them; quality factor and subsampling of each."""
    steps: list[Step] = [
        Save(whole(first[0], 1, 100, "quality_factor"), one_of(first[1], SUBSAMPLINGS, "subsampling"))
    ]
    rows = whole(shift[0], 0, MAX_SHIFT, "shift_rows")
    columns = whole(shift[1], 0, MAX_SHIFT, "shift_columns")
    resize = resize_of(whole(resize_percent, MIN_RESIZE_PERCENT, MAX_RESIZE_PERCENT, "resize_percent"))
    subsampling = one_of(second[1], SUBSAMPLINGS, "second_subsampling")
    if second[0] is not None:
        factor = whole(second[0], 1, 100, "second_quality_factor")
        steps += [*resize, Save(factor, subsampling, (rows, columns))]
    elif rows or columns:
        raise InvalidSetting(
            f"The grid is to be shifted by {rows} and {columns} before a second save, but there is only one. "
            "Shifts go with two saves. Send second_quality_factor too, or leave the shifts out."
        )
    elif resize:
        raise InvalidSetting(
            f"The picture is to be {resize[0].words()} before a second save, but there is only one. "
            "A resize goes with two saves. Send second_quality_factor too, or leave resize_percent out."
        )
    return Degradation(tuple(steps))


def _measured(measured: Measured) -> dict[str, Any]:
    """Metrics for JSON: PSNR is null where the pictures are identical, SSIM where they are too small for it."""
    return {"metrics": as_json(measured), "convention": convention_of(measured)}


def _card(card: ModelCard) -> dict[str, Any]:
    shown: Iterable[str] = (
        "name",
        "title",
        "architecture",
        "summary",
        "paper",
        "steerable",
        "uses_tables",
        "parameters",
        "mmac_per_pixel",
    )
    facts = {name: getattr(card, name) for name in shown}
    return {**facts, "licence": card.license, "stages": list(card.stage_names)}

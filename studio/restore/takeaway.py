"""The zip that people take away: every picture, the degraded file itself, and a report. No page code."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from models.images import RgbImage
from models.jpeg.density import Density
from models.jpeg.kept_exif import kept_exif, png_with_exif
from studio.engine.file_facts import file_facts, opaque_notes, versions
from studio.engine.outputs import RestoreRequest, StageOutputs
from studio.page.wording import settings_slug
from studio.session.visitor import Photograph
from training.evaluation.metrics import as_json, convention_of


@dataclass(frozen=True)
class SmallerFormat:
    """A format that loses something, for those who want small files.

    Attributes:
        suffix: of its files.
        settings: what Pillow is told.
    """

    suffix: str
    settings: Mapping[str, Any]


METERS_PER_INCH = 0.0254
SMALLER_FORMATS = {
    "jpeg": SmallerFormat("jpg", {"quality": 95, "subsampling": 0, "optimize": True}),
    "webp": SmallerFormat("webp", {"quality": 92, "method": 4}),
    "avif": SmallerFormat("avif", {"quality": 85, "subsampling": "4:4:4", "speed": 7}),
}

WeightsHash = Callable[[str], str | None]
"""The sha256 of a model's weights, None for baselines without any."""


def zip_of_results(
    photograph: Photograph,
    outputs: StageOutputs,
    panes: list[dict[str, Any]],
    *,
    weights_hash: WeightsHash,
    link: str = "",
    with_exif: bool = False,
) -> tuple[str, bytes]:
    """Everything of one run in one file.

    Args:
        photograph: what was opened.
        outputs: what came of it.
        panes: the viewer's, with the PNG files they show.
        weights_hash: says which weights made a result.
        link: query string that brings the settings back.
        with_exif: put the parts of the photograph's EXIF block named in models.jpeg.kept_exif into every PNG.

    Returns:
        The zip's name and its bytes. PNG and JPEG files are stored as they are, bit for bit.
    """
    exif = kept_exif(photograph.image.exif) if with_exif else None
    foreign = {"original"} if photograph.original else set()  # taken by who knows which camera
    pictures = {pane["download"]: png_of(pane, None if pane["id"] in foreign else exif) for pane in panes}
    name = f"{photograph.name}_{settings_slug(outputs.request)}"
    report = report_of(photograph, outputs, panes, weights_hash=weights_hash, link=link)
    report["exif"] = "camera facts kept, place left out" if exif else "none"
    if outputs.request.degradation is not None:  # a file kept as it is may carry its place, ours never does
        pictures[f"{name}.jpg"] = outputs.degraded.data
    report["files"] = {file: hashlib.sha256(data).hexdigest() for file, data in pictures.items()}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for picture, data in pictures.items():
            file.writestr(f"{name}/{picture}", data)
        text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
        file.writestr(f"{name}/report.json", text, zipfile.ZIP_DEFLATED)
    return f"{name}.zip", archive.getvalue()


def report_of(
    photograph: Photograph,
    outputs: StageOutputs,
    panes: list[dict[str, Any]],
    *,
    weights_hash: WeightsHash,
    link: str = "",
) -> dict[str, Any]:
    """Settings, versions, hashes and metrics of one run, ready for JSON; see zip_of_results for the arguments."""
    return {
        "photograph": {
            "name": photograph.name,
            "sha256": hashlib.sha256(photograph.image.data).hexdigest(),
            **file_facts(photograph.image),
            "notes": opaque_notes(photograph.image),
        },
        "original": {"name": photograph.original.name} if photograph.original else None,
        "settings": {**_settings(outputs.request), "link": link},
        "degraded": {
            "sha256": hashlib.sha256(outputs.degraded.data).hexdigest(),
            **file_facts(outputs.degraded),
            "bits_per_pixel": outputs.degraded.bits_per_pixel,
        },
        "convention": convention_of(next(iter(outputs.metrics.values())))
        if outputs.metrics
        else "nothing clean to compare with, so nothing is measured",
        "results": [
            _result(name, outputs, panes, weights_hash) for name in ("degraded", *outputs.restorations)
        ],
        "failures": dict(outputs.failures),
        "versions": versions(),
    }


def smaller_file(pixels: RgbImage, kind: str, exif: bytes | None, density: Density | None) -> bytes:
    """A picture in one of SMALLER_FORMATS.

    Args:
        pixels: (rows, columns, 3) uint8.
        kind: a key of SMALLER_FORMATS.
        exif: a block of camera facts to keep, without what the file begins it with.
        density: how large the picture is printed; JPEG files alone can say it.
    """
    settings = dict(SMALLER_FORMATS[kind].settings)
    if exif:
        settings["exif"] = b"Exif\0\0" + exif
    if kind == "jpeg" and density is not None and density.in_meters:
        settings["dpi"] = tuple(round(side * METERS_PER_INCH) for side in (density.across, density.down))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **settings)
    return file.getvalue()


def png_of(pane: Mapping[str, Any], exif: bytes | None) -> bytes:
    """The PNG file of one of the viewer's panes, with a block of camera facts where there is one."""
    data = Path(pane["file"]["path"]).read_bytes()
    return png_with_exif(data, exif) if exif else data


def _settings(request: RestoreRequest) -> dict[str, Any]:
    degradation = request.degradation
    return {
        "saves": degradation.as_json() if degradation else [],
        "guidance": request.options.guidance,
        "quality_factor_by_hand": request.options.quality_factor,
        "effort": request.options.effort,
        "models": list(request.model_names),
    }


def _result(
    name: str, outputs: StageOutputs, panes: list[dict[str, Any]], weights_hash: WeightsHash
) -> dict[str, Any]:
    """One row of the results table, unrounded."""
    metrics, before = outputs.metrics.get(name), outputs.metrics.get("degraded")
    files = [pane["download"] for pane in panes if pane["id"].split("/")[0] == name]
    row: dict[str, Any] = {
        "name": name,
        "files": files,
        "metrics": as_json(metrics) if metrics else None,
    }
    restoration = outputs.restorations.get(name)
    if restoration is None:
        return row
    gain = metrics["psnr_db"] - before["psnr_db"] if metrics and before else None
    return {
        **row,
        "gain_db": gain if gain is not None and abs(gain) < float("inf") else None,
        "stage_psnr_db": [
            value if value < float("inf") else None for value in outputs.stage_psnr_db.get(name, ())
        ],
        "predicted_quality_factor": restoration.predicted_quality_factor,
        "applied_quality_factor": restoration.applied_quality_factor,
        "steered_by": restoration.steered_by,
        "computed_by": restoration.computed_by,
        "seconds": restoration.seconds,
        "weights_sha256": weights_hash(name),
    }

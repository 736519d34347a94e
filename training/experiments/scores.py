"""What the checkpoints' score files say of one data set, as the rows of an analysis."""

from pathlib import Path
from typing import Any

from models.errors import InvalidSetting
from training.evaluation.candidates import DIGITS
from training.evaluation.measured_models import measured_models
from training.evaluation.score_files import Setting, is_usual_save
from training.evaluation.scoring import DO_NOTHING
from training.experiments.measurements import Measurements
from training.experiments.measuring import Request

COPIED = ("psnr_db", "gain_db", "ssim", "parameters", "mmac_per_pixel", "megapixels_per_second", "machine")
DEFAULT_DATA = "LIVE1"


def copy_scores(request: Request) -> None:
    """Fill the request's file with the single saves that training.evaluate measured; nothing is measured here.

    Raises:
        InvalidSetting: no checkpoint's shipped weights were measured on that data set.
    """
    if request.limit is not None:
        print(f"--limit {request.limit} does not matter here: scores.json is taken as it is.")
    data = request.data.resolve().name if request.data else DEFAULT_DATA
    rows = [
        row
        for row in single_saves(request.checkpoints, data)
        if not request.quality_factors or row["quality_factor"] in request.quality_factors
    ]
    if request.models:
        rows = [row for row in rows if row["model"] in (DO_NOTHING, *request.models)]
    if not rows:
        raise InvalidSetting(
            f"None of the checkpoints asked for in {request.checkpoints} has scores of its weights on {data} at such "
            "quality factors. Those that python -m training.evaluate wrote into scores.json are used. Run it first."
        )
    measurements = Measurements(request.file, {"data": data, "pictures": rows[0]["images"]})
    measurements.replace(
        [
            {"model": row["model"], "weights": row["weights"], "quality_factor": row["quality_factor"]}
            | {name: row.get(name) for name in COPIED}
            for row in rows
        ]
    )


def single_saves(checkpoints: Path, data: str) -> list[dict[str, Any]]:
    """Every checkpoint's rows of single saves at 4:2:0 by its shipped weights, and those of plain decoding once.

    Args:
        checkpoints: the folder of models.
        data: name of the data set's folder; whole pictures in RGB, networks that see the tables.
    """
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for model in measured_models(checkpoints):
        measurement = model.measurements.get(Setting(data).key)
        if measurement is None:
            continue
        for row in filter(is_usual_save, measurement.current_rows):
            weights = "" if row["model"] == DO_NOTHING else measurement.weights.sha256[:DIGITS]
            rows[row["model"], row["quality_factor"]] = row | {"weights": weights}
    return list(rows.values())

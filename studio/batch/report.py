"""The report of a batch, CSV or JSON: one line per file and model, with settings, versions, hashes and metrics."""

import csv
import json
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from models.errors import InvalidSetting
from models.files import begins_with, check_output, write_whole
from studio.batch.run import BatchRow, BatchSettings
from studio.engine.file_facts import versions
from training.evaluation.metrics import convention, fast_metrics

EMPTY = "PSNR is empty where pictures are identical, SSIM where they are smaller than its window."
REPORT_SUFFIXES = (".csv", ".json")
MADE_BY = "JPEG Restoration Studio, report of restored pictures"
"""The first thing a report says; by it a later run knows that it may replace the file."""
RESULT_COLUMNS = ("picture", "model", "result", "state", "seconds")
FACT_COLUMNS = (
    "rows",
    "columns",
    "format",
    "bytes",
    "quality_factor_from_tables",
    "chroma_quality_factor_from_tables",
    "quality_factor_confidence",
    "predicted_quality_factor",
    "applied_quality_factor",
    "steered_by",
    "computed_by",
    "picture_sha256",
    "result_sha256",
    "reference_sha256",
    "weights_sha256",
    "notes",
    "sentence",
)
"""Of the CSV, with the metrics between; seconds are empty for results of before, metrics where nothing was measured."""


def columns() -> list[str]:
    """Of the CSV, in order."""
    names = [metric.name for metric in fast_metrics()]
    return [*RESULT_COLUMNS, *names, *(f"degraded_{name}" for name in names), "gain_db", *FACT_COLUMNS]


def check_report(path: Path, inputs: Iterable[Path] = (), *, overwrite: bool = False) -> None:
    """Refuse before hours of work what could not be written after them.

    Raises:
        InvalidSetting: neither CSV nor JSON, a folder that is not there, or a file that is no report and would be lost.
    """
    if path.suffix.lower() not in REPORT_SUFFIXES:
        raise InvalidSetting(
            f"The report is called {path.name}. Reports are written as CSV or JSON. Give it a name that ends in "
            ".csv or .json."
        )
    if not path.parent.is_dir():
        raise InvalidSetting(
            f"The report would go into {path.parent}, which is no folder. A folder that exists is needed. Make it, "
            "or choose another."
        )
    check_output(path, is_report, inputs=inputs, overwrite=overwrite)


def is_report(path: Path) -> bool:
    """True for a file that write_report() made."""
    return begins_with(path, f"# {MADE_BY}\n".encode(), f'{{\n "made_by": "{MADE_BY}"'.encode())


def write_report(path: Path, rows: Sequence[BatchRow], settings: BatchSettings) -> None:
    """Write all rows; the suffix decides between CSV and JSON.

    Raises:
        OSError: it cannot be written.
    """
    text = json_report(rows, settings) if path.suffix.lower() == ".json" else csv_report(rows, settings)
    write_whole(text.encode("utf-8", "replace"), path)


def csv_report(rows: Sequence[BatchRow], settings: BatchSettings) -> str:
    """Comma-separated values below lines that begin with # and say settings, convention and versions."""
    stream = StringIO()
    stream.write(f"# {MADE_BY}\n")
    about = {"settings": settings.as_json(), "models": settings.model_names, "versions": versions()}
    for name, value in about.items():
        stream.write(f"# {name}: {json.dumps(value, sort_keys=True)}\n")
    stream.write(f"# {convention()}\n# {EMPTY}\n")
    writer = csv.DictWriter(stream, columns(), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(_cells(row))
    return stream.getvalue()


def json_report(rows: Sequence[BatchRow], settings: BatchSettings) -> str:
    """The same as one JSON object; every result brings its whole record."""
    report = {
        "made_by": MADE_BY,
        "settings": settings.as_json(),
        "models": list(settings.model_names),
        "convention": convention(),
        "versions": versions(),
        "results": [{**vars(row), "record": dict(row.record)} for row in rows],
    }
    return json.dumps(report, indent=1, allow_nan=False)


def _cells(row: BatchRow) -> dict[str, Any]:
    record = row.record
    made_of, facts = record.get("made_of", {}), record.get("facts", {})
    metrics = record.get("metrics") or {}
    restored, degraded = metrics.get("restored", {}), metrics.get("degraded", {})
    pair = restored.get("psnr_db"), degraded.get("psnr_db")
    known = {
        **facts,
        **made_of,
        **restored,
        **{f"degraded_{name}": value for name, value in degraded.items()},
        "notes": "; ".join(row.notes),
        "gain_db": None if None in pair else pair[0] - pair[1],
        **{name: value for name, value in vars(row).items() if name != "record"},
    }
    return {name: known.get(name) for name in columns()}

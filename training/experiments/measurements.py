"""Measurements: the numbers of one analysis in a JSON file that grows row by row, so that nothing is measured twice."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from models.errors import InvalidSetting
from models.files import write_text_atomically
from training.evaluation.candidates import Scalar

DECIMALS = 5


class Measurements:
    """Rows of numbers, each known by what was measured: a model, its weights, and the analysis's own conditions.

    Attributes:
        scope: what all rows have in common, such as the data set and how many of its pictures.
        rows: mappings with "model" and "weights" (a hash, "" without a network) among their entries.
    """

    def __init__(self, path: Path, scope: Mapping[str, Scalar]) -> None:
        """Read the file, if it is there.

        Raises:
            InvalidSetting: it holds measurements of another scope, or cannot be read.
        """
        self.path, self.scope = path, dict(scope)
        self.rows: list[dict[str, Any]] = []
        if path.exists():
            content = read_measurements(path)
            self.rows = content["rows"]
            if content["scope"] != self.scope:
                raise InvalidSetting(
                    f"{path} holds measurements of {_sentence(content['scope'])}, not of {_sentence(self.scope)}. "
                    "One file holds those of one set of pictures. Name another folder, or delete the file."
                )

    def has(self, key: Mapping[str, Scalar]) -> bool:
        """Whether a row with these entries is there."""
        return any(_agrees(row, key) for row in self.rows)

    def add(self, key: Mapping[str, Scalar], values: Mapping[str, Scalar]) -> None:
        """Put one row in place of an older one of that key, drop what older weights of its model gave, and write.

        Args:
            key: "model", "weights" and the conditions.
            values: what was measured.
        """
        self.rows = [
            row
            for row in self.rows
            if row["model"] != key["model"] or (row["weights"] == key["weights"] and not _agrees(row, key))
        ]
        self.rows.append(_rounded({**key, **values}))
        self._write()

    def replace(self, rows: Iterable[Mapping[str, Scalar]]) -> None:
        """Put other rows in the place of all, and write."""
        self.rows = [_rounded(row) for row in rows]
        self._write()

    def _write(self) -> None:
        """Write the file whole or not at all, one row per line."""
        rows = ",\n".join(f"  {json.dumps(row, allow_nan=False)}" for row in self.rows)
        text = f'{{\n "scope": {json.dumps(self.scope)},\n "rows": [\n{rows}\n ]\n}}\n'
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(self.path, text)
        self.path.chmod(0o644)


def read_measurements(path: Path) -> dict[str, Any]:
    """The content of such a file: {"scope": ..., "rows": [...]}.

    Raises:
        InvalidSetting: the file is missing or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = content["rows"]
        sound = isinstance(content["scope"], dict) and all({"model", "weights"} <= row.keys() for row in rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidSetting(
            f"The measurements in {path} cannot be read ({error}). A file that an analysis wrote is needed. "
            "Measure again."
        ) from error
    if not sound:
        raise InvalidSetting(
            f"{path} holds rows without model or weights. A file that an analysis wrote is needed. Measure again."
        )
    return content


def _agrees(row: Mapping[str, Scalar], key: Mapping[str, Scalar]) -> bool:
    return all(row.get(name) == value for name, value in key.items())


def _rounded(row: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {
        name: round(value, DECIMALS) if isinstance(value, float) else value for name, value in row.items()
    }


def _sentence(scope: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{name} {value}" for name, value in scope.items())

"""What has been measured of the checkpoints in a folder, ready for tables: stale scores are left out and named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.card import ModelCard
from models.zoo import Zoo
from training.evaluation.score_files import (
    SCORES_FILE,
    Measurement,
    Setting,
    is_usual_save,
    read_scores,
    weights_of,
)
from training.evaluation.scoring import DO_NOTHING


@dataclass(frozen=True, eq=False)
class MeasuredModel:
    """The weights of a checkpoint and their scores.

    Attributes:
        card: of the checkpoint.
        measurements: of these very weights by the present convention, by Setting.key.
        replaced: keys of settings that only earlier weights, or another convention, have scores of.
    """

    card: ModelCard
    measurements: Mapping[str, Measurement]
    replaced: frozenset[str] = field(default=frozenset())

    @property
    def title(self) -> str:
        """For people, in Markdown."""
        return f"`{self.card.name}`"

    def rows(self, setting: Setting, model: str | None = None) -> list[dict[str, Any]]:
        """The rows of a setting; those of plain decoding for DO_NOTHING, by default the model's own."""
        found = self.measurements.get(setting.key)
        wanted = model or self.card.name
        return [row for row in found.current_rows if row["model"] == wanted] if found else []

    def single_saves(self, setting: Setting, model: str | None = None) -> dict[int, dict[str, Any]]:
        """Rows of single saves at 4:2:0 by quality factor."""
        rows = self.rows(setting, model)
        return {row["quality_factor"]: row for row in rows if is_usual_save(row)}

    def double_saves(
        self, setting: Setting, model: str | None = None
    ) -> dict[tuple[int, ...], dict[str, Any]]:
        """Rows of double saves by both quality factors and the shift in rows and columns."""
        return {tuple(row["double"]): row for row in self.rows(setting, model) if row["double"] is not None}


def measured_model(folder: Path, card: ModelCard) -> MeasuredModel:
    """What has been measured of one checkpoint.

    Args:
        folder: the checkpoint's own.
        card: its card.

    Raises:
        BrokenCheckpoint: scores that cannot be read, or no weights.
    """
    scores = read_scores(folder / SCORES_FILE)
    fresh = scores.present(weights_of(folder, card))
    return MeasuredModel(card, fresh, frozenset(scores.measurements) - frozenset(fresh))


def measured_models(checkpoints: Path) -> list[MeasuredModel]:
    """All checkpoints by cost.

    Raises:
        BrokenCheckpoint: scores that cannot be read, or a checkpoint without weights.
    """
    cards = (card for card in Zoo(checkpoints, "cpu").cards() if card.architecture)
    return [measured_model(checkpoints / card.name, card) for card in cards]


def plain_rows(models: list[MeasuredModel], setting: Setting) -> list[dict[str, Any]]:
    """Rows of plain decoding, one per condition, from whichever models were measured under it."""
    rows = {row["condition"]: row for model in models for row in model.rows(setting, DO_NOTHING)}
    return list(rows.values())

"""The Models page as markup: one row per model, from its card and its scores. Every value is escaped."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from models.card import ModelCard
from studio.views.wording import signed_decibels

COLOR_WORDS = {
    "rgb": "R, G and B together",
    "ycbcr": "luma first, then chroma guided by it",
    "planes": "Y, Cb and Cr one by one, each at its own size",
    "coefficients": "Y, Cb and Cr one by one, from their DCT coefficients",
}


def read_scores(path: Path) -> dict[str, Any] | None:
    """scores.json as `training.evaluate` writes it; None where it is missing or cannot be read."""
    try:
        scores = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    rows = scores.get("rows") if isinstance(scores, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    return scores


def models_page(
    cards: Sequence[ModelCard], scores: Mapping[str, dict[str, Any] | None], problems: Mapping[str, str]
) -> str:
    """Networks first, then baselines, then folders that could not be used and why.

    Args:
        cards: of the zoo.
        scores: by model name, None where nothing was measured.
        problems: folder name to the sentence that says why it is left out.
    """
    ordered = sorted(cards, key=lambda card: not card.architecture)
    rows = "".join(_model(card, _scores_with(card.name, scores)) for card in ordered)
    left_out = "".join(
        f"<p class='fact-note'><b>{escape(folder)}</b> is left out. {escape(why)}</p>"
        for folder, why in problems.items()
    )
    return f"<div class='models-list'>{rows}{left_out}</div>"


def _model(card: ModelCard, scores: dict[str, Any] | None) -> str:
    facts = [
        (
            "Cost",
            f"{card.mmac_per_pixel:.3f} MMAC per pixel, {_parameters(card.parameters)}"
            if card.parameters
            else "no network",
        ),
        ("Colour", COLOR_WORDS.get(card.color, card.color)),
        ("Steering", _steering(card)),
        ("Stages", ", ".join(card.stage_names)),
        ("Paper", card.paper),
        ("Training", card.training),
        ("Licence of the weights", card.licence),
    ]
    if not card.architecture:
        facts = [fact for fact in facts if fact[0] not in ("Colour", "Training", "Licence of the weights")]
    items = "".join(f"<dt>{escape(what)}</dt><dd>{escape(value)}</dd>" for what, value in facts if value)
    return (
        f"<article class='model'><header><h2>{escape(card.title)}</h2><code>{escape(card.name)}</code></header>"
        f"<div class='model-words'><p>{escape(card.summary)}</p><dl>{items}</dl></div>"
        f"<div class='model-scores'>{_scores(card, scores)}</div></article>"
    )


def _scores_with(name: str, scores: Mapping[str, dict[str, Any] | None]) -> dict[str, Any] | None:
    """The model's own scores, or those of another model that it was measured beside."""
    for found in (scores.get(name), *scores.values()):
        if _by_quality(found, name):
            return found
    return None


def _parameters(count: int) -> str:
    return f"{count / 1e6:.2f} M parameters" if count >= 1e6 else f"{count / 1e3:.0f} k parameters"


def _steering(card: ModelCard) -> str:
    parts = []
    if card.uses_tables:
        parts.append("reads the file's quantization tables")
    if card.steerable:
        parts.append("can be set by hand")
    return ", ".join(parts) or "none"


def _scores(card: ModelCard, scores: dict[str, Any] | None) -> str:
    own = _by_quality(scores, card.name)
    plain = _by_quality(scores, "none")
    if not own:
        return "<p class='fact-note'>Not measured here. python -m training.evaluate writes scores.json.</p>"
    body = "".join(_score_row(factor, row, plain.get(factor)) for factor, row in sorted(own.items()))
    data = escape(str(scores.get("data", "")))
    return (
        f"<table><caption>Measured on {data}: RGB PSNR and PSNR-B in dB, Δ to plain decoding</caption>"
        "<thead><tr><th scope='col'>quality</th><th scope='col'>PSNR</th><th scope='col'>Δ</th>"
        f"<th scope='col'>SSIM</th><th scope='col'>PSNR-B</th></tr></thead><tbody>{body}</tbody></table>"
    )


def _by_quality(scores: dict[str, Any] | None, model: str) -> dict[int, dict[str, Any]]:
    """A model's rows by quality factor; evaluate calls plain decoding "none"."""
    model = "none" if model == "plain" else model
    rows = scores["rows"] if scores else []
    return {
        row["quality_factor"]: row
        for row in rows
        if row.get("model") == model and isinstance(row.get("quality_factor"), int)
    }


def _score_row(factor: int, row: dict[str, Any], plain: dict[str, Any] | None) -> str:
    psnr, before = _number(row, "psnr_db"), _number(plain, "psnr_db")
    delta = signed_decibels(psnr - before) if psnr is not None and before is not None else ""
    kind = {"+": "good", "−": "bad"}.get(delta[:1], "")
    cells = (
        _shown(psnr, 2),
        f"<span class='{kind}'>{delta}</span>",
        _shown(_number(row, "ssim"), 4),
        _shown(_number(row, "psnr_b_db"), 2),
    )
    return f"<tr><th scope='row'>{factor}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _number(row: dict[str, Any] | None, name: str) -> float | None:
    value = row.get(name) if row else None
    return float(value) if isinstance(value, (int, float)) else None


def _shown(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"

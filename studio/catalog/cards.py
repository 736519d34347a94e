"""Every model's card and all of its scores, folded, as markup. Every value is escaped."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from models.card import ModelCard, TrainingFacts
from models.networks.base import ColorRule
from models.zoo import estimates_quality
from studio.catalog.rows import LINKS, link_of
from studio.catalog.scores import KnownScores, scores_markup, scores_with
from studio.page.markup import templates

COLOR_WORDS = {
    "rgb": "R, G and B together",
    "ycbcr": "luma first, then chroma guided by it",
    "planes": "Y, Cb and Cr one by one, each at its own size",
    "coefficients": "Y, Cb and Cr one by one, from their DCT coefficients",
}

_render = templates(__file__)


def cards_markup(
    cards: Sequence[ModelCard], scores: Mapping[str, KnownScores], problems: Mapping[str, str]
) -> Markup:
    """Networks first, then baselines, then folders that could not be used and why.

    Args:
        cards: of the zoo.
        scores: by model name.
        problems: folder name to the sentence that says why it is left out.
    """
    ordered = sorted(cards, key=lambda card: not card.architecture)
    models = [_model(card, scores_with(card.name, scores)) for card in ordered]
    return _render("cards", models=models, problems=problems)


def _model(card: ModelCard, scores: KnownScores) -> dict[str, Any]:
    facts = [
        (
            "Cost",
            f"{card.mmac_per_pixel:.3f} MMAC per pixel, {_parameters(card.parameters)}"
            if card.parameters
            else "no network",
        ),
        ("Color", COLOR_WORDS.get(card.color, card.color)),
        ("Steering", _steering(card)),
        ("Guard", _guard(card)),
        ("Stages", ", ".join(card.stage_names)),
        ("Paper", linked(card.paper)),
        ("Training", card.training),
        ("Trained for", training_words(card)),
        ("License of the weights", card.license),
    ]
    if not card.architecture:
        facts = [fact for fact in facts if fact[0] not in ("Color", "Training", "License of the weights")]
    measured = scores_markup(card.name, scores) if card.architecture or scores.measurements else ""
    return {"card": card, "facts": facts, "scores": Markup(measured)}


def linked(citation: str) -> Markup:
    """A citation whose arXiv numbers, DOIs and addresses are links."""
    parts, end = [], 0
    for found in LINKS.finditer(citation):
        link = Markup("<a href='{}' target='_blank' rel='noopener noreferrer'>{}</a>")
        parts += [escape(citation[end : found.start()]), link.format(link_of(found), found[0])]
        end = found.end()
    return Markup("").join([*parts, escape(citation[end:])])


def training_words(card: ModelCard) -> str:
    """The facts of its training as a sentence; "" where none are known."""
    facts = card.trained
    if facts is None:
        return ""
    validated_on = "luma" if ColorRule(card.color).plane_by_plane else "RGB"
    return (
        f"{facts.steps:,} steps on {facts.megapixels / 1000:.2f} gigapixels of patches{_of_run(facts)}, "
        f"{facts.minutes:.0f} minutes on {', then '.join(facts.machines)}; "
        f"{facts.validation_db:.2f} dB on the validation pictures ({validated_on})."
    )


def _of_run(facts: TrainingFacts) -> str:
    """The operations, and those of the whole run where it went on after its best weights."""
    spent, whole = f"{facts.petaflop:.2f}", f"{facts.run_petaflop:.2f}"
    return f", {spent} PFLOP" if spent == whole else f", {spent} of the run's {whole} PFLOP"


def _parameters(count: int) -> str:
    return f"{count / 1e6:.2f} M parameters" if count >= 1e6 else f"{count / 1e3:.0f} k parameters"


def _steering(card: ModelCard) -> str:
    parts = []
    if card.uses_tables:
        parts.append("reads the file's quantization tables")
    if card.steerable:
        parts.append("can be set by hand")
    return ", ".join(parts) or "none"


def _guard(card: ModelCard) -> str:
    """What the restorer does with the network's picture, whatever the network."""
    if not card.architecture:
        return ""
    cautious = "" if estimates_quality(card) else ", more carefully where hardly anything is missing"
    return f"held to the file's quantization cells, block by block{cautious}"

"""What people are told of a picture before and after it is repaired: how it was saved, what helped, and how much."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from models.card import ModelCard
from models.jpeg import Degradation, JpegImage
from studio.engine.expectations import Condition, Expectation
from studio.engine.outputs import StageOutputs
from studio.page.wording import file_size, how_broken, signed_decibels

EDGES = ((1.0, "none"), (5.0, "faint"), (15.0, "visible"), (float("inf"), "strong"))
"""By blocking effect factor. Medians of 14 photographs saved at quality 90, 75, 40 and 10 are 0.1, 3, 9 and 30."""

LITTLE_TO_REPAIR = 90
COLOR_WORDS = {
    "4:4:4": "color at full size",
    "4:2:2": "color at half width",
    "4:4:0": "color at half height",
    "4:2:0": "color at half size",
    "4:1:1": "color at a quarter of the width",
    "gray": "gray",
}
NO_DAMAGE = "No JPEG damage found. The models would leave it nearly as it is."
NO_VERDICT: dict[str, Any] = {"title": "", "words": "", "tone": ""}


def edges_in_words(block_edges: float) -> str:
    """How much of the edges of the 8x8 blocks is seen: none, faint, visible or strong."""
    return next(words for limit, words in EDGES if block_edges < limit)


def diagnosis(image: JpegImage, condition: Condition, block_edges: float) -> str:
    """How a picture was saved, in a line.

    Args:
        image: as it enters the models.
        condition: see studio.engine.expectations.condition_of.
        block_edges: blocking effect factor.
    """
    earlier = image.judgement.earlier_save
    if not image.saved_as_jpeg:
        if condition.quality_factor is None or earlier is None:
            return NO_DAMAGE
        where = " on a shifted grid" if earlier.grid_shift != (0, 0) else ""
        saved = f"at about quality {condition.quality_factor}{where}"
        return f"No JPEG header, but its pixels were saved as JPEG before, {saved}."
    parts = [_quality(image), COLOR_WORDS.get(image.subsampling or "", "")]
    if earlier is None:
        parts.append("once")
    else:
        first = "" if earlier.quality_factor is None else f", first at about quality {earlier.quality_factor}"
        shifted = " on another grid" if earlier.kind != "aligned" else ""
        parts.append(f"twice{first}{shifted}")
    edges = edges_in_words(block_edges)
    sentences = ["Saved " + ", ".join(part for part in parts if part)]
    sentences.append("No block edges" if edges == "none" else f"{edges.capitalize()} block edges")
    quality = condition.quality_factor
    if quality is not None and quality >= LITTLE_TO_REPAIR:
        sentences.append("Little to repair")
    return ". ".join(sentences) + "."


def _quality(image: JpegImage) -> str:
    estimate = image.estimated_quality_factor
    if estimate is None or estimate.quality_factor is None:
        return "with tables of its own"
    if estimate.separate:
        return f"at quality {estimate.quality_factor}, color at {estimate.chroma_quality_factor}"
    if estimate.standard:
        return f"at quality {estimate.quality_factor}"
    return f"with tables of its own, near quality {estimate.quality_factor}"


def verdict_value(
    outputs: StageOutputs,
    cards: Mapping[str, ModelCard],
    expected: Mapping[str, Expectation | None],
    condition: Condition | None,
    recommended: str | None,
    best: str,
    file: dict[str, Any],
) -> dict[str, Any]:
    """The verdict on a run: which result to take, why, and the file.

    Args:
        outputs: what there is.
        cards: by model name.
        expected: of the models that ran, under the condition.
        condition: of the picture; None where it was not judged.
        recommended: the model that measurements recommend.
        best: the result that is shown.
        file: that result, under the name that people keep it by.
    """
    title, words, tone = cards[best].title, "", "good"
    measured = outputs.metrics.get(best)
    if measured is not None:
        gain = measured["psnr_db"] - outputs.metrics["degraded"]["psnr_db"]
        many = len(outputs.restorations) > 1
        headline = f"Best here: {title}" if many else title
        words = f"{signed_decibels(gain)} dB closer to the original."
        if gain <= 0:
            tone, words = (
                "bad",
                f"{signed_decibels(gain)} dB: no closer to the original than the damaged picture.",
            )
    else:
        headline = f"Recommended: {title}" if best == recommended else title
        words = _expected_words(best, outputs, cards, expected, condition)
        found = expected.get(best)
        if found is not None and found.harms:
            tone = "bad"
    return {
        "title": headline,
        "words": words,
        "tone": tone,
        "file": file,
        "download": file["orig_name"],
        "label": f"Download PNG · {file_size(Path(file['path']).stat().st_size)}",
        "result": best,
    }


def _expected_words(
    best: str,
    outputs: StageOutputs,
    cards: Mapping[str, ModelCard],
    expected: Mapping[str, Expectation | None],
    condition: Condition | None,
) -> str:
    """Why to believe in a result that nothing can be measured against."""
    sentences = []
    found = expected.get(best)
    if found is not None and condition is not None:
        others = [
            f"{cards[name].title} {signed_decibels(other.gain_db)}"
            for name in outputs.restorations
            if name != best and (other := expected.get(name)) is not None
        ]
        gain = signed_decibels(found.gain_db)
        sentences.append(
            f"At quality {condition.quality_factor} it gains {gain} dB on {found.data}"
            + "".join(f"; {other}" for other in others)
        )
    before, after = outputs.observed.get("degraded"), outputs.observed.get(best)
    if before is not None and after is not None:
        if after.changed_levels == 0:
            sentences.append("Nothing was changed")
        else:
            edges = (edges_in_words(found.block_edges) for found in (before, after))
            sentences.append(f"Block edges: {' → '.join(edges)}")
    return ". ".join(sentences) + ("." if sentences else "")


def expected_words(expectation: Expectation | None, condition: Condition) -> str:
    """What a model does to such pictures, to follow its title; "" where nobody knows."""
    if expectation is None:
        return ""
    gain = signed_decibels(expectation.gain_db)
    if expectation.harms:
        return f" · harms at quality {condition.quality_factor} ({gain} dB)"
    return f" · {gain} dB"


def example_words(degradation: Degradation | None) -> str:
    """What was done to a picture of the studio's own, as the page shows it."""
    return diagnosis_markup(f"An example, {how_broken(degradation)}. Open your own.")


def diagnosis_markup(sentence: str) -> str:
    """The diagnosis as the page shows it."""
    return f"<p class='diagnosis'>{escape(sentence)}</p>" if sentence else ""

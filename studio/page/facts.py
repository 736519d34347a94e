"""Short lines of facts beside the controls, as markup whose every value is escaped."""

from collections.abc import Mapping
from html import escape

from models.card import ModelCard
from models.jpeg import Degradation, JpegImage
from studio.engine.outputs import Broken, RestoreRequest, StageOutputs
from studio.page.wording import dimensions, file_size, how_broken
from studio.session.visitor import Photograph

TRANSPARENCY = "JPEG has no transparency: colours alone are restored, and downloads are opaque."


def photograph_line(photograph: Photograph) -> str:
    """Name, size and what the file is, with its notes."""
    image = photograph.image
    kind = image.format if image.saved_as_jpeg else f"{image.format}, no JPEG header"
    gray = ", gray" if image.is_gray else ""
    remarks = [*image.notes, *([TRANSPARENCY] if image.alpha is not None else [])]
    notes = "".join(f"<span class='fact-note'>{escape(note)}</span>" for note in remarks)
    facts = f"{dimensions(image)} · {kind}{gray} · {file_size(len(image.data))}"
    return f"<p class='fact'><b>{escape(photograph.name)}</b> {escape(facts)}{notes}</p>"


def bench_line(photograph: Photograph, broken: Broken, degradation: Degradation | None) -> str:
    """What was done, bytes, bits per pixel and compression ratio of what enters the models."""
    image = broken.image
    raw = image.pixels.shape[0] * image.pixels.shape[1] * (1 if image.is_gray else 3)
    numbers = (
        (file_size(len(image.data)), "size of the damaged file"),
        (f"{image.bits_per_pixel:.2f} bits per pixel", "of the whole file"),
        (f"{raw / len(image.data):.1f} : 1", "uncompressed size to file size"),
    )
    damage = "" if degradation is None else f"<span>{escape(how_broken(degradation))}</span> · "
    spans = damage + " · ".join(
        f"<span title='{escape(title)}'>{escape(text)}</span>" for text, title in numbers
    )
    if broken.original is None:
        spans += "<span class='fact-note'>Without a clean original, nothing is measured.</span>"
    elif photograph.original is not None:
        measured = f"Measured against {photograph.original.name}, the clean original."
        spans += f"<span class='fact-note'>{escape(measured)}</span>"
    elif photograph.image.saved_as_jpeg:
        spans += "<span class='fact-note'>The opened file is JPEG already: its own artifacts count as original.</span>"
    return f"<p class='fact numbers'>{spans}</p>"


def tables_say(image: JpegImage) -> str:
    """The quality factor from the file's tables, with how sure that is."""
    estimate = image.estimated_quality_factor
    if estimate is None:
        return "no JPEG header"
    if estimate.separate:
        return f"luma {estimate.quality_factor}, chroma {estimate.chroma_quality_factor}, exact"
    if estimate.standard:
        return f"{estimate.quality_factor}, exact"
    if estimate.quality_factor is None:
        return "non-standard table"
    return f"non-standard table, nearest {estimate.quality_factor} ({estimate.confidence:.0%} alike)"


def quality_line(outputs: StageOutputs, cards: Mapping[str, ModelCard]) -> str:
    """The quality factor three ways: what the tables say, what networks see, and the truth where it is known."""
    facts = [("from the file's tables", tables_say(outputs.degraded))]
    for name, restoration in outputs.restorations.items():
        if restoration.predicted_quality_factor is not None:
            seen = f"{restoration.predicted_quality_factor:.1f}"
            facts.append((f"estimated from pixels by {cards[name].title}", seen))
    facts.append(("truth", _truth(outputs.request)))
    results = outputs.restorations.items()
    facts += _by_model("steered by", {name: result.steered_by for name, result in results}, cards)
    facts += _by_model("computed by", {name: result.computed_by for name, result in results}, cards)
    items = "".join(f"<div><dt>{escape(what)}</dt><dd>{escape(value)}</dd></div>" for what, value in facts)
    return f"<section class='quality'><h3>Quality factor</h3><dl>{items}</dl></section>"


def _truth(request: RestoreRequest) -> str:
    if request.degradation is None:
        return "unknown, the file was kept"
    return ", then ".join(str(save.quality_factor) for save in request.degradation.saves)


def _by_model(words: str, told: Mapping[str, str], cards: Mapping[str, ModelCard]) -> list[tuple[str, str]]:
    """What is told of the models, as far as there is anything; said once where it is the same for all."""
    told = {name: value for name, value in told.items() if value}
    if len(set(told.values())) == 1:
        return [(words, next(iter(told.values())))]
    return [(f"{cards[name].title} {words}", value) for name, value in told.items()]


def deleted_line(files: int) -> str:
    """What was deleted, told to screen readers as well."""
    return (
        f"<p class='fact' role='status'>Deleted: {files} file{'s' if files != 1 else ''} and all results.</p>"
    )


def notice(sentence: str) -> str:
    """A sentence about something that went wrong, in a calm place; nothing where there is none."""
    return f"<p class='notice' role='alert'>{escape(sentence)}</p>" if sentence else ""


def freshness(sentence: str) -> str:
    """A mark whose presence fades the results; nothing where they are current."""
    return f"<p class='stale' role='status'>{escape(sentence)}</p>" if sentence else ""

"""The file as it is, as markup: facts, bytes, bits, tables, markers, an earlier save, and what keeps to its cells."""

from collections.abc import Mapping, Sequence
from itertools import groupby, islice
from typing import Any

import numpy as np

from models.card import ModelCard
from models.jpeg import Degradation, JpegImage, quantization_tables
from models.jpeg.anatomy import FileAnatomy
from models.jpeg.coefficients import COMPONENT_NAMES
from models.jpeg.double import FEWEST_BLOCKS, EarlierSave, Evidence, needed_gain, strongest_comb
from models.jpeg.entropy import BlockBits
from models.jpeg.header import JpegHeader
from models.jpeg.tables import QuantizationTable
from studio.anatomy.taken_apart import CellShare, TakenApart
from studio.engine.outputs import StageOutputs
from studio.page.facts import tables_say
from studio.page.markup import template, templates
from studio.page.wording import file_size, how_broken
from studio.session.visitor import Photograph, Run

Found = tuple[Evidence, EarlierSave | None]

MOST_ROWS = 80
"""Of the list of markers; hostile files have thousands."""

NO_PHOTOGRAPH = "There is no photograph yet. Open one under “Repair my photograph”, or take an example there."
PICK = "Click an 8×8 block in the picture or in the map of its bits; below it is taken apart."
UNREADABLE = "The integers of this file cannot be read, so that its blocks cannot be shown."
CARE = (
    "Little remains of a first save that was as strong as the second or weaker, and drawings or text can mislead. "
    "docs/anatomy.md holds the measured rates."
)
CELLS = (
    "The file says of every coefficient between which two values it was. This is the share of each picture's luma "
    "coefficients that lie between them; saved again with the same table they would give the same integers."
)
CAVEAT = (
    "This file was saved twice: its cells hold what the first save left, and the original itself lies outside many of "
    "them. A lower share can be the better picture."
)
_COLOR_WORDS = {
    "gray": "gray, one component",
    "YCbCr": "Y, Cb and Cr",
    "RGB": "R, G and B, not converted",
    "CMYK": "C, M, Y and K",
    "YCCK": "Y, Cb, Cr and K",
}


def grouped(number: int) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{number:,}".replace(",", "\u202f")


_render = templates(__file__, {"grouped": grouped})
_empty = template("<p class='empty'>{{ sentence }}</p>")
_hint = template("<p class='fact'>{{ words }}</p>")


def no_jpeg(photograph: Photograph) -> str:
    """What to say of a picture that has no anatomy."""
    return (
        f"{photograph.name} is a {photograph.image.format} picture: no blocks, no tables, no markers of a JPEG. Choose "
        "“Save once” under “Damage it” in Experiment; the file made there is a real JPEG, and it is shown here."
    )


def empty_markup(sentence: str) -> str:
    """The tab without anything to show."""
    return _empty(sentence=sentence)


def hint_markup(outputs: StageOutputs, run: Run) -> str:
    """What can be done here, and why models may be missing.

    Args:
        outputs: what is shown.
        run: the latest one of the Restore tab.
    """
    words = [PICK]
    done = len(outputs.restorations) + len(outputs.failures)
    if (
        run.outputs is outputs
        and run.stop
        and not run.stop.is_set()
        and done < len(outputs.request.model_names)
    ):
        words.append("Models are still at work: enter this tab again for their results.")
    elif not outputs.restorations:
        words.append("No model has restored this file yet: press Run in Experiment.")
    return _hint(words=" ".join(words))


def facts_markup(photograph: Photograph, outputs: StageOutputs, taken: TakenApart) -> str:
    """The whole left column.

    Args:
        photograph: names the file.
        outputs: how the file was made.
        taken: the file.
    """
    image, header, segments = taken.image, taken.image.jpeg_header, taken.anatomy.segments
    listed = groupby(segments, key=lambda segment: (segment.name, segment.words))
    rows = [_piece(name, words, list(group)) for (name, words), group in islice(listed, MOST_ROWS)]
    return _render(
        "facts",
        name=photograph.name,
        made=how_broken(outputs.request.degradation),
        facts=_facts(image, header, taken.anatomy),
        size=len(image.data),
        bytes=_byte_kinds(taken.anatomy, len(image.data)),
        bits=_bits(taken),
        pixels=header.rows * header.columns,
        bits_words=UNREADABLE if taken.bits is None else bits_words(image, taken.bits),
        tables_words=_tables_words(image),
        tables=_tables(image, header),
        segments=len(segments),
        pieces=rows,
        is_cut=len(rows) == MOST_ROWS,
        problem=taken.anatomy.problem,
    )


def _facts(image: JpegImage, header: JpegHeader, anatomy: FileAnatomy) -> list[tuple[str, str]]:
    restarts = anatomy.restart_interval
    subsampled = "" if image.subsampling == "gray" else f", {image.subsampling}"
    scans = "" if header.scans == 1 else f", {header.scans} scans"
    return [
        ("Size", f"{file_size(len(image.data))}, {image.bits_per_pixel:.2f} bits per pixel"),
        ("Picture", f"{header.columns} × {header.rows} pixels"),
        ("Colour", f"{_COLOR_WORDS[header.color_model]}{subsampled}"),
        ("Coding", f"{header.coding}{'' if header.arithmetic else ', Huffman'}{scans}"),
        ("Restarts", f"every {restarts} units" if restarts else "none"),
        ("Quality", tables_say(image)),
    ]


def _byte_kinds(anatomy: FileAnatomy, size: int) -> list[tuple[str, int]]:
    rest = size - anatomy.picture_bytes - anatomy.metadata_bytes
    return [
        ("picture data", anatomy.picture_bytes),
        ("tables and headers", rest),
        ("metadata", anatomy.metadata_bytes),
    ]


def _bits(taken: TakenApart) -> list[dict[str, Any]]:
    if taken.bits is None:
        return []
    pairs = zip(taken.image.components, taken.bits.components, strict=True)
    return [
        {"name": component.name, "blocks": bits.size, "bits": int(bits.sum())} for component, bits in pairs
    ]


def bits_words(image: JpegImage, bits: BlockBits) -> str:
    """Where the bits of blocks come from, and whether they explain the file."""
    if not bits.from_file:
        kind = "Arithmetic coding" if image.jpeg_header.arithmetic else "A progressive file"
        why = (
            "has no whole bits for one block"
            if image.jpeg_header.arithmetic
            else "spreads each block over several scans"
        )
        return (
            f"{kind} {why}. Shown is what the blocks would cost in a baseline file with the standard codes, "
            f"{grouped(bits.total)} bits in all."
        )
    rest = bits.data_bits - bits.total - bits.filler
    if bits.accounted:
        filler = f", {grouped(bits.filler)} for blocks beyond the edge" if bits.filler else ""
        return (
            f"Counted with the file's own codes: all {grouped(bits.data_bits)} bits of its picture data{filler}, "
            f"{rest} of padding."
        )
    return (
        f"Counted with the file's own codes, but {grouped(abs(rest))} bits {'more' if rest < 0 else 'fewer'} than its "
        "picture data holds: the file is damaged or cut off, or its encoder filled the edges in its own way."
    )


def _piece(name: str, words: str, segments: list[Any]) -> dict[str, Any]:
    """Segments of one kind that follow each other."""
    size, offset = sum(segment.size for segment in segments), segments[0].offset
    return {"name": name, "words": words, "count": len(segments), "offset": offset, "size": size}


def _tables(image: JpegImage, header: JpegHeader) -> list[dict[str, Any]]:
    """Every quantization table with the components that use it, beside the nearest of libjpeg's."""
    estimate = image.estimated_quality_factor
    assert estimate is not None  # as of every JPEG
    by_number: dict[int, list[int]] = {}
    for number, part in enumerate(header.components):
        by_number.setdefault(part.table_number, []).append(number)
    nearest = None
    if estimate.quality_factor is not None and not estimate.standard:
        nearest = quantization_tables(estimate.quality_factor)
    tables = []
    for numbers in by_number.values():
        names = ", ".join(COMPONENT_NAMES[header.color_model][number] for number in numbers)
        beside = None if nearest is None else nearest[1 if numbers[0] in (1, 2) else 0]
        table = header.components[numbers[0]].table
        tables.append(_table(names, table, beside, estimate.quality_factor))
    return tables


def _table(
    names: str, table: QuantizationTable, beside: QuantizationTable | None, quality_factor: int | None
) -> dict[str, Any]:
    """An 8x8 table; the steps of the nearest quality factor's beside its own."""
    other = table if beside is None else beside
    differ = int(np.count_nonzero(table != other))
    words = "" if beside is None else f", {differ} of 64 differ from quality {quality_factor}"
    rows = [
        list(zip(own, near, strict=True)) for own, near in zip(table.tolist(), other.tolist(), strict=True)
    ]
    return {"caption": f"{names}{words}", "rows": rows}


def _tables_words(image: JpegImage) -> str:
    estimate = image.estimated_quality_factor
    assert estimate is not None  # as of every JPEG
    if estimate.separate:
        return (
            f"Exactly those libjpeg writes: of quality {estimate.quality_factor} for luma and "
            f"{estimate.chroma_quality_factor} for chroma."
        )
    if estimate.standard:
        return f"Exactly those libjpeg writes for quality {estimate.quality_factor}."
    if estimate.quality_factor is None:
        return "Like no table of libjpeg."
    return (
        f"Not a table of libjpeg; the nearest is that of quality {estimate.quality_factor}. Where it differs, its step "
        "stands small below the file's."
    )


def save_markup(found: Found | None, degradation: Degradation | None, why_not: str = "") -> str:
    """The verdict with its evidence, and the truth where the studio made the file.

    Args:
        found: from studio.anatomy.taken_apart.earlier_save.
        degradation: what the studio did; None for a file kept as it is.
        why_not: why nothing was examined, where that is another reason than a small picture.
    """
    if found is None:
        few = f"Fewer than {FEWEST_BLOCKS} whole blocks say nothing about an earlier save."
        return _render("save", comb=None, why_not=why_not or few)
    evidence, earlier = found
    strongest = evidence.shifted_comb.max(axis=0)
    texts = [[f"{value:.0f}" for value in row] for row in strongest]
    texts[0][0] = "–"
    return _render(
        "save",
        verdict=verdict_words(earlier),
        evidence=evidence_words(evidence, earlier),
        truth=how_broken(degradation) if degradation else "",
        care=CARE,
        texts=texts,
        comb=strongest / max(float(strongest.max()), 1.0),
    )


def verdict_words(earlier: EarlierSave | None) -> str:
    """The conclusion in one sentence."""
    if earlier is None:
        return "No evidence of an earlier save."
    where = "on the same 8×8 grid"
    if earlier.kind == "shifted":
        where = f"on a grid shifted by {earlier.grid_shift} rows and columns"
    return f"Saved twice: the first time at a quality of about {earlier.quality_factor}, {where}."


def evidence_words(evidence: Evidence, earlier: EarlierSave | None) -> str:
    """What the conclusion rests on, with the numbers it had to reach."""
    gain, needed = float(evidence.aligned_gain.max()), needed_gain(evidence)
    comb, _, lead = strongest_comb(evidence)
    if earlier is not None and earlier.kind == "aligned":
        return (
            f"The file's integers have the gaps and peaks that such a first save leaves: two saves explain them better "
            f"than one by {gain:,.0f} nats, and {needed:,.0f} are needed."
        )
    if earlier is not None:
        row, column = (-shift % 8 for shift in earlier.grid_shift)
        residue = evidence.residue[earlier.quality_factor - 1, row, column]
        closeness = (
            "" if np.isinf(residue) else f" Their distance from those multiples is {residue:.0%} of chance."
        )
        return (
            "On that grid the decoded picture's coefficients gather around multiples of the first table's steps: the "
            f"strongest comb is {comb:.0f} standard deviations above chance, {lead:.1f} times as strong as on grids "
            f"farther off.{closeness}"
        )
    return (
        f"On its own grid two saves explain the integers better than one by {max(gain, 0):,.0f} nats, where "
        f"{needed:,.0f} are needed; on the 63 other grids the strongest comb is {comb:.1f} standard deviations above "
        f"chance, {lead:.1f} times as strong as others."
    )


def shares_markup(
    shares: Sequence[CellShare], cards: Mapping[str, ModelCard], *, saved_twice: bool, why_not: str = ""
) -> str:
    """How much of each picture keeps to the file, in all and by frequency.

    Args:
        shares: the original first, then the decoded file, then the models.
        cards: by model name.
        saved_twice: known or evident; the caveat is then said.
        why_not: why there is nothing to show, "" otherwise.
    """
    rows = [_share(share, cards) for share in shares]
    return _render(
        "shares", shares=rows, words=CELLS, caveat=CAVEAT, saved_twice=saved_twice, why_not=why_not
    )


def _share(share: CellShare, cards: Mapping[str, ModelCard]) -> dict[str, Any]:
    titles = {"original": "Original", "degraded": "The file, decoded"}
    texts = [[f"{np.floor(100 * value):.0f}" for value in row] for row in share.by_frequency]
    title = titles.get(share.name) or cards[share.name].title
    numbers = {"all": _percent(share.share), "kept": _percent(share.kept_share)}
    return {"title": title, "texts": texts, "strengths": share.by_frequency, **numbers}


def _percent(share: float) -> str:
    """With one digit, rounded down: 100.0 % means all."""
    return "–" if np.isnan(share) else f"{np.floor(1000 * share) / 10:.1f} %"

"""The file as it is, as markup: facts, where its bytes are, bits by component, quantization tables, markers."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

import numpy as np

from models.jpeg import JpegImage, quantization_tables
from models.jpeg.anatomy import FileAnatomy, Segment
from models.jpeg.coefficients import COMPONENT_NAMES
from models.jpeg.entropy import BlockBits
from models.jpeg.tables import QuantizationTable
from studio.anatomy.taken_apart import TakenApart
from studio.engine.engine import StageOutputs
from studio.page.facts import tables_say
from studio.page.wording import file_size, how_broken
from studio.session.visitor import Photograph, Run

MOST_ROWS = 80
"""Of the list of markers; hostile files have thousands."""

NO_PHOTOGRAPH = "There is no photograph yet. Open one in the Restore tab, or take an example there."
PICK = "Click an 8×8 block in the picture or in the map of its bits; below it is taken apart."
_COLOR_WORDS = {
    "gray": "gray, one component",
    "YCbCr": "Y, Cb and Cr",
    "RGB": "R, G and B, not converted",
    "CMYK": "C, M, Y and K",
    "YCCK": "Y, Cb, Cr and K",
}


def no_jpeg(photograph: Photograph) -> str:
    """What to say of a picture that has no anatomy."""
    return (
        f"{photograph.name} is a {photograph.image.format} picture: no blocks, no tables, no markers of a JPEG. Choose "
        "“save once” under “Break it” in the Restore tab; the file made there is a real JPEG, and it is shown here."
    )


def empty_markup(sentence: str) -> str:
    """The tab without anything to show."""
    return f"<p class='empty'>{escape(sentence)}</p>"


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
        words.append("No model has restored this file yet: press Restore in the Restore tab.")
    return f"<p class='fact'>{' '.join(words)}</p>"


def facts_markup(photograph: Photograph, outputs: StageOutputs, taken: TakenApart) -> str:
    """The whole left column.

    Args:
        photograph: names the file.
        outputs: how the file was made.
        taken: the file.
    """
    sections = [
        _file(photograph, outputs, taken),
        _bytes(taken.anatomy, len(taken.image.data)),
        _bits(taken),
        _tables(taken.image),
        _markers(taken.anatomy),
    ]
    return "".join(sections)


def _section(title: str, body: str) -> str:
    return f"<section><h3>{escape(title)}</h3>{body}</section>"


def _file(photograph: Photograph, outputs: StageOutputs, taken: TakenApart) -> str:
    image, header = taken.image, taken.image.jpeg_header
    made = how_broken(outputs.request.degradation)
    restarts = taken.anatomy.restart_interval
    facts = [
        ("Size", f"{file_size(len(image.data))}, {image.bits_per_pixel:.2f} bits per pixel"),
        ("Picture", f"{header.columns} × {header.rows} pixels"),
        ("Colour", f"{_COLOR_WORDS[header.color_model]}{_subsampled(image)}"),
        ("Coding", f"{header.coding}{'' if header.arithmetic else ', Huffman'}{_scans(header.scans)}"),
        ("Restarts", f"every {restarts} units" if restarts else "none"),
        ("Quality", tables_say(image)),
    ]
    items = "".join(f"<dt>{escape(what)}</dt><dd>{escape(value)}</dd>" for what, value in facts)
    return f"<section><h2>{escape(photograph.name)}</h2><p class='made'>{escape(made)}</p><dl>{items}</dl></section>"


def _subsampled(image: JpegImage) -> str:
    return "" if image.subsampling == "gray" else f", {image.subsampling}"


def _scans(count: int) -> str:
    return "" if count == 1 else f", {count} scans"


def _bytes(anatomy: FileAnatomy, size: int) -> str:
    kinds = [("picture data", anatomy.picture_bytes), ("metadata", anatomy.metadata_bytes)]
    kinds.insert(1, ("tables and headers", size - anatomy.picture_bytes - anatomy.metadata_bytes))
    rows = "".join(
        f"<tr><th scope='row'>{what}</th><td>{_grouped(count)}</td><td>{count / size:.1%}</td></tr>"
        for what, count in kinds
    )
    return _section("Where its bytes are", _table(("", "bytes", "share"), rows))


def _table(heads: Sequence[str], rows: str, classes: str = "numbers") -> str:
    head = "".join(f"<th scope='col'>{escape(one)}</th>" if one else "<td></td>" for one in heads)
    return f"<table class='{classes}'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _grouped(number: int) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{number:,}".replace(",", "\u202f")


def _bits(taken: TakenApart) -> str:
    if taken.bits is None:
        words = "The integers of this file cannot be read, so that its blocks cannot be shown."
        return _section("Bits by component", f"<p class='note'>{words}</p>")
    pixels = taken.image.jpeg_header.rows * taken.image.jpeg_header.columns
    rows = ""
    for component, bits in zip(taken.image.components, taken.bits.components, strict=True):
        total = int(bits.sum())
        rows += (
            f"<tr><th scope='row'>{escape(component.name)}</th><td>{_grouped(bits.size)}</td><td>{_grouped(total)}</td>"
            f"<td>{total / bits.size:.1f}</td><td>{total / pixels:.3f}</td></tr>"
        )
    table = _table(("", "blocks", "bits", "per block", "per pixel"), rows)
    return _section(
        "Bits by component", f"{table}<p class='note'>{escape(bits_words(taken.image, taken.bits))}</p>"
    )


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
            f"{_grouped(bits.total)} bits in all."
        )
    rest = bits.data_bits - bits.total - bits.filler
    if bits.accounted:
        filler = f", {_grouped(bits.filler)} for blocks beyond the edge" if bits.filler else ""
        return (
            f"Counted with the file's own codes: all {_grouped(bits.data_bits)} bits of its picture data{filler}, "
            f"{rest} of padding."
        )
    return (
        f"Counted with the file's own codes, but {_grouped(abs(rest))} bits {'more' if rest < 0 else 'fewer'} than its "
        "picture data holds: the file is damaged or cut off, or its encoder filled the edges in its own way."
    )


def _markers(anatomy: FileAnatomy) -> str:
    rows, listed = "", 0
    for (name, words), group in groupby(anatomy.segments, key=lambda one: (one.name, one.words)):
        rows += _marker_row(name, words, list(group))
        listed += 1
        if listed == MOST_ROWS:
            break
    total = len(anatomy.segments)
    more = f"<p class='note'>The first {listed} kinds of {total} pieces.</p>" if listed == MOST_ROWS else ""
    problem = f"<p class='note problem'>{escape(anatomy.problem)}</p>" if anatomy.problem else ""
    table = _table(("at", "marker", "bytes"), rows, "numbers markers")
    return _section(f"Its {total} pieces in order", table + more + problem)


def _marker_row(name: str, words: str, pieces: list[Segment]) -> str:
    count = f" × {len(pieces)}" if len(pieces) > 1 else ""
    size = sum(piece.size for piece in pieces)
    return (
        f"<tr><td>{_grouped(pieces[0].offset)}</td><th scope='row'><b>{escape(name)}{count}</b>"
        f"<span>{escape(words)}</span></th><td>{_grouped(size)}</td></tr>"
    )


def _tables(image: JpegImage) -> str:
    estimate = image.estimated_quality_factor
    assert estimate is not None  # as of every JPEG
    by_number: dict[int, list[int]] = {}
    for number, part in enumerate(image.jpeg_header.components):
        by_number.setdefault(part.table_number, []).append(number)
    nearest = None
    if estimate.quality_factor is not None and not estimate.standard:
        nearest = quantization_tables(estimate.quality_factor)
    tables = ""
    for numbers in by_number.values():
        names = ", ".join(COMPONENT_NAMES[image.jpeg_header.color_model][number] for number in numbers)
        beside = None if nearest is None else nearest[1 if numbers[0] in (1, 2) else 0]
        tables += _one_table(
            names, image.jpeg_header.components[numbers[0]].table, beside, estimate.quality_factor
        )
    return _section("Quantization tables", f"<p class='note'>{_tables_words(image)}</p>{tables}")


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


def _one_table(
    names: str, table: QuantizationTable, beside: QuantizationTable | None, quality_factor: int | None
) -> str:
    """An 8x8 table, the steps that differ from the nearest quality factor's marked."""
    rows = ""
    for row in range(8):
        cells = ""
        for column in range(8):
            step = int(table[row, column])
            other = step if beside is None else int(beside[row, column])
            mark = f" class='differs'>{step}<small>{other}</small>" if other != step else f">{step}"
            cells += f"<td{mark}</td>"
        rows += f"<tr>{cells}</tr>"
    differ = 0 if beside is None else int(np.count_nonzero(table != beside))
    words = "" if beside is None else f", {differ} of 64 differ from quality {quality_factor}"
    return f"<table class='steps'><caption>{escape(names)}{words}</caption><tbody>{rows}</tbody></table>"

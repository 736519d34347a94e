"""Whether the file was saved before, in careful words, and the share of each picture inside the file's cells."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard
from models.jpeg import Degradation
from models.jpeg.double import FEWEST_BLOCKS, Evidence, Verdict, needed_gain, strongest_comb
from studio.anatomy.taken_apart import CellShare
from studio.page.wording import how_broken

Found = tuple[Evidence, Verdict]
CARE = (
    "Little remains of a first save that was as strong as the second or weaker, and drawings or text can mislead. "
    "docs/anatomy.md holds the measured rates."
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
        return f"<section><h3>Saved before?</h3><p>{escape(why_not or few)}</p></section>"
    evidence, verdict = found
    truth = f"<p class='note'>In truth: {escape(how_broken(degradation))}.</p>" if degradation else ""
    return (
        f"<section><h3>Saved before?</h3><p class='answer'>{escape(verdict_words(verdict))}</p>"
        f"<p>{escape(evidence_words(evidence, verdict))}</p>{truth}<p class='note'>{CARE}</p>"
        f"<details><summary>The comb on all 64 grids</summary>{_grids(evidence)}</details></section>"
    )


def verdict_words(verdict: Verdict) -> str:
    """The conclusion in one sentence."""
    if verdict.kind == "none":
        return "No evidence of an earlier save."
    where = "on the same 8×8 grid"
    if verdict.kind == "shifted":
        rows, columns = verdict.grid_shift
        where = f"on a grid shifted by ({rows}, {columns}) rows and columns"
    return f"Saved twice: the first time at a quality of about {verdict.quality_factor}, {where}."


def evidence_words(evidence: Evidence, verdict: Verdict) -> str:
    """What the conclusion rests on, with the numbers it had to reach."""
    gain, needed = float(evidence.aligned_gain.max()), needed_gain(evidence)
    comb, _, lead = strongest_comb(evidence)
    if verdict.kind == "aligned":
        return (
            f"The file's integers have the gaps and peaks that such a first save leaves: two saves explain them better "
            f"than one by {gain:,.0f} nats, and {needed:,.0f} are needed."
        )
    if verdict.kind == "shifted":
        row, column = (-shift % 8 for shift in verdict.grid_shift)
        residue = evidence.residue[verdict.quality_factor - 1, row, column]
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


def _grids(evidence: Evidence) -> str:
    strongest = evidence.shifted_comb.max(axis=0)
    texts = [[f"{value:.0f}" for value in row] for row in strongest]
    texts[0][0] = "–"
    caption = "Strength by where an 8×8 block of the first save begins (row, column), in standard deviations of chance"
    return _heat(caption, texts, strongest / max(float(strongest.max()), 1.0))


def _heat(caption: str, texts: Sequence[Sequence[str]], strengths: NDArray[np.float64]) -> str:
    """An 8x8 table of numbers, tinted by strength 0..1."""
    head = "".join(f"<th scope='col'>{column}</th>" for column in range(8))
    rows = ""
    for row in range(8):
        cells = "".join(
            f"<td style='--strength:{strengths[row, column]:.2f}'>{texts[row][column]}</td>"
            for column in range(8)
        )
        rows += f"<tr><th scope='row'>{row}</th>{cells}</tr>"
    return (
        f"<table class='heat'><caption>{escape(caption)}</caption><thead><tr><td></td>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
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
    head = "<section><h3>Inside the file's cells</h3>"
    if not shares:
        return f"{head}<p>{escape(why_not)}</p></section>"
    words = (
        "The file says of every coefficient between which two values it was. This is the share of each picture's luma "
        "coefficients that lie between them; saved again with the same table they would give the same integers."
    )
    caveat = (
        "<p class='note'>This file was saved twice: its cells hold what the first save left, and the original itself "
        "lies outside many of them. A lower share can be the better picture.</p>"
        if saved_twice
        else ""
    )
    rows = "".join(
        f"<tr><th scope='row'>{escape(_title(one.name, cards))}</th><td>{_percent(one.share)}</td>"
        f"<td>{_percent(one.kept_share)}</td></tr>"
        for one in shares
    )
    table = (
        "<table class='numbers shares'><thead><tr><td></td><th scope='col'>all</th>"
        f"<th scope='col'>not zero in the file</th></tr></thead><tbody>{rows}</tbody></table>"
    )
    maps = "".join(_share_map(one, cards) for one in shares)
    return (
        f"{head}<p>{words}</p>{caveat}{table}<details><summary>By frequency, in percent</summary>"
        f"<div class='maps'>{maps}</div></details></section>"
    )


def _percent(share: float) -> str:
    """With one digit, rounded down: 100.0 % means all."""
    return "–" if np.isnan(share) else f"{np.floor(1000 * share) / 10:.1f} %"


def _share_map(one: CellShare, cards: Mapping[str, ModelCard]) -> str:
    texts = [[f"{np.floor(100 * value):.0f}" for value in row] for row in one.by_frequency]
    return _heat(_title(one.name, cards), texts, one.by_frequency)


def _title(name: str, cards: Mapping[str, ModelCard]) -> str:
    return {"original": "Original", "degraded": "The file, decoded"}.get(name) or cards[name].title

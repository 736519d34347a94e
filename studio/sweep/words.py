"""Sweeps in words: what is measured, how, how far it is, and what the curves say of each other."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

from studio.page.wording import decibels, seconds, tile_words
from studio.session.crop import SweptPicture
from studio.sweep.rate_distortion import Reading
from studio.sweep.run import SweepRun
from studio.sweep.sweeper import ByHandSweep, QualitySweep, Sweep, SweepStep, TwiceSweep

NOTHING_OPEN = "No photograph is open. Sweeps measure what is open in the Restore tab. Open one there."
EMPTY = {
    "quality": "Nothing measured yet. Tick the models to overlay and press Run: the curves grow point by point, "
    "the cheapest model first.",
    "twice": "Nothing measured yet. Choose a model and press Run: the maps fill cell by cell.",
    "by_hand": "Nothing measured yet. Choose a steerable model and press Run: one picture appears for every quality "
    "it is told.",
}
CHANGED = "Settings or photograph changed: these results belong to the earlier ones. Press Run."
REPLACED = "These results belong to the earlier settings; the new ones are on their way."
BUSY = "Busy: as many runs are waiting as the line takes. This sweep could not join. Press Run in a minute."
STOPPED = "Stopped. Points so far are kept; press Run for the rest."


def measured_words(picture: SweptPicture) -> str:
    """Which part of the photograph is measured."""
    rows, columns = picture.pixels.shape[:2]
    gray = ", gray" if picture.is_gray else ""
    if picture.is_whole:
        return f"the whole picture, {columns} × {rows} pixels{gray}"
    return (
        f"centre crop of {columns} × {rows} pixels{gray} from row {picture.top}, column {picture.left} "
        f"of {picture.whole_columns} × {picture.whole_rows}"
    )


def original_words(picture: SweptPicture) -> str:
    """What serves as the original."""
    if picture.was_jpeg:
        return (
            "The photograph is a JPEG itself: its decoded pixels, artifacts included, serve as the original."
        )
    return "The photograph's own pixels serve as the original."


def picture_line(picture: SweptPicture) -> str:
    """Name, part and original, as markup."""
    note = f"<span class='fact-note'>{escape(original_words(picture))}</span>"
    return f"<p class='fact'><b>{escape(picture.name)}</b>{escape(measured_words(picture))}{note}</p>"


def settings_words(sweep: Sweep) -> str:
    """What a sweep varies and what it keeps."""
    factors = _factors_words(sweep.quality_factors)
    if isinstance(sweep, QualitySweep):
        return f"saved once at {factors}, {sweep.subsampling}"
    if isinstance(sweep, TwiceSweep):
        rows, columns = sweep.grid_shift
        shift = f"grid shifted by {rows} rows and {columns} columns" if any(sweep.grid_shift) else "same grid"
        return f"saved twice, both at {factors}, {sweep.subsampling}, {shift}"
    return f"saved once at quality factor {sweep.file_quality}, {sweep.subsampling}, model told {factors}"


def plan_line(sweep: Sweep, picture: SweptPicture) -> str:
    """How much work it is, as markup."""
    count = len(sweep.quality_factors)
    if isinstance(sweep, QualitySweep):
        models = len(sweep.model_names) - 1
        words = f"{count} quality factors × {models} model{'s' if models > 1 else ''} and plain decoding"
    elif isinstance(sweep, TwiceSweep):
        words = f"{count} × {count} quality factors, with and without the model"
    else:
        words = f"{count} qualities by hand, the automatic one, and plain decoding"
    size = f"{len(sweep.jobs())} pictures of {picture.megapixels:.2f} megapixels"
    return f"<p class='fact numbers'>{escape(words)}: {escape(size)}.</p>"


def progress_line(step: SweepStep, titles: Mapping[str, str]) -> str:
    """Where a sweep is, as markup."""
    job = step.job
    at = ", then ".join(str(quality) for quality in job.quality_factors)
    told = "" if job.by_hand is None else f", told {job.by_hand}"
    words = [f"{titles[job.model_name]} at quality {at}{told}", f"{step.done + 1} of {step.total}"]
    if step.tile.total > 1:
        words.append(tile_words(step.tile))
    if step.seconds_left is not None and step.seconds_left >= 1:
        words.append(f"about {seconds(step.seconds_left)} left")
    return _progress_markup(step.done, step.total, " · ".join(words))


def waiting_line() -> str:
    """A sweep was asked for and the models are not free yet, as markup."""
    return _progress_markup(0, 1, "Waiting for the models")


def _progress_markup(done: int, total: int, words: str) -> str:
    bar = f"<progress max='{total}' value='{done}' aria-label='points of the sweep'></progress>"
    return f"<p class='sweep-progress' role='status'>{bar}<span>{escape(words)}</span></p>"


def outcome_line(run: SweepRun) -> str:
    """What went wrong or was stopped, as markup; nothing where all is there."""
    sentences = [failure.sentence for failure in run.failures]
    if run.state == "stopped":
        sentences.append(STOPPED)
    return "".join(f"<p class='stale' role='status'>{escape(sentence)}</p>" for sentence in sentences)


def empty_line(kind: str) -> str:
    """What to do where there is nothing yet, as markup."""
    return f"<p class='sweep-empty'>{escape(EMPTY[kind])}</p>"


def reading_lines(
    run: SweepRun, readings: Sequence[Reading], quality_factor: int, titles: Mapping[str, str]
) -> str:
    """One sentence per model, as markup."""
    if not readings:
        first, last = run.sweep.quality_factors[0], run.sweep.quality_factors[-1]
        words = f"No curve reaches quality {quality_factor}; this sweep goes from {first} to {last}."
        return f"<p class='reading'>{escape(words)}</p>"
    lines = [f"<p class='reading'>{_reading_markup(one, quality_factor, titles)}</p>" for one in readings]
    return "".join(lines) + f"<p class='fact-note'>{escape(_how_read(readings))}</p>"


def _reading_markup(reading: Reading, quality_factor: int, titles: Mapping[str, str]) -> str:
    """The sentence "X at quality 30 equals plain decoding at quality 52"."""
    place, plain = reading.restored, reading.plain
    model = f"<b>{escape(titles[reading.model_name])}</b> at quality {quality_factor}"
    numbers = f"{decibels(place.psnr_db)} at {place.bits_per_pixel:.2f} bits per pixel"
    if plain is None:
        return f"{model}: {numbers}. Plain decoding does not have that PSNR anywhere in this sweep."
    return (
        f"{model} equals plain decoding at <b>quality {plain.quality_factor:.0f}</b>, which needs "
        f"<b>{reading.times_the_bytes:.2f} times</b> the bytes ({numbers}, against {plain.bits_per_pixel:.2f})."
    )


def _how_read(readings: Sequence[Reading]) -> str:
    what = "Plain decoding is" if all(one.measured for one in readings) else "All curves are"
    return f"{what} read between measured points with a monotone cubic, never beyond them."


def _factors_words(factors: Sequence[int]) -> str:
    if len(factors) == 1:
        return f"quality factor {factors[0]}"
    steps = {after - before for before, after in pairwise(factors)}
    if len(steps) == 1:
        return f"quality factors {factors[0]} to {factors[-1]} in steps of {steps.pop()}"
    return f"quality factors {', '.join(str(factor) for factor in factors)}"


def told_words(sweep: ByHandSweep, by_hand: int) -> str:
    """Label of one picture of the strip."""
    same = ", the file's own" if by_hand == sweep.file_quality else ""
    return f"told {by_hand}{same}"

"""Sweeps in sentences: what is measured, what is varied, and how much work it is."""

from collections.abc import Sequence
from itertools import pairwise

from studio.session.crop import SweptPicture
from studio.sweep.sweeper import ByHandSweep, QualitySweep, Sweep, TwiceSweep


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


def plan_words(sweep: Sweep, picture: SweptPicture) -> str:
    """How much work it is."""
    count = len(sweep.quality_factors)
    if isinstance(sweep, QualitySweep):
        models = len(sweep.model_names) - 1
        words = f"{count} quality factors × {models} model{'s' if models > 1 else ''} and plain decoding"
    elif isinstance(sweep, TwiceSweep):
        words = f"{count} × {count} quality factors, with and without the model"
    else:
        words = f"{count} qualities by hand, the automatic one, and plain decoding"
    return f"{words}: {len(sweep.jobs())} pictures of {picture.megapixels:.2f} megapixels."


def told_words(sweep: ByHandSweep, by_hand: int) -> str:
    """Label of one picture of the strip."""
    same = ", the file's own" if by_hand == sweep.file_quality else ""
    return f"told {by_hand}{same}"


def _factors_words(factors: Sequence[int]) -> str:
    if len(factors) == 1:
        return f"quality factor {factors[0]}"
    steps = {after - before for before, after in pairwise(factors)}
    if len(steps) == 1:
        return f"quality factors {factors[0]} to {factors[-1]} in steps of {steps.pop()}"
    return f"quality factors {', '.join(str(factor) for factor in factors)}"

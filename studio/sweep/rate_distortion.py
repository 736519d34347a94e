"""What a restoration is worth in bytes: the quality factor at which plain decoding alone has the same PSNR.

Curves are read between their points with a monotone cubic (F. N. Fritsch and R. E. Carlson, "Monotone Piecewise Cubic
Interpolation", SIAM Journal on Numerical Analysis 17(2), 1980), and never beyond them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.baselines import PLAIN
from studio.sweep.sweeper import SweepPoint


@dataclass(frozen=True, eq=False)
class RateCurve:
    """One model's points, by ascending quality factor.

    Attributes:
        quality_factors: (points,) float64.
        bits_per_pixel: (points,) float64, above 0.
        psnr_db: (points,) float64, finite.
    """

    quality_factors: NDArray[np.float64]
    bits_per_pixel: NDArray[np.float64]
    psnr_db: NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """Somewhere on a curve.

    Attributes:
        quality_factor: 1..100, of the one save.
        bits_per_pixel: of the whole file.
        psnr_db: against the original.
    """

    quality_factor: float
    bits_per_pixel: float
    psnr_db: float


@dataclass(frozen=True)
class Reading:
    """A model at one quality factor, and where plain decoding is as good.

    Attributes:
        model_name: which model.
        restored: the model's place.
        measured: False where it was read between two points.
        plain: where plain decoding first reaches the same PSNR; None where it does not within the sweep.
    """

    model_name: str
    restored: Place
    measured: bool
    plain: Place | None

    @property
    def times_the_bytes(self) -> float | None:
        """What plain decoding needs, as a multiple of the bytes of the restored file."""
        return None if self.plain is None else self.plain.bits_per_pixel / self.restored.bits_per_pixel


def readings_at(points: Iterable[SweepPoint], quality_factor: int) -> list[Reading]:
    """Every model but plain decoding at one quality factor, in the order of their points.

    Args:
        points: of a QualitySweep, as many as there are.
        quality_factor: models whose points do not reach around it are left out.
    """
    found = list(points)
    plain = rate_curve(found, PLAIN)
    readings = []
    for name in dict.fromkeys(point.job.model_name for point in found):
        curve = rate_curve(found, name)
        place = at_quality(curve, quality_factor)
        if name != PLAIN and place is not None:
            measured = quality_factor in curve.quality_factors
            readings.append(Reading(name, place, measured, at_psnr(plain, place.psnr_db)))
    return readings


def rate_curve(points: Iterable[SweepPoint], model_name: str) -> RateCurve:
    """The points of one model; those without a finite PSNR, of identical pictures, are left out."""
    rows = sorted(
        (point.job.quality_factors[0], point.bits_per_pixel, point.metrics["psnr_db"])
        for point in points
        if point.job.model_name == model_name and np.isfinite(point.metrics["psnr_db"])
    )
    return RateCurve(*np.array(rows, np.float64).reshape(-1, 3).T)


def at_quality(curve: RateCurve, quality_factor: float) -> Place | None:
    """The curve at a quality factor; None outside of its points."""
    return _between(curve.quality_factors, curve, quality_factor)


def at_psnr(curve: RateCurve, psnr_db: float) -> Place | None:
    """Where the curve first reaches a PSNR; None outside of its points.

    A curve that dips is read along its best PSNR so far, which rises strictly.
    """
    best_before = np.maximum.accumulate(np.concatenate([[-np.inf], curve.psnr_db]))[:-1]
    rising = curve.psnr_db > best_before
    climbing = RateCurve(curve.quality_factors[rising], curve.bits_per_pixel[rising], curve.psnr_db[rising])
    return _between(climbing.psnr_db, climbing, psnr_db)


def _between(axis: NDArray[np.float64], curve: RateCurve, at: float) -> Place | None:
    """The curve where its strictly rising `axis` has the value `at`; bits per pixel are read as logarithms."""
    from scipy.interpolate import PchipInterpolator  # late: half a second of the program's start

    if len(axis) == 0 or not axis[0] <= at <= axis[-1]:
        return None
    columns = np.stack([curve.quality_factors, np.log(curve.bits_per_pixel), curve.psnr_db], axis=1)
    row = columns[0] if len(axis) == 1 else PchipInterpolator(axis, columns, axis=0)(at)
    return Place(float(row[0]), float(np.exp(row[1])), float(row[2]))

"""Reading rate and distortion off the points: never beyond them, and monotone between them."""

import math

import numpy as np
import pytest

from models.baselines import PLAIN
from models.jpeg import Degradation, Save
from studio.sweep.rate_distortion import at_psnr, at_quality, rate_curve, readings_at
from studio.sweep.sweeper import SweepJob, SweepPoint

FACTORS = (10, 30, 50, 70, 90)
PLAIN_DB = (26.0, 29.0, 31.0, 33.0, 36.0)
BITS = (0.3, 0.6, 0.9, 1.3, 2.4)


def point(model, quality_factor, psnr_db, bits_per_pixel):
    job = SweepJob(model, Degradation((Save(quality_factor),)))
    return SweepPoint(
        job, {"psnr_db": psnr_db, "ssim": 0.9, "psnr_b_db": psnr_db}, 1000, bits_per_pixel, "", None, None
    )


def line(model, psnrs_db):
    return [point(model, *row) for row in zip(FACTORS, psnrs_db, BITS, strict=True)]


def place_at(curve, psnr_db):
    place = at_psnr(curve, psnr_db)
    assert place is not None
    return place


def test_a_restoration_equals_a_plain_decoding_that_was_measured():
    points = [*line(PLAIN, PLAIN_DB), *line("better", [29.0, 31.0, 33.0, 36.0, 37.0])]
    (reading,) = readings_at(points, 30)
    assert reading.measured and reading.plain is not None
    assert reading.plain.quality_factor == pytest.approx(50)
    assert reading.plain.bits_per_pixel == pytest.approx(0.9)
    assert reading.times_the_bytes == pytest.approx(0.9 / 0.6)


def test_nothing_is_said_where_the_plain_curve_does_not_reach():
    points = [*line(PLAIN, PLAIN_DB), *line("better", [29.0, 31.0, 33.0, 36.0, 37.0])]
    (reading,) = readings_at(points, 90)
    assert reading.plain is None
    assert reading.times_the_bytes is None
    worse = [*line(PLAIN, PLAIN_DB), *line("worse", [25.0, 28.0, 30.0, 31.0, 32.0])]
    assert readings_at(worse, 10)[0].plain is None
    assert readings_at(points, 9) == []
    assert readings_at(points, 91) == []


def test_a_worse_restoration_is_worth_less_than_its_bytes():
    points = [*line(PLAIN, PLAIN_DB), *line("worse", [25.0, 28.0, 30.0, 31.0, 33.0])]
    (reading,) = readings_at(points, 90)
    assert reading.plain is not None
    assert reading.plain.quality_factor == pytest.approx(70)
    assert reading.times_the_bytes == pytest.approx(1.3 / 2.4)


def test_between_points_curves_rise_steadily_and_stay_between_their_neighbours():
    curve = rate_curve(line(PLAIN, PLAIN_DB), PLAIN)
    places = [place for quality in np.linspace(10, 90, 161) if (place := at_quality(curve, quality))]
    assert len(places) == 161
    for values in ([one.psnr_db for one in places], [one.bits_per_pixel for one in places]):
        assert np.all(np.diff(values) > 0)
    middle = at_quality(curve, 40)
    assert middle is not None and 29 < middle.psnr_db < 31
    back = [place_at(curve, value).quality_factor for value in np.linspace(26, 36, 101)]
    assert np.all(np.diff(back) > 0)
    assert not readings_at([*line(PLAIN, PLAIN_DB), *line("better", PLAIN_DB)], 40)[0].measured


def test_a_curve_that_dips_is_read_where_it_first_reaches():
    curve = rate_curve(line(PLAIN, (26.0, 30.0, 29.5, 33.0, 36.0)), PLAIN)
    assert place_at(curve, 30.0).quality_factor == pytest.approx(30)
    assert 30 < place_at(curve, 30.1).quality_factor < 70


def test_identical_pictures_have_no_place_on_the_curve():
    points = [*line(PLAIN, PLAIN_DB), point(PLAIN, 100, math.inf, 6.0)]
    assert rate_curve(points, PLAIN).quality_factors.tolist() == list(FACTORS)


def test_few_points_say_what_they_can():
    assert readings_at([], 30) == []
    assert readings_at(line(PLAIN, PLAIN_DB), 30) == []
    (reading,) = readings_at([point(PLAIN, 30, 29.0, 0.6), point("same", 30, 29.0, 0.6)], 30)
    assert reading.plain is not None and reading.plain.quality_factor == 30
    (reading,) = readings_at([point("alone", 30, 29.0, 0.6)], 30)
    assert reading.plain is None

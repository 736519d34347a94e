"""The Sweep tab's form: everything is checked, and only what decides a sweep is part of it."""

import math
from dataclasses import replace

import pytest

from models.baselines import PLAIN
from models.errors import InvalidSetting
from studio.session.crop import swept_picture
from studio.sweep.form import SweepForm, check_size
from studio.sweep.sweeper import ByHandSweep, QualitySweep, TwiceSweep

FORM = SweepForm(model_names=["cascade", "ar_cnn"], model_name="cascade", steerable_name="cascade")


@pytest.fixture
def cards(zoo):
    return zoo.cards()


def test_the_three_sweeps(cards):
    tens = tuple(range(10, 101, 10))
    assert FORM.sweep(cards) == QualitySweep(tens, "4:2:0", (PLAIN, "ar_cnn", "cascade"))
    assert replace(FORM, kind="twice").sweep(cards) == TwiceSweep(tens, "4:2:0", (4, 4), "cascade")
    assert replace(FORM, kind="by_hand").sweep(cards) == ByHandSweep(tens, "4:2:0", 20, "cascade")


def test_the_default_has_ten_quality_factors_and_the_step_may_miss_the_end():
    assert len(SweepForm().quality_factors()) == 10
    assert SweepForm(lowest=5, highest=20, step=10).quality_factors() == (5, 15)


def test_settings_of_other_sweeps_do_not_matter(cards):
    assert FORM.sweep(cards) == replace(FORM, shift_rows="x", file_quality=None, model_name=7).sweep(cards)
    assert FORM.sweep(cards) != replace(FORM, subsampling="4:4:4").sweep(cards)


@pytest.mark.parametrize(
    "changed",
    [
        {"lowest": math.nan},
        {"highest": None},
        {"step": 0},
        {"lowest": 60, "highest": 50},
        {"subsampling": ["4:2:0"]},
        {"kind": "all"},
        {"kind": ["quality"]},
        {"model_names": "cascade"},
        {"model_names": []},
        {"model_names": [PLAIN]},
        {"model_names": [["cascade"]]},
        {"model_names": ["nobody"]},
        {"kind": "twice", "shift_rows": 8},
        {"kind": "twice", "model_name": PLAIN},
        {"kind": "twice", "model_name": None},
        {"kind": "twice", "step": 1},
        {"kind": "by_hand", "steerable_name": "ar_cnn"},
        {"kind": "by_hand", "file_quality": 0},
    ],
)
def test_wrong_values_are_refused_in_three_parts(cards, changed):
    with pytest.raises(InvalidSetting) as refusal:
        replace(FORM, **changed).sweep(cards)
    assert str(refusal.value).count(". ") >= 1
    assert len(str(refusal.value)) < 400


def test_extent_and_reading_are_checked():
    assert SweepForm(extent="whole").checked_extent() == "whole"
    assert SweepForm(reading_quality=52).checked_reading() == 52
    for form in (SweepForm(extent="half"), SweepForm(extent=None)):
        with pytest.raises(InvalidSetting):
            form.checked_extent()
    with pytest.raises(InvalidSetting):
        SweepForm(reading_quality=101).checked_reading()


def test_a_sweep_of_hours_is_refused(cards, photograph):
    picture = swept_picture(photograph, "whole")
    sweep = FORM.sweep(cards)
    check_size(picture, sweep)
    vast = replace(picture, pixels=picture.pixels[:1, :1].repeat(6000, 0).repeat(6000, 1))
    with pytest.raises(InvalidSetting, match="centre crop"):
        check_size(vast, sweep)
    large = replace(picture, pixels=picture.pixels[:1, :1].repeat(3000, 0).repeat(4000, 1))
    check_size(large, sweep)
    with pytest.raises(InvalidSetting, match="100 are allowed"):
        check_size(large, replace(FORM, kind="by_hand").sweep(cards))

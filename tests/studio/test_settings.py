"""Form values are untrusted: what is allowed passes, everything else is one clear sentence."""

import math

import pytest

from models.errors import InvalidSetting
from models.jpeg import Degradation, Resize, Save
from studio.session.form import RestoreForm

KNOWN = ("plain", "reapply", "cascade")
HOSTILE = [None, math.nan, math.inf, -1, 101, 10.5, "10", "", [], {}, True, 10**400, 10**5000, b"x"]


def test_the_form_becomes_a_degradation():
    assert RestoreForm(saves="keep").degradation() is None
    once = RestoreForm(saves="once", first_quality=20.0, first_subsampling="4:4:4").degradation()
    assert once == Degradation((Save(20, "4:4:4"),))
    twice = RestoreForm(saves="twice", shift_rows=7, shift_columns=0).degradation()
    assert twice == Degradation((Save(10, "4:2:0"), Save(30, "4:2:0", (7, 0))))


def test_a_resize_stands_between_two_saves_and_nowhere_else():
    def steps(**values):
        degradation = RestoreForm(**{"saves": "twice", "resize_percent": 58, **values}).degradation()
        return degradation and degradation.steps

    assert steps() == (Save(10), Resize(0.58), Save(30, grid_shift=(4, 4)))
    assert steps(resize_percent=100) == (Save(10), Save(30, grid_shift=(4, 4)))
    assert steps(saves="once") == (Save(10),)
    assert steps(saves="keep") is None
    for percent in (25, 200):
        assert steps(resize_percent=percent) == (Save(10), Resize(percent / 100), Save(30, grid_shift=(4, 4)))
    for percent in (24, 201):
        with pytest.raises(InvalidSetting, match="25 to 200"):
            steps(resize_percent=percent)


def test_a_save_that_is_not_made_is_not_checked():
    assert RestoreForm(saves="once", second_quality=math.nan).degradation() is not None


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize(
    "name", ["first_quality", "second_quality", "shift_rows", "shift_columns", "resize_percent"]
)
def test_hostile_numbers_are_refused_with_what_is_allowed(name, value):
    value = 201 if name == "resize_percent" and value == 101 else value
    with pytest.raises(InvalidSetting, match="Whole numbers from"):
        RestoreForm(saves="twice", **{name: value}).degradation()


@pytest.mark.parametrize("value", [None, 4, "5:5:5", ["4:2:0"], "4:2:0 " * 1000])
@pytest.mark.parametrize("name", ["saves", "first_subsampling", "second_subsampling"])
def test_hostile_choices_are_refused_in_a_short_sentence(name, value):
    with pytest.raises(InvalidSetting, match="Allowed") as caught:
        RestoreForm(**{"saves": "twice", name: value}).degradation()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", [None, "cascade", ["nobody"], [3], {"cascade": 1}])
def test_hostile_model_lists_are_refused(value):
    with pytest.raises(InvalidSetting):
        RestoreForm(model_names=value).request("key", KNOWN)


def test_the_request_orders_models_and_keeps_the_quality_only_by_hand():
    wanted = RestoreForm(model_names=["cascade", "plain", "cascade"], manual_quality=44).request("key", KNOWN)
    assert wanted.model_names == ("plain", "cascade")
    assert wanted.options.quality_factor is None
    by_hand = RestoreForm(model_names=["plain"], guidance="manual", manual_quality=44).request("key", KNOWN)
    assert by_hand.options.quality_factor == 44
    with pytest.raises(InvalidSetting):
        RestoreForm(guidance=["manual"]).request("key", KNOWN)
    with pytest.raises(InvalidSetting, match="by hand"):
        RestoreForm(guidance="manual", manual_quality=math.nan).request("key", KNOWN)

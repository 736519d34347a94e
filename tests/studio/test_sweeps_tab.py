"""The Sweep tab on the page: hostile values, and a sweep from the press to its end."""

import math

import gradio as gr
import pytest

from studio.interface import build_studio
from studio.session.visitor import Session
from studio.sweep.form import CONTROLS, SweepForm
from studio.sweep.handlers import SweepPage
from tests.studio.events import Visitor, parts_of

TICKED = {"Models": ["cascade"]}


@pytest.fixture(scope="module")
def page(zoo, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        return build_studio(zoo)


@pytest.fixture
def visitor(page, photograph):
    visitor = Visitor(page, parts_of(page, "started", SweepPage))
    visitor.hold("session", Session(photograph))
    return visitor


def test_controls_are_drawn_from_the_form(visitor):
    for name, control in CONTROLS.items():
        block = visitor.parts[control.label]
        assert block.value == getattr(SweepForm(), name)
        if isinstance(block, gr.Slider):
            assert (block.minimum, block.maximum) == (control.low, control.high)
        else:
            assert list(block.choices) == list(control.choices)


@pytest.mark.parametrize(
    "changed",
    [
        {"Quality factors from": math.nan},
        {"Part of the picture": ["crop"]},
        {"Kind of sweep": {"a": 1}},
        {"Models": "cascade"},
        {"Compare at quality factor": "high"},
        {"In steps of": None},
    ],
)
def test_hostile_values_are_one_calm_sentence(visitor, changed):
    for handler in ("checked", "started", "settled"):
        words = visitor.call(handler, **{**TICKED, **changed}).get("notice", "")
        assert "Something went wrong" not in words
        if words:
            assert words.startswith("<p class='notice'")
    visitor.hold("record", None)
    assert visitor.calls("swept") == []


def test_a_refused_run_stays_explained_after_it_settled(visitor):
    assert "Tick at least one" in visitor.call("started", Models=[])["notice"]
    assert "Tick at least one" in visitor.call("settled", Models=[])["notice"]
    visitor.hold("session", None)
    assert "No photograph" in visitor.call("started", **TICKED)["notice"]
    assert "notice" not in visitor.call("settled", **TICKED)


def test_a_run_from_press_to_result(visitor):
    chosen = {**TICKED, "Quality factors from": 20, "Quality factors to": 60, "In steps of": 40}
    assert visitor.call("started", **chosen)["run"]["interactive"] is False
    answers = visitor.calls("swept")
    assert answers[-1]["run"]["interactive"] is True
    assert len(visitor.held("record").current.points) == 4
    assert visitor.call("stopped")["stop"]["value"] == "Stopping"
    assert visitor.held("record").current.stop.is_set()

"""The Sweep tab's handlers: names of its parts, hostile values, visibility."""

import inspect
import math

import pytest

from studio.interface import build_studio
from studio.session.visitor import Session
from studio.sweep.form import SweepForm
from studio.sweep.handlers import SweepPage
from studio.sweep.layout import SweepControls, SweepOutputs
from studio.sweep.run import SweepRecord
from studio.sweep.tab import SweepTab


@pytest.fixture(scope="module")
def tab(zoo, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        page = build_studio(zoo)
    found = {getattr(fn.fn, "__self__", None) for fn in page.handlers.values() if inspect.ismethod(fn.fn)}
    (only,) = [one for one in found if isinstance(one, SweepTab)]
    return only


def values_of(tab, **changed):
    form = vars(SweepForm(model_names=["cascade"], model_name="cascade", steerable_name="cascade"))
    values = {getattr(tab.controls, name): changed.get(name, value) for name, value in form.items()}
    return {
        **values,
        tab._session: changed.get("session", Session()),
        tab.outputs.record: changed.get("record", SweepRecord()),
    }


def test_layout_names_equal_form_and_page():
    assert set(SweepControls.__annotations__) == set(SweepForm.__annotations__)
    assert set(SweepOutputs.__annotations__) | {"busy"} == set(SweepPage.__annotations__)


@pytest.mark.parametrize(
    "changed",
    [
        {"lowest": math.nan},
        {"extent": ["crop"]},
        {"kind": {"a": 1}},
        {"model_names": "cascade"},
        {"reading_quality": "high", "record": None},
        {"step": None},
    ],
)
def test_hostile_values_are_one_calm_sentence(tab, changed, photograph):
    values = values_of(tab, **{"session": Session(photograph), **changed})
    for handler in (tab.checked, tab.began, tab.settled):
        words = handler(values).get(tab.outputs.notice)
        if isinstance(words, str) and words:
            assert words.startswith("<p class='notice'")
            assert "unforeseen" not in words
    assert list(tab.swept({**values, tab.outputs.record: None})) == []


def test_a_refused_run_stays_explained_after_it_settled(tab, photograph):
    values = values_of(tab, session=Session(photograph), model_names=[])
    assert "Tick at least one" in tab.began(values)[tab.outputs.notice]
    assert "Tick at least one" in tab.settled(values)[tab.outputs.notice]
    missing = values_of(tab, session=None)
    assert "No photograph" in tab.began(missing)[tab.outputs.notice]
    assert not isinstance(tab.settled(missing)[tab.outputs.notice], str)


def test_only_what_belongs_to_the_kind_is_shown(tab):
    def shown(kind):
        words, *updates = tab.kind_changed(kind)
        kinds = [one for one, groups in tab._buttons.of_kind.items() for _ in groups]
        return {one for one, update in zip(kinds, updates, strict=True) if update["visible"]}, words

    for kind in ("quality", "twice", "by_hand"):
        visible, words = shown(kind)
        assert visible == {kind}
        assert "quality factor" in words
    assert shown(["twice"]) == (set(), "<p class='fact fact-note'></p>")


def test_a_run_from_press_to_result(tab, photograph):
    values = values_of(tab, session=Session(photograph), lowest=20, highest=60, step=40)
    began = tab.began(values)
    assert began[tab._buttons.run]["interactive"] is False
    record = began[tab.outputs.record]
    answers = list(tab.swept({**values, tab.outputs.record: record}))
    assert answers[-1][tab._buttons.run]["interactive"] is True
    assert len(answers[-1][tab.outputs.record].current.points) == 4
    assert tab.stopped({**values, tab.outputs.record: record})[tab._buttons.stop]["value"] == "Stopping"
    assert record.current.stop.is_set()

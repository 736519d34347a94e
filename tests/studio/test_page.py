"""The built page: lossless components, one queue for models, guarded uploads, handlers against hostile values."""

import inspect
import math
from dataclasses import replace

import gradio as gr
import numpy as np
import pytest

from models.errors import RestorationError
from studio.anatomy.tab import AnatomyTab
from studio.interface import build_studio, launch_settings
from studio.restore.layout import Buttons, Controls, Outputs
from studio.restore.tab import RestoreTab
from studio.server.call_queue import MAX_QUEUED_PER_CLIENT
from studio.server.gradio_internals import MODELS
from studio.session.examples import EXAMPLES, example
from studio.session.form import RestoreForm
from studio.session.visitor import Run, Session


@pytest.fixture(scope="module")
def page(zoo, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        yield build_studio(zoo)


@pytest.fixture
def tab(page):
    """The Restore tab behind the page's handlers."""
    found = {getattr(fn.fn, "__self__", None) for fn in page.handlers.values() if inspect.ismethod(fn.fn)}
    (only,) = [one for one in found if isinstance(one, RestoreTab)]
    return only


def values_of(tab, **changed):
    form = {name: changed.pop(name, value) for name, value in vars(RestoreForm()).items()}
    values = {getattr(tab.controls, name): value for name, value in form.items()}
    return {
        **values,
        tab.outputs.session: changed.get("session", Session()),
        tab.outputs.run: changed.get("run"),
    }


def event_of(**data):
    return gr.EventData(None, data)


def test_no_component_can_show_a_lossy_copy(page):
    pictures = [
        block for block in page.blocks.values() if isinstance(block, (gr.Image, gr.ImageSlider, gr.Gallery))
    ]
    assert [block for block in pictures if block.format != "png"] == []
    for block in page.blocks.values():
        for text in (getattr(block, "html_template", ""), getattr(block, "js_on_load", "") or ""):
            assert "data:image" not in text
            assert "webp" not in text.replace(".webp,", "")


def test_one_sweeper_alone_deletes_the_pages_files(page):
    assert page.delete_cache is None


def test_custom_templates_hold_no_placeholders(page):
    custom = [
        block
        for block in page.blocks.values()
        if isinstance(block, gr.HTML) and block.html_template != "${value}"
    ]
    assert len(custom) >= 10
    for block in custom:
        for text in (block.html_template, block.css_template):
            assert not any(mark in text for mark in ("{{", "}}", "${", "`", "\\"))
        assert "innerHTML" not in block.js_on_load


def test_everything_that_runs_a_model_shares_one_line(page):
    running = [fn for fn in page.handlers.values() if inspect.isgeneratorfunction(fn.fn)]
    assert len(running) >= 3
    assert {fn.concurrency_id for fn in running} == {MODELS["concurrency_id"]}
    assert page.queues.places[MODELS["concurrency_id"]] == MODELS["concurrency_limit"] == 3
    assert MAX_QUEUED_PER_CLIENT == 32
    assert page.api_open is False


def test_nothing_recompresses_while_a_slider_is_dragged(page):
    events = [
        (page.blocks[target], name)
        for fn in page.handlers.values()
        for target, name in fn.targets
        if target in page.blocks  # the page itself, which loads, is none of them
    ]
    sliders = {name for block, name in events if isinstance(block, gr.Slider)}
    assert sliders == {"release"}


def test_launch_settings_keep_the_page_private(page):
    settings = launch_settings(page)
    expected = {"show_error": False, "ssr_mode": False, "run_history": False, "enable_monitoring": False}
    assert {name: settings[name] for name in expected} == expected
    known = inspect.signature(gr.Blocks.launch).parameters
    assert set(settings) <= set(known)


def test_layout_names_equal_form_and_page():
    assert set(Controls.__annotations__) == set(RestoreForm.__annotations__)
    assert {"restore", "stop", "photograph"} <= set(Buttons.__annotations__)
    assert {"viewer", "results", "session", "run"} <= set(Outputs.__annotations__)


def test_every_example_opens(tab):
    for one in EXAMPLES:
        answer = tab.example_opened(values_of(tab), event_of(name=one.name))
        assert answer[tab.outputs.session].photograph.key, one.name
        assert answer[tab.outputs.notice] == ""


@pytest.mark.parametrize("name", [None, 3, "../secret", {"a": 1}, "x" * 10_000])
def test_hostile_example_names_are_one_sentence(tab, name):
    words = tab.example_opened(values_of(tab), event_of(name=name))[tab.outputs.notice]
    assert "no example" in words
    assert len(words) < 400


@pytest.mark.parametrize("path", ["/etc/passwd", "", None, 7, "../../etc/passwd", "/nowhere/at/all.png"])
def test_only_uploaded_files_are_opened(tab, path):
    answer = tab.opened(values_of(tab), event_of(path=path, name="x.png"))
    assert "not there any more" in answer[tab.outputs.notice]
    assert tab.outputs.session not in answer


def test_an_upload_that_is_no_picture_is_one_sentence(page, tab):
    folder = page.disk_quota.folder / "abc"
    folder.mkdir(exist_ok=True)
    (folder / "evil.jpg").write_bytes(b"%PDF-1.4 not a picture")
    words = tab.opened(values_of(tab), event_of(path=str(folder / "evil.jpg"), name="<i>.jpg"))[
        tab.outputs.notice
    ]
    assert words.count("<") == 2
    assert "Traceback" not in words


@pytest.mark.parametrize(
    "changed",
    [
        {"first_quality": math.nan},
        {"first_quality": None},
        {"saves": ["once"]},
        {"model_names": "cascade"},
        {"guidance": ["manual", "pixels"]},
        {"guidance": "manual", "manual_quality": -5},
        {"session": None},
        {"session": Session()},
    ],
)
def test_hostile_values_are_one_calm_sentence(tab, changed, photograph):
    values = values_of(tab, **{"session": Session(photograph), **changed})
    for handler in (tab.rebroken, tab.began):
        words = handler(values)[tab.outputs.notice]
        assert words.startswith("<p class='notice'")
        assert "unforeseen" not in words
    assert list(tab.restored({**values, tab.outputs.run: None})) == []


def test_visibility_handlers_take_anything(tab):
    assert [one["visible"] for one in tab.saves_changed(["twice"])] == [False, False]
    assert [one["visible"] for one in tab.saves_changed("twice")] == [True, True]
    assert tab.guidance_changed({"a": 1})[0]["visible"] is False


def test_examples_come_with_the_program():
    assert all(len(one.read_bytes()) > 10_000 for one in EXAMPLES)
    assert example("rocket").read_bytes()[:2] == b"\xff\xd8"


def test_no_step_follows_one_that_failed(page):
    chained = [fn for fn in page.handlers.values() if fn.trigger_after is not None]
    assert len(chained) >= 6
    anyway = {getattr(fn.fn, "__name__", "") for fn in chained if not fn.trigger_only_on_success}
    assert anyway == {"settled"}  # a run that was refused its place in the line is over, too


def test_anatomy_keeps_nothing_of_the_file_before_one_it_cannot_show(page, photograph):
    anatomy = next(
        owner
        for fn in page.handlers.values()
        if inspect.ismethod(fn.fn) and isinstance(owner := fn.fn.__self__, AnatomyTab)
    )
    restore, outputs = anatomy._restore, anatomy._outputs
    values = dict.fromkeys(restore.form_inputs())
    for name, value in vars(RestoreForm(saves="once", first_quality=30)).items():
        values[getattr(restore.controls, name)] = value
    values |= {restore.outputs.session: Session(photograph), outputs.subject: None, outputs.place: None}
    shown = anatomy.opened(values)
    subject = shown[outputs.subject]
    assert photograph.name in shown[outputs.file_facts]
    tiny = replace(
        photograph, key="tiny", image=replace(photograph.image, decoded_pixels=np.zeros((3, 3, 3), np.uint8))
    )
    twice = {
        restore.controls.saves: "twice",
        restore.controls.shift_rows: 4,
        restore.controls.shift_columns: 4,
    }
    failed = anatomy.opened(
        values | twice | {restore.outputs.session: Session(tiny), outputs.subject: subject}
    )
    assert failed[outputs.subject] is None
    assert failed[outputs.file_facts] == failed[outputs.shares] == ""
    assert "shift" in failed[outputs.notice]
    settings = {outputs.component: 0, outputs.frequency_row: 0, outputs.frequency_column: 1}
    after = anatomy.searched({**settings, outputs.subject: failed[outputs.subject]})
    assert set(after) == {outputs.notice} and after[outputs.notice] == gr.skip()
    found = anatomy.searched({**settings, outputs.subject: subject})
    assert found[outputs.notice] == gr.skip()


def test_a_link_whose_picture_cannot_be_opened_runs_nothing_on_the_one_before(tab, photograph, monkeypatch):
    def gone(name):
        raise RestorationError("It is gone. Examples are there. Choose one.")

    monkeypatch.setattr("studio.restore.tab.open_example", gone)
    changes = tab._set_up({}, Run())
    assert changes[tab.outputs.session].photograph is None
    assert "It is gone" in changes[tab.outputs.notice]
    values = dict.fromkeys(tab.form_inputs())
    begun = tab.began_unasked(values | {tab.outputs.session: changes[tab.outputs.session]})
    assert begun[tab.outputs.run].request is None
    assert tab.outputs.notice not in begun

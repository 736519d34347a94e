"""The built page: lossless components, one queue for models, guarded uploads, handlers against hostile values."""

import inspect
import math
from dataclasses import replace

import gradio as gr
import numpy as np
import pytest

from models.errors import RestorationError
from models.jpeg import read
from studio.anatomy.handlers import AnatomyPage
from studio.interface import build_studio, launch_settings
from studio.page.facts import notice
from studio.restore.page import show_guidance, show_saves
from studio.server.call_queue import MAX_QUEUED_PER_CLIENT
from studio.server.gradio_internals import MODELS
from studio.session.examples import EXAMPLES, example
from studio.session.uploads import Uploads
from studio.session.visitor import Session
from tests.present import present
from tests.studio.events import Visitor, parts_of
from tests.studio.visitor import FORM


@pytest.fixture(scope="module")
def page(zoo, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        yield build_studio(zoo)


def test_no_component_can_show_a_lossy_copy(page):
    pictures = [
        block for block in page.blocks.values() if isinstance(block, (gr.Image, gr.ImageSlider, gr.Gallery))
    ]
    assert [block for block in pictures if block.format != "png"] == []
    for block in page.blocks.values():
        for text in (getattr(block, "html_template", ""), getattr(block, "js_on_load", "") or ""):
            assert "data:image" not in text
            assert "image/webp" not in text


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
        assert "innerHTML" not in present(block.js_on_load)


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


def test_every_example_opens(visitor):
    for item in EXAMPLES:
        page = visitor.handlers.open_example({"name": item.name}, visitor.present, FORM)
        assert page.session.photograph.key, item.name
        assert page.notice == ""


@pytest.mark.parametrize("name", [None, 3, "../secret", {"a": 1}, "x" * 10_000])
def test_hostile_example_names_are_one_sentence(visitor, name):
    with pytest.raises(RestorationError, match="no example") as refused:
        visitor.handlers.open_example({"name": name}, visitor.present, FORM)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("path", ["/etc/passwd", "", None, 7, "../../etc/passwd", "/nowhere/at/all.png"])
def test_only_uploaded_files_are_opened(pictures, path):
    with pytest.raises(RestorationError, match="not there any more"):
        Uploads(pictures, read).open(path, "x.png")


def test_an_upload_that_is_no_picture_is_one_sentence(pictures):
    folder = pictures.root / "abc"
    folder.mkdir(parents=True)
    (folder / "evil.jpg").write_bytes(b"%PDF-1.4 not a picture")
    with pytest.raises(RestorationError) as refused:
        Uploads(pictures, read).open(str(folder / "evil.jpg"), "<i>.jpg")
    assert notice(str(refused.value)).count("<") == 2


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
def test_hostile_values_are_one_calm_sentence(visitor, changed, photograph):
    visitor.session = changed.pop("session", Session(photograph))
    form = replace(FORM, **changed)
    for press in (lambda: visitor.change(form), visitor.start):
        with pytest.raises(RestorationError):
            press()
    assert list(visitor.work()) == []


def test_visibility_handlers_take_anything():
    groups = show_saves(["twice"])
    assert (groups.breaking, groups.second_save) == (False, False)
    groups = show_saves("twice")
    assert (groups.breaking, groups.second_save) == (True, True)
    groups = show_guidance({"a": 1})
    assert groups.by_hand is False and "<b>" not in present(groups.guidance_words)


def test_examples_come_with_the_program():
    assert all(len(one.read_bytes()) > 10_000 for one in EXAMPLES)
    assert example("rocket").read_bytes()[:2] == b"\xff\xd8"


def test_no_step_follows_one_that_failed(page):
    chained = [fn for fn in page.handlers.values() if fn.trigger_after is not None]
    assert len(chained) >= 6
    anyway = {getattr(fn.fn, "__name__", "") for fn in chained if not fn.trigger_only_on_success}
    assert anyway == {"settled", "finish"}  # a run that was refused its place in the line is over, too


def test_anatomy_keeps_nothing_of_the_file_before_one_it_cannot_show(page, photograph):
    visitor = Visitor(page, parts_of(page, "opened", AnatomyPage))
    visitor.hold("session", Session(photograph))
    shown = visitor.call("opened", door="experiment", **{"Save as JPEG": "once", "Quality factor": 30})
    assert photograph.name in shown["file_facts"] and shown["bench"]["visible"]
    assert "notice" not in visitor.call("searched")
    tiny = replace(
        photograph, key="tiny", image=replace(photograph.image, decoded_pixels=np.zeros((3, 3, 3), np.uint8))
    )
    visitor.hold("session", Session(tiny))
    failed = visitor.call(
        "opened", door="experiment", **{"Save as JPEG": "twice", "Shift, rows": 4, "Shift, columns": 4}
    )
    assert visitor.held("state") is None
    assert failed["file_facts"] == failed["shares"] == ""
    assert "shift" in failed["notice"]
    assert visitor.call("searched") == {}


def test_anatomy_drops_a_file_that_is_not_open_any_more(page, photograph):
    visitor = Visitor(page, parts_of(page, "opened", AnatomyPage))
    visitor.hold("session", Session(photograph))
    late = visitor.begin("opened", door="experiment", **{"Save as JPEG": "once"})
    visitor.hold("session", Session(replace(photograph, key="another")))
    assert visitor.arrive(late) == {}
    assert visitor.held("state") is None


def test_a_link_whose_picture_cannot_be_opened_runs_nothing_on_the_one_before(
    visitor, photograph, monkeypatch
):
    def gone(name):
        raise RestorationError("It is gone. Examples are there. Choose one.")

    visitor.bring(photograph)
    monkeypatch.setattr("studio.restore.handlers.open_example", gone)
    page = visitor.take(visitor.handlers.arrive({}, visitor.present))
    assert page.session.photograph is None
    assert "It is gone" in page.notice
    started = visitor.handlers.start_unasked(visitor.session, visitor.present, FORM)
    assert started.run.request is None and started.notice is None


def test_a_link_sets_the_whole_form_and_says_what_it_could_not_use(visitor):
    page = visitor.handlers.arrive({"quality": "19", "saves": "thrice", "models": "plain"}, visitor.present)
    assert (page.first_quality, page.saves) == (19, "once")
    assert page.model_names["value"] == ["plain"]
    assert "thrice" in page.notice and page.session.photograph.name == "coffee"

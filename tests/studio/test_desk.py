"""Each press and what the page shows after it, without a page."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from models.errors import InvalidSetting
from studio.engine.engine import RestoreRequest
from studio.restore.handlers import CHANGED
from studio.session.form import RestoreForm
from studio.session.visitor import Run, Session, open_photograph, safe_stem

FORM = RestoreForm(model_names=["plain", "ar_cnn", "cascade"])


def restored(desk, photograph, form=FORM):
    """Every page from opening to the last result, and the session and run they leave."""
    opened = desk.opened(photograph, Run(), form)
    began = desk.began(opened.session, opened.run, form)
    pages = list(desk.restored(opened.session, began.run))
    run = began.run
    for page in pages:
        run = page.run or run
    return [opened, began, *pages], opened.session, run


def pixels_of(pane):
    return np.array(Image.open(pane["file"]["path"]).convert("RGB"))


def test_opening_shows_original_and_degraded_with_the_size_of_the_file(desk, photograph):
    page = desk.opened(photograph, Run(), FORM)
    assert [pane["id"] for pane in page.viewer["panes"]] == ["original", "degraded"]
    assert (page.viewer["a"], page.viewer["b"]) == ("original", "degraded")
    assert "bits per pixel" in page.bench_facts
    assert "PNG, no JPEG header" in page.photograph_facts
    assert page.results["rows"] == []


def test_results_arrive_one_after_the_other_and_every_picture_is_exact(desk, photograph):
    pages, _, run = restored(desk, photograph)
    done = [
        [row["id"] for row in page.results["rows"] if row["state"] == "done"]
        for page in pages
        if page.results
    ]
    assert done[-1] == ["degraded", "plain", "ar_cnn", "cascade"]
    assert [len(rows) for rows in done] == sorted(len(rows) for rows in done)
    view = next(page.viewer for page in reversed(pages) if page.viewer)
    panes = {pane["id"]: pane for pane in view["panes"]}
    for name, restoration in run.outputs.restorations.items():
        np.testing.assert_array_equal(pixels_of(panes[name]), restoration.pixels)
    for number in (1, 2):
        stage = run.outputs.restorations["cascade"].stages[number - 1]
        np.testing.assert_array_equal(pixels_of(panes[f"cascade/{number}"]), stage.pixels)
    np.testing.assert_array_equal(pixels_of(panes["degraded"]), run.outputs.degraded.pixels)
    assert pages[-1].busy is False


def test_what_follows_at_once_is_told_in_one_page(desk, photograph):
    pages, _, run = restored(desk, photograph, replace(FORM, model_names=["plain"]))
    _, pressed, began, ended, measured = pages
    assert [page.busy for page in (pressed, began, ended, measured)] == [True, None, None, False]
    assert began.run.outputs.metrics.keys() == {"degraded"}
    assert [row["state"] for row in began.results["rows"]] == ["done", "running"]
    assert "plain" in {pane["id"] for pane in ended.viewer["panes"]}
    assert "plain" in ended.run.outputs.restorations and ended.quality
    assert measured.viewer is None and measured.run.outputs is run.outputs, (
        "slow metrics come last, and alone"
    )


def test_downloads_are_named_after_picture_model_and_settings(desk, photograph):
    form = replace(FORM, saves="twice", guidance="manual", manual_quality=25)
    pages, _, _ = restored(desk, photograph, form)
    names = [row["download"] for row in pages[-1].results["rows"]]
    assert "whiskers_cascade_qf10-420_qf30-420-shift4x4_by-hand-25.png" in names
    assert len(set(names)) == len(names)


def test_the_quality_line_tells_tables_estimate_and_truth(desk, photograph):
    pages, _, _ = restored(desk, photograph)
    quality = next(page.quality for page in reversed(pages) if page.quality)
    assert "10, exact" in quality
    assert "estimated from pixels by Cascade, untrained" in quality
    assert "<dt>truth</dt><dd>10</dd>" in quality


def test_a_kept_file_says_that_nothing_is_measured(desk, photograph):
    pages, _, _ = restored(desk, photograph, replace(FORM, saves="keep"))
    table = pages[-1].results
    assert "no original" in table["note"]
    assert table["convention"] == ""
    assert {row["cells"]["psnr_db"]["text"] for row in table["rows"]} == {"–"}
    quality = next(page.quality for page in reversed(pages) if page.quality)
    assert "no JPEG header" in quality
    assert "QF 0" not in quality


def test_changed_settings_fade_the_results_and_going_back_shows_them_again(desk, photograph):
    _, session, run = restored(desk, photograph)
    changed = desk.rebroken(session, run, replace(FORM, first_quality=11))
    assert CHANGED in changed.freshness
    assert [pane["id"] for pane in changed.viewer["panes"]] == ["original", "degraded"]
    back = desk.rebroken(session, run, FORM)
    assert back.freshness == ""
    assert "cascade" in [pane["id"] for pane in back.viewer["panes"]]


def test_ticking_another_model_does_not_fade_anything(desk, photograph):
    _, session, run = restored(desk, photograph)
    assert desk.rebroken(session, run, replace(FORM, model_names=["reapply"])).freshness == ""
    assert not run.dropped.is_set()


def test_a_run_for_older_settings_shows_nothing_more(desk, photograph):
    opened = desk.opened(photograph, Run(), FORM)
    began = desk.began(opened.session, opened.run, FORM)
    assert began.results["note"] == ""
    assert [row["state"] for row in began.results["rows"]] == ["waiting", "waiting", "waiting"]
    pages = desk.restored(opened.session, began.run)
    first = next(pages)
    desk.rebroken(opened.session, first.run, replace(FORM, first_quality=50))
    rest = list(pages)
    assert [(page.results, page.viewer, page.busy) for page in rest] == [(None, None, False)]
    settled = desk.settled(opened.session, first.run, replace(FORM, first_quality=50))
    assert CHANGED in settled.freshness


def test_stop_keeps_what_is_finished(desk, photograph):
    opened = desk.opened(photograph, Run(), FORM)
    began = desk.began(opened.session, opened.run, FORM)
    pages = desk.restored(opened.session, began.run)
    for page in pages:
        if page.run is not None and "plain" in page.run.outputs.restorations:
            began.run.end()
    states = {row["id"]: row["state"] for row in page.results["rows"]}
    assert states == {"degraded": "done", "plain": "done", "ar_cnn": "stopped", "cascade": "stopped"}
    assert "Press Restore" in page.results["note"]


def test_restore_needs_a_photograph_and_a_model(desk, photograph):
    with pytest.raises(InvalidSetting, match="no photograph"):
        desk.began(Session(), Run(), FORM)
    with pytest.raises(InvalidSetting, match="no photograph"):
        desk.began(None, Run(), FORM)
    with pytest.raises(InvalidSetting, match="Tick at least one"):
        desk.began(Session(photograph), Run(), replace(FORM, model_names=[]))


def test_steering_by_missing_tables_is_refused_once(desk, photograph):
    form = replace(FORM, saves="keep", guidance="tables")
    opened = desk.opened(photograph, Run(), form)
    began = desk.began(opened.session, opened.run, form)
    [page] = desk.restored(opened.session, began.run)
    assert "no JPEG header" in page.notice and page.busy is False
    assert {row["state"] for row in page.results["rows"]} == {"stopped"}


def test_a_press_touches_no_pixel(desk, photograph, monkeypatch):
    """Presses are answered past the queue: what they cost must not grow with the picture."""
    opened = desk.opened(photograph, Run(), FORM)
    forbidden = lambda *_, **__: pytest.fail("pixels were touched")  # noqa: E731
    for name in (
        "studio.engine.engine.degrade",
        "studio.restore.handlers.view_of",
        "studio.server.files.write_png",
    ):
        monkeypatch.setattr(name, forbidden)
    for quality in range(1, 101):
        began = desk.began(opened.session, Run(), replace(FORM, first_quality=quality, saves="twice"))
        assert began.busy and began.run.outputs is None
    settled = desk.settled(opened.session, began.run, FORM)
    assert "Busy" in settled.notice


def test_a_run_that_waits_for_its_turn_survives_another_tick(desk, photograph):
    opened = desk.opened(photograph, Run(), FORM)
    began = desk.began(opened.session, opened.run, FORM)
    page = desk.rebroken(opened.session, began.run, replace(FORM, model_names=["plain"]))
    assert not began.run.stop.is_set() and page.freshness == ""
    desk.rebroken(opened.session, began.run, replace(FORM, first_quality=77))
    assert began.run.stop.is_set()


def test_names_from_people_are_harmless(photograph):
    assert safe_stem("../../etc/passwd") == "passwd"
    assert safe_stem("C:\\fakepath\\<img onerror=x>.jpg") == "img-onerror-x"
    assert safe_stem("") == "photograph"
    assert len(safe_stem("ü" * 400 + ".jpg")) == 40
    named = open_photograph(photograph.image.data, "<script>alert(1)</script>.png")
    assert "<" not in named.name


def test_session_types_do_not_compare_arrays(photograph):
    assert Session(photograph) != Session(photograph)
    assert RestoreRequest("k", ("a",)) == RestoreRequest("k", ("a",))


def test_deleting_everything_says_so_and_shows_nothing(desk):
    page = desk.emptied(1)
    assert page.session.photograph is None and page.run.request is None
    assert page.viewer["panes"] == [] and page.results["rows"] == []
    assert "Deleted: 1 file and" in page.photograph_facts
    assert "Deleted: 2 files" in desk.emptied(2).photograph_facts


def test_a_run_that_found_no_place_in_line_is_said_to_be_so(desk, photograph):
    form = RestoreForm(model_names=["plain"])
    session = Session(photograph)
    begun = desk.began(session, Run(), form)
    refused = desk.settled(session, begun.run, form)
    assert "Busy" in refused.notice and refused.busy is False
    assert [row["state"] for row in refused.results["rows"]] == ["done"] or "waiting" not in str(
        refused.results
    )
    begun = desk.began(session, Run(), form)
    list(desk.restored(session, begun.run))
    assert desk.settled(session, begun.run, form).notice is None

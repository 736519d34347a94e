"""Each press and what the page shows after it, without a page."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.errors import InvalidSetting
from studio.engine.outputs import RestoreRequest
from studio.restore.handlers import CHANGED
from studio.restore.page import IDLE, WORKING, emptied
from studio.restore.takeaway_handlers import TakeawayHandlers
from studio.server.files import PictureFolder
from studio.session.visitor import Session, open_photograph, safe_stem
from tests.studio.visitor import FORM


@pytest.fixture(scope="module")
def other():
    """Another photograph of another size."""
    noise = np.random.default_rng(5).integers(0, 255, (64, 72, 3), np.uint8)
    file = BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return open_photograph(file.getvalue(), "other.png")


def pixels_of(pane):
    return np.array(Image.open(pane["file"]["path"]).convert("RGB"))


def last(pages, name):
    return next(value for page in reversed(pages) if (value := getattr(page, name)) is not None)


def test_opening_shows_original_and_degraded_with_the_size_of_the_file(visitor, photograph):
    page = visitor.bring(photograph)
    assert [pane["id"] for pane in page.viewer["panes"]] == ["original", "degraded"]
    assert (page.viewer["a"], page.viewer["b"]) == ("original", "degraded")
    assert "bits per pixel" in page.bench_facts
    assert "PNG, no JPEG header" in page.photograph_facts
    assert page.results["rows"] == []


def test_results_arrive_one_after_the_other_and_every_picture_is_exact(visitor, photograph):
    pages = visitor.restore(photograph)
    done = [
        [row["id"] for row in page.results["rows"] if row["state"] == "done"]
        for page in pages
        if page.results
    ]
    assert done[-1] == ["degraded", "plain", "ar_cnn", "cascade"]
    assert [len(rows) for rows in done] == sorted(len(rows) for rows in done)
    panes, outputs = {pane["id"]: pane for pane in last(pages, "viewer")["panes"]}, visitor.run.outputs
    for name, restoration in outputs.restorations.items():
        np.testing.assert_array_equal(pixels_of(panes[name]), restoration.pixels)
    for number in (1, 2):
        stage = outputs.restorations["cascade"].stages[number - 1]
        np.testing.assert_array_equal(pixels_of(panes[f"cascade/{number}"]), stage.pixels)
    np.testing.assert_array_equal(pixels_of(panes["degraded"]), outputs.degraded.pixels)
    assert pages[-1].action == IDLE["action"]


def test_what_follows_at_once_is_told_in_one_page(visitor, photograph):
    visitor.form = replace(FORM, model_names=["plain"])
    _, pressed, began, ended, measured, _ = visitor.restore(photograph)
    buttons = [page.action and page.action["state"] for page in (pressed, began, ended, measured)]
    assert buttons == ["running", "running", "idle", None]
    assert began.run.outputs.metrics.keys() == {"degraded"}
    assert [row["state"] for row in began.results["rows"]] == ["done", "running"]
    assert "plain" in {pane["id"] for pane in ended.viewer["panes"]}
    assert "plain" in ended.run.outputs.restorations and ended.quality
    assert measured.viewer == ended.viewer and measured.run.outputs is visitor.run.outputs


def test_every_picture_is_written_once(visitor, photograph, monkeypatch):
    served = []
    serve = PictureFolder.served
    monkeypatch.setattr(
        PictureFolder,
        "served",
        lambda self, name, *rest, **more: served.append(name) or serve(self, name, *rest, **more),
    )
    visitor.bring(photograph)
    visitor.start()
    del served[:]
    list(visitor.work())
    assert len(served) == len(set(served)) == 2 + 2 + 3  # original, degraded; plain, ar_cnn; three stages
    visitor.change(replace(FORM, model_names=["plain"]))
    assert len(served) == 7


def test_a_picture_that_the_clock_has_deleted_is_written_again(visitor, photograph, pictures):
    visitor.restore(photograph)
    for path in pictures.root.rglob("*.png"):
        path.unlink()
    for pane in visitor.change(FORM).viewer["panes"]:
        assert pixels_of(pane).shape == photograph.image.pixels.shape


def test_downloads_are_named_after_picture_model_and_settings(visitor, photograph):
    visitor.form = replace(FORM, saves="twice", guidance="manual", manual_quality=25)
    names = [row["download"] for row in last(visitor.restore(photograph), "results")["rows"]]
    assert "whiskers_cascade_qf10-420_qf30-420-shift4x4_by-hand-25.png" in names
    assert len(set(names)) == len(names)


def test_the_quality_line_tells_tables_estimate_and_truth(visitor, photograph):
    quality = last(visitor.restore(photograph), "quality")
    assert "10, exact" in quality
    assert "estimated from pixels by Cascade, untrained" in quality
    assert "<dt>truth</dt><dd>10</dd>" in quality


def test_a_kept_file_says_that_nothing_is_measured(visitor, photograph):
    visitor.form = replace(FORM, saves="keep")
    pages = visitor.restore(photograph)
    table = last(pages, "results")
    assert "without a clean original" in table["note"]
    assert table["convention"] == ""
    assert [column["id"] for column in table["columns"]] == ["edges", "changed", "seconds", "speed"]
    cells = {row["id"]: row["cells"] for row in table["rows"]}
    assert cells["degraded"]["changed"]["text"] == "nothing"
    assert cells["plain"]["changed"]["text"] == "nothing"
    quality = last(pages, "quality")
    assert "no JPEG header" in quality
    assert "QF 0" not in quality


def test_changed_settings_fade_the_results_and_going_back_shows_them_again(visitor, photograph):
    visitor.restore(photograph)
    changed = visitor.change(replace(FORM, first_quality=11))
    assert CHANGED in changed.freshness
    assert [pane["id"] for pane in changed.viewer["panes"]] == ["original", "degraded"]
    back = visitor.change(FORM)
    assert back.freshness == ""
    assert "cascade" in [pane["id"] for pane in back.viewer["panes"]]


def test_ticking_another_model_does_not_fade_anything(visitor, photograph):
    visitor.restore(photograph)
    assert visitor.change(replace(FORM, model_names=["reapply"])).freshness == ""
    assert not visitor.run.dropped.is_set()


def test_a_run_for_older_settings_shows_nothing_more(visitor, photograph):
    visitor.bring(photograph)
    started = visitor.start()
    assert started.results["note"] == ""
    assert [row["state"] for row in started.results["rows"]] == ["waiting", "waiting", "waiting"]
    pages = visitor.work()
    next(pages)
    visitor.change(replace(FORM, first_quality=50))
    assert [(page.results, page.viewer, page.action["state"]) for page in pages] == [(None, None, "idle")]
    assert CHANGED in visitor.finish().freshness


def test_stop_keeps_what_is_finished(visitor, photograph):
    visitor.bring(photograph)
    visitor.start()
    page = None
    for page in visitor.work():
        if page.run is not None and "plain" in page.run.outputs.restorations:
            visitor.handlers.end(visitor.present)
    assert page is not None
    states = {row["id"]: row["state"] for row in page.results["rows"]}
    assert states == {"degraded": "done", "plain": "done", "ar_cnn": "stopped", "cascade": "stopped"}
    assert "press again" in page.results["note"]


def test_restore_needs_a_photograph_and_a_model(visitor, photograph):
    with pytest.raises(InvalidSetting, match="no photograph"):
        visitor.start()
    visitor.session = None
    with pytest.raises(InvalidSetting, match="no photograph"):
        visitor.start()
    visitor.session, visitor.form = Session(photograph), replace(FORM, model_names=[])
    with pytest.raises(InvalidSetting, match="Tick at least one"):
        visitor.start()


def test_steering_by_missing_tables_is_refused_once(visitor, photograph):
    visitor.form = replace(FORM, saves="keep", guidance="tables")
    visitor.bring(photograph)
    visitor.start()
    [page] = visitor.work()
    assert "no JPEG header" in page.notice and page.action["state"] == "idle"
    assert {row["state"] for row in page.results["rows"]} == {"stopped"}


def test_a_press_touches_no_pixel(visitor, photograph, monkeypatch):
    """Presses are answered past the queue: what they cost must not grow with the picture."""
    visitor.bring(photograph)
    forbidden = lambda *_, **__: pytest.fail("pixels were touched")  # noqa: E731
    for name in (
        "studio.engine.engine.degrade",
        "studio.restore.handlers.view_of",
        "studio.server.files.write_png",
    ):
        monkeypatch.setattr(name, forbidden)
    for quality in range(1, 101):
        visitor.form = replace(FORM, first_quality=quality, saves="twice")
        started = visitor.start()
        assert started.action == WORKING["action"] and started.run.outputs is None
    assert "Busy" in visitor.finish().notice


def test_a_run_that_waits_for_its_turn_survives_another_tick(visitor, photograph):
    visitor.bring(photograph)
    visitor.start()
    page = visitor.change(replace(FORM, model_names=["plain"]))
    assert not visitor.run.stop.is_set() and page.freshness == ""
    visitor.change(replace(FORM, first_quality=77))
    assert visitor.run.stop.is_set()


@pytest.mark.parametrize("pages_before", [0, 1, 3])
def test_a_run_says_nothing_once_another_photograph_is_open(visitor, photograph, other, pages_before):
    """Restore was pressed while the other one was on its way; the events see states of when they began."""
    visitor.bring(photograph)
    snapshot = visitor.start().run
    pages = visitor.work()
    for _ in range(pages_before):
        next(pages)
    opened = visitor.bring(other)
    assert snapshot.stop.is_set() and opened.results["rows"] == []
    assert list(pages) == []
    after = visitor.finish()
    assert (after.viewer, after.run, after.freshness) == (None, None, None)
    assert visitor.session.photograph is other and visitor.run.outputs is None


def test_a_run_started_on_the_photograph_before_frees_the_button(visitor, photograph, other):
    """The press read the state before the other photograph was open, and was answered after it."""
    visitor.bring(photograph)
    before = visitor.session
    visitor.bring(other)
    visitor.take(visitor.handlers.start(before, visitor.present, visitor.form))
    assert list(visitor.work()) == []
    assert visitor.finish().action == IDLE["action"]


def test_of_two_files_under_way_the_one_chosen_last_is_open(visitor, photograph, other):
    def slow():
        assert visitor.bring(other).session.photograph is other  # chosen later, open sooner
        return photograph

    assert visitor.bring(slow).session is None
    assert visitor.session.photograph is other


def test_a_run_ends_when_another_is_started(visitor, photograph):
    visitor.bring(photograph)
    first = visitor.start().run
    pages = visitor.work()
    next(pages)
    second = visitor.start().run
    assert first.stop.is_set() and not second.stop.is_set()
    assert list(pages) == []
    assert "cascade" in list(visitor.work())[-1].run.outputs.restorations


def test_results_of_another_photograph_are_not_packed(visitor, engine, pictures, photograph, other):
    visitor.restore(photograph)
    takeaway = TakeawayHandlers(engine, pictures)
    assert takeaway.make_zip({}, visitor.session, visitor.run).takeaway["file"]["path"].endswith(".zip")
    for make in (takeaway.make_zip, takeaway.make_page):
        with pytest.raises(InvalidSetting, match="another photograph"):
            make({}, Session(other), visitor.run)


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


def test_deleting_everything_says_so_and_shows_nothing():
    page, again = (vars(emptied(count)) for count in (1, 2))
    assert page["session"].photograph is None and page["run"].request is None
    assert page["viewer"]["panes"] == [] and page["results"]["rows"] == []
    assert "Deleted: 1 file and" in page["photograph_facts"]
    assert "Deleted: 2 files" in again["photograph_facts"]


def test_a_run_that_found_no_place_in_the_queue_is_said_to_be_so(visitor, photograph):
    visitor.form = replace(FORM, model_names=["plain"])
    visitor.bring(photograph)
    visitor.start()
    refused = visitor.finish()
    assert "Busy" in refused.notice and refused.action == IDLE["action"]
    assert {row["state"] for row in refused.results["rows"]} == {"stopped"}
    visitor.start()
    list(visitor.work())
    assert visitor.finish().notice is None

"""Somebody adds a clean original to their own photograph: checked, measured against, shown, packed, and taken away."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut, chelsea

from models.errors import InvalidSetting
from studio.engine.clean_original import CleanOriginal, checked_original
from studio.restore.original_handlers import OriginalHandlers, refuse
from studio.restore.takeaway_handlers import TakeawayHandlers
from studio.server.answers import DROPPED
from studio.session.form import RestoreForm
from studio.session.visitor import Session, open_photograph
from training.evaluation.metrics import METRICS, psnr_db

REPAIR = RestoreForm(model_names=["plain", "ar_cnn", "cascade"])
CLEAN = np.ascontiguousarray(chelsea()[60:156, 100:228])


def file_of(pixels, quality: int | None = None, **settings) -> bytes:
    file = io.BytesIO()
    kind = {"format": "PNG"} if quality is None else {"format": "JPEG", "quality": quality}
    Image.fromarray(pixels).save(file, **kind, **settings)
    return file.getvalue()


@pytest.fixture
def holiday():
    return open_photograph(file_of(CLEAN, 25), "holiday.jpg")


@pytest.fixture
def originals(visitor):
    return OriginalHandlers(visitor.handlers, lambda place, name: open_photograph(place, name))


@pytest.fixture
def add(visitor, originals):
    """Add a file's bytes as the original, and let the states stand."""

    def added(data: bytes, name: str = "clean.png"):
        page = originals.add(
            {"path": data, "name": name}, visitor.session, visitor.run, visitor.present, visitor.form
        )
        return stand(visitor, page)

    return added


def stand(visitor, page):
    if page.session is not None:
        visitor.session = page.session.of(visitor.session)
    return page


def last(pages, name):
    return next(value for page in reversed(pages) if (value := getattr(page, name)) is not None)


def measured_again(visitor):
    return [visitor.start(), *visitor.work(), visitor.finish()]


@pytest.mark.parametrize("door", ["repair", "experiment"])
def test_everything_is_measured_against_the_original_once_it_is_added(visitor, holiday, add, door):
    visitor.form = replace(REPAIR, door=door, saves="keep")
    visitor.restore(holiday)
    assert visitor.run.outputs.metrics == {}
    page = add(file_of(CLEAN))
    assert page.original["state"] == "added" and page.original["name"] == "clean" and page.original["again"]
    assert [pane["id"] for pane in page.viewer["panes"]][:2] == ["original", "degraded"]
    assert page.viewer["reference"] == "original" and page.viewer["panes"][1]["label"] == "as brought"
    assert "Measured against clean" in page.bench_facts
    pages = measured_again(visitor)
    outputs = visitor.run.outputs
    assert set(outputs.metrics["cascade"]) == {metric.name for metric in METRICS}
    restored = outputs.restorations["cascade"].pixels
    assert outputs.metrics["cascade"]["psnr_db"] == psnr_db(restored, CLEAN)
    assert outputs.metrics["degraded"]["psnr_db"] == psnr_db(holiday.image.pixels, CLEAN)
    assert "the original" in last(pages, "verdict")["words"]
    assert last(pages, "verdict")["download"] == "holiday_repaired.png"
    assert "psnr_db" in [column["id"] for column in last(pages, "results")["columns"]]


def test_results_that_are_there_are_measured_and_not_made_again(visitor, holiday, add, monkeypatch):
    visitor.form = REPAIR
    visitor.restore(holiday)
    before = visitor.run.outputs.restorations["cascade"]
    monkeypatch.setattr(
        "studio.engine.engine.in_background", lambda *_, **__: pytest.fail("a model ran again")
    )
    add(file_of(CLEAN))
    measured_again(visitor)
    assert visitor.run.outputs.restorations["cascade"] is before
    assert visitor.run.outputs.metrics["cascade"]["psnr_db"] == psnr_db(before.pixels, CLEAN)


def test_a_second_original_replaces_the_first_everywhere(visitor, holiday, add):
    visitor.form = REPAIR
    visitor.restore(holiday)
    first = CLEAN.copy()
    first[:8] = 0
    for pixels in (first, CLEAN):
        add(file_of(pixels))
        measured_again(visitor)
        pane = visitor.run.view["panes"][0]
        np.testing.assert_array_equal(np.array(Image.open(pane["file"]["path"]).convert("RGB")), pixels)
        assert visitor.run.outputs.metrics["degraded"]["psnr_db"] == psnr_db(holiday.image.pixels, pixels)


def test_a_removed_original_leaves_nothing_measured(visitor, holiday, add, originals):
    visitor.form = REPAIR
    visitor.restore(holiday)
    add(file_of(CLEAN))
    measured_again(visitor)
    page = stand(visitor, originals.remove(visitor.session, visitor.run, visitor.present, visitor.form))
    assert page.original["state"] == "none" and page.original["again"]
    assert "original" not in [pane["id"] for pane in page.viewer["panes"]]
    pages = measured_again(visitor)
    assert visitor.run.outputs.metrics == {} and visitor.run.outputs.original is None
    assert "edges" in [column["id"] for column in last(pages, "results")["columns"]]


def test_a_photograph_that_is_damaged_further_is_measured_against_the_same_original(visitor, holiday, add):
    visitor.form = replace(REPAIR, door="experiment", saves="twice", model_names=["plain"])
    visitor.bring(holiday)
    add(file_of(CLEAN))
    visitor.form = replace(visitor.form, saves="twice")
    measured_again(visitor)
    outputs = visitor.run.outputs
    np.testing.assert_array_equal(outputs.original, CLEAN[4:, 4:])
    assert outputs.metrics["degraded"]["psnr_db"] == psnr_db(outputs.degraded.pixels, CLEAN[4:, 4:])


def test_another_photograph_has_no_original_and_an_original_for_the_one_before_is_dropped(
    visitor, holiday, add, originals
):
    visitor.form = REPAIR
    visitor.bring(holiday)
    add(file_of(CLEAN))
    held = visitor.session
    late = originals.add(
        {"path": file_of(CLEAN), "name": "late.png"}, held, visitor.run, visitor.present, visitor.form
    )
    visitor.bring(open_photograph(file_of(astronaut()[:64, :64], 30), "other.jpg"))
    assert visitor.session.photograph.original is None
    assert late.session.of(visitor.session) is DROPPED
    assert late.session.of(None) is DROPPED
    assert (
        originals.add(
            {"path": file_of(CLEAN), "name": "late.png"}, held, visitor.run, visitor.present, visitor.form
        ).session
        is None
    )


def test_originals_on_their_side_are_turned_upright_before_they_are_compared(visitor, holiday, add):
    visitor.form = REPAIR
    visitor.bring(holiday)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    turned = file_of(np.ascontiguousarray(np.rot90(CLEAN)), 100, subsampling=0, exif=exif.tobytes())
    add(turned, "camera.jpg")
    assert visitor.session.photograph.original.pixels.shape == CLEAN.shape


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (chelsea()[60:156, 100:227], "clean is 127 × 96, the photograph 128 × 96"),
        (chelsea()[62:158, 103:231], "shifted by 3 columns and 2 rows"),
        (astronaut()[60:156, 100:228], "shows another picture"),
        (CLEAN[::-1, ::-1], "shows another picture"),
        (255 - CLEAN, "shows another picture"),
    ],
)
def test_what_cannot_be_the_original_is_refused_with_the_reason(holiday, pixels, words):
    original = CleanOriginal("clean", "key", np.ascontiguousarray(pixels))
    with pytest.raises(InvalidSetting, match=words):
        checked_original(original, holiday.image.pixels)


def test_the_very_picture_that_is_open_is_no_original(holiday):
    with pytest.raises(InvalidSetting, match="the very picture that is open"):
        checked_original(CleanOriginal("clean", "key", holiday.image.pixels.copy()), holiday.image.pixels)


@pytest.mark.parametrize("quality", [5, 10, 40, 95])
@pytest.mark.parametrize(
    "make",
    [
        lambda: CLEAN,
        lambda: astronaut()[:64, :64],
        lambda: np.full((40, 40, 3), 90, np.uint8) + np.eye(40, dtype=np.uint8)[..., None],
    ],
)
def test_the_true_original_is_taken_however_much_was_lost(make, quality):
    pixels = np.ascontiguousarray(make())
    damaged = open_photograph(file_of(pixels, quality), "a.jpg").image.pixels
    assert checked_original(CleanOriginal("clean", "key", pixels), damaged).pixels is pixels


def test_one_row_of_pixels_can_have_an_original():
    pixels = np.arange(90, dtype=np.uint8).reshape(1, 30, 3)
    damaged = open_photograph(file_of(pixels, 30), "a.jpg").image.pixels
    assert checked_original(CleanOriginal("clean", "key", pixels), damaged)


def test_examples_take_no_original(visitor, originals):
    visitor.take(visitor.handlers.open_example({"name": "coffee"}, visitor.present, REPAIR))
    with pytest.raises(InvalidSetting, match="photograph of your own"):
        originals.add({"path": b"", "name": "a"}, visitor.session, visitor.run, visitor.present, REPAIR)
    refused = refuse("No.")
    assert refused.original == {**(refused.original or {}), "state": "failed", "words": "No."}
    assert refused.session is None
    with pytest.raises(InvalidSetting, match="no photograph"):
        originals.add({}, Session(), visitor.run, visitor.present, REPAIR)


def test_zip_and_page_hold_the_original_and_name_it(visitor, engine, pictures, holiday, add):
    visitor.form = REPAIR
    visitor.restore(holiday)
    add(file_of(CLEAN))
    measured_again(visitor)
    packing = TakeawayHandlers(engine, pictures)
    answered = packing.make_zip({}, visitor.session, visitor.run).takeaway
    archive = zipfile.ZipFile(answered["file"]["path"])
    report = json.loads(archive.read("holiday_as-brought/report.json"))
    assert report["original"] == {"name": "clean"}
    assert report["results"][1]["metrics"]["psnr_db"] == visitor.run.outputs.metrics["cascade"]["psnr_db"]
    picture = Image.open(io.BytesIO(archive.read("holiday_as-brought/holiday_original.png")))
    np.testing.assert_array_equal(np.array(picture), CLEAN)
    page = Path(packing.make_page({}, visitor.session, visitor.run).takeaway["file"]["path"]).read_text()
    assert '"id": "original"' in page and ">PSNR (RGB)<" in page

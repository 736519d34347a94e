"""Two doors over one bench: Repair leaves what was brought as it is, Experiment does what is asked for."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from skimage.data import chelsea

from models.errors import InvalidSetting
from studio.restore.takeaway_handlers import TakeawayHandlers
from studio.session.form import RestoreForm
from studio.session.visitor import open_photograph
from tests.studio.visitor import FORM

REPAIR = RestoreForm(model_names=["plain", "ar_cnn", "cascade"])


def saved(pixels, quality: int, name: str = "holiday.jpg", **settings):
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, **settings)
    return open_photograph(file.getvalue(), name)


@pytest.fixture(scope="module")
def holiday():
    return saved(chelsea()[:96, :128], 25)


def last(pages, name):
    return next(value for page in reversed(pages) if (value := getattr(page, name)) is not None)


def test_what_somebody_brought_is_never_saved_again_unasked(visitor, holiday):
    visitor.form = replace(REPAIR, saves="twice", first_quality=5)
    pages = visitor.restore(holiday)
    outputs = visitor.run.outputs
    assert outputs.degraded is holiday.image and outputs.original is None
    assert list(outputs.restorations) == ["cascade"]
    assert [pane["id"] for pane in last(pages, "viewer")["panes"]][0] == "degraded"


@pytest.mark.parametrize("form", [FORM, REPAIR])
def test_opening_a_file_of_ones_own_sets_the_experiment_to_as_it_is(visitor, holiday, form):
    visitor.form = form
    visitor._files["brought"] = holiday
    page = visitor.handlers.open_upload({"path": "brought"}, visitor.present, form)
    assert page.saves == "keep" and "original" not in [pane["id"] for pane in page.viewer["panes"]]


def test_an_example_is_damaged_as_the_form_says_and_at_least_once(visitor):
    page = visitor.handlers.open_example({"name": "coffee"}, visitor.present, replace(REPAIR, saves="keep"))
    assert page.saves == "once"
    assert "saved at quality 10" in page.diagnosis
    assert [pane["id"] for pane in page.viewer["panes"]] == ["original", "degraded"]


def test_repair_runs_the_model_that_was_chosen_and_experiment_all_that_are_ticked(visitor, holiday):
    visitor.form = replace(REPAIR, repairing_model="ar_cnn", guidance="manual", manual_quality=3)
    visitor.restore(holiday)
    assert list(visitor.run.outputs.restorations) == ["ar_cnn"]
    assert visitor.run.request.options.guidance == "automatic"
    visitor.form = replace(FORM, saves="keep")
    visitor.take(visitor.handlers.start(visitor.session, visitor.present, visitor.form))
    list(visitor.work())
    assert list(visitor.run.outputs.restorations) == ["plain", "ar_cnn", "cascade"]


def test_repair_refuses_a_model_that_is_not_there(visitor, holiday):
    visitor.bring(holiday)
    visitor.form = replace(REPAIR, repairing_model="fbcnn")
    with pytest.raises(InvalidSetting, match="The model is 'fbcnn'"):
        visitor.start()


def test_the_verdict_offers_one_file_under_the_name_of_the_photograph(visitor, holiday):
    visitor.form = REPAIR
    verdict = last(visitor.restore(holiday), "verdict")
    assert verdict["download"] == "holiday_repaired.png" and verdict["result"] == "cascade"
    with Image.open(verdict["file"]["path"]) as picture:
        np.testing.assert_array_equal(np.array(picture), visitor.run.outputs.restorations["cascade"].pixels)
    changed = visitor.run.outputs.observed["cascade"].changed_levels > 0
    assert ("Block edges: " if changed else "Nothing was changed.") in verdict["words"]


def test_with_an_original_the_verdict_says_how_much_closer_it_came(visitor, photograph):
    visitor.form = FORM
    verdict = last(visitor.restore(photograph), "verdict")
    metrics = visitor.run.outputs.metrics
    best = max(visitor.run.outputs.restorations, key=lambda name: metrics[name]["psnr_db"])
    gain = metrics[best]["psnr_db"] - metrics["degraded"]["psnr_db"]
    assert verdict["result"] == best and verdict["title"].startswith("Best here: ")
    assert verdict["words"].startswith(
        f"{abs(gain):.2f}" if abs(gain) < 0.005 else ("+" if gain > 0 else "−")
    )


@pytest.mark.parametrize(
    ("quality", "settings", "expected"),
    [
        (25, {}, "Saved at quality 25, color at half size, once. "),
        (92, {"subsampling": 0}, "Little to repair."),
        (60, {"subsampling": 1}, "color at half width"),
    ],
)
def test_a_file_is_diagnosed_in_a_line(visitor, quality, settings, expected):
    visitor.form = REPAIR
    visitor.bring(saved(chelsea()[:256, :256], quality, **settings))
    assert expected in visitor.handlers.diagnose(visitor.session, visitor.present).diagnosis


def test_an_earlier_save_is_told(visitor):
    twice = BytesIO()
    once = saved(chelsea(), 30).image.pixels
    Image.fromarray(once).save(twice, "JPEG", quality=85)
    visitor.form = REPAIR
    visitor.bring(open_photograph(twice.getvalue(), "twice.jpg"))
    words = visitor.handlers.diagnose(visitor.session, visitor.present).diagnosis
    assert "Saved at quality 85" in words and "twice, first at about quality 30" in words


def test_a_clean_picture_is_said_to_be_clean(visitor, photograph):
    visitor.form = REPAIR
    visitor.bring(photograph)
    assert "No JPEG damage found" in visitor.handlers.diagnose(visitor.session, visitor.present).diagnosis


def test_a_diagnosis_of_the_picture_before_is_not_shown(visitor, holiday, photograph):
    visitor.form = REPAIR
    visitor.bring(holiday)
    before = visitor.session
    visitor.bring(photograph)
    assert visitor.handlers.diagnose(before, visitor.present).diagnosis is None


@pytest.mark.parametrize(("kind", "suffix"), [("jpeg", "jpg"), ("webp", "webp"), ("avif", "avif")])
def test_a_result_can_be_taken_as_a_smaller_file(visitor, engine, pictures, holiday, kind, suffix):
    visitor.form = REPAIR
    visitor.restore(holiday)
    takeaway = TakeawayHandlers(engine, pictures)
    event = {"format": kind, "result": "cascade"}
    answer = takeaway.make_picture(event, visitor.session, visitor.run).takeaway
    assert answer["file"]["orig_name"] == f"holiday_repaired.{suffix}" and "kB" in answer["words"]
    with Image.open(answer["file"]["path"]) as picture:
        restored = visitor.run.outputs.restorations["cascade"].pixels
        assert np.abs(np.array(picture.convert("RGB")).astype(int) - restored).mean() < 4
    with pytest.raises(InvalidSetting, match="The format is 'gif'"):
        takeaway.make_picture({**event, "format": "gif"}, visitor.session, visitor.run)
    with pytest.raises(InvalidSetting, match="not there any more"):
        takeaway.make_picture({**event, "result": "edsr"}, visitor.session, visitor.run)


def test_how_long_a_repair_takes_is_told_by_how_long_the_last_one_took(visitor, engine):
    visitor.form = REPAIR
    picture = saved(np.tile(chelsea()[:256, :256], (1, 2, 1)), 40, "tiled.jpg")
    pages = visitor.restore(picture)
    rate = engine._seconds_per_megapixel["cascade, standard"]
    assert rate == pytest.approx(visitor.run.outputs.restorations["cascade"].seconds / (256 * 512 / 1e6))
    assert last(pages[:-1], "action")["about"].startswith("about ")
    assert engine.expected_seconds(["cascade, standard", "unheard of"], 1) is None


def test_what_a_link_ticks_stays_ticked_though_it_harms(visitor):
    page = visitor.handlers.arrive(
        {"picture": "coffee", "quality": "95", "models": "ar_cnn"}, visitor.present
    )
    assert page.model_names["value"] == ["ar_cnn"] and page.door == "experiment"


def test_the_words_on_an_example_follow_what_is_done_to_it(visitor):
    visitor.form = replace(FORM, first_quality=10)
    visitor.take(visitor.handlers.open_example({"name": "coffee"}, visitor.present, visitor.form))
    assert "saved at quality 33" in visitor.change(replace(FORM, first_quality=33)).diagnosis

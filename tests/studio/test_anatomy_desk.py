"""What the Anatomy tab does at each event, without the page."""

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from models.errors import InvalidSetting
from models.jpeg import read
from studio.anatomy.handlers import AnatomyDesk
from studio.server.files import PictureFolder
from studio.session.form import RestoreForm
from studio.session.visitor import Run, Session, open_photograph

FORM = RestoreForm(saves="once", first_quality=20, model_names=("ar_cnn",))
TWICE = RestoreForm(saves="twice", first_quality=10, second_quality=50, shift_rows=4, shift_columns=4)


@pytest.fixture
def anatomy(engine, tmp_path):
    return AnatomyDesk(engine, PictureFolder(tmp_path / "pictures", 600))


def opened(anatomy, photograph, form=FORM, run=None, subject=None, place=None):
    return anatomy.opened(Session(photograph), run or Run(), form, subject, place)


def test_nothing_open_and_no_jpeg_say_what_to_do(anatomy, photograph):
    page = anatomy.opened(None, Run(), FORM, None, None)
    assert page.open is False
    assert "no photograph" in page.empty
    page = opened(anatomy, photograph, RestoreForm(saves="keep"))
    assert page.open is False
    assert "whiskers is a PNG picture" in page.empty
    assert page.subject is None


def test_the_degraded_file_is_taken_apart(anatomy, photograph):
    page = opened(anatomy, photograph)
    assert page.open
    assert page.has_blocks
    assert page.empty == ""
    assert "whiskers" in page.file_facts
    assert [one["id"] for one in page.viewer["panes"]] == ["original", "degraded"]
    assert page.viewer["block"] == {"row": page.place[0], "column": page.place[1]}
    assert page.block["place"] == page.viewer["block"]
    assert page.block["parts"][0]["bits"] == page.subject.taken.bits.components[0].max()


def test_results_belong_only_to_the_settings_on_the_page(anatomy, engine, photograph):
    from threading import Event

    request = FORM.request(photograph.key, ("ar_cnn", "cascade"))
    run = Run(Event(), Event(), request)
    for item in engine.run_stages(photograph.image, request, run.stop):
        run = replace(run, outputs=item) if hasattr(item, "restorations") else run
    page = opened(anatomy, photograph, run=run)
    assert [one["id"] for one in page.block["models"]] == ["ar_cnn"]
    assert "press Restore" not in page.hint
    shares = anatomy.searched(page.subject, 0, 0, 1).shares
    assert "AR-CNN" in shares
    changed = opened(anatomy, photograph, replace(FORM, first_quality=21), run=run)
    assert changed.block["models"] == []
    assert "press Restore" in changed.hint


def test_entering_again_keeps_what_is_known(anatomy, photograph):
    first = opened(anatomy, photograph)
    searched = anatomy.searched(first.subject, 0, 0, 1)
    again = opened(anatomy, photograph, subject=searched.subject, place=(2, 3))
    assert again.subject is searched.subject
    assert again.place == (2, 3)
    assert again.earlier is None
    other = opened(
        anatomy, photograph, replace(FORM, first_quality=70), subject=searched.subject, place=(2, 3)
    )
    assert other.subject is not searched.subject
    assert other.place == (2, 3)


def test_a_place_outside_another_picture_is_forgotten(anatomy, photograph):
    page = opened(anatomy, photograph, place=(500, 0))
    assert page.place == opened(anatomy, photograph).place


def test_blocks_and_frequencies_are_checked(anatomy, photograph):
    subject = opened(anatomy, photograph).subject
    assert anatomy.picked(subject, 1, 2).place == (1, 2)
    for row, column in ((-1, 0), (0, 12), (10, 0), (None, 0), ("3", 0), (0.5, 0), (float("nan"), 1)):
        with pytest.raises(InvalidSetting, match="block"):
            anatomy.picked(subject, row, column)
    for asked in ((0, 8, 0), (0, 0, -1), (5, 0, 0), ("Y", 0, 0), (0, None, 0)):
        with pytest.raises(InvalidSetting):
            anatomy.histogram(subject, *asked)
    assert anatomy.picked(None, 0, 0).block is None
    assert anatomy.histogram(None, 0, 0, 1).histogram is None


def test_the_histogram_shows_the_first_grid_where_it_is_evident(anatomy):
    from studio.session.examples import example

    coffee = open_photograph(example("coffee").read_bytes(), "coffee.png")
    page = opened(anatomy, coffee, TWICE)
    searched = anatomy.searched(page.subject, 0, 1, 1)
    assert "(4, 4)" in searched.earlier
    assert [one["label"] for one in searched.histogram["charts"]] == [
        "Grid of the first save",
        "This file's grid",
    ]
    assert "multiples of 60" in str(searched.histogram["charts"][0]["figure"])
    assert "saved twice" in searched.shares
    chroma = anatomy.histogram(searched.subject, 1, 1, 1)
    assert [one["label"] for one in chroma.histogram["charts"]] == ["This file's grid"]
    assert chroma.components == ("Y", "Cb", "Cr")
    resized = opened(anatomy, coffee, replace(TWICE, resize_percent=75))
    assert [grid["name"] for grid in resized.viewer["grids"]] == ["last save"]
    # Even where the pixels deceive the search: the first save's grid lies on no whole pixels after a resize.
    deceived = replace(resized.subject, searched=True, found=searched.subject.found)
    after = anatomy.searched(deceived, 0, 1, 1)
    assert [one["label"] for one in after.histogram["charts"]] == ["This file's grid"]
    assert "multiples of 60" not in str(after.histogram["charts"])
    assert "resized to 75%, then 50" in after.earlier and "saved twice" in after.shares


def test_a_component_that_this_file_lacks_is_replaced(anatomy, photograph):
    buffer = BytesIO()
    Image.fromarray(photograph.image.pixels).convert("L").save(buffer, "JPEG")
    gray = open_photograph(buffer.getvalue(), "gray.jpg")
    page = opened(anatomy, gray, RestoreForm(saves="keep"))
    found = anatomy.searched(page.subject, 2, 0, 1)
    assert found.components == ("Y",)
    assert found.component == 0
    assert read(buffer.getvalue()).is_gray


def test_a_damaged_file_without_integers_still_has_its_facts(anatomy, photograph):
    buffer = BytesIO()
    Image.fromarray(photograph.image.pixels).save(buffer, "JPEG")

    def read_but_for_integers(data):
        return replace(read(data), read_coefficients=lambda _data, _header: None)

    damaged = open_photograph(buffer.getvalue(), "damaged.jpg", read_but_for_integers)
    page = opened(anatomy, damaged, RestoreForm(saves="keep"))
    assert page.open
    assert page.has_blocks is False
    assert page.block is None
    assert "cannot be read" in page.file_facts
    assert anatomy.searched(page.subject, 0, 0, 1).shares is None

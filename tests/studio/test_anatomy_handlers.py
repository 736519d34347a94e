"""What the Anatomy tab does at each event, without the page."""

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from models.errors import InvalidSetting
from models.jpeg import read
from studio.anatomy.handlers import AnatomyHandlers, picked_elsewhere
from studio.server.answers import DROPPED, EMPTIED
from studio.server.files import PictureFolder
from studio.session.form import RestoreForm
from studio.session.visitor import Run, Session, open_photograph

FORM = RestoreForm(door="experiment", saves="once", first_quality=20, model_names=("ar_cnn",))
TWICE = RestoreForm(
    door="experiment", saves="twice", first_quality=10, second_quality=50, shift_rows=4, shift_columns=4
)


@pytest.fixture
def anatomy(engine, tmp_path):
    return AnatomyHandlers(engine, PictureFolder(tmp_path / "pictures", 600))


def opened(anatomy, photograph, form=FORM, run=None, state=None, place=None):
    return anatomy.opened(Session(photograph), run or Run(), form, state, place)


def test_nothing_open_and_no_jpeg_say_what_to_do(anatomy, photograph):
    page = anatomy.opened(None, Run(), FORM, None, None)
    assert page.bench is False
    assert "no photograph" in page.empty
    page = opened(anatomy, photograph, RestoreForm(door="experiment", saves="keep"))
    assert page.bench is False
    assert "whiskers is a PNG picture" in page.empty
    assert page.state is EMPTIED


def test_the_degraded_file_is_taken_apart(anatomy, photograph):
    page = opened(anatomy, photograph)
    assert page.bench
    assert page.blocks
    assert page.empty == ""
    assert "whiskers" in page.file_facts
    assert [one["id"] for one in page.viewer["panes"]] == ["original", "degraded"]
    assert page.viewer["block"] == {"row": page.place[0], "column": page.place[1]}
    assert page.block["place"] == page.viewer["block"]
    assert page.block["parts"][0]["bits"] == page.state.taken.bits.components[0].max()


def test_results_belong_only_to_the_settings_on_the_page(anatomy, engine, photograph):
    from threading import Event

    request = FORM.request(photograph.key, ("ar_cnn", "cascade"))
    run = Run(Event(), Event(), request)
    for item in engine.run_stages(photograph.image, request, run.stop):
        run = replace(run, outputs=item) if hasattr(item, "restorations") else run
    page = opened(anatomy, photograph, run=run)
    assert [one["id"] for one in page.block["models"]] == ["ar_cnn"]
    assert "press Run" not in page.hint
    shares = anatomy.searched(page.state, 0, 0, 1).shares
    assert "AR-CNN" in shares
    changed = opened(anatomy, photograph, replace(FORM, first_quality=21), run=run)
    assert changed.block["models"] == []
    assert "press Run" in changed.hint


def test_entering_again_keeps_what_is_known(anatomy, photograph):
    first = opened(anatomy, photograph)
    searched = anatomy.searched(first.state, 0, 0, 1)
    known = searched.state.of(first.state)
    again = opened(anatomy, photograph, state=known, place=(2, 3))
    assert again.state is known
    assert again.histogram is None and again.shares is None
    assert again.place == (2, 3)
    assert again.earlier is None
    other = opened(anatomy, photograph, replace(FORM, first_quality=70), state=known, place=(2, 3))
    assert other.state is not known
    assert other.histogram["charts"] == [] and other.shares == ""
    assert other.place == (2, 3)


def test_a_place_outside_another_picture_is_forgotten(anatomy, photograph):
    page = opened(anatomy, photograph, place=(500, 0))
    assert page.place == opened(anatomy, photograph).place


def test_blocks_and_frequencies_are_checked(anatomy, photograph):
    state = opened(anatomy, photograph).state
    assert anatomy.picked(state, {"row": 1, "column": 2}).place == (1, 2)
    for row, column in ((-1, 0), (0, 12), (10, 0), (None, 0), ("3", 0), (0.5, 0), (float("nan"), 1)):
        with pytest.raises(InvalidSetting, match="block"):
            anatomy.picked(state, {"row": row, "column": column})
    for values in ((0, 8, 0), (0, 0, -1), (5, 0, 0), ("Y", 0, 0), (0, None, 0)):
        with pytest.raises(InvalidSetting):
            anatomy.frequency_set(state, *values)
    assert anatomy.picked(None, {"row": 0, "column": 0}) is None
    assert anatomy.frequency_set(None, 0, 0, 1) is None


def test_the_histogram_shows_the_first_grid_where_it_is_evident(anatomy):
    from studio.session.examples import example

    coffee = open_photograph(example("coffee").read_bytes(), "coffee.png")
    page = opened(anatomy, coffee, TWICE)
    searched = anatomy.searched(page.state, 0, 1, 1)
    assert "(4, 4)" in searched.earlier
    assert [one["label"] for one in searched.histogram["charts"]] == [
        "Grid of the first save",
        "This file's grid",
    ]
    assert "multiples of 60" in str(searched.histogram["charts"][0]["figure"])
    assert "saved twice" in searched.shares
    chroma = anatomy.frequency_set(searched.state.of(page.state), 1, 1, 1)
    assert [one["label"] for one in chroma.histogram["charts"]] == ["This file's grid"]
    assert chroma.component["choices"] == [("Y", 0), ("Cb", 1), ("Cr", 2)]
    resized = opened(anatomy, coffee, replace(TWICE, resize_percent=75))
    assert [grid["name"] for grid in resized.viewer["grids"]] == ["last save"]
    # Even where the pixels deceive the search: the first save's grid lies on no whole pixels after a resize.
    deceived = replace(resized.state, searched=True, found=searched.state.of(page.state).found)
    after = anatomy.searched(deceived, 0, 1, 1)
    assert [one["label"] for one in after.histogram["charts"]] == ["This file's grid"]
    assert "multiples of 60" not in str(after.histogram["charts"])
    assert "resized to 75%, then 50" in after.earlier and "saved twice" in after.shares


def test_a_component_that_this_file_lacks_is_replaced(anatomy, photograph):
    buffer = BytesIO()
    Image.fromarray(photograph.image.pixels).convert("L").save(buffer, "JPEG")
    gray = open_photograph(buffer.getvalue(), "gray.jpg")
    page = opened(anatomy, gray, RestoreForm(door="experiment", saves="keep"))
    found = anatomy.searched(page.state, 2, 0, 1)
    assert found.component == {"choices": [("Y", 0)], "value": 0}
    assert read(buffer.getvalue()).is_gray


def test_a_damaged_file_without_integers_still_has_its_facts(anatomy, photograph):
    buffer = BytesIO()
    Image.fromarray(photograph.image.pixels).save(buffer, "JPEG")

    def read_but_for_integers(data):
        return replace(read(data), read_coefficients=lambda _data, _header: None)

    damaged = open_photograph(buffer.getvalue(), "damaged.jpg", read_but_for_integers)
    page = opened(anatomy, damaged, RestoreForm(door="experiment", saves="keep"))
    assert page.bench
    assert page.blocks is False
    assert page.block is None
    assert "cannot be read" in page.file_facts
    assert anatomy.searched(page.state, 0, 0, 1) is None


def test_a_page_of_another_photograph_is_dropped(anatomy, photograph):
    other = replace(photograph, key="other")
    nothing = anatomy.opened(Session(), Run(), FORM, None, None)
    for page, its_own in ((opened(anatomy, photograph), Session(photograph)), (nothing, Session())):
        assert page.session.of(its_own) is its_own
        assert page.session.of(Session(other)) is DROPPED
    assert opened(anatomy, photograph).session.of(None) is DROPPED


def test_what_is_worked_out_of_one_file_never_stands_beside_another(anatomy, photograph):
    first = opened(anatomy, photograph).state
    late = [
        anatomy.searched(first, 0, 0, 1),
        anatomy.picked(first, {"row": 1, "column": 2}),
        anatomy.frequency_set(first, 0, 1, 1),
        anatomy.frequency_picked(first, {"component": 1, "row": 0, "column": 1}),
    ]
    second = opened(anatomy, photograph, replace(FORM, first_quality=70), state=first).state
    for page in late:
        assert page.state.of(first) is not DROPPED
        assert page.state.of(second) is DROPPED
        assert page.state.of(None) is DROPPED


def test_a_block_picked_while_the_file_is_searched_stays_picked(anatomy, photograph):
    state = opened(anatomy, photograph).state
    picked = anatomy.picked(state, {"row": 1, "column": 2})
    searched = anatomy.searched(state, 0, 0, 1).state.of(state)
    assert searched.searched and picked.state.of(searched) is searched


def test_only_a_place_in_the_other_viewer_is_noted():
    page = picked_elsewhere({"row": 3, "column": 4})
    assert page is not None and page.place == (3, 4)
    for event in ({}, {"row": -1, "column": 2}, {"row": "1", "column": 2}, {"row": True, "column": 1}):
        assert picked_elsewhere(event) is None

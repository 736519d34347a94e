"""While a model works: the part in sight comes first, finished tiles are shown, and a stopped run goes on."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from studio.session.form import RestoreForm
from studio.session.visitor import open_photograph
from tests.models.sample_networks import photograph

REPAIR = RestoreForm(model_names=["plain", "ar_cnn", "cascade"])


@pytest.fixture
def large(zoo, monkeypatch):
    """A photograph that the cascade restores in some tiles."""
    tiled = replace(zoo.load("cascade"), longest_tile=256)
    monkeypatch.setattr(zoo, "load", lambda name, load=zoo.load: tiled if name == "cascade" else load(name))
    file = BytesIO()
    Image.fromarray(photograph(264, 400)).save(file, "JPEG", quality=20)
    return open_photograph(file.getvalue(), "large.jpg")


def drafts(pages):
    """The cascade's pane in each page that has one without a result."""
    panes = [pane for page in pages if page.viewer for pane in page.viewer["panes"]]
    return [pane for pane in panes if pane["id"] == "cascade" and "parts" in pane]


def pixels_of(file) -> np.ndarray:
    return np.array(Image.open(file["path"]).convert("RGB"))


def press(visitor, in_sight=None):
    event = {"in_sight": in_sight}
    visitor.take(visitor.handlers.start(visitor.session, visitor.present, visitor.form, event))


def test_what_is_in_sight_is_drawn_first_over_the_damaged_picture(visitor, large, monkeypatch):
    monkeypatch.setattr("studio.restore.handlers.PROGRESS_SECONDS", 0.0)
    visitor.form = REPAIR
    visitor.bring(large)
    press(visitor, [0.8, 0.8, 0.9, 0.9])
    pages = list(visitor.work())
    seen = drafts(pages)
    first = seen[0]["parts"]
    assert len(first) == 1 and first[0]["y"] <= 0.8 * 264 and first[0]["x"] <= 0.8 * 400
    assert [len(pane["parts"]) for pane in seen] == list(range(1, len(seen) + 1)) and len(seen) > 4
    with_draft = next(page.viewer for page in pages if page.viewer and page.viewer["b"] == "cascade")
    assert with_draft["a"] == "degraded"
    final = visitor.run.outputs.restorations["cascade"]
    whole = final.pixels if final.unguarded is None else final.unguarded
    for part in seen[-1]["parts"]:
        place = np.s_[part["y"] : part["y"] + part["height"], part["x"] : part["x"] + part["width"]]
        drawn = pixels_of(part["file"])
        assert drawn.shape == (part["height"], part["width"], 3)
        assert np.abs(drawn.astype(int) - whole[place]).mean() < 4, "the guard moves little"
    last = next(page.viewer for page in reversed(pages) if page.viewer)
    assert not any("parts" in pane for pane in last["panes"])


def test_a_stopped_run_offers_to_go_on_and_does(visitor, large, monkeypatch):
    monkeypatch.setattr("studio.restore.handlers.PROGRESS_SECONDS", 0.0)
    visitor.form = REPAIR
    visitor.bring(large)
    press(visitor)
    pages = []
    for page in visitor.work():
        pages.append(page)
        if drafts([page]):
            visitor.present.run.end()
    share = pages[-1].action["stopped"]
    assert pages[-1].action["state"] == "idle" and 0 < share < 1
    assert visitor.finish().viewer is None, "what is finished stays on the page"

    changed = visitor.change(replace(REPAIR, effort="best"))
    assert changed.action["stopped"] == 0, "other settings begin anew"
    assert visitor.change(REPAIR).action["stopped"] == share

    press(visitor)
    pages = list(visitor.work())
    assert pages[0].viewer is None
    assert pages[-1].action["stopped"] == 0
    alone = visitor.handlers._engine.zoo.load("cascade").restore(large.image)
    np.testing.assert_array_equal(visitor.run.outputs.restorations["cascade"].pixels, alone.pixels)

"""A queue of photographs: each finished one is noted, and one zip holds all of them."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut, chelsea

from models.errors import InvalidSetting
from studio.restore.queue_handlers import MAX_QUEUED, QueueHandlers, refuse
from studio.restore.takeaway_handlers import TakeawayHandlers
from studio.server.files import PictureFolder
from studio.session.form import RestoreForm
from studio.session.visitor import Run, Session, open_photograph


def brought(pixels, name):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=30)
    return open_photograph(file.getvalue(), name)


@pytest.fixture
def queue(engine, pictures):
    return QueueHandlers(engine, pictures, TakeawayHandlers(engine, pictures))


@pytest.fixture
def three():
    cat, woman = chelsea()[:64, :80], astronaut()[:72, :64]
    return [brought(cat, "IMG_1.jpg"), brought(woman, "IMG_2.jpg"), brought(woman[:48], "IMG_1.jpg")]


def worked_through(visitor, queue, photographs):
    """What is repaired by number, as the state of the page would hold it."""
    visitor.form = RestoreForm(model_names=["plain", "ar_cnn", "cascade"])
    held = queue.begin().repaired.of({7: "of the queue before"})
    assert held == {}
    results = []
    for number, photograph in enumerate(photographs):
        visitor.restore(photograph)
        page = queue.keep({"number": number}, visitor.session, visitor.run, held)
        assert (page.queue["state"], page.queue["number"]) == ("kept", number)
        held = page.repaired.of(held)
        results.append(visitor.run.outputs.restorations["cascade"].pixels)
    return held, results


def test_one_zip_holds_every_repaired_picture_with_notes_of_each(visitor, queue, three):
    held, results = worked_through(visitor, queue, three)
    packed = queue.pack(held).queue
    assert packed["state"] == "packed" and packed["words"].startswith("repaired.zip: 3 pictures, ")
    archive = zipfile.ZipFile(packed["file"]["path"])
    assert archive.testzip() is None
    names = ["IMG_1_repaired.png", "IMG_2_repaired.png", "IMG_1_repaired-2.png"]
    assert archive.namelist() == [*(f"repaired/{name}" for name in names), "repaired/report.json"]
    report = json.loads(archive.read("repaired/report.json"))["pictures"]
    for name, pixels, note, photograph in zip(names, results, report, three, strict=True):
        data = archive.read(f"repaired/{name}")
        np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(data)).convert("RGB")), pixels)
        assert note["file"] == name and note["sha256"] == hashlib.sha256(data).hexdigest()
        assert note["photograph"]["sha256"] == hashlib.sha256(photograph.image.data).hexdigest()
        assert note["results"][1]["name"] == "cascade"


def test_a_picture_that_is_repaired_again_replaces_itself(visitor, queue, three):
    held, _ = worked_through(visitor, queue, three[:2])
    visitor.restore(three[0])
    held = queue.keep({"number": 0}, visitor.session, visitor.run, held).repaired.of(held)
    assert len(zipfile.ZipFile(queue.pack(held).queue["file"]["path"]).namelist()) == 3


def test_pictures_that_are_gone_are_named_and_the_others_packed(visitor, queue, three):
    held, _ = worked_through(visitor, queue, three[:2])
    Path(held[0].file["path"]).unlink()
    packed = queue.pack(held).queue
    assert "Not held any more: IMG_1_repaired.png" in packed["words"]
    assert "repaired/IMG_2_repaired.png" in zipfile.ZipFile(packed["file"]["path"]).namelist()
    Path(held[1].file["path"]).unlink()
    with pytest.raises(InvalidSetting, match="Repair them again"):
        queue.pack(held)


def test_all_of_it_goes_with_the_visitors_images(engine, tmp_path, visitor, three):
    pictures = PictureFolder(tmp_path / "mine", 600, visitor=lambda: "me")
    visitor.handlers._pictures = pictures
    queue = QueueHandlers(engine, pictures, TakeawayHandlers(engine, pictures))
    held, _ = worked_through(visitor, queue, three)
    queue.pack(held)
    assert list(pictures.root.rglob("*.zip"))
    pictures.forget("me")
    assert not [path for path in pictures.root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("number", [None, -1, MAX_QUEUED, "0", float("nan")])
def test_numbers_outside_of_a_queue_are_refused(visitor, queue, three, number):
    visitor.restore(three[0])
    with pytest.raises(InvalidSetting, match="number in the queue"):
        queue.keep({"number": number}, visitor.session, visitor.run, {})


def test_nothing_is_kept_before_a_model_has_finished(visitor, queue, three):
    visitor.bring(three[0])
    for session, run in ((visitor.session, Run()), (Session(), None)):
        with pytest.raises(InvalidSetting):
            queue.keep({"number": 0}, session, run, None)
    with pytest.raises(InvalidSetting):
        queue.pack(None)
    assert refuse("No.").queue["state"] == "failed"

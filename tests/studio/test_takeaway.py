"""The zip holds what the page shows, bit for bit, and a report that agrees with it."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.jpeg import read
from studio.restore.takeaway import zip_of_results
from studio.restore.takeaway_handlers import TakeawayHandlers
from studio.session.form import RestoreForm
from studio.session.visitor import Photograph, open_photograph

FORM = RestoreForm(
    door="experiment", saves="twice", first_quality=15, second_quality=30, model_names=("plain", "cascade")
)


@pytest.fixture(scope="module")
def taken(request):
    """(visitor, photograph) -> the zip's name, its files and its report."""

    def take(visitor, photograph, form=FORM, **arguments):
        visitor.form = form
        visitor.restore(photograph)
        outputs, panes = visitor.run.outputs, visitor.run.view["panes"]
        name, data = zip_of_results(
            photograph, outputs, panes, weights_hash=lambda model: f"hash of {model}", **arguments
        )
        archive = zipfile.ZipFile(io.BytesIO(data))
        assert archive.testzip() is None
        folder = name.removesuffix(".zip") + "/"
        files = {one.removeprefix(folder): archive.read(one) for one in archive.namelist()}
        return outputs, files, json.loads(files.pop("report.json"))

    return take


def test_every_picture_is_the_engines_and_every_hash_is_right(visitor, photograph, taken):
    outputs, files, report = taken(visitor, photograph, link="quality=15")
    assert report["files"] == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    (degraded,) = [name for name in files if name.endswith(".jpg")]
    assert files[degraded] == outputs.degraded.data
    for row in report["results"]:
        pixels = (
            outputs.degraded.pixels if row["name"] == "degraded" else outputs.restorations[row["name"]].pixels
        )
        with Image.open(io.BytesIO(files[row["files"][-1]])) as picture:
            assert np.array_equal(np.asarray(picture.convert("RGB")), pixels), row["name"]
    cascade = report["results"][-1]
    assert len(cascade["files"]) == 3 and cascade["weights_sha256"] == "hash of cascade"
    assert cascade["metrics"]["psnr_db"] == outputs.metrics["cascade"]["psnr_db"]
    assert (
        cascade["gain_db"] == outputs.metrics["cascade"]["psnr_db"] - outputs.metrics["degraded"]["psnr_db"]
    )
    assert report["settings"]["link"] == "quality=15"
    assert [one["quality_factor"] for one in report["settings"]["saves"]] == [15, 30]
    assert report["versions"]["torch"] and report["photograph"]["rows"] == photograph.image.pixels.shape[0]


def test_a_kept_file_is_not_handed_on_with_its_place(visitor, taken):
    exif = Image.Exif()
    exif[0x010F], exif[0x8825] = "Maker", {1: "N", 2: (52.0, 30.0, 0.0)}
    file = io.BytesIO()
    ramp = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
    Image.fromarray(np.repeat(ramp[..., None], 3, axis=2)).save(file, "JPEG", exif=exif.tobytes())
    photograph = Photograph("holiday", "key of a holiday", read(file.getvalue()))
    form = RestoreForm(door="experiment", saves="keep", model_names=("plain",))
    for with_exif in (False, True):
        _, files, report = taken(visitor, photograph, form, with_exif=with_exif)
        assert all(name.endswith(".png") for name in files)
        for data in files.values():
            with Image.open(io.BytesIO(data)) as picture:
                assert picture.getexif().get(0x010F) == ("Maker" if with_exif else None)
                assert not picture.getexif().get_ifd(0x8825)
        assert report["results"][0]["metrics"] is None


@pytest.fixture(scope="module")
def telling():
    """A JPEG that says SECRET wherever a camera or a person may say more than the picture."""
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    inner, place = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    inner[0xA431] = "SECRET-SERIAL"
    inner[0x9286] = b"ASCII\0\0\0SECRET-COMMENT"
    inner[0x927C] = b"SECRET-MAKER"
    place[0x001C] = b"ASCII\0\0\0SECRET-PLACE"
    exif[0x9C9C] = "SECRET-XP".encode("utf-16-le")
    buffer = io.BytesIO()
    picture = Image.fromarray(np.full((48, 64, 3), 120, np.uint8))
    picture.save(
        buffer, "JPEG", exif=exif, comment=b"SECRET-MARKER", xmp=b"<x:xmpmeta>SECRET-XMP</x:xmpmeta>"
    )
    assert buffer.getvalue().count(b"SECRET") >= 6
    return open_photograph(buffer.getvalue(), "holiday.jpg")


@pytest.mark.parametrize("saves", ["keep", "once"])
def test_nothing_leaves_that_says_where_or_by_whose_camera(visitor, telling, taken, tmp_path, saves):
    form = RestoreForm(door="experiment", saves=saves, model_names=("plain",))
    _, files, _ = taken(visitor, telling, form)
    for name, data in files.items():
        assert b"SECRET" not in data and b"Exif" not in data and b"xmpmeta" not in data, name
        assert b"eXIf" not in data, name
    _, files, _ = taken(visitor, telling, form, with_exif=True)
    assert any(b"Camera" in data for data in files.values())
    assert not any(b"SECRET" in data for data in files.values())
    served = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert served and not any(b"SECRET" in path.read_bytes() for path in served)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "avif"])
def test_one_picture_keeps_date_and_camera_on_request_and_never_the_place(
    visitor, engine, pictures, telling, kind
):
    visitor.form = RestoreForm(model_names=("plain", "cascade"))
    pages = visitor.restore(telling)
    assert next(page.verdict for page in reversed(pages) if page.verdict)["camera"] is True
    packing = TakeawayHandlers(engine, pictures)
    for kept in (False, True):
        event = {"format": kind, "result": "cascade", "exif": kept}
        file = packing.make_picture(event, visitor.session, visitor.run).takeaway["file"]
        with Image.open(file["path"]) as picture:
            assert picture.getexif().get(0x010F) == ("Camera" if kept else None)
            if kind == "png":
                restored = visitor.run.outputs.restorations["cascade"].pixels
                assert np.array_equal(np.array(picture.convert("RGB")), restored)
        assert b"SECRET" not in Path(file["path"]).read_bytes()


def test_nothing_is_offered_to_be_kept_where_the_file_says_nothing(visitor, photograph):
    visitor.form = RestoreForm(model_names=("plain", "cascade"))
    pages = visitor.restore(photograph)
    assert next(page.verdict for page in reversed(pages) if page.verdict)["camera"] is False

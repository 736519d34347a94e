"""What was noticed about a file reaches everybody: terminal, CSV, JSON, programs, zip and page, in the same words."""

import csv
import json
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.jpeg import Save, encode
from models.jpeg.tables import quantization_tables
from studio.api.api import Api
from studio.engine.cache import ResultCache
from studio.engine.engine import Engine
from studio.engine.outputs import StageOutputs
from studio.page.facts import photograph_line, tables_say
from studio.restore.__main__ import main
from studio.restore.takeaway import report_of
from studio.server.files import PictureFolder
from studio.session.visitor import open_photograph
from studio.sweep.__main__ import main as sweep


def _png(pixels, **options):
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", **options)
    return buffer.getvalue()


@pytest.fixture
def files(photograph, tmp_path):
    """name -> (file, beginning of its note)."""
    pixels = photograph.image.pixels
    whole = encode(pixels, Save(70)).data
    scan = whole.index(b"\xff\xda")
    mpo, cmyk = BytesIO(), BytesIO()
    Image.fromarray(pixels).save(mpo, "MPO", save_all=True, append_images=[Image.fromarray(255 - pixels)])
    Image.fromarray(pixels).convert("CMYK").save(cmyk, "JPEG")
    kinds = {
        "cut.jpg": (whole[: scan + 700] + b"\xff\xd9", "picture data end early: "),
        "truncated.jpg": (whole[: scan + 700], "file is truncated: "),
        "zeroed.jpg": (whole[: scan + 500] + bytes(300) + whole[scan + 800 :], "picture data "),
        "unended.jpg": (whole[:-2], "the end marker is missing, the picture is whole"),
        "several.jpg": (mpo.getvalue(), "only the first picture of this file is used"),
        "print.jpg": (cmyk.getvalue(), "CMYK converted to RGB"),
        "deep.png": (_png(pixels[..., 0].astype(np.uint16) * 257), "16-bit converted to 8-bit"),
        "sound.jpg": (whole, ""),
    }
    (tmp_path / "in").mkdir()
    for name, (data, _) in kinds.items():
        (tmp_path / "in" / name).write_bytes(data)
    return {name: (tmp_path / "in" / name, note) for name, (_, note) in kinds.items()}


@pytest.fixture
def api(zoo, tmp_path):
    def opened(place, name):
        return open_photograph(Path(place).read_bytes(), name)

    return Api(Engine(zoo, ResultCache(2**20)), opened, PictureFolder(tmp_path / "served", 600))


def test_the_command_line_tells_them_with_the_names(files, checkpoints, tmp_path, capfd):
    words = [str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--model", "plain", "--device", "cpu"]
    words += ["--checkpoints", str(checkpoints)]
    for report in ("r.csv", "r.json"):  # made first, found done then
        assert main([*words, "--report", str(tmp_path / report)]) == 0
        printed = capfd.readouterr().err
        assert "Corrupt JPEG" not in printed and "Premature" not in printed
        for path, note in files.values():
            assert printed.count(f"{path}: ") == (1 if note else 0)
            assert not note or f"{path}: {note}" in printed
    lines = [line for line in (tmp_path / "r.csv").read_text().splitlines() if not line.startswith("#")]
    told = {Path(row["picture"]).name: row["notes"] for row in csv.DictReader(StringIO("\n".join(lines)))}
    report = json.loads((tmp_path / "r.json").read_text())["results"]
    facts = {Path(row["picture"]).name: row["record"]["facts"]["notes"] for row in report}
    for name, (_, note) in files.items():
        assert told[name].startswith(note) and bool(told[name]) == bool(note)
        assert "; ".join(facts[name]) == told[name]


def test_programs_zip_and_page_tell_the_same(files, api, zoo):
    for name, (path, note) in files.items():
        sent = {"path": str(path), "orig_name": name}
        facts = api.inspect(sent)
        answer = api.restore(sent, ["plain"])
        assert answer["picture"]["notes"] == facts["notes"]
        assert bool(facts["notes"]) == bool(note) and "; ".join(facts["notes"]).startswith(note)
        assert api.degrade(sent, 30)["notes"] == facts["notes"]
        assert api.measure(sent, sent)["notes"] == {"picture": facts["notes"], "reference": facts["notes"]}
        photograph = open_photograph(path.read_bytes(), name)
        assert all(words in photograph_line(photograph) for words in facts["notes"])
        engine = Engine(zoo, ResultCache(0))
        *_, outputs = engine.run_stages(photograph.image, _request(photograph), _never())
        assert isinstance(outputs, StageOutputs)
        report = report_of(photograph, outputs, [], weights_hash=lambda name: None)
        assert report["photograph"]["notes"] == facts["notes"]


def _request(photograph):
    from studio.engine.outputs import RestoreRequest

    return RestoreRequest(photograph.key, ("plain",))


def _never():
    from threading import Event

    return Event()


def test_a_sweep_tells_them(files, checkpoints, tmp_path, capsys):
    path, note = files["cut.jpg"]
    words = [str(path), "-o", str(tmp_path / "t.csv"), "--model", "plain", "--quality-factors", "20"]
    assert sweep([*words, "--device", "cpu", "--checkpoints", str(checkpoints)]) == 0
    assert f"{path}: {note}" in capsys.readouterr().err
    assert f"# About the file: {note}" in (tmp_path / "t.csv").read_text()


def test_transparency_and_print_resolution_come_back(api, photograph, tmp_path):
    alpha = np.arange(80 * 96, dtype=np.uint8).reshape(80, 96)
    path = tmp_path / "clear.png"
    path.write_bytes(_png(np.dstack([photograph.image.pixels, alpha]), dpi=(300, 72)))
    sent = {"path": str(path), "orig_name": "clear.png"}
    answer = api.restore(sent, ["plain"])
    with Image.open(answer["results"][0]["file"]["path"]) as result:
        np.testing.assert_array_equal(np.asarray(result)[..., 3], alpha)
        np.testing.assert_array_equal(np.asarray(result)[..., :3], photograph.image.pixels)
        assert result.info["dpi"] == pytest.approx((300, 72), abs=0.1)
    assert answer["picture"]["notes"] == []
    broken = api.degrade(sent, 30)
    assert broken["notes"] == ["transparency left out"]
    with Image.open(broken["reference"]["path"]) as before:
        assert before.info["dpi"] == pytest.approx((300, 72), abs=0.1)
    path.write_bytes(_png(np.dstack([photograph.image.pixels, alpha])))
    with Image.open(api.restore(sent, ["plain"])["results"][0]["file"]["path"]) as result:
        assert "dpi" not in result.info


@pytest.mark.parametrize("kept", [(), ("--keep-exif",)])
def test_results_of_the_command_line_keep_their_print_resolution(kept, checkpoints, photograph, tmp_path):
    path, exif = tmp_path / "a.jpg", Image.Exif()
    exif[0x0112] = 8
    Image.fromarray(photograph.image.pixels).save(path, "JPEG", dpi=(300, 150), exif=exif)
    words = [str(path), "-o", str(tmp_path / "a.png"), "--model", "plain", "--device", "cpu", *kept]
    assert main([*words, "--checkpoints", str(checkpoints)]) == 0
    with Image.open(tmp_path / "a.png") as result:
        assert result.size == (80, 96)
        assert result.info["dpi"] == pytest.approx((150, 300), abs=0.1)


def test_separate_qualities_are_told_everywhere(api, checkpoints, photograph, tmp_path):
    path = tmp_path / "apart.jpg"
    tables = [quantization_tables(90)[0], quantization_tables(20)[1]]
    Image.fromarray(photograph.image.pixels).save(
        path, "JPEG", qtables=[table.ravel().tolist() for table in tables]
    )
    facts = api.inspect({"path": str(path), "orig_name": "apart.jpg"})
    assert (facts["quality"]["quality_factor"], facts["quality"]["chroma_quality_factor"]) == (90, 20)
    assert facts["quality_factor_confidence"] == 1
    opened = open_photograph(path.read_bytes(), "apart.jpg")
    assert tables_say(opened.image) == "luma 90, chroma 20, exact"
    report = tmp_path / "r.csv"
    words = [str(path), "-o", str(tmp_path / "out"), "--model", "plain", "--device", "cpu"]
    assert main([*words, "--checkpoints", str(checkpoints), "--report", str(report)]) == 0
    lines = [line for line in report.read_text().splitlines() if not line.startswith("#")]
    (row,) = csv.DictReader(lines)
    assert (row["quality_factor_from_tables"], row["chroma_quality_factor_from_tables"]) == ("90", "20")
    assert row["quality_factor_confidence"] == "1.0"

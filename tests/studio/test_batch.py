"""Batches from the command line: what is found, what results hold, what is skipped, what goes wrong."""

import csv
import json
import os
from functools import lru_cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from models.jpeg import Degradation, Resize, Save, degrade, encode, read
from models.restorer import RestoreOptions
from studio.batch.files import found_pictures
from studio.batch.report import columns
from studio.batch.results import record_in
from studio.batch.run import BatchRestorer, BatchSettings
from studio.restore.__main__ import main
from tests.present import present
from training.evaluation.metrics import as_json, measure


@pytest.fixture
def pictures(photograph, tmp_path):
    """A folder with two JPEGs, one of them deeper, a PNG with transparency, a broken file, a text and a hidden file."""
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    pixels = photograph.image.pixels
    (folder / "one.jpg").write_bytes(encode(pixels, Save(15)).data)
    (folder / "deep" / "two.JPG").write_bytes(encode(pixels[:40], Save(30)).data)
    alpha = np.arange(80 * 96, dtype=np.uint8).reshape(80, 96)
    Image.fromarray(np.dstack([pixels, alpha])).save(folder / "clear.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("nothing to restore")
    (folder / ".hidden.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture
def run(checkpoints, tmp_path, monkeypatch):
    """run(*words) -> exit code of the command, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    where = ["--checkpoints", str(checkpoints), "--device", "cpu"]
    return lambda *words: main([*map(str, words), *where])


def rows_of(path):
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}


def test_a_folder_goes_through_all_models_and_a_bad_file_stops_nothing(run, zoo, pictures, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("in", "-o", out, "--model", "ar_cnn", "--model", "plain", "--report", tmp_path / "r.csv") == 1
    printed = capsys.readouterr()
    assert "6 restored, 0 done before, 2 failed" in printed.out
    assert printed.err.count("broken.jpg") == 1
    assert "deep/two_ar_cnn.png" in {path.relative_to(out).as_posix() for path in out.rglob("*.png")}
    image = read((pictures / "one.jpg").read_bytes())
    for model in ("ar_cnn", "plain"):
        expected = zoo.load(model).restore(image).pixels
        np.testing.assert_array_equal(np.array(Image.open(out / f"one_{model}.png")), expected)
    rows = rows_of(tmp_path / "r.csv")
    assert list(rows[0]) == columns()
    assert [row["state"] for row in rows if "broken" in row["picture"]] == ["failed", "failed"]
    assert {row["quality_factor_from_tables"] for row in rows if "one" in row["picture"]} == {"15"}


def test_transparency_is_passed_through(run, pictures, tmp_path):
    assert run(pictures / "clear.png", "-o", tmp_path / "out", "--model", "plain") == 0
    np.testing.assert_array_equal(
        np.array(Image.open(tmp_path / "out" / "clear_plain.png")),
        np.array(Image.open(pictures / "clear.png")),
    )


def test_done_is_skipped_until_something_changes(run, pictures, tmp_path, capsys):
    out, words = tmp_path / "out", ("in/one.jpg", "in/deep", "-o", "out", "--model", "ar_cnn")
    assert run(*words) == 0
    before = stamps(out)
    assert run(*words) == 0
    assert "0 restored, 2 done before" in capsys.readouterr().out
    assert stamps(out) == before
    assert run(*words, "--blind") == 0
    assert not set(stamps(out).items()) & set(before.items())
    assert run(*words) == 0
    before = stamps(out)
    (pictures / "one.jpg").write_bytes((pictures / "deep" / "two.JPG").read_bytes())
    assert run(*words) == 0
    changed = {path.name for path in before if stamps(out)[path] != before[path]}
    assert changed == {"one_ar_cnn.png"}
    (out / "one_ar_cnn.png").write_bytes((out / "one_ar_cnn.png").read_bytes()[:60])
    capsys.readouterr()
    assert run(*words) == 0
    assert "1 restored, 1 done before" in capsys.readouterr().out


def test_a_changed_checkpoint_is_not_taken_for_done(zoo, checkpoints, pictures, tmp_path, capsys):
    folder = tmp_path / "checkpoints" / "ar_cnn"
    folder.mkdir(parents=True)
    for path in (checkpoints / "ar_cnn").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    words = [str(pictures / "one.jpg"), "-o", str(tmp_path / "out"), "--model", "ar_cnn", "--device", "cpu"]
    words += ["--checkpoints", str(folder.parent)]
    assert main(words) == 0
    data = bytearray((folder / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(data)
    assert main(words) == 0
    assert capsys.readouterr().out.count("1 restored") == 2


def test_recompressed_pictures_are_measured_against_themselves(run, zoo, photograph, tmp_path):
    source = tmp_path / "clean.png"
    source.write_bytes(photograph.image.data)
    options = (
        "--recompress",
        "30",
        "--recompress",
        "12,4:4:4",
        "--report",
        "r.json",
        "--quality-factor",
        "20",
    )
    assert run(source, "-o", "out", "--model", "cascade", *options) == 0
    saves = Degradation((Save(30), Save(12, "4:4:4")))
    broken = degrade(photograph.image.pixels, saves)
    restored = zoo.load("cascade").restore(broken.image, RestoreOptions("manual", 20)).pixels
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "out" / "clean_cascade.png")), restored)
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    metrics = report["results"][0]["record"]["metrics"]
    assert metrics["restored"] == as_json(measure(restored=restored, reference=broken.reference))
    assert metrics["degraded"] == as_json(measure(restored=broken.image.pixels, reference=broken.reference))
    assert report["settings"]["degradation"]["encodings"][1]["subsampling"] == "4:4:4"
    assert "8x8 grid" in report["convention"]
    assert report["versions"]["torch"]


def test_pictures_are_resized_between_two_saves(run, photograph, tmp_path):
    source = tmp_path / "clean.png"
    source.write_bytes(photograph.image.data)
    words = (source, "-o", "out", "--model", "plain", "--report", "r.json")
    assert run(*words, "--recompress", "30", "--step", "resize=50", "--recompress", "12,4:4:4") == 0
    broken = degrade(photograph.image.pixels, Degradation((Save(30), Resize(0.5), Save(12, "4:4:4"))))
    result = np.array(Image.open(tmp_path / "out" / "clean_plain.png"))
    np.testing.assert_array_equal(result, broken.image.pixels)
    assert result.shape == (40, 48, 3)
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    metrics = report["results"][0]["record"]["metrics"]["degraded"]
    assert metrics == as_json(measure(restored=broken.image.pixels, reference=broken.reference))
    assert report["settings"]["degradation"]["encodings"][1] == {"step": "resize", "factor": 0.5}


def test_results_of_earlier_versions_count_as_done():
    """Their records are compared with these settings, letter by letter."""
    saves = Degradation((Save(30), Save(12, "4:4:4", (1, 2))))
    assert BatchSettings(("plain",), saves).as_json() == {
        "degradation": {
            "encodings": [
                {"quality_factor": 30, "subsampling": "4:2:0", "grid_shift": [0, 0]},
                {"quality_factor": 12, "subsampling": "4:4:4", "grid_shift": [1, 2]},
            ],
            "resize_between": None,
        },
        "guidance": "automatic",
        "quality_factor": None,
        "stages": None,
        "keep_exif": False,
        "keep_icc": False,
    }
    assert BatchSettings(("plain",)).as_json()["degradation"] is None


def test_references_are_found_by_name_and_place(run, pictures, photograph, tmp_path, capsys):
    clean = tmp_path / "clean"
    (clean / "deep").mkdir(parents=True)
    pixels = photograph.image.pixels
    Image.fromarray(pixels).save(clean / "one.png")
    Image.fromarray(pixels[:40]).save(clean / "deep" / "two.png")
    Image.fromarray(pixels[:7]).save(clean / "clear.png")
    (pictures / "broken.jpg").unlink()
    words = ("in", "-o", "out", "--model", "plain", "--reference", "clean", "--report", "r.csv")
    assert run(*words) == 0
    by_name = {row["result"]: row for row in rows_of(tmp_path / "r.csv")}
    degraded = read((pictures / "one.jpg").read_bytes()).pixels
    expected = measure(restored=degraded, reference=pixels)
    assert float(by_name["one_plain.png"]["psnr_db"]) == pytest.approx(expected["psnr_db"])
    assert float(by_name["one_plain.png"]["gain_db"]) == 0
    assert by_name["deep/two_plain.png"]["ssim"]
    assert by_name["clear_plain.png"]["psnr_db"] == ""
    assert "96 x 7 pixels, the picture 96 x 80" in capsys.readouterr().err
    (clean / "one.png").unlink()
    assert run(*words) == 0
    assert "one.jpg cannot be read" in capsys.readouterr().err


@lru_cache  # a profile says when it was made
def wide_profile():
    """A profile that is not sRGB: its primaries are exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = data.find(b"rXYZ", 128), data.find(b"gXYZ", 128)
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


@pytest.mark.parametrize("keep", [True, False])
def test_profile_and_camera_facts_stay_on_request(run, photograph, tmp_path, keep):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Camera maker", 6
    exif.get_ifd(0x8825)[1] = "N"
    buffer = BytesIO()
    Image.fromarray(photograph.image.pixels).save(
        buffer, "JPEG", quality=90, exif=exif, icc_profile=wide_profile()
    )
    source = tmp_path / "in.jpg"
    source.write_bytes(buffer.getvalue())
    image = read(buffer.getvalue())
    assert image.profile_applies
    options = ("--keep-exif", "--keep-icc") if keep else ()
    assert run(source, "-o", "out", "--model", "plain", *options) == 0
    result = Image.open(tmp_path / "out" / "in_plain.png")
    kept = result.getexif()
    assert kept.get(0x010F) == ("Camera maker" if keep else None)
    assert not kept.get_ifd(0x8825)
    assert kept.get(0x0112) is None
    assert result.info.get("icc_profile") == (wide_profile() if keep else None)
    own = np.rot90(image.decoded_pixels, -1)
    np.testing.assert_array_equal(np.array(result), own if keep else image.pixels)
    assert not np.array_equal(own, image.pixels)


def test_dates_are_kept_where_that_is_wished(run, pictures, tmp_path):
    taken = 1_100_000_000_500_000_000
    source, result = pictures / "deep" / "two.JPG", tmp_path / "out" / "two_plain.png"
    os.utime(source, ns=(taken, taken))
    assert run(source, "-o", "out", "--model", "plain") == 0
    assert result.stat().st_mtime_ns != taken
    data = result.read_bytes()
    for state in ("done before", "restored"):
        assert run(source, "-o", "out", "--model", "plain", "--keep-dates", "--report", "r.csv") == 0
        assert rows_of(tmp_path / "r.csv")[0]["state"] == state
        assert result.stat().st_mtime_ns == taken and result.read_bytes() == data
        result.unlink()


def test_it_is_said_where_no_tables_steer(run, pictures, capsys):
    (pictures / "broken.jpg").unlink()
    models = ("--model", "plain", "--model", "cascade")
    for _ in range(2):  # restored, then found done
        assert run("in", "-o", "out", *models) == 0
        said = [line for line in capsys.readouterr().err.splitlines() if "steered by" in line]
        assert len(said) == 1 and said[0].startswith("in/clear.png: steered by ")
    assert run("in", "-o", "out", *models, "--quiet") == 0
    assert "steered by" not in capsys.readouterr().err


def test_gray_stays_gray(run, photograph, tmp_path):
    source = tmp_path / "gray.jpg"
    source.write_bytes(encode(photograph.image.pixels[..., 0], Save(20)).data)
    assert run(source, "-o", "out", "--model", "cascade") == 0
    assert np.array(Image.open(tmp_path / "out" / "gray_cascade.png")).ndim == 2


def test_names_that_collide_are_told_apart(pictures, tmp_path):
    (pictures / "ONE.png").write_bytes((pictures / "clear.png").read_bytes())
    found = found_pictures([str(pictures), str(pictures / "one.jpg")], tmp_path / "out")
    stems = [picture.stem for picture in found.pictures]
    assert len({stem.lower() for stem in stems}) == len(stems) == 5
    assert set(stems) == {"broken", "clear", "deep/two", "one.jpg", "ONE.png"}


def test_names_do_not_depend_on_how_a_path_is_spelled(pictures, tmp_path, monkeypatch):
    for name in ("one.jpg.png", "One.JPEG", "alone"):
        (pictures / name).write_bytes((pictures / "one.jpg").read_bytes())
    (pictures / "deep" / "one.jpg").write_bytes((pictures / "one.jpg").read_bytes())
    (tmp_path / "link").symlink_to(pictures)
    monkeypatch.chdir(tmp_path)
    spellings = [["in"], [str(pictures)], ["./in/../in/"], ["link"], ["in/deep/../"], ["in", "in"], ["in/**"]]
    names = [
        {picture.stem for picture in found_pictures(words, tmp_path / "out").pictures} for words in spellings
    ]
    assert all(stems == names[0] for stems in names)
    assert {"one.jpg", "One.JPEG", "one.jpg.png", "alone", "deep/one", "deep/two"} <= names[0]
    pairs = [["in/one.jpg", "in/deep/one.jpg"], ["in/deep/one.jpg", str(pictures / "one.jpg")]]
    first, second = (
        {picture.stem for picture in found_pictures(words, tmp_path / "out").pictures} for words in pairs
    )
    assert first == second and len(first) == 2


def test_what_a_folder_holds_besides_is_counted_and_named(run, pictures, tmp_path, capsys):
    sound = (pictures / "one.jpg").read_bytes()
    for name in ("IMG_1.HEIC", "IMG_2.heic", "deep/IMG_3.heic", "IMG_4.heic", "film.avif"):
        (pictures / name).write_bytes(b"\0\0\0\x20ftypheic")
    for name in ("DSC_1.mpo", "scan", "copy.jpg.bak"):
        (pictures / name).write_bytes(sound)
    (pictures / "broken.jpg").unlink()
    assert run("in", "-o", "out", "--model", "plain") == 0
    printed = capsys.readouterr()
    assert "6 restored, 0 done before, 0 failed" in printed.out
    assert {"DSC_1_plain.png", "scan_plain.png", "copy.jpg_plain.png"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }
    assert (
        "6 files passed over, not supported: 4 .heic (IMG_1.HEIC, IMG_2.heic, IMG_4.heic, ...), 1 .avif (film.avif), "
        "1 .txt (notes.txt)" in printed.err
    )
    assert run("in/*.[hH]*", "-o", "out", "--model", "plain") == 2
    assert (
        "3 files passed over, not supported: 3 .heic (IMG_1.HEIC, IMG_2.heic, IMG_4.heic)."
        in capsys.readouterr().err
    )
    assert run("in/one.jpg", "-o", "out", "--model", "plain") == 0
    assert "passed over" not in capsys.readouterr().err


def test_patterns_keep_the_folders_they_find(pictures, tmp_path):
    found = found_pictures([str(pictures / "**" / "*.[jJ][pP][gG]")], tmp_path / "out")
    assert {picture.stem for picture in found.pictures} == {"broken", "one", "deep/two"}
    found = found_pictures([str(pictures / "no*"), str(pictures / "d*")], tmp_path / "out")
    assert [picture.stem for picture in found.pictures] == ["deep/two"]
    assert [word for word, _ in found.problems] == [str(pictures / "no*")]


def test_results_inside_the_folder_of_pictures_are_no_pictures(run, pictures):
    (pictures / "broken.jpg").unlink()
    words = (pictures, "-o", pictures / "restored", "--model", "plain")
    assert run(*words) == 0
    before = stamps(pictures)
    assert run(*words) == 0
    assert stamps(pictures) == before
    assert run(pictures, "-o", pictures, "--model", "plain") == 2


@pytest.mark.parametrize(
    "words",
    [
        ["missing", "-o", "out"],
        ["in", "-o", "out.png"],
        ["in/one.jpg", "in/clear.png", "-o", "out.png"],
        ["in/one.jpg", "-o", "out.png", "--model", "plain", "--model", "ar_cnn"],
        ["in", "-o", "out", "--report", "r.txt"],
        ["in", "-o", "out", "--report", "no/such/r.csv"],
        ["in", "-o", "out", "--recompress", "thirty"],
        ["in", "-o", "out", "--recompress", "101"],
        ["in", "-o", "out", "--recompress", "30,4:1:1"],
        ["in", "-o", "out", "--recompress", "30", "--step", "resize=50"],
        ["in", "-o", "out", "--recompress", "30", "--step", "resize=5", "--recompress", "30"],
        ["in", "-o", "out", "--step", "resize", "--recompress", "30"],
        ["in", "-o", "out", "--step", "sharpen=3", "--recompress", "30"],
        ["in", "-o", "out", "--recompress", "30", "--keep-icc"],
        ["in", "-o", "out", "--reference", "missing"],
        ["in", "-o", "out", "--model", "nobody"],
    ],
)
def test_mistakes_are_one_sentence_and_write_nothing(run, pictures, tmp_path, words, capsys):
    assert run(*words, *([] if "--model" in words else ["--model", "plain"])) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.strip().endswith(".")
    assert "Traceback" not in printed.err
    assert not (tmp_path / "out").exists()


def test_a_result_says_what_it_was_made_of_and_others_say_nothing(run, pictures, tmp_path):
    assert run(pictures / "one.jpg", "-o", "one.png", "--model", "ar_cnn") == 0
    record = present(record_in(tmp_path / "one.png"))
    assert record["made_of"]["model"] == "ar_cnn"
    assert len(record["made_of"]["weights_sha256"]) == 64
    assert record["facts"]["rows"] == 80
    assert record_in(pictures / "clear.png") is None
    assert record_in(pictures / "notes.txt") is None
    assert record_in(tmp_path / "nothing.png") is None


def test_hostile_names_do_not_steer_the_terminal(run, pictures, capsys):
    evil = pictures / "deep" / "\x1b[2Jevil\n.jpg"
    evil.write_bytes(b"no picture")
    assert run(pictures / "deep", "-o", "out", "--model", "plain") == 1
    printed = capsys.readouterr()
    assert "\x1b" not in printed.err + printed.out
    assert "evil?.jpg" in printed.err


def test_whoever_stops_it_is_told_how_to_go_on_and_keeps_what_is_done(
    run, pictures, tmp_path, monkeypatch, capsys
):
    def interrupted(restorer, found, on_progress):
        yield restorer.restore(found[0], on_progress)
        raise KeyboardInterrupt

    (pictures / "broken.jpg").unlink()
    words = ("in", "-o", "out", "--model", "ar_cnn", "--report", "r.csv")
    with monkeypatch.context() as patch:
        patch.setattr("studio.batch.command.run_batch", interrupted)
        assert run(*words) == 130
    printed = capsys.readouterr()
    assert "1 restored" in printed.out
    assert "Repeat the command" in printed.err
    assert len(rows_of(tmp_path / "r.csv")) == 1
    assert run(*words) == 0
    assert "2 restored, 1 done before" in capsys.readouterr().out


def test_an_unforeseen_failure_stops_nothing(run, pictures, monkeypatch, capsys):
    from studio.batch import run as batch_run

    real = batch_run.result_png

    def failing(pixels, image, record, **kept):
        if record["facts"]["format"] == "PNG":
            raise ZeroDivisionError
        return real(pixels, image, record, **kept)

    monkeypatch.setattr(batch_run, "result_png", failing)
    assert run("in/clear.png", "in/one.jpg", "-o", "out", "--model", "plain") == 1
    printed = capsys.readouterr()
    assert "1 restored, 0 done before, 1 failed" in printed.out
    assert "clear.png: It failed for a reason nobody foresaw" in printed.err


def test_tiles_are_told(zoo, pictures, tmp_path):
    settings = BatchSettings(("cascade",))
    (found,) = found_pictures([str(pictures / "one.jpg")], tmp_path / "out").pictures
    steps = []
    (row,) = BatchRestorer(zoo, settings, tmp_path / "out").restore(found, steps.append)
    assert row.state == "restored"
    assert [(step.done, step.total) for step in steps] == [(0, 0), (1, 1)]


def test_words_that_lead_nowhere_are_listed_with_the_failures(run, pictures, tmp_path, capsys):
    assert (
        run("in/one.jpg", "gone.jpg", "in/x*.jpg", "-o", "out", "--model", "plain", "--report", "r.csv") == 1
    )
    printed = capsys.readouterr()
    assert "gone.jpg does not exist." in printed.err
    assert "in/x*.jpg fits no picture." in printed.err
    rows = {row["picture"]: row for row in rows_of(tmp_path / "r.csv")}
    assert rows["gone.jpg"]["sentence"].startswith("gone.jpg does not exist.")
    assert len(rows["in/one.jpg"]["result_sha256"]) == 64

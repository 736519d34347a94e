"""No command replaces a file that it did not make, and never one that it reads."""

import json
import os

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from models.jpeg import Save, encode
from studio.batch.results import is_result, record_in
from studio.restore.__main__ import main
from studio.sweep.__main__ import main as sweep


@pytest.fixture
def place(photograph, tmp_path, monkeypatch):
    """A folder to work in, with a.jpg, b.png, and in/ with one picture of each."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    pixels = photograph.image.pixels
    for folder in (tmp_path, tmp_path / "in"):
        (folder / "a.jpg").write_bytes(encode(pixels[:40, :48], Save(20)).data)
        Image.fromarray(pixels[:24, :32]).save(folder / "b.png")
    return tmp_path


@pytest.fixture
def run(checkpoints):
    where = ["--checkpoints", str(checkpoints), "--device", "cpu", "--model", "plain"]
    return lambda *words: main([*map(str, words), *where])


def foreign(path):
    """Somebody's PNG, with a text under our keyword that is no record."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Restoration", "of an old fresco")
    Image.fromarray(np.full((9, 9, 3), 7, np.uint8)).save(path, pnginfo=text)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["mine.png", "a_plain.png"])
def test_a_foreign_file_stays_unless_overwriting_is_asked_for(run, place, name, capsys):
    out = place / "out"
    out.mkdir()
    target = out / name
    before = foreign(target)
    words = ("in/a.jpg", "-o", target if name == "mine.png" else out)
    assert run(*words) == (2 if name == "mine.png" else 1)
    assert target.read_bytes() == before
    assert "--overwrite" in capsys.readouterr().err
    assert run(*words, "--overwrite") == 0
    assert record_in(target)
    target.write_bytes(b"text")
    assert run(*words) != 0
    assert target.read_bytes() == b"text"


def test_results_of_earlier_runs_are_replaced_whole_or_cut_off(run, place):
    words = ("in/a.jpg", "-o", "out")
    assert run(*words) == 0
    result = place / "out" / "a_plain.png"
    first = result.read_bytes()
    assert is_result(result)
    assert run(*words, "--recompress", "10") == 0
    assert result.read_bytes() != first
    result.write_bytes(first[: len(first) // 2])
    assert run(*words) == 0
    assert result.read_bytes() == first


def test_the_input_is_never_replaced(run, place, capsys):
    other = place / "other.png"
    other.symlink_to(place / "b.png")
    os.link(place / "b.png", place / "linked.png")
    before = (place / "b.png").read_bytes()
    for output in ("b.png", "in/../b.png", "other.png", "linked.png"):
        for more in ((), ("--overwrite",)):
            assert run("b.png", "-o", output, *more) == 2
            assert "never replaced" in capsys.readouterr().err
    assert (place / "b.png").read_bytes() == before == (place / "linked.png").read_bytes()
    assert other.is_symlink()
    assert run("in/a.jpg", "-o", "ours.png") == 0
    ours = (place / "ours.png").read_bytes()
    assert run("ours.png", "-o", "ours.png", "--overwrite") == 2
    assert (place / "ours.png").read_bytes() == ours


def test_a_result_takes_the_place_of_no_other_input_and_no_reference(run, place, capsys):
    taken = place / "a_plain.png"
    before = foreign(taken)
    assert run("a.jpg", "a_plain.png", "-o", ".", "--overwrite") == 1
    assert taken.read_bytes() == before
    assert "would replace a_plain.png, which this command reads" in capsys.readouterr().err
    assert record_in(place / "a_plain_plain.png")
    clean = place / "clean"
    clean.mkdir()
    before = foreign(clean / "a.png")
    assert run("a.jpg", "-o", "clean/a.png", "--reference", "clean", "--overwrite") == 2
    assert (clean / "a.png").read_bytes() == before


def test_a_link_is_not_taken_for_a_result(run, place):
    assert run("a.jpg", "-o", "kept.png") == 0
    kept = (place / "kept.png").read_bytes()
    (place / "latest.png").symlink_to(place / "kept.png")
    assert run("b.png", "-o", "latest.png") == 2
    assert (place / "latest.png").is_symlink()
    assert (place / "kept.png").read_bytes() == kept


def test_unfinished_files_of_others_stay(run, place):
    parts = [place / "mine.png.part", place / ".mine.png.part", place / f".mine.png.{os.getpid()}.part"]
    for part in parts:
        part.write_bytes(b"half a download")
    assert run("a.jpg", "-o", "mine.png") == 0
    assert all(part.read_bytes() == b"half a download" for part in parts)
    assert sorted(place.glob(".*.part")) == sorted(parts[1:])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mine.csv", "# settings of the camera\na,b\n1,2\n"),
        ("mine.json", '{\n "settings": {}\n}\n'),
        ("empty.csv", ""),
    ],
)
def test_reports_replace_reports_only(run, place, name, content, capsys):
    (place / name).write_text(content)
    words = ("a.jpg", "-o", "out", "--report", name)
    assert run(*words) == 2
    assert (place / name).read_text() == content
    assert not (place / "out").exists()
    assert "--overwrite" in capsys.readouterr().err
    assert run(*words, "--overwrite") == 0
    first = (place / name).read_text()
    assert first != content
    assert run(*words) == 0  # it is ours now
    if name.endswith(".json"):
        assert json.loads((place / name).read_text())["results"][0]["state"] == "done before"


def test_a_report_never_replaces_an_input(run, place):
    os.link(place / "a.jpg", place / "r.csv")
    before = (place / "a.jpg").read_bytes()
    assert run("a.jpg", "-o", "out", "--report", "r.csv", "--overwrite") == 2
    assert (place / "r.csv").read_bytes() == before


def test_a_sweep_replaces_sweeps_only(checkpoints, place, capsys):
    words = ["a.jpg", "-o", "t.csv", "--model", "plain", "--quality-factors", "20", "--device", "cpu"]
    words += ["--checkpoints", str(checkpoints)]
    (place / "t.csv").write_text("a,b\n")
    assert sweep(words) == 2
    assert (place / "t.csv").read_text() == "a,b\n"
    assert "--overwrite" in capsys.readouterr().err
    assert sweep([*words, "--overwrite"]) == 0
    assert sweep(words) == 0
    before = (place / "a.jpg").read_bytes()
    assert sweep([*words[:2], "a.jpg", *words[3:], "--overwrite"]) == 2
    assert (place / "a.jpg").read_bytes() == before

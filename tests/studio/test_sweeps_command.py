"""The sweep from the command line, and how long the sweep of the page's promise takes."""

import csv
import os
import time
from io import BytesIO

import pytest
from PIL import Image

from models.zoo import Zoo
from studio.session.examples import example
from studio.sweep.__main__ import main
from tests.paths import REPOSITORY

TIMED = "JPEG_STUDIO_TIMING"
PROMISED_SECONDS = 60


def rows_of(path):
    return list(
        csv.DictReader(line for line in path.read_text("utf-8").splitlines() if not line.startswith("#"))
    )


def test_a_table_is_written(checkpoints, photograph, tmp_path, capsys):
    source, table = tmp_path / "whiskers.png", tmp_path / "points.csv"
    source.write_bytes(photograph.image.data)
    arguments = [str(source), "-o", str(table), "--model", "ar_cnn", "--checkpoints", str(checkpoints)]
    assert main([*arguments, "--quality-factors", "50", "10", "20", "--subsampling", "4:4:4"]) == 0
    assert [(row["model"], row["quality_factor"]) for row in rows_of(table)] == [
        (name, quality) for name in ("plain", "ar_cnn") for quality in ("10", "20", "50")
    ]
    assert "quality factors 10, 20, 50, 4:4:4" in table.read_text("utf-8")
    assert "6 points of the whole picture, 96 × 80 pixels" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong",
    [
        ["missing.png", "-o", "{folder}/x.csv", "--model", "plain"],
        ["{picture}", "-o", "{folder}/none/x.csv", "--model", "plain", "--quality-factors", "10"],
        ["{picture}", "-o", "{folder}/x.csv", "--model", "nobody"],
        ["{picture}", "-o", "{folder}/x.csv", "--model", "plain", "--quality-factors", "0"],
    ],
)
def test_what_is_wrong_is_one_sentence(wrong, photograph, tmp_path, capsys):
    picture = tmp_path / "whiskers.png"
    picture.write_bytes(photograph.image.data)
    assert main([word.format(folder=tmp_path, picture=picture) for word in wrong]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.strip().endswith(".")


@pytest.mark.skipif(
    not os.environ.get(TIMED),
    reason=f"measures seconds, which says something on a quiet machine only; set {TIMED}=1",
)
def test_ten_quality_factors_and_three_models_on_0_4_megapixels_take_less_than_a_minute(tmp_path, capsys):
    names = [card.name for card in Zoo(REPOSITORY / "checkpoints", "cpu").cards() if card.name != "plain"][:3]
    assert len(names) == 3
    source = tmp_path / "hubble.png"
    with Image.open(BytesIO(example("hubble").read_bytes())) as picture:
        picture.convert("RGB").crop((0, 0, 624, 640)).save(source)
    models = [word for name in names for word in ("--model", name)]
    began = time.perf_counter()
    assert main([str(source), "-o", str(tmp_path / "points.csv"), *models, "--device", "cpu"]) == 0
    took = time.perf_counter() - began
    with capsys.disabled():
        print(f"\n{', '.join(names)}: {capsys.readouterr().out.strip()} ({took:.1f} s with loading)")
    assert len(rows_of(tmp_path / "points.csv")) == 40
    assert took < PROMISED_SECONDS

"""The ablation's table says what the runs say, and what chance does."""

import shutil
from pathlib import Path

import pytest

from models.networks.cascade import Cascade
from tests.paths import REPOSITORY
from tests.training.sample_runs import TINY, configuration, write_configuration, write_run
from training.experiments.ablation import BEGIN, END, main
from training.experiments.measurements import read_measurements


@pytest.fixture
def series(tmp_path: Path) -> list[str]:
    """Three finished variants and one that is not, as arguments of the command line."""
    variants = {
        "1-full": ({}, 28.0, True),
        "2-one-stage": ({"hyperparameters": TINY | {"stages": 1}}, 27.5, True),
        "3-second-seed": ({"seed": 1}, 28.06, True),
        "4-two-stages": ({"hyperparameters": TINY | {"stages": 2}}, 27.8, False),
    }
    for name, (changes, score_db, finished) in variants.items():
        config = configuration(name, **changes)
        write_configuration(config, tmp_path / "configs")
        write_run(config, tmp_path / "runs", score_db=score_db, finished=finished)
    return ["--configs", str(tmp_path / "configs"), "--runs", str(tmp_path / "runs")]


def test_the_table_holds_the_best_validation_of_every_finished_variant(series, tmp_path) -> None:
    document = tmp_path / "results.md"
    document.write_text(f"above\n{BEGIN}\nold\n{END}\nbelow\n")
    assert main([*series, "--report", str(document)]) == 0
    text = document.read_text()
    assert text.startswith("above\n") and text.endswith("\nbelow\n") and "old" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    full, one = (Cascade(stages=stages, **TINY).mmac_per_pixel() for stages in (3, 1))
    assert rows[2:] == [
        f"| 1 full | {full:.3f} | 2.00 | 28.00 | – | 28.00 | 29.00 | 30.00 | 31.00 | 32.00 |",
        f"| 2 one stage | {one:.3f} | 2.00 | 27.50 | -0.50 | 27.50 | 28.50 | 29.50 | 30.50 | 31.50 |",
        f"| 3 second seed | {full:.3f} | 2.00 | 28.06 | +0.06 | 28.06 | 29.06 | 30.06 | 31.06 | 32.06 |",
    ]
    assert "trained for 0.25 PFLOP" in text
    assert "2 seeds of the full network lie 0.06 dB apart" in text


def test_a_benchmark_is_measured_once_and_joins_the_table(series, tmp_path, pictures) -> None:
    measure = [*series, "--measure", str(pictures), "--limit", "1"]
    assert main(measure) == 0
    before = (tmp_path / "runs" / "scores.json").read_bytes()
    assert main(measure) == 0
    assert (tmp_path / "runs" / "scores.json").read_bytes() == before
    document = tmp_path / "results.md"
    document.write_text(f"{BEGIN}\n{END}\n")
    assert main([*series, "--report", str(document)]) == 0
    rows = [line.split(" | ") for line in document.read_text().splitlines() if line.startswith("| ")]
    assert rows[0][-2:] == [f"{pictures.name} QF10", f"{pictures.name} QF40 |"]
    measured = read_measurements(tmp_path / "runs" / "scores.json")["rows"]
    assert len(measured) == 2 * (3 + 1)
    found = {(row["model"], row["quality_factor"]): f"{row['psnr_db']:.2f}" for row in measured}
    names = ("1-full", "2-one-stage", "3-second-seed")
    assert [row[-2:] for row in rows[2:]] == [[found[name, 10], found[name, 40] + " |"] for name in names]
    (tmp_path / "runs" / "1-full" / "best.pt").write_bytes(b"of another training")
    assert main([*series, "--report", str(document)]) == 0
    full = next(line for line in document.read_text().splitlines() if line.startswith("| 1 full"))
    assert full.endswith("| – | – |")


def test_without_the_full_network_there_is_no_table(series, tmp_path, capsys) -> None:
    shutil.rmtree(tmp_path / "runs" / "1-full")
    document = tmp_path / "results.md"
    document.write_text(f"{BEGIN}\n{END}\n")
    assert main([*series, "--report", str(document)]) == 2
    assert "1-full is missing" in capsys.readouterr().err


def test_the_results_have_a_place_for_it() -> None:
    text = (REPOSITORY / "docs" / "results.md").read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1

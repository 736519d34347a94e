"""The generated tables say what the score files and cards say, and go where the marks are."""

from dataclasses import replace
from pathlib import Path

import pytest

from models.card import write_card
from models.errors import BrokenCheckpoint, InvalidSetting
from tests.changed_metrics import other_convention
from tests.models.sample_networks import CARDS
from tests.models.test_card import FACTS
from tests.paths import REPOSITORY
from training.evaluation.measured_models import measured_models
from training.evaluation.protocols import PAIRS, PROTOCOLS
from training.evaluation.published import literature
from training.evaluation.score_files import ScoreFile, Setting, weights_of
from training.evaluation.tables import (
    double_table,
    other_protocols_table,
    psnr_table,
    safety_table,
    training_table,
    untouched_table,
)
from training.report import BEGIN, END, PLACE, TABLES, filled, main

LIVE1 = Setting("LIVE1", "rgb")
GRAY = Setting("LIVE1_gray", "gray")


def row(model: str, psnr_db: float, quality_factor: int | None = 10, double=None, **more) -> dict:
    """A row of a score file."""
    cost = (2_340_000, 0.1234) if model != "none" else (0, 0.0)
    return {
        "model": model,
        "condition": f"QF {quality_factor}" if double is None else f"twice {double}",
        "quality_factor": quality_factor,
        "double": double,
        "images": 29,
        "psnr_db": psnr_db,
        "ssim": 0.9,
        "psnr_b_db": psnr_db - 1,
        "gain_db": psnr_db - 25.0,
        "worst_gain_db": -0.5,
        "share_worse": 0.25,
        "parameters": cost[0],
        "mmac_per_pixel": cost[1],
        "megapixels_per_second": 1.5,
        "milliseconds_per_megapixel": 667.0,
        "times_plain_decoding": 80.0,
        "peak_memory_mb": 500.0,
        "machine": "one machine",
    } | more


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    """Two checkpoints without scores: ar_cnn and cascade."""
    for name in ("ar_cnn", "cascade"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights.safetensors").write_bytes(name.encode())
        write_card(CARDS[name], tmp_path / name / "card.yaml")
    return tmp_path


def scores_of(checkpoints: Path, name: str) -> ScoreFile:
    return ScoreFile(checkpoints / name / "scores.json", weights_of(checkpoints / name, CARDS[name]))


def add(checkpoints: Path, name: str, setting: Setting, *rows: dict, **more) -> None:
    scores_of(checkpoints, name).add(setting, rows=rows, **more)


def cells(table: str, title: str) -> list[str]:
    """The cells of the line of that title."""
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {title}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_measured_rows_come_weakest_first_with_their_printed_row_below(checkpoints) -> None:
    add(checkpoints, "cascade", LIVE1, row("none", 25.69), row("cascade", 27.3), row("cascade", 31.234, 40))
    add(checkpoints, "ar_cnn", LIVE1, row("none", 25.69), row("ar_cnn", 26.5))
    table = psnr_table(measured_models(checkpoints), "LIVE1")
    titles = [line.split(" |")[0].strip("| ") for line in table.splitlines() if line.startswith("| ")]
    assert titles[2:6] == ["plain decoding", "`ar_cnn`", "*printed: AR-CNN* <sup>1</sup>", "`cascade`"]
    assert titles[-1].startswith("*printed: SwinIR*")
    assert cells(table, "`cascade`") == [
        *("`cascade`", "2.34", "0.123", "1.50", "27.30", "–", "–", "31.23"),
        *["–"] * 5,
    ]
    assert cells(table, "plain decoding")[:5] == ["plain decoding", "–", "–", "–", "25.69"]
    assert cells(table, "*printed: AR-CNN*")[4:6] == ["*26.28*", "*28.71*"]
    assert "QGCN, Table II: retrained" in table and "25.60 / 27.96" in table
    assert "29 pictures" in table and "one machine" in table and "Not measured" not in table


def test_missing_and_stale_scores_are_named_and_not_shown(checkpoints) -> None:
    add(checkpoints, "cascade", LIVE1, row("none", 25.69), row("cascade", 27.3))
    (checkpoints / "cascade" / "weights.safetensors").unlink()
    (checkpoints / "cascade" / "weights.safetensors").write_bytes(b"newer")
    table = psnr_table(measured_models(checkpoints), "LIVE1")
    assert "27.30" not in table and "25.69" not in table
    assert "Not measured yet: `ar_cnn`." in table
    assert "changed since: `cascade`." in table
    with other_convention("psnr_db"):
        add(checkpoints, "ar_cnn", LIVE1, row("ar_cnn", 26.5))
    assert "26.50" not in psnr_table(measured_models(checkpoints), "LIVE1")
    add(checkpoints, "ar_cnn", replace(LIVE1, limit=2), row("ar_cnn", 26.5))
    assert "26.50" not in psnr_table(measured_models(checkpoints), "LIVE1"), (
        "two pictures are not the data set"
    )


def test_blind_rows_are_told_apart(checkpoints) -> None:
    add(checkpoints, "cascade", LIVE1, row("none", 25.69), row("cascade", 27.3))
    add(checkpoints, "cascade", replace(LIVE1, blind=True), row("none", 25.69), row("cascade", 27.2))
    table = psnr_table(measured_models(checkpoints), "LIVE1")
    assert [cells(table, title)[4] for title in ("`cascade` |", "`cascade`, blind")] == ["27.30", "27.20"]


def test_every_network_has_a_row_of_its_training(checkpoints) -> None:
    long = replace(FACTS, run_petaflop=9.0, steps=5000, validation_db=31.0)
    write_card(replace(CARDS["cascade"], trained=long), checkpoints / "cascade" / "card.yaml")
    table = training_table(measured_models(checkpoints))
    machine = "2 CPU threads, then 1 CPU thread"
    assert cells(table, "`ar_cnn`")[2:] == ["–"] * 5
    assert cells(table, "`cascade`")[2:] == ["9.00", "12", machine, "31.00", "–"]
    write_card(replace(CARDS["ar_cnn"], trained=FACTS), checkpoints / "ar_cnn" / "card.yaml")
    add(checkpoints, "ar_cnn", LIVE1, row("ar_cnn", 27.1), row("ar_cnn", 31.5, 40))
    line = cells(training_table(measured_models(checkpoints)), "`ar_cnn`")
    assert line[-2:] == ["29.50 (luma)", "27.10 / 31.50"]


def test_double_saves_show_gains_for_every_shift(checkpoints) -> None:
    doubles = [(10, 30, 4, 4), (30, 10, 4, 4), (10, 10, 0, 0)]
    for name, psnr_db in (("cascade", 26.5), ("ar_cnn", 24.5)):
        rows = [row(name, psnr_db, None, list(double)) for double in doubles]
        add(checkpoints, name, GRAY, *rows, *(row("none", 25.0, None, list(double)) for double in doubles))
    table = double_table(measured_models(checkpoints))
    first, second, third = table.split("| shift ")[1:]
    assert first.startswith("4, 4") and second.startswith("1, 1") and third.startswith("0, 0")
    column = 1 + PAIRS.index((10, 30))
    assert cells(first, "`cascade`")[column] == "+1.50"
    assert cells(first, "`ar_cnn`")[column] == "−0.50"
    assert first.index("`ar_cnn`") < first.index("`cascade`")
    assert cells(first, "*printed: FBCNN trained with double saves*")[column] == "*+1.83*"
    assert "`cascade`" not in second and "printed" not in third.split("\n\n")[0]
    assert cells(third, "`cascade`")[1] == "+1.50"


def test_what_means_hide_is_told(checkpoints) -> None:
    rows = [row("cascade", 30.0, factor, share_worse=factor / 100) for factor in (10, 80, 90, 95)]
    change = {
        "psnr_db": None,
        "mean_squared_change": 0.0,
        "largest_change": 0,
        "share_unchanged": 1.0,
        "cost_db": 0.0,
        "worst_cost_db": 0.0,
    }
    add(checkpoints, "cascade", LIVE1, *rows, never_compressed=change)
    models = measured_models(checkpoints)
    assert cells(safety_table(models), "`cascade`")[1:] == [
        *("−0.50 / – / −0.50 / −0.50", "80% / 90% / 95%"),
        *("667", "80", "500"),
    ]
    assert cells(untouched_table(models), "`cascade`")[1:] == [
        "–",
        "0.0000",
        "0",
        "–",
        "100%",
        "0.000",
        "0.000",
    ]


def test_figures_of_other_protocols_stand_apart_beside_the_nearest_gain(checkpoints) -> None:
    (checkpoints / "hr_cnn").mkdir()
    (checkpoints / "hr_cnn" / "weights.safetensors").write_bytes(b"hr_cnn")
    write_card(CARDS["hr_cnn"], checkpoints / "hr_cnn" / "card.yaml")
    add(checkpoints, "hr_cnn", GRAY, *(row("hr_cnn", 26.0 + factor / 100, factor) for factor in (10, 30, 50)))
    table = other_protocols_table(measured_models(checkpoints))
    line = cells(table, "HR-CNN")
    assert line[3:] == [
        "27.19 / 31.00 / 32.87",
        "28.64 / 32.41 / 34.15",
        "+1.45 / +1.41 / +1.28",
        "+1.10 / +1.30 / +1.50",
    ]


def test_published_figures_are_complete_and_plausible() -> None:
    found = literature()
    assert set(found.single_saves) == set(PROTOCOLS) - {"kinds"}
    every = [
        each for group in (found.single_saves, found.double_saves) for rows in group.values() for each in rows
    ]
    for each in [*every, *found.other_protocols]:
        assert each.source and each.remark and each.method
        assert all(25 < value < 42 for value in each.psnr_db.values())
        if "mean" not in each.psnr_db:
            gains = [each.gain_db(label) for label in each.psnr_db]
            assert all(gain is None or 0.3 < gain < 2.5 for gain in gains), each.method
    for rows in found.single_saves.values():
        for each in rows:
            assert list(each.psnr_db.values()) == sorted(each.psnr_db.values()), (
                "more with every quality factor"
            )
            assert 10 in each.psnr_db, "the table is sorted by it"
    for rows in found.double_saves.values():
        assert all(set(each.psnr_db) == {f"{first},{second}" for first, second in PAIRS} for each in rows)


def test_tables_replace_what_stood_between_their_marks(checkpoints, capsys) -> None:
    add(checkpoints, "cascade", LIVE1, row("none", 25.69), row("cascade", 27.3))
    document = checkpoints / "page.md"
    places = "".join(f"{BEGIN.format(name=name)}\nold\n{END}\nbetween\n" for name in TABLES)
    document.write_text(f"before\n{places}after\n")
    arguments = [str(document), "--checkpoints", str(checkpoints)]
    assert main(arguments) == 0
    first = document.read_text()
    assert first.startswith("before\n") and first.endswith("between\nafter\n")
    assert "old" not in first and "27.30" in first
    assert [place["name"] for place in PLACE.finditer(first)] == list(TABLES)
    assert main(arguments) == 0 and document.read_text() == first
    for text, said in (
        ("no marks", "0 places"),
        ("only " + BEGIN.format(name="LIVE1"), "1 places"),
        (BEGIN.format(name="LIVE2") + END, "'LIVE2'"),
        (BEGIN.format(name="LIVE1") + BEGIN.format(name="LIVE1") + END, "2 places"),
    ):
        document.write_text(text)
        assert main(arguments) == 2
        assert said in capsys.readouterr().err
        with pytest.raises(InvalidSetting):
            filled(text, [])


def test_damaged_scores_are_told(checkpoints) -> None:
    (checkpoints / "cascade" / "scores.json").write_text("[]")
    with pytest.raises(BrokenCheckpoint, match=r"cascade/scores\.json"):
        measured_models(checkpoints)


def test_the_documents_are_up_to_date() -> None:
    models = measured_models(REPOSITORY / "checkpoints")
    for name in ("README.md", "docs/results.md"):
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        assert filled(text, models) == text, f"run python -m training.report {name}"

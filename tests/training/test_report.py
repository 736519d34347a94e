"""The generated table says what scores.json says, and goes where the marks are."""

import json

import pytest

from models.errors import InvalidSetting
from training.report import BEGIN, END, insert, main, measured_table


def write_scores(folder, name: str, psnr_db: float, data: str = "Pictures") -> None:
    def row(model: str, quality_factor: int, value: float, **more) -> dict:
        base = {"model": model, "quality_factor": quality_factor, "double": None, "psnr_db": value}
        return base | {"parameters": 0, "mmac_per_pixel": 0, "megapixels_per_second": 90.0} | more

    cost = {"parameters": 2_340_000, "mmac_per_pixel": 0.1234, "megapixels_per_second": 1.5}
    rows = [
        row("none", 10, 25.0),
        row(name, 10, psnr_db, **cost),
        row("none", 40, 30.0),
        row(name, 40, 31.234, **cost),
    ]
    rows.append(row(name, 30, 99.0, double=[10, 30, 4, 4], **cost))
    (folder / name).mkdir(parents=True)
    report = {"data": data, "convention": "PSNR of RGB.", "blind": False, "rows": rows}
    (folder / name / "scores.json").write_text(json.dumps(report))


def test_the_table_lists_the_measured_rows_weakest_first(tmp_path) -> None:
    write_scores(tmp_path, "better", 27.0)
    write_scores(tmp_path, "worse", 26.0)
    lines = measured_table(tmp_path).splitlines()
    assert lines[0].startswith("Pictures, PSNR in dB at quality factors 10, 40")
    assert [line.split(" | ")[0] for line in lines[4:]] == ["| plain decoding", "| `worse`", "| `better`"]
    assert lines[-1] == "| `better` | 2.34 M | 0.123 | 27.00 | 31.23 | 1.50 |"
    assert lines[4] == "| plain decoding | – | – | 25.00 | 30.00 | – |"


def test_scores_of_different_pictures_are_not_put_into_one_table(tmp_path) -> None:
    write_scores(tmp_path, "one", 26.0)
    write_scores(tmp_path, "two", 26.0, data="Others")
    with pytest.raises(InvalidSetting, match="2 ways"):
        measured_table(tmp_path)


def test_the_table_replaces_what_stood_between_the_marks(tmp_path, capsys) -> None:
    write_scores(tmp_path / "checkpoints", "model", 26.0)
    document = tmp_path / "page.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    arguments = [str(document), "--checkpoints", str(tmp_path / "checkpoints")]
    assert main(arguments) == 0
    first = document.read_text()
    assert (
        first.startswith("before\n")
        and first.endswith("\nafter\n")
        and "old" not in first
        and "`model`" in first
    )
    assert main(arguments) == 0 and document.read_text() == first
    document.write_text("no marks")
    assert main(arguments) == 2
    assert "no place" in capsys.readouterr().err
    with pytest.raises(InvalidSetting):
        insert("only " + BEGIN, "table")

"""The evaluation, end to end on two small pictures, and its sentences for arguments that make no sense."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from models.jpeg import Degradation, Save, degrade, encode, read
from models.png_files import write_png
from models.zoo import Zoo
from tests.models.sample_networks import loaded
from training.evaluate import main
from training.evaluation.benchmarks import already_compressed, never_compressed, recompressed
from training.evaluation.metrics import mean_squared_error, measure
from training.evaluation.scoring import Options
from training.evaluation.uncompressed import score_uncompressed


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def report_of(path: Path) -> dict:
    return json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_the_whole_protocol(pictures, checkpoints, tmp_path, capsys) -> None:
    out = tmp_path / "report.json"
    status = run(
        "--model",
        "cascade",
        "--model",
        "ar_cnn",
        "--model",
        "reapply",
        "--data",
        pictures,
        "--checkpoints",
        checkpoints,
        "--quality-factors",
        10,
        90,
        "--double",
        "10,30,4,4",
        "--json",
        out,
    )
    assert status == 0
    report = report_of(out)
    assert report["data"] == pictures.name
    assert "PSNR" in report["convention"]
    models = ["none", "cascade", "ar_cnn", "reapply"]
    rows = report["rows"]
    assert [row["model"] for row in rows] == models * 3
    assert [row["quality_factor"] for row in rows[::4]] == [10, 90, None]
    assert [row["double"] for row in rows[::4]] == [None, None, [10, 30, 4, 4]]
    for row in rows:
        nothing = rows[rows.index(row) // 4 * 4]
        assert row["images"] == 2
        assert row["gain_db"] == pytest.approx(row["psnr_db"] - nothing["psnr_db"])
        assert row["worst_gain_db"] <= row["gain_db"]
        assert row["worst_image"] in ("astronaut.png", "coffee.png")
        assert row["megapixels_per_second"] * row["milliseconds_per_megapixel"] == pytest.approx(1000)
        assert row["peak_memory_mb"] > 50
    by_name = dict(zip(models, rows[:4], strict=True))
    assert by_name["none"]["times_plain_decoding"] == 1
    assert (
        by_name["none"]["gain_db"] == by_name["none"]["mmac_per_pixel"] == by_name["none"]["parameters"] == 0
    )
    assert by_name["reapply"]["gain_db"] > 0.2
    assert by_name["ar_cnn"]["parameters"] == 106_561
    assert by_name["ar_cnn"]["mmac_per_pixel"] == pytest.approx(0.1597, rel=0.01), (
        "Y and two quarter-size planes"
    )
    assert by_name["cascade"]["stage_psnr_db"][-1] == pytest.approx(by_name["cascade"]["psnr_db"])
    assert len(by_name["cascade"]["stage_psnr_db"]) == 3
    assert 0 <= by_name["cascade"]["quality_factor_error"] <= 99
    assert by_name["ar_cnn"]["quality_factor_error"] is None
    printed = capsys.readouterr().out
    for words in ("QF 10, 2 pictures", "QF 10, then 30 shifted 4,4", "astronaut.png", "MMAC/px", "peak MB"):
        assert words in printed


def test_the_do_nothing_row_is_the_mean_of_the_metrics(pictures, tmp_path) -> None:
    out = tmp_path / "report.json"
    assert run("--model", "none", "--data", pictures, "--quality-factors", 20, "--json", out) == 0
    found = []
    for original in (skimage.data.astronaut()[100:172, 180:276], skimage.data.coffee()[100:164, 200:264]):
        found.append(measure(restored=encode(original, Save(20)).pixels, reference=original))
    (row,) = report_of(out)["rows"]
    assert row["psnr_db"] == pytest.approx(np.mean([each["psnr_db"] for each in found]))
    assert row["ssim"] == pytest.approx(np.mean([each["ssim"] for each in found]))
    assert row["psnr_b_db"] == pytest.approx(np.mean([each["psnr_b_db"] for each in found]))


def test_options_change_what_is_measured(pictures, checkpoints, tmp_path) -> None:
    def row(*options: object) -> dict:
        out = tmp_path / "report.json"
        common = ("--model", "cascade", "--data", pictures, "--checkpoints", checkpoints, "--json", out)
        assert run(*common, "--quality-factors", 10, *options) == 0
        return report_of(out)["rows"][1]

    plain = row()
    assert row("--blind")["psnr_db"] != plain["psnr_db"]
    ensemble = row("--self-ensemble")
    assert ensemble["psnr_db"] != plain["psnr_db"]
    assert ensemble["mmac_per_pixel"] == pytest.approx(8 * plain["mmac_per_pixel"], rel=0.1)
    first = row("--stages", 1)
    assert first["unguarded_psnr_db"] == pytest.approx(plain["stage_psnr_db"][0])
    assert first["mmac_per_pixel"] < plain["mmac_per_pixel"] / 2
    assert row("--color", "y")["psnr_db"] > plain["psnr_db"] - 5
    assert row("--color", "y")["psnr_db"] != row("--color", "gray")["psnr_db"] != plain["psnr_db"]
    assert row("--limit", 1)["images"] == 1


def test_a_report_takes_the_place_of_reports_only(pictures, tmp_path, capsys) -> None:
    out = tmp_path / "mine.json"
    out.write_text('{\n "name": "mine"\n}\n')
    words = ("--model", "none", "--data", pictures, "--quality-factors", 20, "--json", out)
    assert run(*words) == 2
    assert out.read_text() == '{\n "name": "mine"\n}\n'
    assert "--overwrite" in capsys.readouterr().err
    assert run(*words, "--overwrite") == 0
    assert run(*words) == 0
    assert report_of(out)["rows"]


def test_gray_originals_are_saved_as_gray_jpeg(tmp_path: Path) -> None:
    write_png(skimage.data.camera()[:40, :48], tmp_path / "camera.png")
    (condition,) = recompressed(tmp_path, quality_factors=[10])
    (case,) = condition.cases()
    assert case.image.is_gray
    assert case.image.subsampling == "gray"
    assert case.reference.shape == (40, 48, 3)


def test_double_saves_shift_the_grid_and_the_original_with_it(pictures) -> None:
    (condition,) = recompressed(pictures, quality_factors=[], doubles=[(10, 30, 4, 3)])
    case = next(condition.cases())
    original = skimage.data.astronaut()[100:172, 180:276]
    np.testing.assert_array_equal(case.reference, original[4:, 3:])
    expected = degrade(original, Degradation((Save(10), Save(30, grid_shift=(4, 3)))))
    np.testing.assert_array_equal(case.image.pixels, expected.image.pixels)
    assert condition.last_quality_factor == 30


def test_files_that_are_compressed_already(pictures, checkpoints, tmp_path) -> None:
    for quality_factor in (10, 40):
        folder = tmp_path / "color" / f"qf_{quality_factor}"
        folder.mkdir(parents=True)
        for path, original in (
            ("astronaut", skimage.data.astronaut()[100:172, 180:276]),
            ("coffee", skimage.data.coffee()[100:164, 200:264]),
        ):
            (folder / f"{path}.jpg").write_bytes(encode(original, Save(quality_factor)).data)
    made_here, given = tmp_path / "made.json", tmp_path / "given.json"
    common = ("--model", "cascade", "--checkpoints", checkpoints)
    assert run(*common, "--input", tmp_path / "color", "--reference", pictures, "--json", given) == 0
    assert run(*common, "--data", pictures, "--quality-factors", 10, 40, "--json", made_here) == 0
    for first, second in zip(report_of(given)["rows"], report_of(made_here)["rows"], strict=True):
        for field in ("model", "quality_factor", "psnr_db", "ssim", "psnr_b_db", "quality_factor_error"):
            assert first[field] == second[field]
    (single,) = already_compressed(tmp_path / "color" / "qf_10", pictures)
    assert single.quality_factor == 10


def test_the_cost_on_pictures_that_were_never_compressed(pictures, checkpoints, tmp_path) -> None:
    out = tmp_path / "report.json"
    asked = ("--data", pictures, "--checkpoints", checkpoints, "--uncompressed", "--json", out)
    assert run("--model", "plain", "--model", "ar_cnn", *asked) == 0
    report = report_of(out)
    assert report["rows"] == []
    for row in report["never_compressed"]:
        assert (row["mean_squared_change"], row["psnr_db"], row["cost_db"]) == (0, None, 0)
        assert row["share_unchanged"] == 1

    network = replace(loaded(Zoo(checkpoints), "ar_cnn"), guarded=False)  # as it is by itself
    row = score_uncompressed(network, never_compressed(pictures), Options())
    changes, costs = [], []
    for name in ("astronaut", "coffee"):
        image = read((pictures / f"{name}.png").read_bytes())
        change = mean_squared_error(network.restore(image).pixels, image.pixels)
        save = mean_squared_error(encode(image.pixels, Save(95)).pixels, image.pixels)
        changes.append(change)
        costs.append(10 * np.log10((change + save) / save))
    assert row.mean_squared_change == pytest.approx(np.mean(changes))
    assert row.psnr_db == pytest.approx(10 * np.log10(255**2 / np.mean(changes)))
    assert row.cost_db == pytest.approx(np.mean(costs))
    assert row.worst_cost_db == pytest.approx(max(costs))
    assert row.worst_image == ("astronaut.png", "coffee.png")[int(np.argmax(costs))]
    assert row.share_unchanged == 0 and row.largest_change >= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--data"),
        (("--data", "{pictures}", "--input", "{pictures}"), "--data and --input"),
        (("--input", "{pictures}"), "--reference"),
        (("--data", "{pictures}/nowhere"), "no folder"),
        (("--data", "{checkpoints}"), "no picture"),
        (("--data", "{pictures}", "--quality-factors", "0"), "0"),
        (("--data", "{pictures}", "--quality-factors", "101"), "101"),
        (("--data", "{pictures}", "--quality-factors-444", "101"), "101"),
        (("--input", "{pictures}", "--reference", "{pictures}", "--tables", "flat"), "--tables"),
        (("--data", "{pictures}", "--double", "10,30,9,0"), "9"),
        (("--data", "{pictures}", "--model", "unet"), "'unet'"),
        (("--data", "{pictures}", "--model", "cascade", "--stages", "7"), "7 stages"),
        (("--data", "{pictures}", "--device", "abacus"), "'abacus'"),
        (("--input", "{pictures}", "--reference", "{pictures}", "--double", "10,30,4,4"), "--double"),
        (("--data", "{pictures}", "--json", "{pictures}/nowhere/out.json", "--model", "none"), "nowhere"),
        (("--data", "{pictures}", "--missing"), "--missing"),
        (("--data", "{pictures}", "{checkpoints}"), "2 folders"),
        (("--all",), "without --data"),
        (("--input", "{pictures}", "--scores"), "--input"),
        (("--data", "{pictures}", "--scores", "--self-ensemble"), "--self-ensemble"),
        (("--data", "{pictures}", "--scores", "--model", "reapply"), "'reapply'"),
        (("--data", "{pictures}", "--scores", "--model", "unet"), "'unet'"),
        (("--input", "{pictures}", "--reference", "{pictures}", "--uncompressed"), "--uncompressed"),
    ],
)
def test_arguments_that_make_no_sense_are_one_sentence_and_exit_code_2(
    arguments, said, pictures, checkpoints, capsys
) -> None:
    places = {"pictures": pictures, "checkpoints": checkpoints}
    status = run(*(argument.format(**places) for argument in arguments), "--checkpoints", checkpoints)
    assert status == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    "arguments",
    [
        ("--double", "10,30"),
        ("--double", "a,b,c,d"),
        ("--quality-factors", "ten"),
        ("--color", "blue"),
        ("--limit", "0"),
        ("--tables", "toaster"),
        ("--quality-factors-444", "ten"),
        ("--colour", "rgb"),
    ],
)
def test_arguments_that_cannot_be_read_exit_with_2(arguments, pictures, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        run("--data", pictures, *arguments)
    assert caught.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_a_missing_original_and_one_of_another_size_are_told(pictures, tmp_path, capsys) -> None:
    (tmp_path / "other.jpg").write_bytes(encode(skimage.data.coffee()[:32, :32], Save(10)).data)
    assert run("--model", "none", "--input", tmp_path, "--reference", pictures) == 2
    assert "other.jpg" in capsys.readouterr().err
    (tmp_path / "other.jpg").rename(tmp_path / "coffee.jpg")
    assert run("--model", "none", "--input", tmp_path, "--reference", pictures) == 2
    assert "32 x 32 and 64 x 64" in capsys.readouterr().err

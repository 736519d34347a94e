"""Harm is measured: guarded and unguarded in one pass, under conditions where networks do harm, by kind of picture."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from models.baselines import BASELINES
from models.card import ModelCard
from models.errors import InvalidSetting
from models.jpeg import JpegImage, Save, encode
from models.jpeg.tables import estimated_quality_factor, quantization_tables
from models.network_restorer import NetworkRestorer
from models.png_files import write_png
from models.restorer import AUTOMATIC, OnTile, Restoration, RestoreOptions
from tests.models.sample_networks import CARDS, lively_network
from tests.paths import REPOSITORY
from tests.present import present
from training.evaluate import main
from training.evaluation import measure_all
from training.evaluation.benchmarks import Case, Condition, kind_of, never_compressed, recompressed
from training.evaluation.harm_tables import harm_table, kinds_table
from training.evaluation.measured_models import measured_models
from training.evaluation.metrics import psnr_db
from training.evaluation.protocols import PROTOCOLS, TABLES
from training.evaluation.score_files import Setting, read_scores
from training.evaluation.scoring import PERFECT_DB, Options, Row, score
from training.evaluation.side_by_side import change_line, row_line
from training.evaluation.table_sets import TABLE_SETS, encode_with, table_set
from training.evaluation.uncompressed import score_uncompressed
from training.experiments.scores import single_saves


def shifted(image: JpegImage, levels: int) -> np.ndarray:
    """The picture, brighter by so many levels."""
    return np.clip(image.pixels.astype(int) + levels, 0, 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Guarded:
    """A restorer whose guard lets one level through of the nine its network adds, and nothing of a tall picture's.

    Attributes:
        has_network: whether it tells what the network gave.
    """

    card: ModelCard
    has_network: bool = True

    def restore(
        self, image: JpegImage, options: RestoreOptions = AUTOMATIC, on_tile: OnTile | None = None
    ) -> Restoration:
        if image.pixels.shape[0] == image.pixels.shape[1]:
            return Restoration(image.pixels, seconds=0.1)
        unguarded = shifted(image, 9) if self.has_network else None
        return Restoration(shifted(image, 1), unguarded=unguarded, seconds=0.1)


CARD = replace(BASELINES["plain"].card, name="guarded")


def rows_of(restorer, pictures: Path, **conditions) -> list[Row]:
    """The restorer's rows, without those of plain decoding."""
    made = recompressed(pictures, **(conditions or {"quality_factors": [50]}))
    return [row for row in score(made, [restorer], Options()) if row.model != "none"]


def test_a_row_tells_the_guarded_and_the_unguarded_picture_of_one_restoration(pictures) -> None:
    (row,) = rows_of(Guarded(CARD), pictures)
    originals = {
        "astronaut.png": skimage.data.astronaut()[100:172, 180:276],
        "coffee.png": skimage.data.coffee()[100:164, 200:264],
    }
    plain, guarded, unguarded = [], [], []
    for original in originals.values():
        image = encode(original, Save(50))
        square = original.shape[0] == original.shape[1]
        plain.append(psnr_db(image.pixels, original))
        guarded.append(psnr_db(shifted(image, 0 if square else 1), original))
        unguarded.append(psnr_db(shifted(image, 0 if square else 9), original))
    assert row.values["psnr_db"] == pytest.approx(np.mean(guarded))
    assert row.unguarded_psnr_db == pytest.approx(np.mean(unguarded))
    gains, unguarded_gains = np.subtract(guarded, plain), np.subtract(unguarded, plain)
    assert unguarded_gains[0] < gains[0] < 0 == gains[1] == unguarded_gains[1]
    assert (row.gain_db, row.worst_gain_db) == pytest.approx((gains.mean(), gains.min()))
    assert row.unguarded_gain_db == pytest.approx(unguarded_gains.mean())
    assert row.unguarded_worst_gain_db == pytest.approx(unguarded_gains.min())
    assert row.share_worse == row.unguarded_share_worse == 0.5, "equal to plain decoding is not worse"
    assert row.picture_gains_db == pytest.approx(dict(zip(originals, gains, strict=True)), abs=1e-4)
    printed = row_line(row, row.condition, 20)
    assert f"unguarded: {row.unguarded_psnr_db:.2f}, {row.unguarded_gain_db:+.2f}" in printed
    assert json.loads(json.dumps(row.as_json(), allow_nan=False))["picture_gains_db"] == row.picture_gains_db


def test_without_a_network_there_is_nothing_unguarded(pictures) -> None:
    for restorer in (Guarded(CARD, has_network=False), BASELINES["plain"]):
        (row,) = rows_of(restorer, pictures)
        assert row.unguarded_psnr_db is row.unguarded_gain_db is row.unguarded_worst_gain_db is None
        assert row.unguarded_share_worse is None and "unguarded" not in row_line(row, "QF 50", 20)


class Untouched(NetworkRestorer):
    """A network in whose pictures the guard finds nothing to change."""

    def restore(
        self, image: JpegImage, options: RestoreOptions = AUTOMATIC, on_tile: OnTile | None = None
    ) -> Restoration:
        return replace(super().restore(image, options, on_tile), unguarded=None)


def test_where_a_guard_changes_nothing_both_are_equal(pictures) -> None:
    network = Untouched(
        network=lively_network(CARDS["ar_cnn"]),
        card=CARDS["ar_cnn"],
        device=torch.device("cpu"),
        guarded=False,
    )
    (row,) = rows_of(network, pictures)
    assert row.gain_db != 0
    assert (row.unguarded_psnr_db, row.unguarded_gain_db) == (row.values["psnr_db"], row.gain_db)
    assert (row.unguarded_worst_gain_db, row.unguarded_share_worse) == (row.worst_gain_db, row.share_worse)
    change = score_uncompressed(network, never_compressed(pictures), Options())
    assert change.unguarded_largest_change == change.largest_change > 0


def test_harm_to_a_perfect_picture_is_a_number() -> None:
    gray = np.full((16, 24, 3), 128, np.uint8)
    image = encode(gray, Save(50))
    assert psnr_db(image.pixels, gray) == np.inf
    condition = Condition("QF 50", 50, None, lambda: iter([Case("flat.png", image, gray)]))
    _plain, row = score([condition], [Guarded(CARD)], Options())
    one, nine = psnr_db(gray + 1, gray), psnr_db(gray + 9, gray)
    assert row.worst_gain_db == row.gain_db == one - PERFECT_DB
    assert row.unguarded_worst_gain_db == nine - PERFECT_DB and row.share_worse == 1
    assert row.as_json()["gain_db"] == row.gain_db


def test_never_compressed_pictures_tell_the_largest_change_of_each(pictures) -> None:
    change = score_uncompressed(Guarded(CARD), never_compressed(pictures), Options())
    assert change.picture_changes == {"astronaut.png": 1, "coffee.png": 0}
    assert (change.largest_change, change.unguarded_largest_change) == (1, 9)
    assert "at most 1 grey levels (unguarded 9)" in change_line(change)
    alone = score_uncompressed(Guarded(CARD, has_network=False), never_compressed(pictures), Options())
    assert alone.unguarded_largest_change is None and "unguarded" not in change_line(alone)


def test_conditions_without_subsampling_and_with_other_tables(pictures) -> None:
    asked = {"quality_factors": [97], "quality_factors_444": [97], "tables": list(TABLE_SETS)}
    conditions = recompressed(pictures, **asked)
    labels = [condition.label for condition in conditions]
    assert labels[:3] == ["QF 97", "QF 97, 4:4:4", "tables: flat, 4:2:0"] and len(set(labels)) == 6
    for condition in conditions:
        for case in condition.cases():
            assert case.image.subsampling == condition.subsampling
            if condition.tables:
                expected = (table_set(condition.tables).luma, table_set(condition.tables).chroma)
            else:
                expected = quantization_tables(97)
            np.testing.assert_array_equal(case.image.luma_table, expected[0])
            np.testing.assert_array_equal(case.image.chroma_table, expected[1])
            assert case.reference.shape == case.image.pixels.shape
    assert [condition.quality_factor for condition in conditions] == [97, 97, *[None] * 4]


def test_other_tables_are_no_quality_factors_and_save_gray(tmp_path) -> None:
    for tables in TABLE_SETS.values():
        for table in (tables.luma, tables.chroma):
            assert table.shape == (8, 8) and table.min() >= 1 and table.max() <= 255
            assert not estimated_quality_factor(table).standard
        assert not estimated_quality_factor(tables.luma, tables.chroma).standard
        for pixels in (skimage.data.camera()[:24, :32], skimage.data.astronaut()[:24, :32, [0, 0, 0]]):
            image = encode_with(pixels, tables, gray=True)
            assert image.is_gray
            np.testing.assert_array_equal(image.luma_table, tables.luma)
    assert (table_set("camera").chroma <= table_set("camera").luma).all()
    with pytest.raises(InvalidSetting, match="'toaster'"):
        table_set("toaster")
    write_png(skimage.data.camera()[:24, :32], tmp_path / "camera.png")
    (condition,) = recompressed(tmp_path, tables=["phone"])
    (case,) = condition.cases()
    assert case.image.is_gray and case.reference.shape == (24, 32, 3)


@pytest.fixture
def kinds(tmp_path: Path) -> Path:
    """Two charts and a map of 24 x 32 pixels."""
    folder = tmp_path / "kinds"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for name in ("chart-1", "chart-2", "map-1"):
        write_png(rng.integers(0, 256, (3, 4, 3), np.uint8).repeat(8, 0).repeat(8, 1), folder / f"{name}.png")
    return folder


@pytest.fixture
def folder(checkpoints, tmp_path: Path) -> Path:
    """Checkpoints of which scores can be kept: ar_cnn and dncnn."""
    for name in ("ar_cnn", "dncnn"):
        shutil.copytree(checkpoints / name, tmp_path / "checkpoints" / name)
    return tmp_path / "checkpoints"


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_the_kinds_are_measured_and_summed_up_by_kind(kinds, folder, capsys) -> None:
    assert run("--all", "--model", "ar_cnn", "--data", kinds, "--checkpoints", folder) == 0
    assert "unguarded:" in capsys.readouterr().out
    (measurement,) = read_scores(folder / "ar_cnn" / "scores.json").measurements.values()
    own = [row for row in measurement.rows if row["model"] == "ar_cnn"]
    assert [(row["quality_factor"], row["subsampling"]) for row in own] == [
        (quality_factor, subsampling)
        for subsampling in ("4:2:0", "4:4:4")
        for quality_factor in (30, 50, 75, 90, 97)
    ]
    assert set(present(measurement.never_compressed)["picture_changes"]) == {
        "chart-1.png",
        "chart-2.png",
        "map-1.png",
    }
    models = measured_models(folder)
    harm = cells(harm_table(models, "kinds"), "QF 97, 4:4:4")
    row = own[-1]
    assert harm[1:3] == [signed(row["gain_db"]), signed(row["worst_gain_db"])]
    assert harm[4:] == [signed(row["unguarded_gain_db"]), signed(row["unguarded_worst_gain_db"])]
    at_worst = cells(harm_table(models, "kinds"), "all of these, at worst")
    assert at_worst[1] == signed(min(row["gain_db"] for row in own))
    assert at_worst[3] == f"{max(row['share_worse'] for row in own):.0%}"
    charts = {
        (row["condition"], name): gain
        for row in own
        for name, gain in row["picture_gains_db"].items()
        if name.startswith("chart")
    }
    condition, picture = min(charts, key=charts.__getitem__)
    line = cells(kinds_table(models), "chart")
    assert line[1] == signed(float(np.mean(list(charts.values())))) and line[4] == signed(
        min(charts.values())
    )
    assert line[5] == f"{picture}, {condition}"
    changes = present(measurement.never_compressed)["picture_changes"]
    assert line[7] == str(max(changes["chart-1.png"], changes["chart-2.png"]))
    means = {
        row["condition"]: float(np.mean([charts[row["condition"], f"chart-{n}.png"] for n in (1, 2)]))
        for row in own
    }
    assert line[2:4] == [signed(min(means.values())), min(means, key=means.__getitem__)]
    assert "Not measured yet: `dncnn`." in kinds_table(models)


def signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def cells(table: str, title: str) -> list[str]:
    """The cells of the line of that title."""
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {title} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_part_of_a_protocol_can_be_measured_and_the_rest_later(kinds, folder, capsys) -> None:
    asked = ("--model", "ar_cnn", "--data", kinds, "--checkpoints", folder)
    assert run(*asked, "--scores", "--quality-factors-444", 97, "--tables", "phone") == 0
    capsys.readouterr()
    assert run(*asked, "--all", "--missing", "--limit", 3) == 0, "a limit is a setting of its own"
    assert run(*asked, "--all", "--missing") == 0
    printed = capsys.readouterr().out.split("kinds, rgb, with tables\n")[-1]
    assert "QF 97  " in printed and "QF 97, 4:4:4" not in printed and "QF 90, 4:4:4" in printed
    (data,) = [
        each
        for key, each in read_scores(folder / "ar_cnn" / "scores.json").measurements.items()
        if key == "kinds, rgb, with tables"
    ]
    assert data.conditions() >= {"QF 97, 4:4:4", "tables: phone, 4:2:0", "QF 97"}
    assert [row["condition"] for row in data.rows if row["model"] == "ar_cnn"][-1] == "tables: phone, 4:2:0"


def test_scores_from_before_the_guard_are_read_and_count_as_missing(kinds, folder, capsys) -> None:
    asked = ("--model", "ar_cnn", "--data", kinds, "--checkpoints", folder, "--scores", "--missing")
    assert run(*asked, "--quality-factors", 30, "--uncompressed") == 0
    path = folder / "ar_cnn" / "scores.json"
    content = json.loads(path.read_text())
    (entry,) = content["measurements"].values()
    news = ("unguarded", "picture", "subsampling", "tables")
    entry["rows"] = [
        {name: value for name, value in row.items() if not name.startswith(news)} for row in entry["rows"]
    ]
    entry["never_compressed"] = {
        name: value for name, value in entry["never_compressed"].items() if not name.startswith(news)
    }
    path.write_text(json.dumps(content))
    models = measured_models(folder)
    assert [row["condition"] for row in models[0].single_saves(Setting("kinds")).values()] == ["QF 30"]
    assert "Not measured yet: `ar_cnn`" in harm_table(models, "kinds")
    capsys.readouterr()
    assert run(*asked, "--quality-factors", 30, "--uncompressed") == 0
    printed = capsys.readouterr().out
    assert "QF 30" in printed and "never compressed" in printed
    assert "Not measured yet: `dncnn`." in harm_table(measured_models(folder), "kinds")
    assert run(*asked, "--quality-factors", 30, "--uncompressed") == 0
    assert "QF 30" not in capsys.readouterr().out


def test_models_that_are_measured_at_the_same_time_keep_their_own_scores(kinds, folder) -> None:
    conditions = recompressed(kinds, quality_factors=[30, 97], quality_factors_444=[97])
    setting = Setting("kinds")
    going = [
        measure_all.measure_candidate(
            measure_all.shipped(folder, name, "cpu"), measure_all.DataSet(setting, conditions)
        )
        for name in ("ar_cnn", "dncnn")
    ]
    for rows in zip(*going, strict=True):
        assert [row.model for row in rows] == ["ar_cnn", "dncnn"]
    for name in ("ar_cnn", "dncnn"):
        (measurement,) = read_scores(folder / name / "scores.json").measurements.values()
        assert {row["model"] for row in measurement.rows} == {"none", name}
        assert measurement.conditions() == {"QF 30", "QF 97", "QF 97, 4:4:4"}


def test_only_usual_saves_stand_where_quality_factors_alone_are_told(kinds, folder) -> None:
    kinds = kinds.rename(kinds.with_name("LIVE1"))
    asked = ("--model", "ar_cnn", "--data", kinds, "--checkpoints", folder, "--scores")
    assert run(*asked, "--quality-factors", 97, "--quality-factors-444", 97, "--tables", "flat") == 0
    (model,) = [model for model in measured_models(folder) if model.card.name == "ar_cnn"]
    (row,) = model.single_saves(Setting("LIVE1")).values()
    assert row["condition"] == "QF 97"
    copied = single_saves(folder, "LIVE1")
    assert sorted((row["model"], row["condition"]) for row in copied) == [
        ("ar_cnn", "QF 97"),
        ("none", "QF 97"),
    ]


def test_names_of_files_tell_kinds() -> None:
    names = ("chart-3.png", "pixelart-12.webp", "woman.png", "line-art-1.png")
    assert [kind_of(name) for name in names] == ["chart", "pixelart", "woman", "line-art"]


def test_high_qualities_are_asked_of_originals_that_were_never_compressed_only() -> None:
    for name, protocol in PROTOCOLS.items():
        asked = (*protocol.quality_factors, *protocol.quality_factors_444)
        if max(asked) > 90:
            assert protocol.uncompressed, name
    assert {92, 95, 96, 97, 98, 99, 100} <= set(PROTOCOLS["LIVE1"].quality_factors)


def test_results_have_a_place_for_every_table_of_harm() -> None:
    text = (REPOSITORY / "docs" / "results.md").read_text(encoding="utf-8")
    for name in (*(f"harm on {data}" for data in PROTOCOLS), "kinds of pictures", "kinds, never compressed"):
        assert f"<!-- table: {name} (" in text, name


def test_every_set_of_tables_can_be_named_on_the_command_line() -> None:
    assert tuple(TABLE_SETS) == TABLES

"""What an analysis measures is right, measured once, and kept with the weights it is of."""

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from skimage.feature import canny

from models.errors import BrokenCheckpoint, InvalidSetting, UnknownModel
from models.images import luma
from models.png_files import write_png
from models.zoo import Zoo
from tests.models.sample_networks import photograph
from tests.training.sample_runs import configuration, write_run
from training.evaluation.benchmarks import recompressed
from training.evaluation.candidates import Candidate, from_checkpoints
from training.evaluation.metrics import psnr_db
from training.evaluation.score_files import SCORES_FILE, ScoreFile, Setting, weights_of
from training.evaluation.scoring import Options, score
from training.experiments import patches, picture_sizes, quality_factors
from training.experiments.measurements import Measurements, read_measurements
from training.experiments.measuring import Request, from_run, score_missing
from training.experiments.scores import copy_scores


def refuse() -> NoReturn:
    raise AssertionError("loaded, though all is known")


@pytest.fixture
def request_for(tmp_path, pictures, checkpoints):
    """Makes a Request for a new file on two small pictures."""

    def make(**changes: object) -> Request:
        usual = Request(
            file=tmp_path / "x.json",
            data=pictures,
            checkpoints=checkpoints,
            runs=tmp_path / "runs",
            models=("cascade",),
            device="cpu",
        )
        return replace(usual, **changes)

    return make


def test_rows_are_kept_by_model_weights_and_conditions(tmp_path) -> None:
    path = tmp_path / "folder" / "x.json"
    kept = Measurements(path, {"data": "A", "pictures": 2})
    old = {"model": "m", "weights": "old"}
    kept.add(old | {"quality_factor": 10}, {"psnr_db": 25.123456789})
    kept.add(old | {"quality_factor": 20}, {"psnr_db": 26.0})
    kept.add({"model": "none", "weights": "", "quality_factor": 10}, {"psnr_db": 24.0})
    kept.add(old | {"quality_factor": 10}, {"psnr_db": 25.5})
    again = Measurements(path, {"data": "A", "pictures": 2})
    assert [row["psnr_db"] for row in again.rows] == [26.0, 24.0, 25.5]
    assert again.has(old | {"quality_factor": 20}) and not again.has(old | {"quality_factor": 30})
    again.add({"model": "m", "weights": "new", "quality_factor": 20}, {"psnr_db": 27.123456789})
    assert [(row["model"], row["psnr_db"]) for row in read_measurements(path)["rows"]] == [
        ("none", 24.0),
        ("m", 27.12346),
    ]
    with pytest.raises(InvalidSetting, match="data A, pictures 2, not of data A, pictures 3"):
        Measurements(path, {"data": "A", "pictures": 3})


@pytest.mark.parametrize("text", ["{", "[]", '{"scope": {}, "rows": [{"model": "m"}]}', '{"rows": []}'])
def test_a_file_of_something_else_is_refused(tmp_path, text) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InvalidSetting, match="Measure again"):
        Measurements(path, {})


def test_scores_are_those_of_the_evaluation_and_are_measured_once(tmp_path, pictures, checkpoints) -> None:
    conditions = recompressed(pictures, quality_factors=(10, 40))
    where = [({"quality_factor": each.quality_factor}, each) for each in conditions]
    [candidate] = from_checkpoints(Zoo(checkpoints, "cpu"), ["ar_cnn"])
    kept = Measurements(tmp_path / "x.json", {"data": "pictures"})
    score_missing(kept, where, [candidate])
    expected = list(score(conditions, [candidate.load()], Options()))
    assert [row["model"] for row in kept.rows] == ["none", "ar_cnn", "none", "ar_cnn"]
    for row, found in zip(expected, kept.rows, strict=True):
        assert found["quality_factor"] == row.quality_factor
        assert found["psnr_db"] == pytest.approx(row.values["psnr_db"], abs=1e-5)
        assert found["gain_db"] == pytest.approx(row.gain_db, abs=1e-5)
    before = kept.path.read_bytes()
    score_missing(kept, where, [Candidate("ar_cnn", candidate.weights, refuse)])
    assert kept.path.read_bytes() == before
    with pytest.raises(AssertionError, match="all is known"):
        score_missing(kept, where, [Candidate("ar_cnn", "other", refuse)])


def test_candidates_are_checkpoints_by_name_and_runs_by_their_best_weights(tmp_path, checkpoints) -> None:
    zoo = Zoo(checkpoints, "cpu")
    every = from_checkpoints(zoo)
    assert {each.name for each in every} == {card.name for card in zoo.cards() if card.architecture}
    assert len({each.weights for each in every}) == len(every)
    with pytest.raises(UnknownModel):
        from_checkpoints(zoo, ["nonsense"])
    run = write_run(configuration("short"), tmp_path, score_db=27.0)
    candidate = from_run(run, "cpu", {"title": "Short"})
    restorer = candidate.load()
    assert restorer is candidate.load() and restorer.card.name == candidate.name == "short"
    run.best_path.unlink()
    with pytest.raises(BrokenCheckpoint, match="Train it longer"):
        from_run(run, "cpu", {})


def test_short_trainings_are_measured_beside_checkpoints(request_for, tmp_path, capsys) -> None:
    configs = tmp_path / "configs"
    configs.mkdir()
    single = configuration("1-only-10", degradations={"quality_factors": [[10, 10, 1.0]]})
    for config in (single, configuration("2-range")):
        (configs / f"{config.name}.yaml").write_text(config.to_yaml())
    write_run(single, tmp_path / "runs", score_db=27.0)
    asked = request_for(quality_factors=(10,), models=())
    candidates = quality_factors.candidates_for(asked, configs)
    assert "2-range (missing)" in capsys.readouterr().out
    [short, *shipped] = candidates
    assert short.facts == {
        "title": "1 only 10",
        "petaflop": 0.25,
        "lowest_trained": 10,
        "highest_trained": 10,
        "steered": True,
    }
    assert [each.name for each in shipped] == [each.name for each in asked.candidates()]
    alone = quality_factors.candidates_for(request_for(models=("1-only-10",)), configs)
    assert [each.name for each in alone] == ["1-only-10"]
    both = quality_factors.candidates_for(request_for(models=("1-only-10", "cascade")), configs)
    assert [each.name for each in both] == ["1-only-10", "cascade"]
    quality_factors.measure(request_for(quality_factors=(10, 90), models=("ar_cnn",)))
    rows = read_measurements(tmp_path / "x.json")["rows"]
    assert [(row["model"], row["quality_factor"]) for row in rows] == [
        ("none", 10),
        ("ar_cnn", 10),
        ("none", 90),
        ("ar_cnn", 90),
    ]


def test_shrinking_averages_over_areas() -> None:
    pixels = photograph(64, 96)
    assert picture_sizes.shrunk(pixels, 1) is pixels
    half = picture_sizes.shrunk(pixels, 2)
    assert half.shape == (32, 48, 3)
    means = pixels.reshape(32, 2, 48, 2, 3).mean((1, 3))
    assert np.abs(half - means).max() <= 0.5
    assert picture_sizes.shrunk(pixels, 3).shape == (21, 32, 3)


def test_every_size_is_measured_and_the_full_one_is_the_evaluation_s(request_for, pictures) -> None:
    asked = request_for(models=("ar_cnn",), quality_factors=(20,))
    picture_sizes.measure(asked)
    content = read_measurements(asked.file)
    assert content["scope"] == {"data": pictures.name, "pictures": 2}
    assert [(row["model"], row["divisor"]) for row in content["rows"]] == [
        (model, divisor) for divisor in (4, 3, 2, 1) for model in ("none", "ar_cnn")
    ]
    [plain] = score(recompressed(pictures, quality_factors=(20,)), [], Options())
    assert content["rows"][-2]["psnr_db"] == pytest.approx(plain.values["psnr_db"], abs=1e-5)


def test_frequency_content_is_the_centre_of_the_spectrum() -> None:
    rows, columns = np.indices((64, 64))
    for cycles in (4, 16):
        wave = 100 + 50 * np.cos(2 * np.pi * cycles * columns / 64)
        assert patches.frequency_content(wave) == pytest.approx(cycles / 64)
        assert patches.frequency_content(wave * 0.1 + 3) == pytest.approx(cycles / 64)
    diagonal = np.cos(2 * np.pi * 8 * (rows + columns) / 64)
    assert patches.frequency_content(diagonal) == pytest.approx(8 / 64 * 2**0.5)
    assert patches.frequency_content(np.full((64, 64), 9.0)) == 0


def test_classes_are_equal_and_ordered() -> None:
    values = np.random.default_rng(0).random(100)
    classes = patches.equal_classes(values)
    assert np.bincount(classes).tolist() == [20] * 5
    for lower in range(4):
        assert values[classes == lower].max() < values[classes == lower + 1].min()
    assert patches.equal_classes([3.0, 3.0]).tolist() == [0, 2]


def test_patches_are_whole_and_classed_by_the_original(tmp_path) -> None:
    pixels = photograph(200, 150)
    write_png(pixels, tmp_path / "cat.png")
    plane = luma(pixels)
    cut = list(patches.patches_of(plane))
    assert len(cut) == 6 and all(patch.shape == (64, 64) for patch in cut)
    np.testing.assert_array_equal(cut[3], plane[64:128, 64:128])
    by_strength = [patches.classes_of(recompressed(tmp_path, quality_factors=(each,))[0]) for each in (5, 90)]
    edges = canny(np.rint(plane).astype(np.uint8))
    densities = [patch.mean() for patch in patches.patches_of(edges)]
    for classes in by_strength:
        assert classes["detail"].tolist() == patches.equal_classes(densities).tolist()
        assert len(classes["frequency"]) == 6


def test_patch_rows_are_means_of_patches(request_for, tmp_path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    write_png(photograph(128, 192), folder / "cat.png")
    asked = request_for(data=folder, models=("ar_cnn",))
    patches.measure(asked)
    content = read_measurements(asked.file)
    assert content["scope"] == {"data": "one", "pictures": 1, "quality_factor": 10}
    plain = [row for row in content["rows"] if row["model"] == "none" and row["by"] == "detail"]
    assert [row["class"] for row in plain] == list(patches.CLASSES) and sum(
        row["patches"] for row in plain
    ) == 6
    [case] = recompressed(folder, quality_factors=(10,))[0].cases()
    pairs = zip(
        *(patches.patches_of(luma(each)) for each in (case.image.pixels, case.reference)), strict=True
    )
    by_hand = [psnr_db(restored, original) for restored, original in pairs]
    total = sum(row["psnr_db"] * row["patches"] for row in plain)
    assert total == pytest.approx(sum(by_hand), abs=1e-3)
    of_model = [row for row in content["rows"] if row["model"] == "ar_cnn" and row["by"] == "detail"]
    for model_row, plain_row in zip(of_model, plain, strict=True):
        assert model_row["gain_db"] == pytest.approx(model_row["psnr_db"] - plain_row["psnr_db"], abs=2e-5)
    before = asked.file.read_bytes()
    patches.measure(asked)
    assert asked.file.read_bytes() == before
    with pytest.raises(InvalidSetting, match="2 quality factors"):
        patches.measure(request_for(quality_factors=(10, 20)))


def test_pictures_must_be_named(request_for) -> None:
    for measure in (patches.measure, picture_sizes.measure, quality_factors.measure):
        with pytest.raises(InvalidSetting, match="--data"):
            measure(request_for(data=None))


def test_scores_are_copied_of_the_shipped_weights_only(request_for, tmp_path, checkpoints) -> None:
    folder = tmp_path / "checkpoints"
    for name in ("cascade", "ar_cnn"):
        (folder / name).mkdir(parents=True)
        for file in checkpoints.joinpath(name).iterdir():
            if file.name != SCORES_FILE:
                (folder / name / file.name).write_bytes(file.read_bytes())
    rows = [
        _score_row("none", 10),
        _score_row("cascade", 10),
        _score_row("cascade", 30) | {"double": [10, 30, 4, 4]},
    ]
    cards = {card.name: card for card in Zoo(folder, "cpu").cards()}
    weights = weights_of(folder / "cascade", cards["cascade"])
    ScoreFile(folder / "cascade" / SCORES_FILE, weights).add(Setting("LIVE1"), rows=rows)
    foreign = weights_of(folder / "ar_cnn", cards["cascade"])
    ScoreFile(folder / "ar_cnn" / SCORES_FILE, foreign).add(Setting("LIVE1"), rows=[_score_row("ar_cnn", 10)])
    asked = request_for(data=Path("anywhere/LIVE1"), checkpoints=folder, models=())
    copy_scores(asked)
    content = read_measurements(asked.file)
    assert content["scope"] == {"data": "LIVE1", "pictures": 29}
    assert [(row["model"], row["weights"], row["quality_factor"]) for row in content["rows"]] == [
        ("none", "", 10),
        ("cascade", weights.sha256[:12], 10),
    ]
    with pytest.raises(InvalidSetting, match="on BSDS500_test"):
        copy_scores(request_for(data=Path("BSDS500_test"), checkpoints=folder, models=()))


def _score_row(model: str, quality_factor: int) -> dict:
    numbers = {"psnr_db": 25.0, "gain_db": 0.5, "ssim": 0.8, "parameters": 5, "mmac_per_pixel": 0.1}
    return {
        "model": model,
        "condition": f"QF {quality_factor}",
        "quality_factor": quality_factor,
        "double": None,
        "images": 29,
        "megapixels_per_second": 2.0,
        "machine": "a machine",
        **numbers,
    }

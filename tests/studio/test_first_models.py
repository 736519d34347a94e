"""What is ticked at first comes with the studio and was measured; nothing that somebody trained here is."""

import shutil

import pytest

from models.zoo import Zoo
from studio.engine.cache import ResultCache
from studio.engine.engine import Engine
from studio.page.controls import first_models
from studio.restore.handlers import RestoreHandlers
from studio.session.visitor import Present
from studio.sweep.handlers import SweepHandlers
from studio.sweep.sweeper import Sweeper
from training.evaluation.score_files import SCORES_FILE, ScoreFile, Setting, weights_of

BASELINES = ["centered", "reapply"]


def measure(zoo, name):
    card = next(card for card in zoo.cards() if card.name == name)
    row = {"model": name, "condition": "QF 10", "quality_factor": 10, "double": None, "psnr_db": 27.0}
    folder = zoo.folder_of(name)
    ScoreFile(folder / SCORES_FILE, weights_of(folder, card)).add(Setting("LIVE1"), rows=[row])


@pytest.fixture
def own_zoo(checkpoints, tmp_path):
    """Shipped: a measured cascade, an AR-CNN that nobody measured; trained here: another AR-CNN, measured."""
    shutil.copytree(checkpoints, tmp_path / "shipped")
    shutil.copytree(checkpoints / "ar_cnn", tmp_path / "own" / "mine")
    card = tmp_path / "own" / "mine" / "card.yaml"
    card.write_text(card.read_text().replace("name: ar_cnn", "name: mine"))
    zoo = Zoo(tmp_path / "shipped", "cpu", own_folder=tmp_path / "own")
    measure(zoo, "cascade")
    measure(zoo, "mine")
    return zoo


def test_only_shipped_and_measured_models_are_ticked(own_zoo):
    assert {card.name for card in own_zoo.cards()} >= {"cascade", "ar_cnn", "mine"}
    assert first_models(own_zoo) == [*BASELINES, "cascade"]
    measure(own_zoo, "ar_cnn")
    assert first_models(own_zoo) == [*BASELINES, "ar_cnn", "cascade"]


def test_a_model_whose_weights_were_replaced_or_whose_scores_are_damaged_is_not_ticked(own_zoo):
    scores = own_zoo.folder_of("cascade") / SCORES_FILE
    known = scores.read_text()
    scores.write_text("{")
    assert first_models(own_zoo) == BASELINES
    scores.write_text(known)
    assert "cascade" in first_models(own_zoo)
    shutil.copy(own_zoo.folder_of("ar_cnn") / "weights.safetensors", own_zoo.folder_of("cascade"))
    assert first_models(own_zoo) == BASELINES


def test_heavy_models_are_ticked_by_hand(own_zoo):
    measure(own_zoo, "ar_cnn")
    card = own_zoo.folder_of("ar_cnn") / "card.yaml"
    card.write_text(card.read_text().replace("mmac_per_pixel: 0.1", "mmac_per_pixel: 1.1"))
    assert first_models(own_zoo) == [*BASELINES, "cascade"]


def no_file(*_):
    raise AssertionError("nothing is uploaded")


def test_the_restore_tab_and_the_sweep_tab_begin_with_them(own_zoo, pictures):
    restore = RestoreHandlers(Engine(own_zoo, ResultCache(2**20)), pictures, no_file)
    ticked = [*BASELINES, "cascade"]
    assert vars(restore.arrive({}, Present()))["model_names"]["value"] == ticked
    sweep = SweepHandlers(own_zoo, Sweeper(own_zoo, ResultCache(2**20)), pictures)
    assert sweep.pickers()["model_names"]["value"] == ticked

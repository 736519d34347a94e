"""Taking a published checkpoint back removes what the studio wrote, and never anything else."""

import os

import pytest

from models.errors import InvalidSetting
from models.zoo import Zoo
from studio.train.publish import publish, withdraw
from tests.training.sample_runs import configuration, write_run


@pytest.fixture
def published(tmp_path):
    """runs/published with one model of a run that is called mine."""
    run = write_run(configuration("mine"), tmp_path / "runs", score_db=27.0)
    folder = tmp_path / "runs" / "published"
    publish(run, folder, frozenset())
    return folder


def test_a_withdrawn_model_is_gone_from_the_zoo_and_its_run_stays(published):
    own = Zoo(published.parent / "none", "cpu", own_folder=published)
    assert own.is_own("mine") and not own.is_own("plain")
    withdraw(published, "mine")
    assert "mine" not in [card.name for card in own.cards()]
    assert not (published / "mine").exists()
    assert (published.parent / "mine" / "best.pt").is_file()
    with pytest.raises(InvalidSetting, match="no published model called 'mine'"):
        withdraw(published, "mine")


def test_files_of_others_stay_where_they_are(published):
    (published / "mine" / "notes.txt").write_text("by hand")
    withdraw(published, "mine")
    assert [path.name for path in (published / "mine").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", ["../mine", "..", ".", "", "/", "mine/..", None, 7, "other", "x" * 500])
def test_nothing_outside_is_ever_deleted(published, name):
    before = sorted(published.parent.rglob("*"))
    with pytest.raises(InvalidSetting, match="Nothing was done"):
        withdraw(published, name)
    assert sorted(published.parent.rglob("*")) == before


def test_a_folder_without_our_card_and_a_link_are_left_alone(published, tmp_path):
    foreign = published / "foreign"
    foreign.mkdir()
    (foreign / "weights.safetensors").write_bytes(b"precious")
    renamed = published / "renamed"
    renamed.mkdir()
    (renamed / "card.yaml").write_bytes((published / "mine" / "card.yaml").read_bytes())
    elsewhere = tmp_path / "elsewhere"
    os.rename(published / "mine", elsewhere)
    (published / "mine").symlink_to(elsewhere)
    for name in ("foreign", "renamed", "mine"):
        with pytest.raises(InvalidSetting, match="Nothing was done"):
            withdraw(published, name)
    assert (foreign / "weights.safetensors").exists() and (renamed / "card.yaml").exists()
    assert (elsewhere / "weights.safetensors").exists()

"""Checkpoints from elsewhere: whole ones load, all others are named with what they lack."""

import pickle
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from models import dropped_files
from models.card import ModelCard, read_card, write_card
from models.errors import BrokenCheckpoint
from models.networks.dncnn import DnCnn
from models.zoo import CARD_FILE, WEIGHTS_FILE, Zoo, build_network, save_checkpoint
from tests.paths import REPOSITORY

CARD = ModelCard("mine", "Mine", "dncnn", "For tests.", "None.", hyperparameters={"layers": 3, "width": 8})


@pytest.fixture
def folder(tmp_path):
    save_checkpoint(tmp_path / "mine", build_network(CARD), CARD)
    return tmp_path


def test_a_whole_one_is_there_at_once(folder):
    assert "mine" in [card.name for card in Zoo(folder, "cpu").cards()]
    assert Zoo(folder, "cpu").load("mine").card.title == "Mine"
    assert Zoo(folder, "cpu").listing().problems == {}


def test_full_precision_weights_are_taken_too(folder):
    save_file(build_network(CARD).state_dict(), folder / "mine" / WEIGHTS_FILE)
    assert Zoo(folder, "cpu").load("mine")


def test_weights_without_a_card_are_named(folder):
    (folder / "mine" / CARD_FILE).unlink()
    listing = Zoo(folder, "cpu").listing()
    assert "mine/ holds weights.safetensors but no card.yaml" in listing.problems["mine"]
    with pytest.raises(BrokenCheckpoint, match="name, title, architecture, summary and paper"):
        Zoo(folder, "cpu").load("mine")


def test_loose_files_are_named_and_pickles_never_opened(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    (folder / "swinir.pth").write_bytes(pickle.dumps(Trap()))
    (folder / "alone.safetensors").write_bytes(b"x")
    (folder / "old").mkdir()
    (folder / "old" / "model.pt").write_bytes(pickle.dumps(Trap()))
    (folder / "notes").mkdir()
    problems = Zoo(folder, "cpu", own_folder=tmp_path / "nowhere").listing().problems
    assert set(problems) == {"swinir.pth", "alone.safetensors", "old"}
    assert "is a pickle" in problems["swinir.pth"]
    assert "alone/" in problems["alone.safetensors"]
    assert all(sentence.endswith(".") for sentence in problems.values())
    assert not (tmp_path / "sprung").exists()


def test_an_own_folder_is_looked_through_as_well(folder, tmp_path_factory):
    shipped = tmp_path_factory.mktemp("shipped")
    (folder / "mine" / CARD_FILE).unlink()
    assert "mine" in Zoo(shipped, "cpu", own_folder=folder).listing().problems


@pytest.mark.parametrize(
    "hyperparameters",
    [
        {"layers": 10**9},
        {"width": -(10**9)},
        {"layers": float("nan")},
        {"layers": [1] * 65},
        {"layers": {"a": 9999}},
    ],
)
def test_networks_of_absurd_size_are_never_begun(folder, hyperparameters):
    write_card(replace(CARD, hyperparameters=hyperparameters), folder / "mine" / CARD_FILE)
    with pytest.raises(BrokenCheckpoint, match="up to 4096"):
        Zoo(folder, "cpu").load("mine")


def test_weights_of_absurd_size_are_never_read(folder, monkeypatch):
    monkeypatch.setattr(dropped_files, "LARGEST_WEIGHTS_BYTES", 1000)
    with pytest.raises(BrokenCheckpoint, match="Up to 0 GB"):
        Zoo(folder, "cpu").load("mine")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda weights: weights | {"extra": torch.zeros(1)}, "extra is unknown"),
        (lambda weights: dict(list(weights.items())[1:]), "is missing"),
        (lambda weights: {name: tensor.flatten() for name, tensor in weights.items()}, "measures"),
        (lambda weights: {name: tensor * float("nan") for name, tensor in weights.items()}, "no numbers"),
    ],
)
def test_weights_of_something_else_are_one_sentence(folder, change, told):
    save_file(change(build_network(CARD).state_dict()), folder / "mine" / WEIGHTS_FILE)
    with pytest.raises(BrokenCheckpoint, match=told):
        Zoo(folder, "cpu").load("mine")


def test_the_cards_of_the_document_are_cards(tmp_path):
    text = (REPOSITORY / "docs" / "own-models.md").read_text("utf-8")
    examples = [block.split("```")[0] for block in text.split("```yaml\n")[1:]]
    assert len(examples) == 2
    for example in examples:
        (tmp_path / CARD_FILE).write_text(example)
        card = read_card(tmp_path / CARD_FILE)
        if card.architecture == "dncnn":
            assert isinstance(build_network(card), DnCnn)
        else:
            assert card.architecture == "spandrel" and card.steerable

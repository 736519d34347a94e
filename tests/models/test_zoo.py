"""Cards and checkpoints: written and read back alike; everything broken or hostile is one clear sentence."""

import os
import shutil
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.baselines import BASELINES
from models.card import ModelCard, read_card, write_card
from models.errors import BrokenCheckpoint, InvalidSetting, UnknownModel
from models.networks.ar_cnn import ArCnn
from models.zoo import ARCHITECTURES, Zoo, save_checkpoint
from tests.models.sample_networks import CARDS, lively_network, loaded
from tests.paths import REPOSITORY, SHARED, needs_shared_data

every_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)
ALL_BUT_AR_CNN = sorted(set(ARCHITECTURES) - {"ar_cnn"})
SHIPPED = sorted(path.parent for path in REPOSITORY.glob("checkpoints/*/card.yaml"))


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    """A folder with one sound checkpoint per architecture."""
    for name, card in CARDS.items():
        save_checkpoint(tmp_path / name, lively_network(card), card)
    return tmp_path


def assert_is_a_clear_sentence(problem: Exception) -> None:
    message = str(problem)
    assert message.count(". ") >= 2, "what happened, what is allowed, what to do next"
    assert "Traceback" not in message
    assert "\n" not in message


# Shipped checkpoints.


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_shipped_checkpoints_are_sound_small_and_as_their_cards_say(folder: Path) -> None:
    zoo = Zoo(folder.parent, "cpu")
    assert zoo.listing().problems == {}
    restorer = loaded(zoo, folder.name)
    card = restorer.card
    assert (folder / "weights.safetensors").stat().st_size < 10_000_000
    assert card.parameters == sum(parameter.numel() for parameter in restorer.network.parameters())
    assert card.mmac_per_pixel == pytest.approx(restorer.network.mmac_per_pixel(), rel=0.01)
    for entry in (card.title, card.summary, card.paper, card.license, card.training):
        assert len(entry) > 2
    weights = load_file(folder / "weights.safetensors")
    assert {value.dtype for value in weights.values() if value.is_floating_point()} == {torch.float16}


# Round trips.


def test_a_card_survives_being_written(tmp_path: Path) -> None:
    card = replace(
        CARDS["cascade"], title="Kaskade – “ß”", parameters=7, mmac_per_pixel=2.0, training="a: b\n# c"
    )
    found = read_card(write_card(card, tmp_path / "card.yaml"))
    assert asdict(found) == asdict(card)


def test_tuples_among_hyperparameters_are_written_as_lists(tmp_path: Path) -> None:
    card = replace(CARDS["cascade"], hyperparameters={"widths": (8, 12, 16)})
    assert read_card(write_card(card, tmp_path / "card.yaml")).hyperparameters == {"widths": [8, 12, 16]}


@every_architecture
def test_weights_survive_in_half_precision(architecture, checkpoints) -> None:
    weights = loaded(Zoo(checkpoints, "cpu"), architecture).network.state_dict()
    for name, value in lively_network(CARDS[architecture]).state_dict().items():
        kept = value.half().float() if value.is_floating_point() else value
        torch.testing.assert_close(weights[name], kept)
    assert not list(checkpoints.glob("*/*.part"))


def test_weights_that_half_precision_cannot_hold_are_not_written(tmp_path: Path) -> None:
    network = lively_network(CARDS["ar_cnn"])
    with torch.no_grad():
        network.get_parameter("map.weight")[0, 0] = 1e6
    with pytest.raises(ValueError, match=r"map\.weight"):
        save_checkpoint(tmp_path / "ar_cnn", network, CARDS["ar_cnn"])
    assert not (tmp_path / "ar_cnn").exists()


def test_cards_lists_baselines_first_and_new_checkpoints_at_once(checkpoints) -> None:
    zoo = Zoo(checkpoints, "cpu")
    baselines = list(BASELINES)
    assert [card.name for card in zoo.cards()] == [*baselines, *sorted(ARCHITECTURES)]
    save_checkpoint(
        checkpoints / "second", lively_network(CARDS["ar_cnn"]), replace(CARDS["ar_cnn"], name="second")
    )
    assert [card.name for card in zoo.cards()] == [*baselines, *sorted([*ARCHITECTURES, "second"])]


def test_cheaper_networks_are_listed_first(checkpoints) -> None:
    costs = dict(zip(sorted(ARCHITECTURES), (0.3, 0.2, 1.1, 0.7, 0.9, 0.6, 0.8, 0.5), strict=True))
    for name, cost in costs.items():
        write_card(replace(CARDS[name], mmac_per_pixel=cost), checkpoints / name / "card.yaml")
    names = [card.name for card in Zoo(checkpoints, "cpu").cards()]
    assert names == [*BASELINES, *sorted(costs, key=costs.__getitem__)]


def test_a_missing_folder_leaves_the_baselines(tmp_path: Path) -> None:
    zoo = Zoo(tmp_path / "nothing")
    assert [card.name for card in zoo.cards()] == list(BASELINES)
    assert zoo.load("plain") is BASELINES["plain"]


def test_loading_twice_and_from_many_threads_gives_one_restorer(checkpoints) -> None:
    zoo = Zoo(checkpoints, "cpu")
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(zoo.load("ar_cnn"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({id(each) for each in found}) == 1
    weights = checkpoints / "ar_cnn" / "weights.safetensors"
    os.utime(weights, ns=(1, 1))
    assert zoo.load("ar_cnn") is not found[0], "changed weights are loaded anew"


# Everything that can be wrong.


@pytest.mark.parametrize("name", ["", "unet", "../cascade", "/etc/passwd", "cascade/", "."])
def test_unknown_names_are_refused(name, checkpoints) -> None:
    with pytest.raises(UnknownModel) as caught:
        Zoo(checkpoints, "cpu").load(name)
    assert_is_a_clear_sentence(caught.value)
    assert "cascade" in str(caught.value)


@pytest.mark.parametrize("device", ["abacus", "cuda:99", "meta:x"])
def test_devices_that_are_not_there_are_refused(device, tmp_path) -> None:
    with pytest.raises(InvalidSetting) as caught:
        Zoo(tmp_path, device)
    assert_is_a_clear_sentence(caught.value)


BROKEN_CARDS = {
    "empty": "",
    "no mapping": "- a\n- b\n",
    "no YAML": "name: [1, 2\n",
    "code": "name: !!python/object/apply:os.system ['touch /tmp/pwned']\n",
    "unknown entry": "name: ar_cnn\ntitle: A\narchitecture: ar_cnn\nsummary: s\npaper: p\nweight: 3\n",
    "missing entries": "name: ar_cnn\n",
    "wrong type": "name: ar_cnn\ntitle: [A]\narchitecture: ar_cnn\nsummary: s\npaper: p\n",
    "number as switch": "name: ar_cnn\ntitle: A\narchitecture: ar_cnn\nsummary: s\npaper: p\nsteerable: 1\n",
    "wrong colour": "name: ar_cnn\ntitle: A\narchitecture: ar_cnn\nsummary: s\npaper: p\ncolor: cmyk\n",
    "another name": "name: unet\ntitle: A\narchitecture: ar_cnn\nsummary: s\npaper: p\n",
    "unknown architecture": "name: ar_cnn\ntitle: A\narchitecture: unet\nsummary: s\npaper: p\n",
    "too long": "name: ar_cnn\n#" + "x" * 200_000,
    "deep": "[" * 5000,
}


@pytest.mark.parametrize("text", BROKEN_CARDS.values(), ids=BROKEN_CARDS)
def test_a_broken_card_is_reported_and_the_others_stay(text, checkpoints) -> None:
    (checkpoints / "ar_cnn" / "card.yaml").write_text(text)
    zoo = Zoo(checkpoints, "cpu")
    assert [card.name for card in zoo.cards()] == [*BASELINES, *ALL_BUT_AR_CNN]
    with pytest.raises(BrokenCheckpoint) as caught:
        zoo.load("ar_cnn")
    assert_is_a_clear_sentence(caught.value)
    assert zoo.listing().problems == {"ar_cnn": str(caught.value)}


def test_a_checkpoint_cannot_take_a_baselines_name(checkpoints) -> None:
    (checkpoints / "ar_cnn").rename(checkpoints / "plain")
    write_card(replace(CARDS["ar_cnn"], name="plain"), checkpoints / "plain" / "card.yaml")
    zoo = Zoo(checkpoints, "cpu")
    assert [card.name for card in zoo.cards()] == [*BASELINES, *ALL_BUT_AR_CNN]
    assert zoo.load("plain") is BASELINES["plain"]


def test_all_problems_of_a_card_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_text("name: 3\nweight: 4\ntitle: A\n")
    with pytest.raises(BrokenCheckpoint) as caught:
        read_card(path)
    for part in ("'name'", "'weight'", "'architecture'", "'paper'"):
        assert part in str(caught.value)


@pytest.mark.parametrize("hyperparameters", [{"depth": 3}, {"widths": 7}, {"widths": [8, -1, 8]}])
def test_hyperparameters_that_do_not_build_are_refused(hyperparameters, checkpoints) -> None:
    write_card(
        replace(CARDS["cascade"], hyperparameters=hyperparameters), checkpoints / "cascade" / "card.yaml"
    )
    with pytest.raises(BrokenCheckpoint) as caught:
        Zoo(checkpoints, "cpu").load("cascade")
    assert_is_a_clear_sentence(caught.value)


def change_weights(path: Path, change) -> None:
    weights = load_file(path)
    change(weights)
    save_file(weights, path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda weights: weights.pop("map.bias"), r"map\.bias is missing"),
        (lambda weights: weights.update(extra=torch.zeros(2)), "extra is unknown"),
        (lambda weights: weights.update({"map.bias": torch.zeros(3)}), r"\[3\], not \[16\]"),
        (lambda weights: weights["map.bias"].fill_(torch.nan), r"no numbers, in map\.bias"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change, said, checkpoints) -> None:
    change_weights(checkpoints / "ar_cnn" / "weights.safetensors", change)
    with pytest.raises(BrokenCheckpoint, match=said) as caught:
        Zoo(checkpoints, "cpu").load("ar_cnn")
    assert_is_a_clear_sentence(caught.value)


def test_missing_weights_are_told_and_pickles_never_opened(checkpoints) -> None:
    weights = checkpoints / "ar_cnn" / "weights.safetensors"
    torch.save(load_file(weights), weights.with_suffix(".pth"))
    weights.unlink()
    with pytest.raises(BrokenCheckpoint, match="never opened"):
        Zoo(checkpoints, "cpu").load("ar_cnn")


@needs_shared_data
def test_hostile_files_in_place_of_weights_are_refused(checkpoints) -> None:
    hostile = sorted((SHARED / "hostile" / "16_checkpoints").iterdir())
    assert len(hostile) >= 6
    for path in hostile:
        shutil.copyfile(path, checkpoints / "ar_cnn" / "weights.safetensors")
        with pytest.raises(BrokenCheckpoint) as caught:
            Zoo(checkpoints, "cpu").load("ar_cnn")
        assert_is_a_clear_sentence(caught.value)


@needs_shared_data
def test_a_billion_laughs_in_place_of_a_card_is_refused(checkpoints) -> None:
    laughs = SHARED / "hostile" / "17_archives_configs" / "yaml_billion_laughs.yaml"
    shutil.copyfile(laughs, checkpoints / "ar_cnn" / "card.yaml")
    listing = Zoo(checkpoints, "cpu").listing()
    assert [card.name for card in listing.cards] == [*BASELINES, *ALL_BUT_AR_CNN]
    assert len(listing.problems["ar_cnn"]) < 2000


def test_own_checkpoints_stand_beside_the_shipped_ones(tmp_path) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    for folder, name in ((shipped, "ar_cnn"), (own, "ar_cnn"), (own, "mine")):
        card = ModelCard(name, f"{name} in {folder.name}", "ar_cnn", "For tests.", "None.", color="planes")
        save_checkpoint(folder / name, ArCnn(), card)
    zoo = Zoo(shipped, "cpu", own_folder=own)
    titles = {card.name: card.title for card in zoo.cards() if card.architecture}
    assert titles == {"ar_cnn": "ar_cnn in shipped", "mine": "mine in own"}
    assert zoo.folder_of("ar_cnn") == shipped / "ar_cnn" and zoo.folder_of("mine") == own / "mine"
    assert zoo.load("mine").card.title == "mine in own"
    assert Zoo(shipped, "cpu", own_folder=tmp_path / "missing").folder_of("ar_cnn") == shipped / "ar_cnn"

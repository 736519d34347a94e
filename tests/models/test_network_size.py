"""Networks are described without their memory, and hostile cards leave every other model in the list."""

import os
import subprocess
import sys

import pytest

from models.card import LARGEST_CARD_BYTES, ModelCard
from models.errors import BrokenCheckpoint
from models.network_size import MOST_PARAMETERS, NetworkTooLarge, count_parameters, described_network
from models.zoo import ARCHITECTURES, CARD_FILE, WEIGHTS_FILE, Zoo, build_network, save_checkpoint
from tests.paths import REPOSITORY

GOOD = ModelCard("good", "Good", "dncnn", "For tests.", "None.", hyperparameters={"layers": 3, "width": 8})
HEAD = "name: bad\ntitle: T\nsummary: S\npaper: P\narchitecture: dncnn\n"
UNFOLDING = "  a: &a [1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"  {chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 8)}]\n" for n in range(9)
)
CARDS = {
    "a cost of 500 digits": f"{HEAD}mmac_per_pixel: {'7' * 500}\n",
    "a cost without end": f"{HEAD}mmac_per_pixel: .inf\n",
    "a negative cost": f"{HEAD}mmac_per_pixel: -1\n",
    "parameters of 4,500 digits": f"{HEAD}parameters: 0x{'f' * 4000}\n",
    "parameters of 400 digits": f"{HEAD}parameters: {'9' * 400}\n",
    "facts of 400 digits": f"{HEAD}trained: {{config: a, steps: {'9' * 400}, machines: []}}\n",
    "unfolding hyperparameters": f"{HEAD}hyperparameters:\n{UNFOLDING}",
    "an unfolding licence": f"{HEAD}a: &a [x]\nlicence: [*a, *a]\n",
    "wound up in itself": f"{HEAD}hyperparameters: &h {{width: 8, more: *h}}\n",
    "deep": f"{HEAD}hyperparameters: {{a: {'[' * 3000}{']' * 3000}}}\n",
    "deep, but not too deep for YAML": f"{HEAD}hyperparameters: {{a: {'[' * 150}{']' * 150}}}\n",
    "a date among hyperparameters": f"{HEAD}hyperparameters: {{layers: 2020-01-01}}\n",
    "numbers as keys": f"{HEAD}hyperparameters: {{1: 2}}\n",
    "a thousand unknown entries": HEAD + "".join(f"x{n}: 1\n" for n in range(1000)),
    "a key twice": f"{HEAD}name: good\n",
    "too long": HEAD + "#" * LARGEST_CARD_BYTES,
    "wide and deep": f"{HEAD}hyperparameters: {{layers: 3000, width: 3000}}\n",
    "wide": f"{HEAD}hyperparameters: {{width: 4096, layers: 100}}\n",
    "deep network": f"{HEAD}hyperparameters: {{width: 4, layers: 4096}}\n",
}


@pytest.fixture
def zoo(tmp_path):
    save_checkpoint(tmp_path / "good", build_network(GOOD), GOOD)
    (tmp_path / "bad").mkdir()
    return Zoo(tmp_path, "cpu")


@pytest.mark.parametrize("name", CARDS)
def test_a_hostile_card_is_one_sentence_and_the_others_stay(zoo, name):
    (zoo.folder / "bad" / CARD_FILE).write_text(CARDS[name])
    assert "good" in [card.name for card in zoo.cards()]
    with pytest.raises(BrokenCheckpoint) as told:
        zoo.load("bad")
    assert len(str(told.value)) < 2000


def test_whatever_reading_a_card_raises_the_others_stay(zoo, monkeypatch):
    read = sys.modules["models.zoo"]._read_fitting_card

    def reading(path):
        if path.parent.name == "bad":
            raise SystemError("nobody foresaw this")
        return read(path)

    (zoo.folder / "bad" / CARD_FILE).write_text(HEAD)
    monkeypatch.setattr("models.zoo._read_fitting_card", reading)
    assert "good" in [card.name for card in zoo.cards()]
    assert "SystemError" in zoo.listing().problems["bad"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "loop"])
def test_a_card_that_is_no_file_is_not_waited_for(zoo, kind):
    place = zoo.folder / "bad" / CARD_FILE
    {
        "pipe": lambda: os.mkfifo(place),
        "device": lambda: place.symlink_to("/dev/zero"),
        "folder": place.mkdir,
        "loop": lambda: place.symlink_to(place),
    }[kind]()
    assert "good" in [card.name for card in zoo.cards()]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_described_network_has_the_size_and_cost_of_a_built_one(name):
    described, built = described_network(ARCHITECTURES[name], {}), ARCHITECTURES[name]()
    sizes = [{key: tensor.shape for key, tensor in each.state_dict().items()} for each in (described, built)]
    assert sizes[0] == sizes[1]
    assert count_parameters(described) == count_parameters(built)
    assert described.mmac_per_pixel() == pytest.approx(built.mmac_per_pixel())
    assert all(tensor.device.type == "meta" for tensor in described.parameters())


@pytest.mark.parametrize(
    "hyperparameters", [{"width": 30_000}, {"layers": 10**6}, {"width": 2000, "layers": 500}]
)
def test_describing_ends_where_it_is_too_much(hyperparameters):
    with pytest.raises(NetworkTooLarge, match=f"{MOST_PARAMETERS:,}"):
        described_network(ARCHITECTURES["dncnn"], hyperparameters)
    assert ARCHITECTURES["dncnn"](layers=3, width=8).get_parameter("body.0.weight").device.type == "cpu"


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits of memory")
def test_weights_of_another_network_are_refused_before_theirs_is_built(tmp_path):
    """The card says 600 million parameters, the weights are small: 3 GB of memory are enough for the sentence."""
    small = ModelCard("bad", "T", "dncnn", "S", "P", hyperparameters={"layers": 3, "width": 8})
    save_checkpoint(tmp_path / "bad", build_network(small), small)
    (tmp_path / "bad" / CARD_FILE).write_text(f"{HEAD}hyperparameters: {{width: 2048, layers: 18}}\n")
    assert (tmp_path / "bad" / WEIGHTS_FILE).stat().st_size < 10_000
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))\n"
        "from pathlib import Path\nfrom models.errors import BrokenCheckpoint\nfrom models.zoo import Zoo\n"
        "try:\n    Zoo(Path(sys.argv[1]), 'cpu').load('bad')\nexcept BrokenCheckpoint as error:\n    print(error)\n"
        "(peak,) = (line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "assert int(peak.split()[1]) < 1 << 20\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "not those of the network on its card" in done.stdout

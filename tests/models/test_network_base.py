"""Network, the class that all networks share: names that cannot be misspelt, and counting that counts what matters."""

import pytest
import torch
from torch import Tensor, nn

from models.card import read_card
from models.networks.base import Network
from models.zoo import ARCHITECTURES, CARD_FILE, build_network
from tests.models.sample_networks import CARDS, lively_network
from tests.paths import REPOSITORY

SHIPPED = sorted((REPOSITORY / "checkpoints").glob(f"*/{CARD_FILE}"))


class Blur(Network):
    """Three convolutions, the second of which makes a picture for looking at alone."""

    overlap = 2
    stage_names = ("edges", "result")

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.look, self.leave = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))

    def forward(
        self, pixels: Tensor, /, condition: Tensor | None = None, stages: int | None = None
    ) -> list[Tensor]:
        features = self.enter(pixels)
        return [self.look(features), self.leave(features)][:stages]


@pytest.mark.parametrize(
    "name",
    ["keep_to_cells", "sumarize", "overview", "stagenames", "predicted_quality", "colour", "estimates"],
)
def test_a_misspelt_name_is_refused_when_the_class_is_defined(name: str) -> None:
    with pytest.raises(TypeError, match=f"Misspelt sets {name}"):
        type("Misspelt", (Blur,), {name: True})
    with pytest.raises(TypeError, match=f"Misspelt sets {name}"):
        type("Misspelt", (Blur,), {name: lambda self, pixels: None})


def test_a_misspelt_name_is_refused_when_a_network_is_built() -> None:
    class Misspelt(Blur):
        def __init__(self) -> None:
            super().__init__()
            self.full_resolutoin = True

    with pytest.raises(TypeError, match="Misspelt sets full_resolutoin"):
        Misspelt()


def test_right_names_private_ones_and_layers_are_taken() -> None:
    class Right(Blur):
        full_resolution = True
        _own = 3

        def __init__(self) -> None:
            super().__init__()
            self.multiple, self._other, self.more = 16, 4, nn.ReLU()

    assert (Right().full_resolution, Right().multiple, Blur().multiple) == (True, 16, 8)


def test_a_network_estimates_quality_where_it_says_how() -> None:
    class Estimating(Blur):
        def predicted_quality_factor(self, summary: Tensor) -> Tensor:
            return summary[:, 0]

    assert Estimating.estimates_quality and not Blur.estimates_quality
    assert {name for name, kind in ARCHITECTURES.items() if kind.estimates_quality} == {"cascade"}


def test_a_plain_network_looks_at_nothing_and_is_steered_by_nothing() -> None:
    network, pixels = Blur(), torch.rand(2, 3, 16, 16)
    summary = network.summarize(pixels)
    assert network.predicted_quality_factor(summary) is None
    assert network.condition(summary, tables=torch.ones(2, 128)).shape == (2, 0)


def test_only_what_the_result_takes_is_counted() -> None:
    assert Blur().mmac_per_pixel() == pytest.approx(2 * 9 * 3 * 3 / 1e6)


@pytest.mark.parametrize("architecture", ["dncnn", "cascade", "qgcn"])
def test_counting_leaves_the_network_as_it_was(architecture: str) -> None:
    network = lively_network(CARDS[architecture]).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.mmac_per_pixel()
    assert network.training and not any(module._forward_hooks for module in network.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_shipped_cards_tell_the_counted_cost_to_the_digit(path) -> None:
    card = read_card(path)
    assert round(build_network(card, only_described=True).mmac_per_pixel(), 4) == card.mmac_per_pixel


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_shipped_cards_say_of_a_network_what_it_says_itself(path) -> None:
    card = read_card(path)
    network = build_network(card, only_described=True)
    assert (card.color, card.stage_names) == (network.color.value, network.stage_names)
    assert (card.steerable, card.uses_tables) == (network.steerable, network.uses_tables)

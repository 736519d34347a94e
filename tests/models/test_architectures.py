"""Sweeps over every architecture: finite, of the right shape, trained in all parts, rebuilt from its card."""

import pytest
import torch
from torch import Tensor, nn

from models.card import read_card, write_card
from models.zoo import ARCHITECTURES, build_network
from tests.models.sample_networks import CARDS, lively_network

every_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)


def run(network: nn.Module, pixels: Tensor) -> list[Tensor]:
    """The network's pictures, as it decides by itself."""
    if pixels.shape[1] == 1:
        return [network(pixels)]
    return network(pixels, network.condition(network.summarize(pixels)))


@every_architecture
def test_a_network_is_rebuilt_from_its_written_card(architecture, tmp_path) -> None:
    original = lively_network(CARDS[architecture])
    rebuilt = build_network(read_card(write_card(CARDS[architecture], tmp_path / "card.yaml"))).eval()
    rebuilt.load_state_dict(original.state_dict())
    channels = 1 if CARDS[architecture].color == "planes" else 3
    pixels = torch.rand(1, channels, 16, 24)
    for first, second in zip(run(original, pixels), run(rebuilt, pixels), strict=True):
        torch.testing.assert_close(first, second)


@every_architecture
def test_every_parameter_gets_a_finite_gradient(architecture) -> None:
    card = CARDS[architecture]
    network = lively_network(card)
    if card.color == "planes":
        plane = torch.rand(2, 1, 24, 40)
        outputs, loss, expected = [network(plane)], 0.0, plane.shape
    else:
        pixels = torch.rand(2, 3, 24, 40)
        summary = network.summarize(pixels)
        tables = torch.randint(1, 99, (2, 128)).float()
        outputs = network(pixels, network.condition(summary, torch.tensor([10.0, 60.0]), tables))
        loss, expected = network.predicted_quality_factor(summary).mean(), pixels.shape
    for output in outputs:
        assert output.shape == expected
        assert torch.isfinite(output).all()
        loss = loss + output.square().mean()
    loss.backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


@every_architecture
def test_networks_say_what_the_restorer_needs(architecture) -> None:
    network = lively_network(CARDS[architecture])
    assert network.multiple % 8 == 0 or network.multiple == 1
    assert network.overlap > 0
    assert network.mmac_per_pixel() > 0


def test_ar_cnn_is_as_published() -> None:
    network = build_network(CARDS["ar_cnn"])
    sizes = [tuple(value.shape) for name, value in network.named_parameters() if "weight" in name]
    assert sizes == [(64, 1, 9, 9), (32, 64, 7, 7), (16, 32, 1, 1), (1, 16, 5, 5)]


def test_an_untrained_ar_cnn_returns_its_input() -> None:
    plane = torch.rand(1, 1, 17, 23)
    torch.testing.assert_close(build_network(CARDS["ar_cnn"])(plane), plane)

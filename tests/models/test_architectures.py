"""Sweeps over every architecture: finite, of the right shape, trained in all parts, rebuilt from its card."""

import pytest
import torch

from models.card import read_card, write_card
from models.networks.base import ColorRule
from models.zoo import ARCHITECTURES, build_network
from tests.models.sample_networks import CARDS, lively_network, sample_inputs

every_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)


@every_architecture
def test_a_network_is_rebuilt_from_its_written_card(architecture, tmp_path) -> None:
    card = CARDS[architecture]
    original = lively_network(card)
    rebuilt = build_network(read_card(write_card(card, tmp_path / "card.yaml"))).eval()
    rebuilt.load_state_dict(original.state_dict())
    first, second = (network(*sample_inputs(network, 16, 24)) for network in (original, rebuilt))
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other)


@every_architecture
def test_every_parameter_gets_a_finite_gradient(architecture) -> None:
    card = CARDS[architecture]
    network = lively_network(card)
    inputs = sample_inputs(network, 24, 40)
    outputs, loss = network(*inputs), torch.zeros(())
    predicted = network.predicted_quality_factor(network.summarize(inputs[0]))
    if predicted is not None:
        loss = predicted.mean()
    assert len(outputs) == max(1, len(card.stage_names))
    for output in outputs:
        assert output.shape == (2, 1 if network.color.plane_by_plane else 3, 24, 40)
        assert output.dtype == torch.float32
        assert torch.isfinite(output).all()
        loss = loss + output.square().mean()
    loss.backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


@every_architecture
def test_fewer_stages_are_the_first_of_all(architecture) -> None:
    card = CARDS[architecture]
    network = lively_network(card)
    inputs = sample_inputs(network, 16, 24)
    every = network(*inputs)
    for stages in range(1, len(card.stage_names) + 1):
        early = network(*inputs, stages=stages)
        assert len(early) == stages
        for one, other in zip(early, every, strict=False):
            torch.testing.assert_close(one, other)


@every_architecture
def test_an_untrained_network_returns_its_input(architecture) -> None:
    network = build_network(CARDS[architecture]).eval()
    if network.color is ColorRule.COEFFICIENTS:
        pytest.skip("its input is no picture; that it decodes is tested on its own")
    inputs = sample_inputs(network, 16, 24)
    for picture in network(*inputs):
        torch.testing.assert_close(picture, inputs[0])


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

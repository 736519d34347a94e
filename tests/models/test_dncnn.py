"""DnCNN: the layers as published, how far they see, and batch normalization that does not depend on the batch."""

import pytest
import torch
from torch import nn

from models.networks.dncnn import DnCnn
from tests.models.sample_networks import CARDS, lively_network


@pytest.mark.parametrize(("channels", "parameters"), [(1, 667_073), (3, 669_379)])
def test_twenty_layers_of_64_channels(channels: int, parameters: int) -> None:
    network = DnCnn(channels)
    convolutions = [layer for layer in network.body if isinstance(layer, nn.Conv2d)]
    shapes = [tuple(layer.weight.shape) for layer in convolutions]
    assert shapes == [(64, channels, 3, 3), *[(64, 64, 3, 3)] * 18, (channels, 64, 3, 3)]
    kinds = [type(layer) for layer in network.body]
    assert kinds.count(nn.BatchNorm2d) == 18
    assert kinds.count(nn.ReLU) == 19
    assert kinds[:3] == [nn.Conv2d, nn.ReLU, nn.Conv2d] and kinds[-1] is nn.Conv2d
    assert sum(value.numel() for value in network.parameters()) == parameters
    assert network.mmac_per_pixel() == pytest.approx((2 * channels * 64 * 9 + 18 * 64 * 64 * 9) / 1e6)
    assert network.training, "counting must leave the network as it was"


def test_it_sees_as_far_as_it_says_and_no_further() -> None:
    network = lively_network(CARDS["dncnn"])
    pixels = torch.rand(1, 3, 1, 40)
    changed = pixels.clone()
    changed[..., 0] = 1 - changed[..., 0]
    differs = (network(pixels)[-1] != network(changed)[-1]).any(1)[0, 0]
    assert differs[: network.overlap + 1].any()
    assert not differs[network.overlap + 1 :].any()


def test_in_use_a_picture_does_not_depend_on_the_others_of_its_batch() -> None:
    network = lively_network(CARDS["dncnn"])
    pixels = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(network(pixels)[-1][:1], network(pixels[:1])[-1])
    network.train()
    assert (network(pixels)[-1][:1] - network(pixels[:1])[-1]).abs().max() > 1e-4

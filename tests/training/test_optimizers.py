"""Muon takes the matrices of hidden layers, AdamW the rest, whatever the weights' order in memory."""

import copy

import pytest
import torch
from torch import nn

from models.tensors import placed
from training.config import OptimizerConfig
from training.optimizers import MuonAndAdamW, make_optimizer


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.Conv2d(32, 3, 1)
    )


def optimizer_of(module: nn.Module, rate: float, weight_decay: float = 0.0) -> MuonAndAdamW:
    optimizer = make_optimizer(OptimizerConfig(method="muon", weight_decay=weight_decay), module.parameters())
    assert isinstance(optimizer, MuonAndAdamW)
    for group in optimizer.param_groups:
        group["lr"] = rate
    return optimizer


def loss_of(module: nn.Module) -> torch.Tensor:
    pixels = torch.linspace(0, 1, 3 * 64).reshape(1, 3, 8, 8)
    return (module(pixels) - pixels.flip(2)).square().mean()


def test_only_hidden_layers_are_orthogonalized():
    module = network()
    optimizer = optimizer_of(module, 0.1)
    assert [id(weight) for weight in optimizer.weights] == [id(module.get_parameter("2.weight"))]
    before = module.get_parameter("2.weight").detach().clone()
    for parameter in module.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    update = (module.get_parameter("2.weight").detach() - before).flatten(1) / (0.1 * 0.2 * (32 * 9) ** 0.5)
    singular = torch.linalg.svdvals(update.float())
    assert singular.max() < 1.5 and singular.median() > 0.5


def test_channels_last_trains_to_the_same_weights():
    plain, last = network(), placed(network(), torch.device("cpu"))
    for module in (plain, last):
        optimizer = optimizer_of(module, 1e-2)
        for _ in range(3):
            optimizer.zero_grad()
            loss_of(module).backward()
            optimizer.step()
    torch.testing.assert_close(
        plain.get_parameter("2.weight"), last.get_parameter("2.weight").contiguous(), atol=2e-3, rtol=0
    )


def test_the_loss_falls():
    module = network()
    optimizer = optimizer_of(module, 1e-2)
    first = loss_of(module).item()
    for _ in range(60):
        optimizer.zero_grad()
        loss_of(module).backward()
        optimizer.step()
    assert loss_of(module).item() < 0.3 * first


@pytest.mark.parametrize("method", ["adamw", "muon"])
def test_a_saved_state_goes_on_as_if_nothing_had_happened(method):
    def steps(module: nn.Module, optimizer, count: int) -> None:
        for group in optimizer.param_groups:
            group["lr"] = 1e-2
        for _ in range(count):
            optimizer.zero_grad()
            loss_of(module).backward()
            optimizer.step()

    config = OptimizerConfig(method=method)
    whole, parts = network(), network()
    steps(whole, make_optimizer(config, whole.parameters()), 6)
    optimizer = make_optimizer(config, parts.parameters())
    steps(parts, optimizer, 3)
    state = copy.deepcopy(optimizer.state_dict())
    resumed = make_optimizer(config, parts.parameters())
    resumed.load_state_dict(state)
    steps(parts, resumed, 3)
    for expected, found in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.equal(expected, found)

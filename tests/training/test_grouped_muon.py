"""GroupedMuon: the updates of torch.optim.Muon, all matrices of one shape at a time."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from training.optimizers import GroupedMuon, orthogonalized

SHAPES = [(64, 576), (64, 576), (96, 64), (32, 40), (64, 576)]


def torchs_own(weights: list[nn.Parameter], lr: float, weight_decay: float) -> torch.optim.Muon:
    return torch.optim.Muon(weights, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")


def made_with(kind: Callable, steps: int) -> list[torch.Tensor]:
    """Weights after so many steps on the same gradients."""
    generator = torch.Generator().manual_seed(3)
    weights = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]
    optimizer = kind(weights, lr=0.01, weight_decay=0.1)
    for _ in range(steps):
        for weight in weights:
            weight.grad = torch.randn(weight.shape, generator=generator)
        optimizer.step()
    return [weight.detach() for weight in weights]


@pytest.mark.parametrize("steps", [1, 4])
def test_updates_are_those_of_torchs_own(steps):
    start = made_with(GroupedMuon, 0)
    grouped, plain = made_with(GroupedMuon, steps), made_with(torchs_own, steps)
    for before, ours, theirs in zip(start, grouped, plain, strict=True):
        moved = (theirs - before).norm()
        assert moved > 0.01
        assert (ours - theirs).norm() < 0.02 * moved


def test_singular_values_end_near_one():
    matrices = torch.randn(3, 48, 200, generator=torch.Generator().manual_seed(1))
    found = torch.linalg.svdvals(orthogonalized(matrices).float())
    assert found.min() > 0.5 and found.max() < 1.5


def test_matrices_without_a_gradient_stay():
    weights = [nn.Parameter(torch.ones(32, 32)), nn.Parameter(torch.ones(32, 32))]
    optimizer = GroupedMuon(weights, lr=0.01, weight_decay=0.0)
    weights[0].grad = torch.randn(32, 32)
    optimizer.step()
    assert not torch.equal(weights[0], torch.ones(32, 32))
    assert torch.equal(weights[1], torch.ones(32, 32))


def test_its_state_fits_torchs_own():
    weights = [nn.Parameter(torch.ones(32, 32))]
    optimizer = GroupedMuon(weights, lr=0.01, weight_decay=0.0)
    weights[0].grad = torch.randn(32, 32)
    optimizer.step()
    other = torchs_own([nn.Parameter(torch.ones(32, 32))], lr=0.01, weight_decay=0.0)
    other.load_state_dict(optimizer.state_dict())
    assert torch.equal(*(next(iter(each.state.values()))["momentum_buffer"] for each in (optimizer, other)))

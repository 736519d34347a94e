"""The network timed beside ours has FBCNN's published size and cost, and the command compares both in one run."""

import re

import pytest
import torch

from models.networks.layers import mac_per_pixel
from training.fbcnn_timing import FbcnnShape, main


def test_parameters_and_cost_are_those_published() -> None:
    with torch.device("meta"):
        network = FbcnnShape()
        picture = torch.empty(1, 3, 256, 256)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert parameters == pytest.approx(71.9e6, rel=0.01)

    def run() -> int:
        assert network(picture).shape == picture.shape
        return 256**2

    assert mac_per_pixel(network, run) == pytest.approx(2.71e6, rel=0.01)


def test_every_parameter_takes_part() -> None:
    torch.manual_seed(0)
    network = FbcnnShape(channels=(4, 6, 8, 10), blocks=2, hidden=12)
    network(torch.rand(2, 3, 32, 40)).square().mean().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_both_are_timed_in_one_run(checkpoints, capsys) -> None:
    arguments = ["--checkpoints", str(checkpoints), "--device", "cpu", "--side", "64", "--repeats", "2"]
    assert main(["--model", "ar_cnn", *arguments]) == 0
    printed = capsys.readouterr().out
    ours, theirs = (
        re.search(rf"\| {name} \|(.*)\|", printed)[1].split("|") for name in ("ar_cnn", "fbcnn-shape")
    )
    assert float(ours[0]) == 0.11 and float(theirs[0]) == pytest.approx(71.9, rel=0.01)
    assert float(theirs[1]) == pytest.approx(2.71, rel=0.01)
    ratio = float(re.search(r"ar_cnn is ([\d.]+) times faster", printed)[1])
    assert ratio == pytest.approx(float(theirs[2]) / float(ours[2]), rel=0.1)
    assert "random weights" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--model", "reapply"], "'reapply'"), (["--model", "none"], "'none'"), (["--side", "9000"], "9000")],
)
def test_what_makes_no_sense_is_told(arguments, said, checkpoints, capsys) -> None:
    assert main([*arguments, "--checkpoints", str(checkpoints)]) == 2
    assert said in capsys.readouterr().err

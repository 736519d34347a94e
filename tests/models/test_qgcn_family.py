"""EDSR, QCN and QGCN: sizes and costs beside the published ones, and what tables and global vector do."""

import pytest
import torch
import yaml
from safetensors.torch import save_file
from skimage.data import astronaut, coffee

from models.networks.edsr import Edsr
from models.networks.qcn import Qcn
from models.networks.qgcn import Qgcn
from tests.models.sample_networks import CARDS, lively_network, sample_inputs
from tests.paths import REPOSITORY
from training.teacher import weights_to_start_from

BLOCKS_OF_BOTH_GROUPS = 2 * 32
ONE_BLOCK = 2 * (9 * 64 * 64 + 64)
UNSEEN = torch.empty(1, 0)
"""The summary of one picture by networks that do not look at the whole of it."""


def parameters(network: torch.nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


@pytest.mark.parametrize(
    ("architecture", "leaves", "enters"), [(Edsr, 3, 3), (Qcn, 3, 5), (Edsr, 1, 1), (Qcn, 1, 2)]
)
def test_edsr_and_qcn_have_the_size_and_cost_given_for_them(architecture, leaves: int, enters: int) -> None:
    network = architecture(channels=leaves)
    rest = (9 * enters * 64 + 64) + (9 * 64 * 64 + 64) + (9 * 16 * leaves + leaves)
    assert parameters(network) == BLOCKS_OF_BOTH_GROUPS * ONE_BLOCK + rest
    assert parameters(network) == pytest.approx(4.7e6, rel=0.02)
    assert network.mmac_per_pixel() == pytest.approx(1.2, rel=0.01)
    assert network.trunk.enter.in_channels == enters


def test_qgcn_has_the_size_and_cost_given_for_it() -> None:
    network = Qgcn()
    assert parameters(network) == pytest.approx(19e6, rel=0.02)
    assert network.mmac_per_pixel() == pytest.approx(1.18, rel=0.03)
    assert BLOCKS_OF_BOTH_GROUPS * ONE_BLOCK == 4_726_784
    assert parameters(network) - parameters(Qcn()) == parameters(network.globally) + parameters(network.merge)


def test_the_global_branch_is_table_1() -> None:
    branch = Qgcn().globally
    convolutions = [layer for layer in branch.convolutions if isinstance(layer, torch.nn.Conv2d)]
    found = [
        (layer.out_channels, layer.kernel_size[0], layer.stride[0], layer.padding[0])
        for layer in convolutions
    ]
    assert found == [row for width in (32, 64, 128, 256) for row in ((width, 4, 2, 1), (width, 3, 1, 1))]
    assert branch.fc1.out_features == 1024 and branch.fc2.out_features == 64
    assert branch(torch.rand(2, 3, 112, 112)).shape == (2, 64)


def test_the_small_one_fits_into_ten_megabytes_of_half_precision() -> None:
    config = yaml.safe_load((REPOSITORY / "training/configs/qgcn-small.yaml").read_text())
    assert 2 * parameters(Qgcn(**config["hyperparameters"])) < 9.5e6


def test_edsr_is_qcn_that_is_blind_to_its_tables() -> None:
    qcn, edsr = lively_network(CARDS["qcn"]), lively_network(CARDS["edsr"])
    weights = qcn.state_dict()
    weights["trunk.enter.weight"] = weights["trunk.enter.weight"][:, :3]
    edsr.load_state_dict(weights)
    pixels = torch.rand(1, 3, 16, 24)
    with_zeros, with_tables = qcn.condition(UNSEEN), qcn.condition(UNSEEN, tables=torch.full((1, 128), 40.0))
    torch.testing.assert_close(qcn(pixels, with_zeros)[-1], edsr(pixels)[-1])
    assert (qcn(pixels, with_tables)[-1] - edsr(pixels)[-1]).abs().max() > 1e-3


def test_maps_repeat_both_tables_on_the_block_grid() -> None:
    network = lively_network(CARDS["qcn"])
    seen = []
    network.get_submodule("trunk.enter").register_forward_pre_hook(
        lambda _layer, inputs: seen.append(inputs[0])
    )
    tables = torch.arange(1.0, 129.0)[None]
    network(torch.rand(1, 3, 16, 24), network.condition(UNSEEN, tables=tables))
    maps = seen[0][0, 3:] * 255
    for row, column in ((0, 0), (3, 5), (11, 21)):
        expected = 1 + row % 8 * 8 + column % 8
        torch.testing.assert_close(maps[:, row, column], torch.tensor([expected, expected + 64.0]))


def test_steps_of_more_than_eight_bits_count_as_255() -> None:
    condition = lively_network(CARDS["qcn"]).condition(UNSEEN, tables=torch.full((1, 128), 60_000.0))
    assert (condition == 1).all()


def test_the_global_vector_changes_the_picture_only_after_group_1() -> None:
    network = lively_network(CARDS["qgcn"])
    pixels, condition = sample_inputs(network, 16, 24)
    other = condition.clone()
    other[:, 128:] += 1
    first, second = network(pixels, condition), network(pixels, other)
    torch.testing.assert_close(first[0], second[0])
    for one, two in zip(first[1:], second[1:], strict=True):
        assert (one - two).abs().max() > 1e-3


def test_the_global_branch_tells_photographs_apart_before_any_training() -> None:
    torch.manual_seed(1)
    network = Qgcn()
    pictures = [torch.from_numpy(picture).permute(2, 0, 1)[None] / 255 for picture in (astronaut(), coffee())]
    one, two = (network.condition(network.summarize(picture))[:, 128:] for picture in pictures)
    assert (one - two).norm() > 0.1 * max(one.norm(), two.norm())
    for vector in (one, two):
        assert vector.norm() > 0.1


def test_a_qgcn_begun_with_a_qcns_weights_equals_it(tmp_path) -> None:
    torch.manual_seed(3)
    qcn, qgcn = lively_network(CARDS["qcn"]), Qgcn(**CARDS["qgcn"].hyperparameters)
    save_file(qcn.state_dict(), tmp_path / "qcn.safetensors")
    start = weights_to_start_from(str(tmp_path / "qcn.safetensors"), qgcn, anew=("globally", "merge"))
    qgcn.load_state_dict(start)
    pixels, tables = torch.rand(1, 3, 32, 48), torch.full((1, 128), 40.0)
    expected = qcn(pixels, qcn.condition(UNSEEN, tables=tables))[-1]
    condition = qgcn.condition(qgcn.summarize(pixels), tables=tables)
    torch.testing.assert_close(qgcn(pixels, condition)[-1], expected)


def test_the_gray_variant_takes_one_table() -> None:
    network = Qcn(channels=1, width=8, blocks=1)
    pictures = network(torch.rand(2, 1, 16, 8), network.condition(UNSEEN, tables=torch.full((2, 64), 9.0)))
    assert [picture.shape for picture in pictures] == [(2, 1, 16, 8)] * 2

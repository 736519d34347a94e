"""Luma, then chroma: the paper's layers, the 3-D convolution, the guide, and the stages."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.luma_chroma import ChromaNet, LumaChroma, Widths
from models.networks.rrdb import DenseBlock, ResidualInResidualDenseBlock
from models.tensors import placed
from tests.paths import REPOSITORY
from tests.present import present
from training.config import TrainConfig

TINY = {"channels": 8, "hidden": 12, "growth": 4, "dense_blocks": 2, "luma_blocks": 2, "chroma_blocks": 1}
SMALL = REPOSITORY / "training" / "configs" / "luma_chroma-small.yaml"
TEN_MEGABYTES = 10_000_000


def parameters(part: nn.Module) -> int:
    return sum(value.numel() for value in part.parameters())


def lively(seed: int = 1) -> LumaChroma:
    """A tiny network in which every weight, those that begin at zero too, has an effect."""
    torch.manual_seed(seed)
    network = LumaChroma(**TINY)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network.eval()


def picture(rows: int, columns: int, batch: int = 1) -> Tensor:
    return torch.rand(batch, 3, rows, columns, generator=torch.Generator().manual_seed(0))


def test_the_layers_are_those_of_table_1() -> None:
    with torch.device("meta"):
        network = LumaChroma()
    luma, chroma = network.luma, network.chroma
    ends = [*luma.correct.encode, *luma.correct.decode, luma.correct.leave]
    assert [tuple(layer.weight.shape) for layer in (luma.enter, *ends)] == [
        (64, 1, 3, 3),
        (128, 64, 5, 5),
        (64, 128, 3, 3),
        (128, 64, 3, 3),
        (64, 128, 5, 5),
        (1, 64, 3, 3),
    ]
    assert (len(luma.correct.trunk), len(chroma.correct.trunk)) == (5, 3)
    for block in (*luma.correct.trunk, *chroma.correct.trunk):
        assert isinstance(block, ResidualInResidualDenseBlock)
        assert [parameters(dense) for dense in block.blocks] == [553_280] * 5
        layers = [layer for layer in block.modules() if isinstance(layer, nn.Conv2d)]
        assert [layer.out_channels for layer in layers] == [64] * 25
    assert chroma.enter.weight.numel() == 64 * 3 * 3 * 3
    assert chroma.correct.leave.out_channels == 2


def test_parameters_are_those_of_the_arithmetic() -> None:
    with torch.device("meta"):
        network = LumaChroma()
    assert parameters(network.luma) == 14_390_657
    assert parameters(network.chroma) == 9_269_186
    assert parameters(network) == 23_659_843


def test_the_small_configuration_fits_a_checkpoint() -> None:
    network = LumaChroma(**TrainConfig.from_yaml(SMALL).hyperparameters)
    assert parameters(network) == 691_491
    assert 2 * parameters(network) < TEN_MEGABYTES
    assert (len(network.luma.correct.trunk), len(network.chroma.correct.trunk)) == (5, 3)


def test_multiply_accumulates_are_weights_and_three_slices_of_the_first_chroma_layer() -> None:
    network = LumaChroma(**TINY)
    weights = sum(value.numel() for name, value in network.named_parameters() if name.endswith("weight"))
    expected = weights + 2 * network.chroma.enter.weight.numel()
    assert network.mmac_per_pixel() == pytest.approx(expected / 1e6)


def test_the_slices_are_convolved_in_three_dimensions() -> None:
    torch.manual_seed(0)
    network = ChromaNet(Widths(channels=6, hidden=4, growth=4, dense_blocks=1), blocks=1)
    planes = picture(9, 11, batch=2)
    with torch.no_grad():
        present(network.enter.bias).normal_()
        expected = functional.conv3d(
            planes[:, None], network.enter.weight[:, None], network.enter.bias, padding=1
        )  # (2, 6, 3, 9, 11)
        found = network.convolve_slices(planes).reshape(2, 3, 6, 9, 11).transpose(1, 2)
    torch.testing.assert_close(found, expected)


def test_a_dense_block_sees_everything_before_and_scales_its_correction() -> None:
    torch.manual_seed(0)
    block = DenseBlock(channels=3, growth=2)
    features = torch.randn(1, 3, 6, 6)
    seen = [features]
    for layer in block.layers[:-1]:
        seen.append(functional.leaky_relu(layer(torch.cat(seen, 1)), 0.2))
    correction = block.layers[-1](torch.cat(seen, 1))
    torch.testing.assert_close(block(features), features + 0.2 * correction)
    whole = ResidualInResidualDenseBlock(3, 2, 2)
    inner = whole.blocks[1](whole.blocks[0](features))
    torch.testing.assert_close(whole(features), features + 0.2 * inner)


def test_dense_blocks_begin_with_a_tenth_of_kaimings_weights() -> None:
    torch.manual_seed(0)
    weight = DenseBlock(channels=64, growth=32).layers[0].weight
    kaiming = (2 / (1 + 0.2**2) / (9 * 64)) ** 0.5
    assert weight.std().item() == pytest.approx(0.1 * kaiming, rel=0.05)


def test_an_untrained_network_returns_its_input() -> None:
    pixels = picture(17, 23)
    for restored in LumaChroma(**TINY)(pixels):
        assert torch.equal(restored, pixels)


@pytest.mark.parametrize("size", [(8, 8), (17, 23), (1, 5)])
def test_the_first_stage_keeps_chroma_and_the_second_keeps_the_first_ones_luma(size: tuple[int, int]) -> None:
    pixels = picture(*size, batch=2)
    network = lively()
    first, second = network(pixels)
    assert len(network.stage_names) == 2
    assert first.shape == second.shape == pixels.shape
    assert torch.isfinite(second).all()
    assert torch.equal(first[:, 1:], pixels[:, 1:])
    assert torch.equal(first[:, :1], second[:, :1])
    assert (first[:, 0] - pixels[:, 0]).abs().max() > 1e-3
    assert ((second - first)[:, 1:].abs().amax((0, 2, 3)) > 1e-3).all()
    (alone,) = network(pixels, stages=1)
    assert torch.equal(alone, first)


def test_chroma_is_guided_by_luma_but_luma_ignores_chroma() -> None:
    network, pixels = lively(), picture(12, 12)
    other_luma, other_chroma = pixels.clone(), pixels.clone()
    other_luma[:, 0] = 1 - other_luma[:, 0]
    other_chroma[:, 1:] = 1 - other_chroma[:, 1:]
    plain = network(pixels)[1]
    assert (network(other_luma)[1] - plain)[:, 1:].abs().max() > 1e-3
    assert torch.equal(network(other_chroma)[1][:, 0], plain[:, 0])


def test_every_parameter_gets_a_gradient_from_the_last_picture() -> None:
    network = lively()
    network(picture(13, 16, batch=2))[-1].square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all() and parameter.grad.abs().sum() > 0, name


def test_a_few_steps_bring_a_picture_closer_to_its_original() -> None:
    torch.manual_seed(0)
    network, original = LumaChroma(**TINY), picture(16, 16)
    degraded = functional.avg_pool2d(original, 3, 1, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    errors = []
    for _ in range(8):
        error = (network(degraded)[-1] - original).abs().mean((0, 2, 3))
        optimizer.zero_grad()
        error.sum().backward()
        optimizer.step()
        errors.append(error.detach())
    assert (errors[-1] < errors[0]).all()


def test_the_same_seed_and_input_give_the_same_picture() -> None:
    pixels = picture(8, 8)
    assert torch.equal(lively(3)(pixels)[-1], lively(3)(pixels)[-1])
    assert not torch.equal(lively(3)(pixels)[-1], lively(4)(pixels)[-1])


def test_nothing_beyond_the_overlap_matters_to_a_network_of_short_reach() -> None:
    network = lively()
    columns = network.overlap + 12
    pixels = picture(4, columns)
    changed = pixels.clone()
    changed[..., -1] = 0
    first, second = (network(each)[-1] for each in (pixels, changed))
    kept = columns - 1 - network.overlap
    torch.testing.assert_close(first[..., :kept], second[..., :kept], rtol=0, atol=1e-6)
    assert not torch.equal(first[..., kept:], second[..., kept:])


def test_weights_can_be_kept_channels_last() -> None:
    network, pixels = lively(), picture(8, 12)
    expected = network(pixels)[-1]
    found = placed(network, torch.device("cpu"))(pixels)[-1]
    torch.testing.assert_close(found, expected)


def test_the_picture_stays_in_full_precision_under_autocast() -> None:
    pixels = picture(8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        restored = LumaChroma(**TINY)(pixels)[-1]
    assert restored.dtype == torch.float32
    assert torch.equal(restored, pixels)

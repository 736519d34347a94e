"""HR-CNN: the paper's parameter counts, its front end against libjpeg's coefficients, its stages."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.fft import idctn
from torch import Tensor, nn

from models.jpeg import JpegComponent, Save, encode, read
from models.jpeg.planes import component_plane
from models.networks.hr_cnn import HrCnn, _spectrum_picture
from tests.models.sample_networks import photograph


def trainable(*parts: nn.Module) -> int:
    return sum(value.numel() for part in parts for value in part.parameters() if value.requires_grad)


def amplitudes(component: JpegComponent) -> Tensor:
    """(1, 64, block rows, block columns) as the network wants them."""
    dequantized = component.coefficients * component.quantization_table
    tall, wide = dequantized.shape[:2]
    return torch.from_numpy(dequantized.reshape(tall, wide, 64)).permute(2, 0, 1)[None].float()


def inverse_dct(coefficients: Tensor) -> NDArray:
    """(1, 64, block rows, block columns) -> (rows, columns), 0..1 and beyond, by scipy."""
    blocks = coefficients[0].permute(1, 2, 0).reshape(*coefficients.shape[2:], 8, 8).double().numpy()
    samples: Any = idctn(blocks, axes=(2, 3), norm="ortho")
    return (samples.swapaxes(1, 2).reshape(blocks.shape[0] * 8, -1) + 128) / 255


def lively(seed: int = 1) -> HrCnn:
    """A network in which every weight has an effect."""
    torch.manual_seed(seed)
    network = HrCnn()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return network


def random_coefficients(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 40


def test_every_part_has_the_published_number_of_parameters() -> None:
    network = HrCnn()
    assert trainable(network.reconstruct) == 262_208
    assert [trainable(layer) for layer in network.decode] == [12_808, 73]
    assert trainable(network.reconstruct, network.decode) == 275_089
    assert [trainable(block) for block in network.details] == [58_017] * 4
    assert trainable(network.details) == 232_068
    assert trainable(network) == 507_157


def test_multiply_accumulates_are_those_of_the_layers() -> None:
    per_plane_pixel = 64 * 64 + 64 * 8 * 25 + 8 * 9 + 4 * (64 * 121 + 64 * 16 * 49 + 16)
    assert HrCnn().mmac_per_pixel() == pytest.approx(1.5 * per_plane_pixel / 1e6)


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_untrained_it_decodes_the_planes_of_a_file(subsampling: str) -> None:
    saved = encode(photograph(43, 75), Save(30, subsampling))
    image = read(saved.data)
    assert image.coefficients_from == "bitstream"
    for component in image.components:
        found = HrCnn()(amplitudes(component))
        expected = np.clip(component_plane(component) / 255, 0, 1)
        for picture in found[2:]:
            assert picture.shape[2] % 8 == 0 and picture.shape[3] % 8 == 0
            cropped = picture[0, 0, : component.rows, : component.columns].clamp(0, 1).detach().numpy()
            np.testing.assert_allclose(cropped, expected, atol=1e-4)


def test_untrained_it_is_scipys_inverse_dct_without_negative_samples() -> None:
    coefficients = 2 * random_coefficients(1, 64, 3, 5)
    expected = inverse_dct(coefficients)
    assert expected.min() < 0
    decoded = HrCnn()(coefficients, 3)[-1][0, 0].detach().numpy()
    np.testing.assert_allclose(decoded, np.maximum(expected, 0), atol=1e-5)


def test_the_papers_coded_masks_sort_coefficients_into_the_channels() -> None:
    coefficients = random_coefficients(2, 64, 3, 5)
    masks = torch.zeros(64, 1, 8, 8)
    for channel in range(64):
        masks[channel, 0, channel // 8, channel % 8] = 1
    sorted_picture = nn.functional.conv2d(_spectrum_picture(coefficients), masks, stride=8)
    magnitudes = torch.expm1((sorted_picture - 0.5).abs() * 2 * np.log1p(1024))
    torch.testing.assert_close(magnitudes * (sorted_picture - 0.5).sign(), coefficients, rtol=1e-3, atol=1e-2)


def test_stages_have_their_shapes_names_and_ranges_for_odd_block_counts() -> None:
    network = lively().eval()
    pictures = network(random_coefficients(2, 64, 3, 5))
    assert len(pictures) == len(network.stage_names) == 7
    for picture in pictures:
        assert picture.shape == (2, 1, 24, 40)
        assert picture.dtype == torch.float32
        assert torch.isfinite(picture).all()
    for shown in pictures[:2]:
        assert shown.min() >= 0 and shown.max() <= 1
    assert pictures[2].min() >= 0 and pictures[-1].min() >= 0
    for earlier, later in zip(pictures, pictures[1:], strict=False):
        assert (earlier - later).abs().max() > 1e-3


def test_stopping_early_gives_the_first_pictures() -> None:
    network = lively().eval()
    coefficients = random_coefficients(1, 64, 2, 3)
    every = network(coefficients)
    for stages in range(1, 8):
        early = network(coefficients, stages=stages)
        assert len(early) == stages
        for one, other in zip(early, every, strict=False):
            assert torch.equal(one, other)


def test_every_parameter_gets_a_gradient_from_the_last_picture() -> None:
    network = lively()
    network(random_coefficients(2, 64, 3, 5))[-1].square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all() and parameter.grad.abs().sum() > 0, name


def test_training_lowers_the_error_of_the_untrained_decoder() -> None:
    torch.manual_seed(0)
    network = HrCnn()
    clean = encode(photograph(48, 48), Save(100, "4:4:4")).components[0]
    degraded = encode(photograph(48, 48), Save(10, "4:4:4")).components[0]
    reference = torch.from_numpy(component_plane(clean))[None, None] / 255
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-5)
    errors = []
    for _ in range(6):
        error = (network(amplitudes(degraded))[-1] - reference).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < errors[0]


def test_nothing_beyond_the_overlap_matters() -> None:
    network = lively().eval()
    coefficients = random_coefficients(1, 64, 3, 14)
    changed = coefficients.clone()
    kept = 14 - network.overlap // 8 - 1
    changed[..., -1] = 0
    first, second = (network(each)[-1] for each in (coefficients, changed))
    assert torch.equal(first[..., : kept * 8], second[..., : kept * 8])
    assert not torch.equal(first[..., kept * 8 :], second[..., kept * 8 :])


def test_the_same_seed_and_input_give_the_same_plane() -> None:
    coefficients = random_coefficients(1, 64, 2, 2)
    assert torch.equal(lively(3)(coefficients)[-1], lively(3)(coefficients)[-1])
    assert not torch.equal(lively(3)(coefficients)[-1], lively(4)(coefficients)[-1])


def test_decoding_keeps_full_precision_under_autocast() -> None:
    coefficients = random_coefficients(1, 64, 2, 2)
    network = HrCnn().eval()
    with torch.autocast("cpu", torch.bfloat16):
        pictures = network(coefficients)
    np.testing.assert_allclose(
        pictures[-1][0, 0].detach().numpy(), np.maximum(inverse_dct(coefficients), 0), atol=1e-5
    )

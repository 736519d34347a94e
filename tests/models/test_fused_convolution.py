"""Fused convolutions give what the plain layers give, and step aside where they may not."""

import pytest
import torch
from torch import nn

from models.networks import fused_convolution
from models.networks.fused_convolution import convolve_and_add, convolve_and_rectify
from models.networks.layers import mac_per_pixel
from models.tensors import placed
from tests.present import present

needs_operators = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this PyTorch comes without oneDNN"
)
lacks_bfloat16 = (
    not torch.ops.mkldnn._is_mkldnn_bf16_supported() if torch.backends.mkldnn.is_available() else True
)
GEOMETRIES = [{"kernel_size": 3, "padding": 1}, {"kernel_size": 2, "stride": 2}, {"kernel_size": 1}]


def made(geometry: dict, batch: int = 1) -> tuple[nn.Conv2d, torch.Tensor, torch.Tensor, torch.Tensor]:
    """A convolution, features, what is added to, and a scale with negative values."""
    torch.manual_seed(5)
    convolution = placed(nn.Conv2d(16, 24, **geometry), torch.device("cpu"))
    features = torch.randn(batch, 16, 20, 28).to(memory_format=torch.channels_last)
    with torch.no_grad():
        base = torch.randn_like(convolution(features))
    return convolution, features, base, torch.randn(batch, 16, 1, 1)


@needs_operators
@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize(
    "bfloat16",
    [
        False,
        pytest.param(
            True, marks=pytest.mark.skipif(lacks_bfloat16, reason="oneDNN has no bfloat16 for this processor")
        ),
    ],
)
def test_fused_equals_plain(geometry: dict, bfloat16: bool, monkeypatch) -> None:
    convolution, features, base, scale = made(geometry)

    def results() -> list[torch.Tensor]:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return [
                convolve_and_rectify(convolution, features),
                convolve_and_rectify(convolution, features, negative_slope=0.2),
                convolve_and_add(convolution, features, base),
                convolve_and_add(convolution, features, base, input_scale=scale),
                convolve_and_add(convolution, features, base, output_scale=0.1),
            ]

    assert fused_convolution._can_fuse(convolution, features) is False, "gradients are wanted here"
    with torch.no_grad():
        assert fused_convolution._can_fuse(convolution, features)
    fused = results()
    monkeypatch.setattr(fused_convolution, "_can_fuse", lambda *_: False)
    for one, other in zip(fused, results(), strict=True):
        assert one.shape == other.shape and one.is_contiguous(memory_format=torch.channels_last)
        tolerance = 0.03 * other.float().abs().max() if bfloat16 else 1e-4
        assert (one.float() - other.float()).abs().max() <= tolerance


@needs_operators
@pytest.mark.parametrize("features_too", [False, True])
def test_bfloat16_that_the_processor_cannot_fuse_is_left_to_the_plain_layers(
    features_too: bool, monkeypatch
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    convolution, features, base, scale = made(GEOMETRIES[0])
    with torch.inference_mode():
        plain = convolve_and_add(convolution, convolve_and_rectify(convolution, features)[:, :16], base)
    if features_too:
        convolution, features, base = convolution.bfloat16(), features.bfloat16(), base.bfloat16()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=not features_too):
        assert not fused_convolution._can_fuse(convolution, features)
        result = convolve_and_add(convolution, convolve_and_rectify(convolution, features)[:, :16], base)
    assert (result.float() - plain).abs().max() <= 0.03 * plain.abs().max()
    with torch.inference_mode():
        assert fused_convolution._can_fuse(*made(GEOMETRIES[0])[:2]), "float32 is fused everywhere"


def test_every_picture_of_a_batch_has_its_own_scale() -> None:
    convolution, features, base, scale = made(GEOMETRIES[0], batch=3)
    with torch.inference_mode():
        together = convolve_and_add(convolution, features, base, input_scale=scale)
        for index in range(3):
            one = slice(index, index + 1)
            alone = convolve_and_add(convolution, features[one], base[one], input_scale=scale[one])
            torch.testing.assert_close(together[one], alone, atol=1e-4, rtol=1e-4)


def test_gradients_reach_every_part() -> None:
    convolution, features, base, scale = made(GEOMETRIES[0])
    scale.requires_grad_()
    convolve_and_add(
        convolution, convolve_and_rectify(nn.Conv2d(16, 16, 1), features), base, input_scale=scale
    )
    convolve_and_add(convolution, features, base, input_scale=scale).sum().backward()
    assert present(convolution.weight.grad).abs().sum() > 0 and present(scale.grad).abs().sum() > 0


def test_operations_of_fused_layers_are_counted() -> None:
    convolution, features, base, _ = made(GEOMETRIES[0])
    holder = nn.ModuleList([convolution])
    counted = mac_per_pixel(holder, lambda: convolve_and_add(convolution, features, base).shape[2] and 1)
    assert counted == base.numel() * 16 * 9

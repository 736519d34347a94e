"""Convolutions that rectify or add on their way out: what inference on a processor gains from oneDNN's fused steps.

Between two convolutions of a residual block lie a ReLU, a scale and a sum, each of which reads and writes all features
once more. oneDNN does them while a convolution's results are still in the cache. PyTorch reaches these kernels through
operators that its compiler uses; where they are missing, or gradients are wanted, or the processor is too old for their
bfloat16, the plain layers do the same.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


def convolve_and_rectify(convolution: nn.Conv2d, features: Tensor, *, negative_slope: float = 0.0) -> Tensor:
    """ReLU, or leaky ReLU, of a convolution.

    Args:
        convolution: with a bias.
        features: (batch, inputs, rows, columns).
        negative_slope: of the ReLU below zero.

    Returns:
        (batch, outputs, rows, columns).
    """
    if not _can_fuse(convolution, features):
        fresh = convolution(features)
        return functional.leaky_relu(fresh, negative_slope) if negative_slope else functional.relu(fresh)
    features, weight, bias = _in_one_precision(features, convolution.weight, convolution.bias)
    rectifier = ("leaky_relu", [negative_slope]) if negative_slope else ("relu", [])
    return torch.ops.mkldnn._convolution_pointwise(
        features, weight, bias, *_geometry(convolution), *rectifier, ""
    )


def convolve_and_add(
    convolution: nn.Conv2d,
    features: Tensor,
    base: Tensor,
    *,
    input_scale: Tensor | None = None,
    output_scale: float = 1.0,
) -> Tensor:
    """base + output_scale * convolution(features * input_scale).

    Args:
        convolution: with a bias.
        features: (batch, inputs, rows, columns).
        base: (batch, outputs, rows, columns).
        input_scale: (batch, inputs, 1, 1), or None for 1.
        output_scale: of the whole correction.
    """
    one_scale = input_scale is None or len(input_scale) == 1
    one_pixel = base.shape[-2:].numel() == 1  # PyTorch 2.11 cannot add to it in channels-last order
    if one_pixel or not (one_scale and _can_fuse(convolution, features)):
        correction = convolution(features if input_scale is None else features * input_scale)
        return base + (correction if output_scale == 1 else output_scale * correction)
    assert convolution.bias is not None
    scale = output_scale if input_scale is None else output_scale * input_scale
    features, weight, bias, base = _in_one_precision(
        features, convolution.weight * scale, convolution.bias * output_scale, base
    )
    return torch.ops.mkldnn._convolution_pointwise.binary(
        features, base, weight, bias, *_geometry(convolution), "add", None, None, [], None
    )


def _can_fuse(convolution: nn.Conv2d, features: Tensor) -> bool:
    """Inference on a processor, of a layer that nobody listens to."""
    return (
        features.device.type == "cpu"
        and not torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and not convolution._forward_hooks
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
        and (_precision(features) != torch.bfloat16 or torch.ops.mkldnn._is_mkldnn_bf16_supported())
    )


def _precision(features: Tensor) -> torch.dtype:
    """Autocast's precision, else that of the features."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else features.dtype


def _in_one_precision(features: Tensor, *others: Tensor | None) -> list[Tensor]:
    """All of them that are there in autocast's precision, else in that of the features."""
    return [each.to(_precision(features)) for each in (features, *others) if each is not None]


def _geometry(convolution: nn.Conv2d) -> tuple:
    """In the order of the operators' arguments."""
    return convolution.padding, convolution.stride, convolution.dilation, convolution.groups

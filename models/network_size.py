"""How large a network would be, known without building it: its tensors are described, none of them is made."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from models.errors import OutOfMemory
from models.networks.base import Network

MOST_PARAMETERS = 1_000_000_000
"""Of one network; the largest on the page has 19 million."""

MOST_TENSORS = 5_000
"""Parts of a network that hold parameters: five hundred blocks of a few layers each."""


class NetworkTooLarge(OutOfMemory):
    """More parameters, or more layers, than any network here."""


def described_network(architecture: Callable[..., Network], hyperparameters: Mapping[str, Any]) -> Network:
    """A network on PyTorch's meta device: names and sizes of all tensors, and its cost, without their memory.

    Args:
        architecture: see models.zoo.ARCHITECTURES.
        hyperparameters: its keyword arguments, from anybody.

    Raises:
        NetworkTooLarge: as soon as it has more parameters or layers than allowed.
        TypeError, ValueError, RuntimeError, ArithmeticError, LookupError: hyperparameters that it does not take.
    """
    parameters = tensors = 0
    here = threading.get_ident()

    def count(_module: nn.Module, _name: str, parameter: nn.Parameter | None) -> None:
        nonlocal parameters, tensors
        if parameter is None or threading.get_ident() != here:
            return
        parameters, tensors = parameters + parameter.numel(), tensors + 1
        if parameters > MOST_PARAMETERS or tensors > MOST_TENSORS:
            much = f"{parameters:,} parameters" if parameters > MOST_PARAMETERS else f"{tensors:,} layers"
            raise NetworkTooLarge(
                f"The network has {much} or more. Up to {MOST_PARAMETERS:,} parameters in {MOST_TENSORS:,} layers are "
                "allowed. Choose smaller hyperparameters."
            )

    counting = register_module_parameter_registration_hook(count)
    try:
        with torch.device("meta"):
            return architecture(**hyperparameters)
    finally:
        counting.remove()


def count_parameters(network: nn.Module) -> int:
    """Trainable numbers of a network, described or built."""
    return sum(parameter.numel() for parameter in network.parameters())

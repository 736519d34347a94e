"""The network of a configuration: built once it is known to fit into this machine's memory."""

from models.errors import InvalidSetting
from models.memory import total_memory_bytes
from models.network_size import count_parameters, described_network
from models.networks.base import Network
from models.zoo import ARCHITECTURES, NOT_BUILT
from training.config import TrainConfig

BYTES_PER_PARAMETER = 20
"""In single precision: weights, gradients, two moments of the optimizer, and the averaged weights."""

SHARE = 0.5
"""Of the machine's memory; the rest is for patches, features and everything else."""


def memory_problem(parameters: int, memory_bytes: int | None = None) -> str:
    """What is wrong with training so many parameters here, as a sentence; "" for nothing.

    Args:
        parameters: of the network.
        memory_bytes: of the machine; None asks it.
    """
    has = total_memory_bytes() if memory_bytes is None else memory_bytes
    needed, allowed = parameters * BYTES_PER_PARAMETER, has * SHARE
    if needed <= allowed:
        return ""
    return (
        f"Training {parameters:,} parameters takes {needed / 2**30:.1f} GB before the first patch. Half of this "
        f"machine's memory, {allowed / 2**30:.1f} GB, is allowed. Choose smaller hyperparameters."
    )


def network_of(config: TrainConfig) -> Network:
    """The untrained network that a configuration describes.

    Raises:
        RestorationError: hyperparameters that it does not take, or too large ones for it or this machine.
    """
    architecture = ARCHITECTURES[config.architecture]
    try:
        described = described_network(architecture, config.hyperparameters)
        if problem := memory_problem(count_parameters(described)):
            raise InvalidSetting(problem)
        return architecture(**config.hyperparameters)
    except NOT_BUILT as error:
        raise InvalidSetting(
            f"The hyperparameters do not build a {config.architecture} ({error}). They are the keyword arguments of "
            f"{architecture.__name__}. Correct them in the configuration."
        ) from error

"""Every generator of random numbers a training run may draw from, put into a checkpoint and back."""

import random
from typing import Any

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Begin all of them anew.

    Args:
        seed: 0 to 2**32 - 1.
    """
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def random_states() -> dict[str, Any]:
    """The states of torch on the CPU and on every GPU, of numpy and of Python, as tensors and plain values."""
    kind, key, position, has_gauss, gauss = np.random.get_state()
    version, numbers, next_gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [kind, torch.from_numpy(key.astype(np.int64)), int(position), int(has_gauss), float(gauss)],
        "python": [version, torch.tensor(numbers), next_gauss],
    }


def restore_random_states(states: dict[str, Any]) -> None:
    """Undo of random_states(); GPUs that were not there then keep the states they have."""
    torch.set_rng_state(states["torch"])
    for index, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(state, index)
    kind, key, *rest = states["numpy"]
    np.random.set_state((kind, key.numpy().astype(np.uint32), *rest))
    version, numbers, next_gauss = states["python"]
    random.setstate((version, tuple(numbers.tolist()), next_gauss))

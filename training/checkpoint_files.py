"""Checkpoint files of the trainer, which survive a kill at any moment, and the random generators' states in them."""

import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.errors import BrokenCheckpoint
from models.files import write_atomically


def save_state(state: dict[str, Any], path: Path, *, keep: Path | None = None) -> None:
    """Write tensors and plain values; see models.files.write_atomically."""

    def write(temporary: Path) -> None:
        try:
            with open(temporary, "wb") as file:
                torch.save(state, file)
        except RuntimeError as error:  # torch's own writer stumbles over what a failed write left
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise

    write_atomically(path, write, keep=keep)


def load_state(path: Path) -> dict[str, Any]:
    """Read what save_state() wrote, after comparing every part with its checksum; no code in it is run.

    Raises:
        BrokenCheckpoint: missing, cut off, changed, or no such file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f"{damaged} does not have its checksum")
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise TypeError("it holds no mapping")
    except Exception as error:  # torch raises many kinds of exceptions for damaged files
        raise BrokenCheckpoint(
            f"{path} cannot be read ({str(error).splitlines()[0] if str(error) else type(error).__name__}). A whole "
            "file that this trainer saved is needed. Start the run again in another folder."
        ) from error
    return state


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
    own = np.random.get_state(legacy=False)
    key, position = own["state"]["key"], own["state"]["pos"]
    version, numbers, next_gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [
            own["bit_generator"],
            torch.from_numpy(key.astype(np.int64)),
            int(position),
            int(own["has_gauss"]),
            float(own["gauss"]),
        ],
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

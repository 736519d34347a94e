"""The processes that train one run together, started by torchrun or accelerate launch; usually there is one.

Everything between them goes through Hugging Face Accelerate, which is needed for more than one process only.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from models.errors import MissingExtra
from models.zoo import checked_device


def is_first_process() -> bool:
    """Whether this process speaks to people; known before the others are joined."""
    return os.environ.get("RANK", "0") == "0"


def end_process(code: int) -> None:
    """Leave Python with an exit code; one process among several leaves at once.

    Threads of gloo may still let go of tensors while Python is being taken down, which aborts a process that has done
    all its work (https://github.com/pytorch/pytorch/pull/179291).
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


class Processes:
    """This process among those that train a run.

    Attributes:
        device: where this one computes.
        index, count: which one it is, of how many.
    """

    def __init__(self, device: str | None) -> None:
        """Join the others that the launcher started, if it started any.

        Args:
            device: "cpu", "cuda", "cuda:1"; None chooses. With several processes each takes a GPU of its own.

        Raises:
            InvalidSetting: a device that this machine does not have.
            MissingExtra: several processes without the package accelerate.
        """
        chosen = "cuda" if torch.cuda.is_available() else "cpu"
        checked = checked_device(device or chosen)
        self.accelerator = None
        self.device, self.index, self.count = checked, 0, 1
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            self.accelerator = _accelerator(cpu=checked.type == "cpu")
            self.device = self.accelerator.device
            self.index, self.count = self.accelerator.process_index, self.accelerator.num_processes

    @property
    def first(self) -> bool:
        """Whether this process writes the run's folder and speaks to people."""
        return self.index == 0

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace every tensor by its mean over all processes, in one exchange.

        Args:
            tensors: floating point, of equal shapes in all processes.
        """
        if self.accelerator is None:
            return
        sizes = [tensor.numel() for tensor in tensors]
        flat = torch.cat([tensor.detach().reshape(-1).float() for tensor in tensors])
        mean = self.accelerator.reduce(flat, reduction="mean")
        with torch.no_grad():
            for tensor, values in zip(tensors, mean.split(sizes), strict=True):
                tensor.copy_(values.view(tensor.shape))

    def agree(self, *values: float) -> tuple[float, ...]:
        """The first process's values, in all processes."""
        if self.accelerator is None:
            return values
        from accelerate.utils import broadcast

        kind = torch.float32 if self.device.type == "mps" else torch.float64
        agreed: Any = broadcast(torch.tensor(values, device=self.device, dtype=kind))
        return tuple(agreed.tolist())

    def share(self, found: Any) -> Any:
        """The first process's object, in all processes; theirs is ignored."""
        if self.accelerator is None:
            return found
        from accelerate.utils import broadcast_object_list

        return broadcast_object_list([found])[0]

    def collect(self, found: Any) -> list[Any]:
        """Every process's object, in the order of the processes, in all of them."""
        if self.accelerator is None:
            return [found]
        from accelerate.utils import gather_object

        return gather_object([found])

    def leave(self) -> None:
        """Take leave of the others, so that no launcher has to wonder."""
        if self.accelerator is not None:
            self.accelerator.end_training()


def _accelerator(*, cpu: bool) -> Any:
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise MissingExtra(
            f"{os.environ['WORLD_SIZE']} processes were started, and the package accelerate is missing ({error}). One "
            "process trains without it. Install it with: pip install -r requirements-scale.txt."
        ) from error
    return Accelerator(cpu=cpu, mixed_precision="no")  # the trainer's own autocast follows runtime.precision

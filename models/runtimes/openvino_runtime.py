"""OpenVINO: networks compiled for the processor they run on; an optional extra, imported late.

Its threads share out the work as they find time for it, where PyTorch's wait for each other at every layer.
"""

import importlib
import importlib.util
import threading
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from models.errors import MissingExtra
from models.jpeg.dct import BLOCK
from models.networks.base import ColorRule, Network
from models.runtimes.runtime import precision_words

EXAMPLE_SIDE = 64
"""Rows and columns of the tile on which a network is traced; the converted one takes tiles of any size."""


def is_installed() -> bool:
    """Whether the package is there; it is not imported yet."""
    return importlib.util.find_spec("openvino") is not None


def check_installed() -> None:
    """Do nothing where the package is there.

    Raises:
        MissingExtra: it is not.
    """
    if not is_installed():
        raise MissingExtra(
            "OpenVINO was asked for as the runtime, and it is not installed. It is an optional extra; the studio runs "
            "without. Install it with: pip install -r requirements-runtime.txt, or leave --runtime out."
        )


class OpenVino:
    """A network on the processor, compiled once for each number of stages that is asked for."""

    def __init__(self, network: Network, *, reduced: bool) -> None:
        """Convert nothing yet.

        Args:
            network: on the processor, in evaluation mode.
            reduced: compute in bfloat16; the last sums, which make the pictures, stay in float32.
        """
        self.words = f"OpenVINO, {precision_words(reduced)}"
        self._network, self._reduced = network, reduced
        self._model: Any = None
        self._compiled: dict[int | None, Any] = {}
        self._lock = threading.Lock()

    def run(self, inputs: Tensor, condition: Tensor, stages: int | None) -> list[Tensor]:
        """See models.runtimes.runtime.Runtime."""
        with self._lock:
            if stages not in self._compiled:
                self._compiled[stages] = self._compile(condition, stages)
            compiled = self._compiled[stages]
        request = compiled.create_infer_request()  # one for each call: threads must not share them
        arrays = [tensor.contiguous().numpy() for tensor in (inputs, condition)][: len(compiled.inputs)]
        results = request.infer(arrays, share_inputs=True)
        return [torch.from_numpy(results[output]) for output in compiled.outputs]

    def _compile(self, condition: Tensor, stages: int | None) -> Any:
        openvino = importlib.import_module("openvino")
        if self._model is None:
            self._model = converted(self._network, condition.shape[1])
        model = self._model
        if stages is not None:
            model = openvino.Model(model.outputs[:stages], model.get_parameters())
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": "bf16" if self._reduced else "f32",
            "ENABLE_CPU_PINNING": False,  # a thread that is bound to a busy core waits there
        }
        return openvino.Core().compile_model(model, "CPU", settings)


def converted(network: Network, condition_size: int) -> Any:
    """The network as an openvino.Model for a batch of one, with any rows and columns.

    Its inputs are those of Network.forward, without a condition where that is empty; its outputs are the stages'.
    """
    openvino = importlib.import_module("openvino")
    side = EXAMPLE_SIDE // (BLOCK if network.color is ColorRule.COEFFICIENTS else 1)
    with torch.inference_mode(False), torch.enable_grad(), warnings.catch_warnings():
        # With gradients, the layers are plain ones. Warnings are of sizes taken for constants: the check has another.
        warnings.simplefilter("ignore")
        example = (torch.zeros(1, network.channels, side, side), torch.zeros(1, condition_size))
        traced = torch.jit.trace(_Stages(network), example, check_trace=False)
        shapes = [(1, network.channels, -1, -1), (1, condition_size)][: 2 if condition_size else 1]
        return openvino.convert_model(
            traced, example_input=example, input=[openvino.PartialShape(shape) for shape in shapes]
        )


class _Stages(nn.Module):
    """A network as a function of tensors that returns tensors."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.eval()

    def forward(self, inputs: Tensor, condition: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(inputs, condition))

"""Which runtime a network runs on: the quicker of those that compute the same, found out by a fixed picture."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.errors import InvalidSetting
from models.images import RgbImage
from models.jpeg import Save, encode
from models.networks.base import Network
from models.orientations import UPRIGHT
from models.runtimes.names import RuntimeName
from models.runtimes.openvino_runtime import OpenVino, check_installed, is_installed
from models.runtimes.runtime import PyTorch, Runtime
from models.steering import steer
from models.tiles import cut_into_tiles

logger = logging.getLogger(__name__)

WORTH_PIXELS = 2_000_000
"""So many must have been restored, or be about to be, before a network is converted by itself: converting and checking
take as long as PyTorch takes for one to two megapixels."""

LARGEST_DIFFERENCE = {False: 1, True: 3}
"""Gray levels of 255 from PyTorch in float32, in float32 and in bfloat16; PyTorch's own bfloat16 is 2 away."""

AT_MOST_SLOWER = 1.1
"""How many times as long as PyTorch OpenVINO may take, so that chance does not decide."""

ROWS, COLUMNS = 256, 384
"""Of the fixed picture; other than those on which networks are traced."""

RUNS, ENOUGH_SECONDS = 3, 0.5
"""How often each runtime is timed at most, and for how long."""


@dataclass(frozen=True, eq=False)
class _Sample:
    """What a network sees of the fixed picture."""

    inputs: Tensor
    condition: Tensor


class Runtimes:
    """The runtimes of one network, and which of them it runs on; shared by all threads."""

    def __init__(self, network: Network, wanted: RuntimeName) -> None:
        """Look at nothing yet.

        Args:
            network: on the processor, in evaluation mode.
            wanted: "pytorch" and "openvino" are not timed.
        """
        self._network, self.wanted = network, wanted
        self._pixels = 0
        self._chosen: dict[bool, Runtime] = {}
        self._lock = threading.Lock()

    def choose(self, pixels: int, *, reduced: bool) -> Runtime:
        """The runtime for a whole picture.

        Args:
            pixels: of the picture.
            reduced: run convolutions in bfloat16.
        """
        with self._lock:
            self._pixels += pixels
            if reduced not in self._chosen:
                pytorch = PyTorch(self._network, torch.device("cpu"), reduced)
                if not self._may_convert():
                    return pytorch
                self._chosen[reduced] = self._checked(pytorch)
                logger.info("%s runs on %s", type(self._network).__name__, self._chosen[reduced].words)
            return self._chosen[reduced]

    def _may_convert(self) -> bool:
        if self.wanted == "openvino":
            return True
        return self.wanted == "automatic" and self._pixels >= WORTH_PIXELS and is_installed()

    def _checked(self, pytorch: PyTorch) -> Runtime:
        """OpenVINO, or PyTorch where that fails, computes something else, or takes longer."""
        openvino = OpenVino(self._network, reduced=pytorch.reduced)
        try:
            sample = _sample(self._network)
            apart = _levels_apart(self._network, openvino, sample)
        except Exception as problem:  # whatever a package of somebody else's raises, the picture is restored
            logger.warning("OpenVINO is not used: it fails (%s).", _first_line(problem))
            return pytorch
        if apart > LARGEST_DIFFERENCE[pytorch.reduced]:
            logger.warning("OpenVINO is not used: its results differ by %d levels of 255.", apart)
            return pytorch
        if self.wanted == "automatic" and _seconds(openvino, sample) > AT_MOST_SLOWER * _seconds(
            pytorch, sample
        ):
            return pytorch
        return _WithFallback(openvino, pytorch)


class _WithFallback:
    """A runtime, until it fails for the first time; then another."""

    def __init__(self, runtime: Runtime, fallback: Runtime) -> None:
        self._runtime, self._fallback = runtime, fallback

    @property
    def words(self) -> str:
        return self._runtime.words

    def run(self, inputs: Tensor, condition: Tensor, stages: int | None) -> Sequence[Tensor]:
        runtime = self._runtime
        try:
            return runtime.run(inputs, condition, stages)
        except Exception as problem:
            if runtime is self._fallback or isinstance(problem, MemoryError):
                raise
            logger.warning(
                "%s failed (%s). %s is used.", runtime.words, _first_line(problem), self._fallback.words
            )
            self._runtime = self._fallback
            return self._fallback.run(inputs, condition, stages)


def check_runtime(wanted: RuntimeName, device: torch.device) -> None:
    """Do nothing where that runtime can be used.

    Raises:
        InvalidSetting: OpenVINO on anything but the processor.
        MissingExtra: OpenVINO is not installed.
    """
    if wanted != "openvino":
        return
    if device.type != "cpu":
        raise InvalidSetting(
            f"OpenVINO was asked for on the device {device}. It runs networks on the processor. Add --device cpu, or "
            "leave --runtime out."
        )
    check_installed()


def _sample(network: Network) -> _Sample:
    image = encode(_picture(), Save(30))
    steering = steer(
        network,
        image,
        torch.device("cpu"),
        quality_factor=None,
        use_tables=network.uses_tables,
        every_orientation=False,
    )
    canvas = network.color.canvas(image, max(1, len(network.stage_names)))
    tiles = cut_into_tiles(canvas.shapes[0], longest=COLUMNS, overlap=0, multiple=network.multiple)
    inputs = network.color.encode(canvas.inputs(0, tiles[0]))
    return _Sample(inputs.contiguous(memory_format=torch.channels_last), steering.condition(UPRIGHT))


def _picture() -> RgbImage:
    """(ROWS, COLUMNS, 3): waves of many lengths, edges and noise."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    noise = np.random.default_rng(29).normal(0, 6, (ROWS, COLUMNS))
    edges = 50 * ((rows // 37 + columns // 53) % 2)
    waves = [100 + 60 * np.sin(rows * columns / (900 + 400 * color)) + edges + noise for color in range(3)]
    return np.clip(np.stack(waves, axis=2), 0, 255).astype(np.uint8)


def _levels_apart(network: Network, runtime: Runtime, sample: _Sample) -> int:
    """The largest difference of any stage from PyTorch in float32, in whole gray levels."""
    expected = PyTorch(network, torch.device("cpu"), reduced=False)
    return max(
        int((ours - theirs).abs().max())
        for ours, theirs in zip(
            *(_levels(network, each, sample) for each in (expected, runtime)), strict=True
        )
    )


def _levels(network: Network, runtime: Runtime, sample: _Sample) -> Sequence[Tensor]:
    outputs = network.color.decode(list(runtime.run(sample.inputs, sample.condition, None)))
    return [output.clamp(0, 1).mul(255).round() for output in outputs]


def _seconds(runtime: Runtime, sample: _Sample) -> float:
    """The shortest of a few runs, of a runtime that has run before."""
    shortest, begin = float("inf"), time.perf_counter()
    for _ in range(RUNS):
        start = time.perf_counter()
        runtime.run(sample.inputs, sample.condition, None)
        shortest = min(shortest, time.perf_counter() - start)
        if time.perf_counter() - begin > ENOUGH_SECONDS:
            break
    return shortest


def _first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]

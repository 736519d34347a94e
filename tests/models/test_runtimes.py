"""Runtimes: OpenVINO computes what PyTorch computes, is chosen only then, and says so."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from models.errors import InvalidSetting, MissingExtra
from models.jpeg import JpegImage, Save, encode
from models.network_restorer import NetworkRestorer
from models.restorer import Restoration, RestoreOptions
from models.runtimes import choice, openvino_runtime
from models.runtimes.choice import Runtimes, check_runtime
from models.runtimes.names import RuntimeName
from models.zoo import ARCHITECTURES, Zoo
from tests.models.sample_networks import lively_restorer, photograph
from tests.paths import REPOSITORY

needs_openvino = pytest.mark.skipif(
    not openvino_runtime.is_installed(),
    reason="OpenVINO is not installed; pip install -r requirements-runtime.txt",
)
every_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)
OPENVINO = "OpenVINO, float32"
PYTORCH = "PyTorch, float32"


def restorer_by(runtime: RuntimeName, architecture: str = "cascade", **settings: Any) -> NetworkRestorer:
    restorer = lively_restorer(architecture, reduced_precision=False, **settings)
    return replace(restorer, runtimes=Runtimes(restorer.network, runtime))


@cache
def converted_once(architecture: str) -> NetworkRestorer:
    return restorer_by("openvino", architecture)


def pictures_of(restoration: Restoration) -> list[np.ndarray]:
    stages = [stage.pixels for stage in restoration.stages]
    own = restoration.pixels if restoration.unguarded is None else restoration.unguarded
    return [*stages, restoration.pixels, own]


def largest_difference(image: JpegImage, options: RestoreOptions, architecture: str, **settings: Any) -> int:
    """Of any picture of any stage from PyTorch's, in gray levels."""
    theirs = lively_restorer(architecture, reduced_precision=False, **settings).restore(image, options)
    ours = replace(converted_once(architecture), **settings).restore(image, options)
    assert ours.computed_by == OPENVINO and theirs.computed_by == PYTORCH
    pairs = zip(pictures_of(ours), pictures_of(theirs), strict=True)
    return max(int(np.abs(our.astype(int) - their).max()) for our, their in pairs)


@needs_openvino
@every_architecture
@pytest.mark.parametrize("size", [(1, 1), (17, 250), (104, 72)])
def test_every_network_gives_the_same_pictures_at_any_size(architecture, size) -> None:
    image = encode(photograph(*size), Save(30, "4:2:0"))
    assert largest_difference(image, RestoreOptions(), architecture) <= 1


@needs_openvino
@every_architecture
def test_tiles_and_gray_pictures_are_the_same(architecture) -> None:
    gray = encode(photograph(264, 400)[..., 1], Save(20))
    assert gray.is_gray
    assert largest_difference(gray, RestoreOptions(), architecture, longest_tile=256) <= 1


@needs_openvino
@pytest.mark.parametrize(
    "options",
    [
        RestoreOptions(effort="quick"),
        RestoreOptions(stages=2),
        RestoreOptions(effort="best"),
        RestoreOptions(guidance="pixels"),
        RestoreOptions(guidance="manual", quality_factor=15),
    ],
    ids=str,
)
def test_stages_effort_and_guidance_are_obeyed(options) -> None:
    image = encode(photograph(72, 104), Save(40))
    assert largest_difference(image, options, "cascade") <= 1


@needs_openvino
def test_the_networks_weights_have_an_effect_in_the_converted_one_too() -> None:
    image = encode(photograph(72, 104), Save(40))
    restored = converted_once("cascade").restore(image).unguarded
    assert restored is not None and np.abs(restored.astype(int) - image.pixels).max() > 4


@needs_openvino
def test_a_shipped_network_runs_through_openvino_where_the_zoo_is_told_so() -> None:
    image = encode(photograph(72, 104), Save(20))
    theirs, ours = (
        Zoo(REPOSITORY / "checkpoints", "cpu", runtime=name).load("cascade")
        for name in ("pytorch", "openvino")
    )
    assert isinstance(theirs, NetworkRestorer) and isinstance(ours, NetworkRestorer)
    found = replace(ours, reduced_precision=False).restore(image)
    expected = replace(theirs, reduced_precision=False).restore(image)
    assert found.computed_by == OPENVINO
    assert np.abs(found.pixels.astype(int) - expected.pixels).max() <= 1


@needs_openvino
def test_several_threads_get_their_own_pictures() -> None:
    restorer = converted_once("cascade")
    images = [encode(photograph(64 + 8 * index, 96), Save(30)) for index in range(6)]
    alone = [restorer.restore(image).pixels for image in images]
    with ThreadPoolExecutor(len(images)) as threads:
        together = list(threads.map(lambda image: restorer.restore(image).pixels, images))
    for first, second in zip(alone, together, strict=True):
        np.testing.assert_array_equal(first, second)


@needs_openvino
def test_automatic_converts_once_there_is_enough_to_restore(monkeypatch) -> None:
    monkeypatch.setattr(choice, "AT_MOST_SLOWER", float("inf"))
    image = encode(photograph(72, 104), Save(40))
    monkeypatch.setattr(choice, "WORTH_PIXELS", 2 * 72 * 104)
    restorer = restorer_by("automatic")
    assert [restorer.restore(image).computed_by for _ in range(3)] == [PYTORCH, OPENVINO, OPENVINO]


@needs_openvino
def test_automatic_keeps_pytorch_where_openvino_is_slower(monkeypatch) -> None:
    monkeypatch.setattr(choice, "AT_MOST_SLOWER", 0.0)
    monkeypatch.setattr(choice, "WORTH_PIXELS", 1)
    image = encode(photograph(16, 16), Save(40))
    assert restorer_by("automatic").restore(image).computed_by == PYTORCH


@needs_openvino
def test_a_runtime_that_computes_something_else_is_not_used(monkeypatch, caplog) -> None:
    run = openvino_runtime.OpenVino.run

    def brighter(self: Any, *arguments: Any) -> list[torch.Tensor]:
        return [output + 2 / 255 for output in run(self, *arguments)]

    monkeypatch.setattr(openvino_runtime.OpenVino, "run", brighter)
    image = encode(photograph(16, 16), Save(40))
    with caplog.at_level(logging.WARNING):
        assert restorer_by("openvino").restore(image).computed_by == PYTORCH
    assert "its results differ by" in caplog.text


@needs_openvino
def test_a_runtime_that_cannot_convert_a_network_leaves_it_to_pytorch(monkeypatch, caplog) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("no such operation\nand a long stack")

    monkeypatch.setattr(openvino_runtime, "converted", fails)
    image = encode(photograph(16, 16), Save(40))
    with caplog.at_level(logging.WARNING):
        assert restorer_by("openvino").restore(image).computed_by == PYTORCH
    assert "it fails (no such operation)" in caplog.text


@needs_openvino
def test_a_runtime_that_fails_later_hands_over_to_pytorch(monkeypatch, caplog) -> None:
    image = encode(photograph(72, 104), Save(40))
    restorer = restorer_by("openvino")
    assert restorer.restore(image).computed_by == OPENVINO

    def fails(*_: Any) -> list[torch.Tensor]:
        raise RuntimeError("a processor that was taken away")

    monkeypatch.setattr(openvino_runtime.OpenVino, "run", fails)
    with caplog.at_level(logging.WARNING):
        restored = restorer.restore(image)
    assert restored.computed_by == PYTORCH and "was taken away" in caplog.text
    expected = lively_restorer("cascade", reduced_precision=False).restore(image)
    np.testing.assert_array_equal(restored.pixels, expected.pixels)


def test_without_openvino_automatic_is_pytorch_and_asking_for_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(openvino_runtime, "is_installed", lambda: False)
    monkeypatch.setattr(choice, "is_installed", lambda: False)
    monkeypatch.setattr(choice, "WORTH_PIXELS", 1)
    image = encode(photograph(16, 16), Save(40))
    assert restorer_by("automatic").restore(image).computed_by == PYTORCH
    with pytest.raises(MissingExtra, match="pip install -r requirements-runtime.txt"):
        check_runtime("openvino", torch.device("cpu"))


def test_openvino_is_refused_on_a_gpu() -> None:
    with pytest.raises(InvalidSetting, match="device cuda:1.*--device cpu"):
        check_runtime("openvino", torch.device("cuda:1"))


def test_what_no_network_made_is_computed_by_none() -> None:
    image = encode(photograph(16, 16), Save(40))
    assert Zoo(REPOSITORY / "checkpoints", "cpu").load("plain").restore(image).computed_by == ""

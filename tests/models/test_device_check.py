"""A GPU is used only where it computes what the processor computes."""

import logging

import numpy as np
import pytest
import torch

from models import device_check, zoo
from models.device_check import device_problem, restored_on
from models.zoo import Zoo, usable_device

GPU = torch.device("cuda")


@pytest.fixture
def gives(monkeypatch):
    """Sets what a GPU gives: a change of what the processor gives, or an error."""
    right = restored_on(torch.device("cpu"))

    def as_told(change):
        def restored(device):
            return change(right.copy()) if device.type == "cuda" else right

        device_problem.cache_clear()
        monkeypatch.setattr(device_check, "restored_on", restored)

    yield as_told
    device_problem.cache_clear()


def one_sample(levels):
    def change(pixels):
        pixels[40, 60, 1] = min(int(pixels[40, 60, 1]) + levels, 255)
        return pixels

    return change


def fails(pixels):
    raise RuntimeError("no kernel image is available\nand more lines")


def test_the_check_restores_something():
    restored = restored_on(torch.device("cpu"))
    assert restored.shape == (72, 104, 3) and restored.std() > 10
    np.testing.assert_array_equal(restored, restored_on(torch.device("cpu")))


def test_one_level_is_rounding(gives, caplog):
    gives(one_sample(1))
    assert usable_device(GPU) == GPU and not caplog.records


@pytest.mark.parametrize(("change", "words"), [(one_sample(2), "2 levels"), (fails, "no kernel image")])
def test_another_result_means_the_processor_with_a_word_why(
    gives, change, words, caplog, tmp_path, monkeypatch
):
    gives(change)
    monkeypatch.setattr(zoo, "best_device", lambda: GPU)
    with caplog.at_level(logging.WARNING):
        assert Zoo(tmp_path).device.type == "cpu"
    assert words in caplog.text and "cuda is not used" in caplog.text and "more lines" not in caplog.text
    assert Zoo(tmp_path, self_check=False).device == GPU


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")
def test_this_gpu_computes_the_same():
    assert device_problem(GPU) == ""

"""The cascade: its budget, its stages, its steering, and what is pooled over the whole picture."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.fft import dctn
from torch import Tensor

from models.jpeg import quantization_tables
from models.networks.cascade import Cascade, _dct_kernels


@pytest.fixture(scope="module")
def cascade() -> Cascade:
    torch.manual_seed(0)
    network = Cascade(widths=(8, 12, 16), blocks=(1, 1, 1), embedding=8, periods=3, summary=16)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network.eval()


def test_the_shipped_size_stays_inside_its_budget() -> None:
    network = Cascade()
    assert sum(parameter.numel() for parameter in network.parameters()) <= 5_000_000
    assert network.mmac_per_pixel() <= 0.25
    assert network.stage_names == ("stage 1", "stage 2", "stage 3")


def test_an_untrained_cascade_returns_its_input() -> None:
    network = Cascade(widths=(8, 8, 8))
    pixels = torch.rand(2, 3, 24, 40)
    for picture in network(pixels, network.condition(network.summarize(pixels))):
        torch.testing.assert_close(picture, pixels)


def test_stopping_early_gives_the_first_stages(cascade) -> None:
    pixels = torch.rand(1, 3, 32, 32)
    condition = cascade.condition(cascade.summarize(pixels))
    every = cascade(pixels, condition)
    assert len(every) == 3
    for stages in (1, 2):
        for early, full in zip(cascade(pixels, condition, stages), every, strict=False):
            torch.testing.assert_close(early, full)


def test_the_dct_front_end_is_the_dct_of_luma_and_chroma() -> None:
    pixels = np.random.default_rng(0).random((3, 8, 8))
    found = torch.nn.functional.conv2d(torch.from_numpy(pixels)[None].float(), _dct_kernels()).reshape(
        3, 8, 8
    )
    luma = 0.299 * pixels[0] + 0.587 * pixels[1] + 0.114 * pixels[2]
    expected: Any = dctn(luma, norm="ortho")
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-5)
    blue = 0.5 / (1 - 0.114) * (pixels[2] - luma)
    expected = dctn(blue, norm="ortho")
    np.testing.assert_allclose(found[1].numpy(), expected, atol=1e-4)


def test_the_summary_is_a_mean_over_blocks(cascade) -> None:
    pixels = torch.rand(1, 3, 64, 40)
    strips = [cascade.summarize(strip) for strip in pixels.split([16, 48], 2)]
    torch.testing.assert_close(cascade.summarize(pixels), (strips[0] + 3 * strips[1]) / 4)


def test_quality_and_tables_steer_the_result(cascade) -> None:
    pixels = torch.rand(1, 3, 32, 32)
    summary = cascade.summarize(pixels)
    predicted = cascade.predicted_quality_factor(summary)
    assert 1 <= predicted.item() <= 100
    tables = torch.full((1, 128), 16.0)
    conditions = [
        cascade.condition(summary),
        cascade.condition(summary, quality_factor=torch.tensor([10.0])),
        cascade.condition(summary, quality_factor=torch.tensor([90.0])),
        cascade.condition(summary, tables=tables),
    ]
    torch.testing.assert_close(conditions[0], cascade.condition(summary, quality_factor=predicted))
    torch.testing.assert_close(conditions[0], cascade.condition(summary, tables=torch.zeros(1, 128)))
    results = [cascade(pixels, condition)[-1] for condition in conditions]
    for i, first in enumerate(results):
        for second in results[i + 1 :]:
            assert (first - second).abs().max() > 1e-4
    for extreme in (1.0, 50.0, 100.0):
        assert torch.isfinite(cascade.condition(summary, quality_factor=torch.tensor([extreme]))).all()


def steer(network: Cascade, summary: Tensor, factors: Tensor, tables: Tensor | None) -> Tensor:
    return network.condition(summary, quality_factor=factors, tables=tables)


def test_what_is_switched_off_has_no_say(cascade) -> None:
    pixels = torch.rand(2, 3, 32, 32)
    tables, other_tables = torch.full((2, 128), 16.0), torch.full((2, 128), 90.0)
    low, high = torch.tensor([10.0, 10.0]), torch.tensor([90.0, 90.0])
    summary, other_summary = cascade.summarize(pixels), cascade.summarize(torch.rand(2, 3, 32, 32))
    changes = {
        "use_quality": ((summary, low, None), (summary, high, None)),
        "use_tables": ((summary, low, tables), (summary, low, other_tables)),
        "use_context": ((summary, low, None), (other_summary, low, None)),
    }
    for switch, (before, after) in changes.items():
        off = Cascade(
            widths=(8, 12, 16), blocks=(1, 1, 1), embedding=8, periods=3, summary=16, **{switch: False}
        )
        off.load_state_dict(cascade.state_dict())
        torch.testing.assert_close(steer(off, *before), steer(off, *after), rtol=0, atol=0)
        assert (steer(cascade, *before) - steer(cascade, *after)).abs().max() > 1e-4, switch
        assert off.mmac_per_pixel() <= cascade.mmac_per_pixel()


def test_corrections_fade_where_there_is_no_damage(cascade):
    """By the tables where they are known, else by the quality factor."""
    pixels = torch.rand(6, 3, 32, 32)
    tables = torch.zeros(6, 128)
    tables[3:] = torch.stack(
        [
            torch.cat([torch.tensor(t).flatten() for t in quantization_tables(qf)]).float()
            for qf in (95, 98, 100)
        ]
    )
    factors = torch.tensor([97.0, 98.5, 100.0, 100.0, 90.0, 90.0])
    condition = cascade.condition(cascade.summarize(pixels), quality_factor=factors, tables=tables)
    assert condition[:, -1].tolist() == pytest.approx([1, 0.5, 0, 1, 0.5, 0], abs=0.08)
    with torch.no_grad():
        restored = cascade(pixels, condition)[-1]
    changed = (restored - pixels).abs().amax((1, 2, 3))
    assert changed[[2, 5]].tolist() == [0, 0]
    assert changed[[0, 1, 3, 4]].min() > 0

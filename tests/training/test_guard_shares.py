"""What the guard goes by is measured: a network that is right has shares near 1, one that adds noise near 0."""

import numpy as np
import pytest

from models.jpeg import Save, encode
from models.quantization_cells import EXPECTED
from tests.models.sample_networks import photograph
from training.experiments.guard_shares import DENSITIES, Shares, expected_errors, main


@pytest.mark.parametrize("quality_factor", [50, 90])
def test_a_perfect_picture_is_right_and_noise_is_not(quality_factor) -> None:
    clean = photograph(256, 384)
    image = encode(clean, Save(quality_factor, "4:4:4"))
    right, noisy = Shares(), Shares()
    right.add(image, clean, clean)
    noise = np.random.default_rng(4).normal(0, 2, clean.shape)
    noisy.add(image, np.clip(np.rint(image.pixels + noise), 0, 255).astype(np.uint8), clean)
    assert right.right.sum() / right.changed.sum() == pytest.approx(1, abs=0.05)
    assert abs(noisy.right.sum() / noisy.changed.sum()) < 0.2
    assert right.blocks.sum() == noisy.blocks.sum() <= 32 * 48


def test_the_expected_errors_are_like_those_that_are_shipped() -> None:
    measured = expected_errors([photograph(288, 448)], (25, 50, 75, 90))
    known = ~np.isnan(measured)
    assert measured.shape == tuple(EXPECTED.shape) and known.mean() > 0.5
    ratio = measured[known] / EXPECTED.numpy()[known]
    assert 0.7 < np.median(ratio) < 1.3


def test_the_command_prints_a_table(tmp_path, capsys) -> None:
    from models.png_files import write_png

    write_png(photograph(96, 112), tmp_path / "cat.png")
    assert main([str(tmp_path), "--model", "ar_cnn", "--quality-factors", "75", "--side", "96"]) == 0
    printed = capsys.readouterr().out
    assert "`ar_cnn`" in printed and f"density {DENSITIES[1]} to" in printed
    assert main([str(tmp_path), "--expected", "--side", "96"]) == 0
    assert main([str(tmp_path / "nothing")]) == 2
    capsys.readouterr()
    assert main([str(tmp_path), "--model", "plain", "--side", "96"]) == 2
    assert "plain has no guard" in capsys.readouterr().err

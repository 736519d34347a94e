"""Drawing degradations at random: shares, determinism, and what is refused."""

import numpy as np
import pytest

from models.errors import InvalidSetting
from models.jpeg import Degradation, JpegEncoding
from training.degradation_range import DegradationRange


@pytest.mark.parametrize(
    "make",
    [
        lambda: DegradationRange(quality_factors=((60, 5, 1.0),)),
        lambda: DegradationRange(quality_factors=()),
        lambda: DegradationRange(quality_factors=((0, 5, 1.0),)),
        lambda: DegradationRange(subsamplings=(("4:2:1", 1.0),)),
        lambda: DegradationRange(subsamplings=(("4:2:0", 0.0),)),
        lambda: DegradationRange(subsamplings=(("4:2:0", -1.0), ("4:4:4", 2.0))),
        lambda: DegradationRange(double_share=1.1),
        lambda: DegradationRange(shifted_share=-0.1),
        lambda: DegradationRange(gray_share=float("nan")),
    ],
)
def test_wrong_ranges_are_refused_in_three_sentences(make):
    with pytest.raises(InvalidSetting) as refusal:
        make()
    assert len(str(refusal.value).split(". ")) >= 3


def test_sampling_is_deterministic():
    one, other = (np.random.default_rng(11) for _ in range(2))
    choices = DegradationRange()
    assert [choices.sample(one) for _ in range(50)] == [choices.sample(other) for _ in range(50)]
    assert choices.sample(one) != choices.sample(np.random.default_rng(12))


def test_sampling_keeps_to_its_shares():
    rng = np.random.default_rng(5)
    drawn = [DegradationRange().sample(rng) for _ in range(4000)]
    doubles = [degradation for degradation in drawn if len(degradation.encodings) == 2]
    assert len(doubles) / 4000 == pytest.approx(0.35, abs=0.03)
    shifted = sum(degradation.total_shift != (0, 0) for degradation in doubles)
    assert shifted / len(doubles) == pytest.approx(0.75 * 63 / 64, abs=0.04)
    assert {degradation.total_shift[0] for degradation in doubles} == set(range(8))
    assert {degradation.total_shift[1] for degradation in doubles} == set(range(8))
    lasts = [degradation.encodings[-1] for degradation in drawn]
    quality_factors = [encoding.quality_factor for encoding in lasts]
    assert (min(quality_factors), max(quality_factors)) == (5, 95)
    above_60 = np.mean([quality_factor > 60 for quality_factor in quality_factors])
    assert above_60 == pytest.approx(0.2 * 35 / 36, abs=0.03)
    names = [encoding.subsampling for encoding in lasts]
    for name, share in (("4:2:0", 0.8), ("4:4:4", 0.12), ("4:2:2", 0.08)):
        assert names.count(name) / 4000 == pytest.approx(share, abs=0.03)
    grays = [DegradationRange(gray_share=0.2).sample_gray(rng) for _ in range(2000)]
    assert np.mean(grays) == pytest.approx(0.2, abs=0.04)


def test_a_single_choice_is_always_taken():
    choices = DegradationRange(((10, 10, 1.0),), (("4:4:4", 1.0),), double_share=1, shifted_share=0)
    expected = Degradation((JpegEncoding(10, "4:4:4"), JpegEncoding(10, "4:4:4")))
    assert choices.sample(np.random.default_rng(0)) == expected

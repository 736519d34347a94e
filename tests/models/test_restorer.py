"""RestoreOptions: what steers a restoration, and what cannot be wanted together."""

import numpy as np
import pytest

from models.errors import InvalidSetting
from models.jpeg import JpegImage, Save, encode
from models.restorer import RestoreOptions
from tests.models.sample_networks import photograph


@pytest.fixture(scope="module")
def image() -> JpegImage:
    return encode(photograph(64, 72), Save(30))


@pytest.mark.parametrize("guidance", ["automatic", "tables", "pixels"])
def test_a_quality_factor_belongs_to_manual_guidance_alone(guidance) -> None:
    with pytest.raises(InvalidSetting, match=f"set to 30, and the guidance to {guidance}"):
        RestoreOptions(guidance, 30)


def test_manual_guidance_needs_a_quality_factor() -> None:
    with pytest.raises(InvalidSetting, match="guidance is manual, and there is no quality factor"):
        RestoreOptions("manual")


@pytest.mark.parametrize("factor", [0, 101, -3])
def test_an_impossible_quality_factor_is_refused(factor: int) -> None:
    with pytest.raises(InvalidSetting, match=f"set to {factor}. It lies between 1 and 100"):
        RestoreOptions("manual", factor)


def test_what_commands_say_becomes_a_guidance() -> None:
    assert RestoreOptions.of() == RestoreOptions()
    assert RestoreOptions.of(40, stages=2) == RestoreOptions("manual", 40, 2)
    assert RestoreOptions.of(blind=True) == RestoreOptions("pixels")
    with pytest.raises(InvalidSetting, match="Leave one out"):
        RestoreOptions.of(40, blind=True)


def test_each_guidance_has_its_quality_factor(image) -> None:
    assert RestoreOptions().steering_factor(image) is None
    assert RestoreOptions("pixels").steering_factor(image) is None
    assert RestoreOptions("manual", 44).steering_factor(image) == 44
    assert RestoreOptions("tables").steering_factor(image) == 30


def test_tables_that_fit_no_quality_factor_cannot_steer(image) -> None:
    with pytest.raises(InvalidSetting, match="no JPEG header"):
        RestoreOptions("tables").steering_factor(JpegImage(b"", np.zeros((8, 8, 3), np.uint8), "PNG"))

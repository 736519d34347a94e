"""What part of a picture is looked at, as the page says it, and where looking tells most."""

import numpy as np
import pytest

from models.jpeg import Save, encode
from models.restorer import Box
from studio.page.sight import box_of, telling_spot
from tests.models.sample_networks import photograph


def test_a_part_in_sight_is_four_shares() -> None:
    assert box_of([0.1, 0, 0.5, 1]) == Box(0.1, 0, 0.5, 1)
    assert box_of([-3, 0.2, 7, 0.4]) == Box(0, 0.2, 1, 0.4)


@pytest.mark.parametrize(
    "value", [None, "0 0 1 1", [0, 0, 1], [0, 0, 0, 1], [0.5, 0, 0.4, 1], [0, 0, 1, "1"], [float("nan")] * 4]
)
def test_anything_else_is_no_part(value: object) -> None:
    assert box_of(value) is None


@pytest.mark.parametrize(("top", "left"), [(0, 0), (0, 1200), (720, 0), (720, 1200)])
def test_the_damaged_corner_tells_most(top: int, left: int) -> None:
    picture = photograph(1440, 2000).copy()
    place = np.s_[top : top + 720, left : left + 800]
    picture[place] = encode(picture[place].copy(), Save(8)).pixels
    column, row = telling_spot(picture)
    assert left <= column <= left + 800 and top <= row <= top + 720


@pytest.mark.parametrize("size", [(1, 1), (9, 700), (31, 31), (32, 32), (33, 47), (64, 8)])
def test_small_pictures_have_a_spot_inside(size: tuple[int, int]) -> None:
    column, row = telling_spot(photograph(*size))
    assert 0 <= row < size[0] and 0 <= column < size[1]

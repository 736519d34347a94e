"""The measuring program runs, on pictures small enough for every day; its numbers are for quiet machines."""

import json

import numpy as np
import pytest

from tests.browser.measure_viewer import GESTURES, measure, photograph_like

pytestmark = pytest.mark.browser


def test_the_viewer_can_be_measured_and_stays_locked_meanwhile(browser):
    first, everything, frames, view = measure(browser, 0.3, 5, 0.5)
    assert 0 < first <= everything
    assert list(frames) == [words for _, _, words in GESTURES]
    for deltas, busy in frames.values():
        assert len(deltas) >= 2 and min(deltas) >= 0 and busy > 0
    panes = json.loads(view)
    assert len(panes) == 5
    assert (
        len({(one["zoom"], one["left"] - one["cell"][0], one["top"] - one["cell"][1]) for one in panes}) == 1
    )


def test_measured_pictures_are_large_and_differ():
    first, second = photograph_like(2, 0), photograph_like(2, 1)
    assert abs(first.size / 3e6 - 2) < 0.05 and first.dtype == np.uint8
    assert (first != second).any()

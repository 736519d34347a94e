"""How a picture from the studio's process is compared with the same one made by the test."""

import numpy as np


def assert_same_picture(actual, expected):
    """One gray level apart at most, in fewer than one of a hundred values.

    The last bits of a convolution depend on how many threads share it and where its buffers lie, so two processes may
    round a value differently.
    """
    apart = np.abs(actual.astype(int) - expected)
    assert actual.shape == expected.shape
    assert apart.max() <= 1 and (apart > 0).mean() < 0.01, (apart.max(), (apart > 0).mean())

"""What the tests of training share, in tests/training."""

from tests.training.conftest import *  # noqa: F403

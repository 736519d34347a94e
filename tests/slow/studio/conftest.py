"""What the tests of studio share, in tests/studio."""

from tests.studio.conftest import *  # noqa: F403

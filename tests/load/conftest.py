"""One studio in public mode for all tests of this folder."""

import pytest

from tests.load.server import served
from tests.load.visitor import Layout, Visitor


@pytest.fixture(scope="session")
def server():
    with served("--public") as running:
        yield running


@pytest.fixture(scope="session")
def layout(server):
    return Layout.of(server.address)


@pytest.fixture
def arrive(server, layout):
    """arrive() -> a visitor with a page of his own; all of them leave at the end."""
    visitors = []

    def one(**changed):
        visitors.append(Visitor(server.address, layout, **changed))
        return visitors[-1]

    yield one
    for visitor in visitors:
        visitor.close()

"""What the guard stands before, and the rules it goes by."""

import pytest

from studio.server.guard import FairShares, GuardRules
from studio.server.routes import Routes, headers_for, host_names, local_host_names
from tests.studio.guard.asking import Desk


@pytest.fixture
def app():
    return Desk()


@pytest.fixture
def rules(tmp_path):
    routes = Routes(True, host_names(["studio.example", ".hf.space", *local_host_names()]), (tmp_path,))
    return GuardRules(routes, headers_for(()), 10_000, {3: 2}, FairShares())

"""Freed memory goes back to the system when it is asked for."""

import subprocess
import sys

import pytest

from tests.paths import REPOSITORY

PROGRAM = """
import psutil
from models.memory import give_back_freed_memory, keep_freed_buffers
keep_freed_buffers()
pieces = [bytearray(50_000) for _ in range(4000)]
del pieces[1::2]
kept = psutil.Process().memory_info().rss
given = give_back_freed_memory()
print(given, round((kept - psutil.Process().memory_info().rss) / 1e6))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do it themselves")
def test_freed_memory_is_given_back() -> None:
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    given, megabytes = told.stdout.split()
    assert given == "True"
    assert int(megabytes) > 60  # of 100 in holes between pieces in use

"""Freed memory goes back to the system when it is asked for."""

import subprocess
import sys

import pytest

from models.memory import total_memory_bytes
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


def test_a_container_has_no_more_memory_than_it_may_use(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("models.memory._GROUP_LIMITS", [str(tmp_path / name) for name in "abc"])
    whole = total_memory_bytes()
    assert whole > 2**28
    (tmp_path / "a").write_text("max\n")
    assert total_memory_bytes() == whole
    (tmp_path / "b").write_text("268435456\n")
    (tmp_path / "c").write_text("9223372036854771712\n")
    assert total_memory_bytes() == 2**28

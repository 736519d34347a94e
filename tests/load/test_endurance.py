"""Soak and junk on a small scale, or, with JPEG_STUDIO_LOAD=1, at full size."""

import os

from tests.load.junk import bombard
from tests.load.server import served
from tests.load.soak import is_emptied, soak

FULL = bool(os.environ.get("JPEG_STUDIO_LOAD"))
LIFETIME = 60 if FULL else 20


def test_many_jobs_leave_nothing_behind():
    with served("--public", program=("tests/load/short_lived.py", str(LIFETIME))) as server:
        first, last = soak(server, *((2000, 200) if FULL else (80, 40)))
        print(f"\nfrom {first} to {last}")
        assert last.memory_mb - first.memory_mb <= 50
        assert abs(last.threads - first.threads) <= 4
        assert last.descriptors - first.descriptors <= 10
        assert is_emptied(server, 6 * LIFETIME)
        assert "Traceback" not in server.log.read_text()


def test_nonsense_does_not_keep_a_visitor_from_his_result():
    with served("--public") as server:
        for attempt in range(2):  # the first restorations grow pools that the later ones find
            bombard(server, 10, 1, 1, attempt=attempt)
        found = bombard(server, *((3000, 200, 100) if FULL else (150, 4, 8)), attempt=2)
        print(f"\n{found}")
        assert found["form field"] in (0, 400)
        assert found["JSON"] in (0, 413)
        assert set(found["sessions from everywhere"]) == {200}
        assert found["sessions from one place"][429] > 0
        assert found["grown_mb"] <= 100
        assert "Traceback" not in server.log.read_text()

"""How soon the page answers, and what the idle studio holds."""

import os

from tests.load.server import served

FULL = bool(os.environ.get("JPEG_STUDIO_LOAD"))


def test_the_page_is_there_soon_and_needs_little(capsys):
    with served("--public") as server:
        held = server.memory_mb()
        with capsys.disabled():
            print(f"\npage after {server.start_seconds:.1f} s, {held:.0f} MB idle")
        assert held <= 700
        assert server.start_seconds <= (8 if FULL else 120)  # two cores, nobody else on them, a warm disk

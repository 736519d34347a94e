"""How soon the page answers, and what the idle studio holds."""

import os
import time

from tests.load.server import served

FULL = bool(os.environ.get("JPEG_STUDIO_LOAD"))


def test_the_page_is_there_soon_and_needs_little(capsys):
    with served("--public") as server:
        held = server.memory_mb()
        with capsys.disabled():
            print(f"\npage after {server.start_seconds:.1f} s, {held:.0f} MB idle")
        assert held <= 700
        assert server.start_seconds <= (8 if FULL else 120)  # two cores, nobody else on them, a warm disk


def test_an_idle_server_rests(capsys):
    with served("--public") as server:
        time.sleep(3)  # what begins with the page
        began, used = time.monotonic(), server.processor_seconds()
        time.sleep(10)
        share = (server.processor_seconds() - used) / (time.monotonic() - began)
        with capsys.disabled():
            print(f"\nan idle server uses {share:.1%} of a core")
        assert share < 0.04  # Gradio by itself looks for work a thousand times a second, and uses five

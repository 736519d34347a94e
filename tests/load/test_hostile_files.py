"""Odd, damaged and hostile files through the public page's own requests: time, memory, and the picture after each.

One in five of them, or, with JPEG_STUDIO_LOAD=1, all.
"""

import os
import threading
import time

from tests.load.pictures import foreign_pixels, tinted
from tests.load.server import served
from tests.load.visitor import Layout, Refused, Visitor
from tests.paths import HOSTILE_FILES, needs_shared_data

SECONDS, MEGABYTES = 10, 300
SAMPLE_SECONDS = 0.05
FILES = HOSTILE_FILES[:: 1 if os.environ.get("JPEG_STUDIO_LOAD") else 5]


class Peak:
    """The most memory that a server and its decoders held at once, looked at many times a second."""

    def __init__(self, server):
        self._server, self._over = server, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.mb = server.memory_mb()

    def _watch(self):
        while not self._over.wait(SAMPLE_SECONDS):
            self.mb = max(self.mb, self._server.memory_mb())

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def shown_or_said(visitor, path):
    """Drop a file and restore it; the sentence with which it was refused, if it was."""
    try:
        visitor.open(path.read_bytes(), path.name)
    except Refused as refused:
        assert refused.status in (400, 413), refused
        return str(refused)
    opened = visitor.value("photograph")
    if opened.get("state") == "failed":
        return opened["words"]
    visitor.restore()
    assert [row["state"] for row in visitor.value("results")["rows"]] == ["done", "done"]
    return ""


@needs_shared_data
def test_no_file_takes_long_or_much_memory_or_spoils_the_next_picture():
    with served("--public") as server:
        layout = Layout.of(server.address)

        def arrive():
            visitor = Visitor(server.address, layout)
            visitor.set("Models", ["plain"])
            return visitor

        good = arrive()
        good.open(tinted(3, 0, 600, 800))
        good.restore()  # what any first picture costs
        before, seconds, refused = server.memory_mb(), {}, 0
        with Peak(server) as peak:
            for number, path in enumerate(FILES):
                visitor, began = arrive(), time.monotonic()
                visitor.set("Save as JPEG", "keep")
                sentence = shown_or_said(visitor, path)
                seconds[path.name] = time.monotonic() - began
                visitor.close()
                refused += bool(sentence)
                assert "unforeseen" not in sentence, (path.name, sentence)
                good.open(tinted(3, number, 64, 64))
                good.restore()
                assert foreign_pixels(good.result("plain"), 3) == 0, path.name
        good.close()
        slowest = max(seconds, key=seconds.__getitem__)
        print(
            f"\n{len(FILES)} files, {refused} refused; slowest {seconds[slowest]:.2f} s ({slowest}); "
            f"memory rose by at most {peak.mb - before:.0f} MB, {server.memory_mb() - before:.0f} MB stayed"
        )
        assert seconds[slowest] <= SECONDS
        assert peak.mb - before <= MEGABYTES
        assert "Traceback" not in server.log.read_text(), server.log.read_text()

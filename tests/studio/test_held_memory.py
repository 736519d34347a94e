"""What open pages hold is bounded in bytes, files are opened once, and megapixels under way are counted."""

import gc
import threading
import time
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pytest

from models.errors import RestorationError, UnreadableImage
from models.jpeg import JpegImage
from studio.engine.cache import array_bytes
from studio.engine.pixel_gate import PixelGate
from studio.server.held_memory import HeldMemory
from studio.server.openings import REMEMBERED_SECONDS, Openings


def picture(side=10, data=b"x"):
    return JpegImage(data=data, decoded_pixels=np.zeros((side, side, 3), np.uint8), format="PNG")


@dataclass(frozen=True, eq=False)
class Holds:
    inside: object = None
    more: object = field(default_factory=lambda: MappingProxyType({}))


class Pages:
    """Open pages and what each of them holds."""

    def __init__(self):
        self.states = {}

    def let_go(self, name):
        self.states[name] = []

    def held(self, **bounds):
        return HeldMemory(lambda: self.states, self.let_go, **bounds)

    @property
    def kept(self):
        return [name for name, states in self.states.items() if states]


def test_everything_a_page_holds_counts_and_what_is_shared_counts_once():
    pixels = np.zeros((100, 100), np.uint8)
    holds = Holds(
        MappingProxyType({"a": (pixels, pixels[10:])}), MappingProxyType({"b": [Holds(pixels), b"1234"]})
    )
    assert array_bytes(holds) == 10_004
    image = picture()
    before = array_bytes(image)
    turned = JpegImage(data=b"x", decoded_pixels=image.decoded_pixels, format="PNG", orientation=6)
    assert turned.pixels.shape == (10, 10, 3)
    assert array_bytes(turned) >= before, "what was worked out since is counted, too"


def test_the_page_used_longest_ago_lets_go_first():
    pages = Pages()
    held = pages.held(most_bytes=350, client_bytes=None)
    for name in "abcd":
        pages.states[name] = [np.zeros(100, np.uint8)]
        held.note(name, "client " + name)
    held.note("a", "client a")
    assert held.keep_within() == 1
    assert pages.kept == ["a", "c", "d"]


def test_a_client_has_a_share_and_others_keep_theirs():
    pages = Pages()
    held = pages.held(most_bytes=10_000, client_bytes=250)
    for number in range(10):
        pages.states[f"greedy {number}"] = [np.zeros(100, np.uint8)]
        held.note(f"greedy {number}", "10.0.0.1")
    pages.states["other"] = [np.zeros(200, np.uint8)]
    held.note("other", "10.0.0.2")
    held.keep_within("greedy 0")
    assert pages.kept == ["greedy 0", "greedy 9", "other"], "who is being answered stays"


def test_equal_pictures_of_many_pages_cost_once():
    pages, pixels = Pages(), np.zeros(1000, np.uint8)
    held = pages.held(most_bytes=1500, client_bytes=1500)
    for number in range(100):
        pages.states[str(number)] = [Holds(pixels)]
        held.note(str(number), "one")
    assert held.keep_within() == 0


def test_equal_files_are_decoded_once_and_shared():
    decoded = []

    def decode(data):
        decoded.append(data)
        time.sleep(0.1)
        return picture(data=data)

    openings, found = Openings(decode), []
    threads = [threading.Thread(target=lambda: found.append(openings(b"same"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len({id(image) for image in found}) == 1 and decoded == [b"same"]
    assert openings(b"same") is found[0] and openings(b"other") is not found[0]
    found.clear()
    gc.collect()
    openings(b"same")
    assert decoded == [b"same", b"other", b"same"], "nothing is kept that nobody holds"


def test_a_refused_file_is_remembered_and_a_busy_server_is_not():
    now, tried = [0.0], []

    def decode(data):
        tried.append(data)
        raise (UnreadableImage if data == b"bomb" else RestorationError)(f"no {len(tried)}")

    openings = Openings(decode, clock=lambda: now[0])
    for _ in range(5):
        with pytest.raises(UnreadableImage, match="no 1"):
            openings(b"bomb")
    assert tried == [b"bomb"]
    for _ in range(3):
        with pytest.raises(RestorationError):
            openings(b"busy")
    assert tried.count(b"busy") == 3
    now[0] = REMEMBERED_SECONDS + 1
    with pytest.raises(UnreadableImage):
        openings(b"bomb")
    assert tried.count(b"bomb") == 2


def test_one_client_never_has_both_places():
    asking, at_work, may_end = threading.local(), [], threading.Event()

    def decode(data):
        at_work.append(data)
        if data.startswith(b"slow"):
            may_end.wait(10)
        return picture(data=data)

    openings = Openings(decode, lambda: asking.client)

    def open_as(client, data):
        asking.client = client
        openings(data)

    threads = [threading.Thread(target=open_as, args=("greedy", b"slow%d" % n)) for n in range(5)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    open_as("other", b"quick")
    assert b"quick" in at_work and len(at_work) == 2
    may_end.set()
    for thread in threads:
        thread.join(10)
    assert len(at_work) == 6


def test_so_many_pixels_are_under_way_and_small_pictures_pass():
    gate, most, under_way, lock = PixelGate(100), [0], [0], threading.Lock()

    def work(pixels):
        with gate.of(pixels):
            with lock:
                under_way[0] += pixels
                most[0] = max(most[0], under_way[0])
            time.sleep(0.01)
            with lock:
                under_way[0] -= pixels

    sizes = [60, 60, 30, 1, 1, 99, 500] * 5
    threads = [threading.Thread(target=work, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert under_way == [0] and most[0] == 500, "one that is larger than all works alone"

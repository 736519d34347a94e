"""Restorers in threads of their own: one at a time, and whoever waits can still leave."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from models.errors import RestorationCancelled, RestorationError
from studio.engine.background import in_background


def finished(generator):
    """What a generator returns, and what it yielded."""
    items = []
    while True:
        try:
            items.append(next(generator))
        except StopIteration as end:
            return end.value, items


class Worker:
    """Work that says how many were at it at once."""

    def __init__(self) -> None:
        self.busy, self.most, self.begun, self.may_end = 0, 0, 0, Event()
        self.lock = threading.Lock()

    def __call__(self, on_tile):
        with self.lock:
            self.begun += 1
        for tile in range(3):
            with self.lock:
                self.busy += 1
                self.most = max(self.most, self.busy)
            time.sleep(0.01)
            if tile == 1:
                assert self.may_end.wait(10)
            with self.lock:
                self.busy -= 1
            on_tile(tile + 1, 3)  # where the turn may change hands
        return "done"


def test_one_restorer_works_at_a_time_and_all_get_their_turn():
    worker = Worker()
    worker.may_end.set()
    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(finished, in_background(str(n), worker, Event())) for n in range(6)]
        for number, job in enumerate(jobs):
            result, tiles = job.result(20)
            assert result == "done"
            assert [(tile.model_name, tile.done) for tile in tiles] == [
                (str(number), done) for done in (1, 2, 3)
            ]
            assert all(tile.seconds < 0.5 for tile in tiles), "waiting was counted as work"
    assert (worker.begun, worker.most) == (6, 1)


def test_who_waits_can_leave_and_never_begins():
    first, second, stop = Worker(), Worker(), Event()
    ahead, waiting = in_background("a", first, Event()), in_background("b", second, stop)
    next(ahead)
    time.sleep(0.2)  # it is at its second tile
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(next, waiting)
        time.sleep(0.2)
        assert not told.done()
        stop.set()
        with pytest.raises(RestorationCancelled, match="before b began"):
            told.result(2)
    first.may_end.set()
    assert finished(ahead)[0] == "done"
    assert second.begun == 0


def test_a_failure_gives_the_turn_back():
    def fails(_on_tile):
        raise ValueError("secret")

    with pytest.raises(RestorationError, match="nobody foresaw"):
        finished(in_background("a", fails, Event()))
    assert finished(in_background("b", lambda on_tile: 5, Event()))[0] == 5


def test_part_of_other_work_does_not_wait_for_it():
    def whole(_on_tile):
        return finished(in_background("part", lambda on_tile: 5, Event(), in_turn=False))[0]

    assert finished(in_background("whole", whole, Event()))[0] == 5

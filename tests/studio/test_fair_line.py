"""Everybody's turn comes: in lines, and at the processor."""

import threading
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from models.errors import RestorationCancelled
from models.jpeg import Save, encode
from studio.engine.background import in_background, needs_turn
from studio.engine.cache import ResultCache
from studio.engine.engine import Engine
from studio.engine.outputs import RestoreRequest
from studio.engine.turn import Turn
from studio.server.call_queue import FairOrder
from tests.present import present


def served(line, waiting, places=1):
    """Serve one after the other, and charge a second for each."""
    order = []
    while waiting:
        client = waiting.pop(line.next_of(waiting, {}, places))
        line.charge(client, 1.0)
        order.append(client)
    return order


def test_a_newcomer_comes_right_after_the_one_at_work():
    line = FairOrder()
    assert served(line, ["greedy"] * 50 + ["anna"] * 2).index("anna") <= 1
    assert served(line, ["greedy"] * 50 + ["ben"]).index("ben") <= 1


def test_two_who_ask_for_much_take_turns():
    order = served(FairOrder(), ["a"] * 10 + ["b"] * 10)
    assert order[:10].count("b") == 5


def test_who_was_away_saved_nothing_up():
    line = FairOrder()
    served(line, ["a"] * 100)
    order = served(line, ["a"] * 20 + ["late"] * 20)
    assert order[:20].count("a") >= 9


def test_a_long_job_counts_for_more_than_a_short_one():
    line, order, waiting = FairOrder(), [], ["long"] * 5 + ["short"] * 20
    while waiting:
        client = waiting.pop(present(line.next_of(waiting, {}, 1)))
        line.charge(client, 10.0 if client == "long" else 1.0)
        order.append(client)
    assert order[:12].count("short") >= 10


def test_a_client_never_has_all_places():
    line = FairOrder()
    assert line.next_of(["a", "a"], {"a": 1}, 2) is None
    assert line.next_of(["a", "b"], {"a": 1}, 2) == 1
    assert line.next_of(["a"], {}, 1) == 0
    assert line.next_of(["a"], {"a": 99}, None) == 0
    assert line.next_of([], Counter(), 2) is None


def test_the_turn_changes_hands_between_steps():
    turn, steps, ready = Turn(), [], threading.Event()

    def work(name, count):
        assert turn.take(lambda: False)
        for _ in range(count):
            ready.set()
            time.sleep(0.01)
            steps.append(name)
            assert turn.hand_on(lambda: False)
        turn.give_back()

    threads = [
        threading.Thread(target=work, args=("large", 30)),
        threading.Thread(target=work, args=("small", 2)),
    ]
    threads[0].start()
    assert ready.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join(30)
    assert "small" in steps[:4] and steps.count("large") == 30


def test_who_leaves_the_line_holds_nobody_up():
    turn = Turn()
    assert turn.take(lambda: False)
    assert not turn.take(lambda: True)
    turn.give_back()
    assert turn.take(lambda: False)


def test_a_small_picture_does_not_wait_for_a_large_one():
    begun, done = threading.Event(), []

    def run(name, tiles, seconds):
        def work(on_tile):
            for tile in range(tiles):
                begun.set()
                time.sleep(seconds)
                on_tile(tile + 1, tiles)
            return name

        for _ in in_background(name, work, threading.Event()):
            pass
        done.append(name)

    large = threading.Thread(target=run, args=("large", 100, 0.02))
    large.start()
    assert begun.wait(10)
    run("small", 1, 0.02)
    assert done == ["small"]
    large.join(60)
    assert done == ["small", "large"]


def test_little_work_waits_for_no_tile(zoo):
    """The one at work holds its turn until the little work is done."""
    begun, quick_done = threading.Event(), threading.Event()

    def work(on_tile):
        begun.set()
        assert quick_done.wait(60)

    def hold():
        for _ in in_background("large", work, threading.Event()):
            pass

    large = threading.Thread(target=hold)
    large.start()
    assert begun.wait(10)
    image = encode(np.full((96, 96, 3), 90, np.uint8), Save(60))
    try:
        outputs = finished_within(30, Engine(zoo, ResultCache(2**20)), image)
    finally:
        quick_done.set()
        large.join(60)
    assert set(outputs.restorations) == {"plain", "reapply"}


def finished_within(seconds, engine, image):
    """The last outputs of both baselines."""
    found = []
    request = RestoreRequest("key", ("plain", "reapply"), None)

    def run():
        found.extend(engine.run_stages(image, request, threading.Event()))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "little work waited for a large picture's tile"
    return found[-1]


def test_work_is_little_by_pixels_and_what_each_costs(zoo):
    plain = zoo.load("plain").card
    large = replace(plain, mmac_per_pixel=1.2)

    def of(side):
        return encode(np.full((side, side, 3), 90, np.uint8), Save(60))

    assert not needs_turn(plain, of(900)) and needs_turn(plain, of(1100))
    assert not needs_turn(large, of(120)) and needs_turn(large, of(160))


def test_a_stop_while_others_have_the_turn_ends_the_work():
    stop, began, hold = threading.Event(), threading.Event(), threading.Event()

    def first(on_tile):
        began.set()
        time.sleep(0.3)  # until the other one waits
        on_tile(1, 2)
        raise AssertionError("it was stopped")

    def second(on_tile):
        stop.set()
        hold.wait(10)
        return "done"

    def run_first():
        with pytest.raises(RestorationCancelled):
            for _ in in_background("first", first, stop):
                pass
        hold.set()

    thread = threading.Thread(target=run_first)
    thread.start()
    assert began.wait(10)
    for _ in in_background("second", second, threading.Event()):
        pass
    thread.join(10)
    assert not thread.is_alive() and hold.is_set()

"""Work that is due later."""

import threading
import time

from studio.server.later import Later


def test_what_is_due_is_done_in_its_order_by_one_thread():
    later, done, names, end = Later("test"), [], set(), threading.Event()

    def note(number):
        done.append(number)
        names.add(threading.current_thread().name)

    for number, seconds in ((3, 0.3), (1, 0.1), (2, 0.2)):
        later.call(number, seconds, lambda number=number: note(number))
    later.call("fails", 0.05, lambda: 1 / 0)
    later.call("end", 0.4, end.set)
    assert end.wait(30)
    assert done == [1, 2, 3] and names == {"test"}
    assert len(later) == 0


def test_the_same_key_is_done_once_and_what_was_forgotten_not_at_all():
    later, done, end = Later("test"), [], threading.Event()
    before = threading.active_count()
    for number in range(5000):
        later.call("one", 0.1, lambda number=number: done.append(number))
    later.call("forgotten", 0.05, lambda: done.append("forgotten"))
    later.forget("forgotten")
    assert threading.active_count() <= before + 1
    assert len(later._due) < 300
    later.call("end", 0.5, end.set)
    assert end.wait(30)
    assert done == [4999]


def test_what_is_given_while_others_wait_is_not_late():
    later, end = Later("test"), threading.Event()
    later.call("far", 3600, lambda: None)
    time.sleep(0.05)
    later.call("near", 0.05, end.set)
    assert end.wait(30)

"""Calls wait in bounded queues: turns come, places are given back, and nobody's work is done for nobody."""

import asyncio
from contextlib import ExitStack

import pytest

from studio.server import call_queue
from studio.server.call_queue import CallQueues, NobodyListens, QueueFull


def run(scenario, **places):
    """Have a scenario play with queues of these places, "models" working one call at a time."""

    async def play():
        queues = CallQueues(places or {"models": 3}, sharing_work="models")
        with ExitStack() as listeners:
            return await asyncio.wait_for(scenario(queues, listeners), 30)

    return asyncio.run(play())


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def waiting(queues, group, client, count=1):
    """That many calls of a client, as tasks."""
    return [asyncio.create_task(queues.join(group, client, f"{client}-{number}")) for number in range(count)]


def test_a_call_that_finds_a_place_begins_at_once_and_gives_it_to_the_next():
    async def scenario(queues, _):
        first = await queues.join("light", "a", "a-1")
        [second] = waiting(queues, "light", "b")
        await settle()
        assert not second.done()
        queues.end(first)
        queues.end(first)
        call = await second
        [third] = waiting(queues, "light", "c")
        await settle()
        assert not third.done(), "a call that ended twice gave two places"
        queues.end(call)
        queues.end(await third)

    run(scenario, light=1)


def test_the_next_one_is_who_has_had_least():
    async def scenario(queues, _):
        greedy = waiting(queues, "light", "greedy", 8)
        [anna] = waiting(queues, "light", "anna")
        served = []
        for _ in range(3):
            await settle()
            ready = [task for task in (*greedy, anna) if task.done() and task not in served]
            served += ready
            for task in ready:
                await asyncio.sleep(0.01)
                queues.end(task.result())
        assert anna in served[:2]
        for task in (*greedy, anna):
            task.cancel()

    run(scenario, light=1)


def test_a_client_has_one_place_less_than_there_are():
    async def scenario(queues, _):
        greedy = waiting(queues, "models", "greedy", 5)
        await settle()
        assert sum(task.done() for task in greedy) == 2
        await asyncio.wait_for(queues.join("models", "anna", "anna"), 1)
        for task in greedy:
            task.cancel()

    run(scenario)


def test_who_stops_waiting_leaves_the_queue_and_who_was_let_in_leaves_the_place():
    async def scenario(queues, _):
        [first, second, third] = waiting(queues, "light", "a", 3)
        await settle()
        assert first.done() and not second.done()
        second.cancel()
        queues.end(first.result())
        third_call = await third
        queues.end(third_call)
        [fourth] = waiting(queues, "light", "a")
        fourth.cancel()  # before it was asked whether its turn has come
        await settle()
        assert await asyncio.wait_for(queues.join("light", "b", "b"), 1)

    run(scenario, light=1)


def test_queues_are_bounded_for_each_client_and_for_all(monkeypatch):
    monkeypatch.setattr(call_queue, "MAX_QUEUED_PER_CLIENT", 3)
    monkeypatch.setattr(call_queue, "MAX_QUEUED", 5)

    async def scenario(queues, _):
        tasks = waiting(queues, "light", "a", 4)
        await settle()
        assert queues.refusal("light", "a") == call_queue.busy_sentence(3)
        assert queues.refusal("light", "b") is None
        with pytest.raises(QueueFull, match="Busy, 3 waiting"):
            await queues.join("light", "a", "a")
        tasks += waiting(queues, "light", "b", 2)
        await settle()
        assert queues.refusal("light", "b") == call_queue.busy_sentence(5), "b would have as many as a"
        assert queues.refusal("other", "b") is None
        for task in tasks:
            task.cancel()

    run(scenario, light=1, other=1)


def test_all_queues_together_are_bounded_as_well(monkeypatch):
    monkeypatch.setattr(call_queue, "MAX_WAITING_PER_CLIENT", 3)
    monkeypatch.setattr(call_queue, "MAX_WAITING", 5)

    async def scenario(queues, _):
        tasks = [task for group in "abcd" for task in waiting(queues, group, "greedy", 2)]
        await settle()
        assert sum(task.done() and task.exception() is None for task in tasks) == 3
        assert queues.refusal("e", "greedy") and queues.refusal("e", "anna") is None
        tasks += [task for group in "abcd" for task in waiting(queues, group, "other", 1)]
        await settle()
        assert queues.refusal("e", "other")
        for task in tasks:
            task.cancel()
            if task.done() and not task.cancelled():
                task.exception()

    run(scenario, a=1, b=1, c=1, d=1, e=1)


@pytest.mark.parametrize("most", ["MAX_QUEUED", "MAX_WAITING"])
def test_a_full_queue_makes_room_for_who_has_less(monkeypatch, most):
    monkeypatch.setattr(call_queue, most, 4)

    async def scenario(queues, _):
        tasks = waiting(queues, "light", "a", 1 + 3)
        tasks += waiting(queues, "light", "b", 1)
        await settle()
        assert queues.refusal("light", "anna") is None
        [anna] = waiting(queues, "light", "anna")
        await settle()
        assert not anna.done()
        with pytest.raises(QueueFull, match="Busy, 4 waiting"):
            await tasks[3]
        assert not any(task.done() for task in (*tasks[1:3], tasks[4])), "only the newest of a's calls left"
        [second] = waiting(queues, "light", "anna")
        with pytest.raises(QueueFull):
            await second
        for task in (*tasks, anna):
            task.cancel()

    run(scenario, light=1)


@pytest.mark.parametrize("most", ["MAX_QUEUED", "MAX_WAITING"])
def test_a_full_queue_makes_room_where_nobody_listens(monkeypatch, most):
    """Many addresses that ask once and go have less than anybody, and must not keep others out."""
    monkeypatch.setattr(call_queue, most, 4)

    async def scenario(queues, listeners):
        queues.heed_listeners()
        listeners.enter_context(queues.listening("at-work-0"))
        listeners.enter_context(queues.listening("heard-0"))
        [at_work] = waiting(queues, "light", "at-work")
        await settle()
        [heard] = waiting(queues, "light", "heard")
        gone = [waiting(queues, "light", f"gone-{number}")[0] for number in range(3)]
        await settle()
        assert at_work.done() and queues.refusal("light", "anna") is None
        [anna] = waiting(queues, "light", "anna")
        with pytest.raises(QueueFull):
            await gone[0]
        assert not any(task.done() for task in (heard, anna, *gone[1:])), "the oldest of them leaves"
        for task in (heard, anna, *gone[1:]):
            task.cancel()

    run(scenario, light=1)


def test_one_customers_networks_have_one_share():
    networks = [f"2001:db8:5:{number:x}::/64" for number in range(call_queue.MAX_QUEUED_PER_CLIENT + 1)]

    async def scenario(queues, _):
        tasks = [waiting(queues, "light", network)[0] for network in networks]
        await settle()
        assert queues.refusal("light", "2001:db8:5:ffff::/64") == call_queue.busy_sentence(32)
        assert queues.refusal("light", "2001:db8:6:1::/64") is None
        [anna] = waiting(queues, "light", "192.0.2.7")
        queues.end(await tasks[0])
        await settle()
        [begun] = [task for task in (*tasks[1:], anna) if task.done()]
        if begun is not anna:
            queues.end(begun.result())
            await asyncio.wait_for(asyncio.shield(anna), 1)
        for task in tasks:
            task.cancel()

    run(scenario, light=1)


def test_who_was_let_in_beside_the_one_at_work_waits_as_well():
    async def scenario(queues, _):
        tasks = waiting(queues, "models", "a", 2 + 31)
        await settle()
        assert queues.refusal("models", "a") == call_queue.busy_sentence(32)
        for task in tasks:
            task.cancel()

    run(scenario)


def test_a_call_begins_once_somebody_listens():
    async def scenario(queues, listeners):
        queues.heed_listeners()
        [call] = waiting(queues, "light", "a")
        [later] = waiting(queues, "light", "b")
        listeners.enter_context(queues.listening("b-0"))
        await settle()
        assert later.done() and not call.done(), "a call that nobody listens to holds nobody up"
        queues.end(later.result())
        with queues.listening("a-0"):
            await settle()
            assert call.done() and queues.is_heard("x", "a-0")
        assert not queues.is_heard("a-0")

    run(scenario, light=1)


def test_a_call_that_nobody_listens_to_is_dropped(monkeypatch):
    monkeypatch.setattr(call_queue, "UNHEARD_SECONDS", 0.2)

    async def scenario(queues, _):
        queues.heed_listeners()
        [never] = waiting(queues, "light", "a")
        with pytest.raises(NobodyListens, match="Nobody waited"):
            await never
        with queues.listening("b-0"), queues.listening("c-0"):
            [first, second] = waiting(queues, "light", "b")[0], waiting(queues, "light", "c")[0]
            await asyncio.sleep(0.4)
            assert first.done() and not second.done(), "who listens waits as long as it takes"
        with pytest.raises(NobodyListens):
            await second
        assert queues.refusal("light", "c") is None

    run(scenario, light=1)


def test_who_comes_back_in_time_is_not_dropped(monkeypatch):
    monkeypatch.setattr(call_queue, "UNHEARD_SECONDS", 0.3)

    async def scenario(queues, _):
        queues.heed_listeners()
        with queues.listening("b-0"):
            [busy] = waiting(queues, "light", "b")
            await settle()
            with queues.listening("a-0"):
                [call] = waiting(queues, "light", "a")
                await asyncio.sleep(0.4)
            await asyncio.sleep(0.1)
            with queues.listening("a-0"):
                await asyncio.sleep(0.4)
                assert not call.done()
                queues.end(busy.result())
                await asyncio.wait_for(call, 1)

    run(scenario, light=1)

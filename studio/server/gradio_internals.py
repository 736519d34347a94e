"""Between the page and the handlers: a queue bounded line by line, and answers that cost only what they change."""

import math
from collections import ChainMap, Counter, OrderedDict, defaultdict
from collections.abc import Mapping
from contextlib import nullcontext
from copy import copy
from functools import cached_property
from importlib.util import find_spec
from random import shuffle
from time import monotonic
from types import MappingProxyType
from typing import Any

import fastapi
import gradio as gr
import gradio.utils
from gradio.blocks import BlocksConfig
from gradio.components.base import _Keywords
from gradio.queueing import Queue
from gradio.route_utils import API_PREFIX
from gradio.utils import is_prop_update
from gradio_client.utils import encode_file_path, is_file_obj_with_meta

from studio.server.answers import without_changes
from studio.server.calls import Known
from studio.server.fair_line import FairLine
from studio.server.rates import client_of

MODELS = {"concurrency_limit": 3, "concurrency_id": "models"}
"""One line for everything that runs a model. Two of one client are let in, and one of another: one model works at a
time (engine.background), and meanwhile the next visitor's picture is measured, or the last one's result shown."""

QUEUE_LENGTH = 32
"""Handlers of one group that may wait for one client; those that run models are one group."""

LONGEST_QUEUE = 256
"""The same for all clients together; their turns come by what each has had, so that a long line harms nobody."""

UNHEARD_SECONDS = 20.0
"""A call begins once somebody waits for its news; after so long without anybody it is dropped."""

REST_SECONDS, IDLE_REST_SECONDS = 0.01, 0.05
"""Between two looks at a queue, and at an empty one. Gradio looks a thousand times a second, which takes a twentieth
of a core."""

NO_PROGRESS_REST_SECONDS = 0.5
"""Between two looks for Gradio's own progress bars, which no handler uses."""

ESTIMATION_SECONDS = 1.0
"""Between two times that everybody in a line is told his place; Gradio tells all whenever one's turn comes."""

MOST_MAILBOXES = 1000
"""Visitors whose news are held while nobody fetches them."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})

_ENDED = _Keywords.FINISHED_ITERATING
"""What a generator's end gives for each output; Gradio would empty all of them if it was the first thing it gave."""


class StudioBlocks(gr.Blocks):
    """Gradio's page; a handler's answer costs only what it changes.

    Gradio builds every output anew that a handler leaves alone, on the event loop, which took most of the time of a
    small picture. It also looks twice through all that a component of our own shows, each time in a thread, for files
    it might have to copy; the studio's lie where they are served from.
    """

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """The outputs' values for the page, in their order; a generator that ends without a word changes nothing."""
        outputs = list(block_fn.outputs)
        if _is_end(predictions):
            predictions = {one: gr.skip() for one in outputs}
        if isinstance(predictions, dict) and state is not None:
            predictions = without_changes(predictions, state) or {one: gr.skip() for one in outputs}
        if (
            not isinstance(predictions, dict)
            or not predictions
            or any(key not in outputs for key in predictions)
        ):
            return await super().postprocess_data(block_fn, predictions, state)
        changed = {
            one: predictions[one] for one in outputs if one in predictions and not _is_skip(predictions[one])
        }
        told = {one: _with_urls(value) for one, value in changed.items() if _is_told_as_it_is(one, value)}
        others = [one for one in changed if one not in told]
        if others:
            slim = copy(block_fn)
            slim.outputs = others
            values = [changed[one] for one in others]
            values = await super().postprocess_data(slim, values[0] if len(values) == 1 else values, state)
            told |= zip(others, values, strict=True)
        return [told[one] if one in told else (None if one.stateful else gr.skip()) for one in outputs]

    def get_state_ids_to_track(self, block_fn: Any, state: Any) -> tuple[list[int], list[Any]]:
        """States that somebody listens to; Gradio looks through all handlers for each of them at every step."""
        if not self._states_are_heard:
            return [], []
        return super().get_state_ids_to_track(block_fn, state)

    @cached_property
    def _states_are_heard(self) -> bool:
        """Whether any handler waits for a state's change; asked when the page is finished."""
        targets = [target for handler in self.fns.values() for target in handler.targets]
        return any(
            event == "change" and self.blocks[number].stateful
            for number, event in targets
            if number is not None
        )


def _is_told_as_it_is(component: Any, value: Any) -> bool:
    """Whether Gradio would not change a value of one of our own components, or an update of a button."""
    return type(component) is (gr.Button if is_prop_update(value) else gr.HTML)


def _with_urls(value: Any) -> Any:
    """A value with a `url` in every dictionary that studio.server.files.served_file made."""
    if is_file_obj_with_meta(value):
        return {**value, "url": f"{API_PREFIX}/file={encode_file_path(value['path'])}"}
    if isinstance(value, dict):
        return {key: _with_urls(one) for key, one in value.items()}
    return [_with_urls(one) for one in value] if isinstance(value, list | tuple) else value


def _is_end(predictions: Any) -> bool:
    """Whether a generator ended before it gave anything."""
    return (predictions[0] if isinstance(predictions, tuple) and predictions else predictions) is _ENDED


def _is_skip(value: Any) -> bool:
    return isinstance(value, dict) and value == gr.skip()


class BoundedQueue(Queue):
    """Gradio's queue, with a bound for each concurrency group instead of one for all, fewer records and less news.

    Gradio drops the mailbox that was opened longest ago once there are 2,000, even one whose owner still waits for his
    result, and after every event it makes a table of the last 10,000. Neither happens here.
    """

    def __init__(self, queue: Queue) -> None:
        """Takes the place of a queue that has not begun."""
        super().__init__(
            live_updates=queue.live_updates,
            concurrency_count=queue.max_thread_count,
            update_intervals=queue.update_intervals,
            max_size=None,
            blocks=queue.blocks,
            default_concurrency_limit=queue.default_concurrency_limit,
        )
        self._fair: defaultdict[str, FairLine] = defaultdict(FairLine)
        self.listeners: Counter[str] | None = None
        self._told_all: dict[str, float] = {}  # when all of a line were told their places, by line
        self.progress_update_sleep_when_free = NO_PROGRESS_REST_SECONDS
        self.pending_messages_per_session = _Mailboxes(self)
        self.ANALYTICS_MAX_EVENTS = 1
        self.ANAYLTICS_CACHE_FREQUENCY = 2**62

    @property
    def sleep_when_free(self) -> float:
        """Seconds until the next look for what can begin."""
        return REST_SECONDS if len(self) else IDLE_REST_SECONDS

    @sleep_when_free.setter
    def sleep_when_free(self, _: float) -> None:
        """Gradio's own choice does not count."""

    def broadcast_estimations(self, concurrency_id: str, after: int | None = None) -> None:
        """Tell those from place `after` on where they stand; all of them only once in a while."""
        now = monotonic()
        if after is None:
            if now - self._told_all.get(concurrency_id, -math.inf) < ESTIMATION_SECONDS:
                return
            self._told_all[concurrency_id] = now
        super().broadcast_estimations(concurrency_id, after)

    def get_events(self) -> tuple[list[Any], bool, str] | None:
        """What may begin now; in every line the client's turn has come who has had least."""
        lines = list(self.event_queue_per_concurrency_id.items())
        shuffle(lines)
        for name, line in lines:
            self._drop_unheard(line)
            ready = [event for event in line.queue if self._is_heard(event)]
            places = line.concurrency_limit
            if not ready or (places is not None and line.current_concurrency >= places):
                continue
            at_work = self._at_work(name)
            turn = self._fair[name].next_of([client_of_event(event) for event in ready], at_work, places)
            if turn is not None:
                line.queue.remove(ready[turn])
                return [ready[turn]], False, name
        return None

    def _at_work(self, name: str) -> Counter[str]:
        """How many calls of each client are being served in a line."""
        events = (one[0] for one in self.active_jobs if one)
        return Counter(client_of_event(event) for event in events if event.concurrency_id == name)

    async def process_events(self, events: Any, *rest: Any, **named: Any) -> None:
        """Gradio's own; what it takes is the client's."""
        began = monotonic()
        try:
            await super().process_events(events, *rest, **named)
        finally:
            self._fair[events[0].concurrency_id].charge(client_of_event(events[0]), monotonic() - began)

    def _is_heard(self, event: Any) -> bool:
        """Whether somebody waits for its news; True for all where nobody notes who does."""
        return self.listeners is None or bool(self.listeners[event.session_hash] or self.listeners[event._id])

    def _drop_unheard(self, line: Any) -> None:
        """Nobody has asked for news of these, or nobody does any more."""
        for event in [one for one in line.queue if not self._is_heard(one)]:
            if monotonic() - event.enqueue_time > UNHEARD_SECONDS:
                line.queue.remove(event)
                self.event_ids_to_events.pop(event._id, None)
                waited_for = self.pending_event_ids_session.get(event.session_hash, set())
                waited_for.discard(event._id)
                if not waited_for:
                    self.pending_event_ids_session.pop(event.session_hash, None)
                    self.pending_messages_per_session.pop(event.session_hash, None)

    def is_wanted(self, number: str) -> bool:
        """Whether somebody still waits for a call that has begun."""
        event = self.event_ids_to_events.get(number)
        return event is not None and event.alive and self._is_heard(event)

    async def push(self, body: Any, request: fastapi.Request, username: str | None) -> Any:
        """Join the line of the handler's group.

        Raises:
            HTTPException: the line is full; the page shows its words.
        """
        known = self.blocks.fns.get(body.fn_index)
        line = self.event_queue_per_concurrency_id.get(known.concurrency_id) if known else None
        waiting = [] if line is None else line.queue
        own = sum(client_of_event(event) == client_of_request(request) for event in waiting)
        if waiting and known.concurrency_id == MODELS["concurrency_id"]:
            own += max(
                0, self._at_work(known.concurrency_id)[client_of_request(request)] - 1
            )  # who was let in, but one
        if own >= QUEUE_LENGTH or len(waiting) >= LONGEST_QUEUE:
            raise fastapi.HTTPException(429, busy_words(max(own, len(waiting))))
        return await super().push(body, request, username)


def client_of_event(event: Any) -> str:
    """Whose share a call is of."""
    return client_of_request(event.request)


def client_of_request(request: Any) -> str:
    """Whose share a request is of; "" where it does not say."""
    return client_of(getattr(getattr(request, "client", None), "host", None) or "")


def busy_words(waiting: int) -> str:
    """What somebody is told who cannot even wait."""
    return f"Busy, {waiting} waiting. That is as many as the line takes. Try again in a minute."


def prepare_for_many(demo: gr.Blocks) -> None:
    """Give a finished page its bounded queue and cheap visitors; handlers are called through the queue only."""
    demo.queue(api_open=False)
    demo._queue = BoundedQueue(demo._queue)
    shared = _SharedConfig(demo)
    vars(shared).update(vars(demo.default_config))
    demo.default_config = shared
    if find_spec("matplotlib") is None:  # else Gradio looks for it on the disk before and after every step
        gradio.utils.MatplotlibBackendMananger = nullcontext


def known_calls(demo: gr.Blocks) -> Known:
    """What can be asked of a finished page by name; see studio.server.calls."""
    named = {
        fn.api_name: len(fn.inputs)
        for fn in demo.fns.values()
        if fn.api_visibility != "private" and fn.api_name and fn.fn is not None
    }

    def has_news(name: str) -> bool:
        queue = demo._queue
        return (
            name in queue.pending_messages_per_session
            or name in queue.event_ids_to_events
            or any(name in numbers for numbers in queue.pending_event_ids_session.values())
        )

    demo._queue.listeners = Counter()
    return Known(named, has_news, demo._queue.listeners)


def held_by_sessions(demo: gr.Blocks) -> dict[str, list[Any]]:
    """What every open page has on the server, by its name."""
    sessions = list(demo.state_holder.session_data.items())
    return {name: list(session.state_data.values()) for name, session in sessions}


def empty_session(demo: gr.Blocks, name: str) -> None:
    """An open page begins anew; what it asks for next tells that nothing is there."""
    session = demo.state_holder.session_data.get(name)
    if session is not None:
        session.state_data.clear()


class _SharedConfig(BlocksConfig):
    """What the page is made of; every visitor sees it through a layer of his own, instead of copying it all."""

    def __copy__(self) -> BlocksConfig:
        layered = _VisitorsConfig(self.root_block)
        vars(layered).update(vars(self))
        layered.blocks, layered.fns = ChainMap({}, self.blocks), ChainMap({}, self.fns)
        layered.renderables = copy(self.renderables)
        return layered


class _VisitorsConfig(BlocksConfig):
    """The page as one visitor sees it, which describes nothing.

    Gradio keeps a description of every component as each visitor sees it, for links to snapshots of the page, and
    writes it on the event loop: a new visitor took 30 ms and 280 kB. This page's links carry settings instead.
    """

    @staticmethod
    def config_for_block(*_arguments: Any, **_named: Any) -> Mapping[str, Any]:
        """Nothing."""
        return _NOTHING


class _Mailboxes(OrderedDict):
    """Messages by visitor; beyond MOST_MAILBOXES those go first whose owners wait for nothing."""

    def __init__(self, queue: Queue) -> None:
        super().__init__()
        self._queue = queue

    def __setitem__(self, visitor: str, mailbox: Any) -> None:
        if visitor not in self and len(self) >= MOST_MAILBOXES:
            waiting = {event.session_hash for event in self._queue.event_ids_to_events.values()}
            idle = next((one for one in self if one not in waiting), next(iter(self)))
            del self[idle]
            self._queue.pending_event_ids_session.pop(idle, None)
        super().__setitem__(visitor, mailbox)

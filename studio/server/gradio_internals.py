"""Everything of Gradio that it does not publish, and what the studio needs it for.

tests/studio/test_gradio_internals.py names each of these names, with its reason and what to do when it moves.
"""

import asyncio
import os
import sys
from collections import ChainMap, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from copy import copy
from importlib.util import find_spec
from inspect import isgeneratorfunction
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast
from urllib.parse import quote
from weakref import WeakValueDictionary, finalize

import gradio as gr

from studio.server.answers import without_changes
from studio.server.call_queue import Call, CallQueues, NobodyListens, QueueFull
from studio.server.calls import Known
from studio.server.disk_quota import DiskQuota
from studio.server.files import PictureFolder
from studio.server.rates import client_of
from studio.server.routes import FILE

MODELS: dict[str, Any] = {"concurrency_limit": 3, "concurrency_id": "models"}
"""One queue for everything that runs a model. Two of one client are let in, and one of another: one model works at a
time (engine.background), and meanwhile the next visitor's picture is measured, or the last one's result shown."""

MAX_THREADS = 40
"""Steps of handlers that are worked on at the same time, as in Gradio."""

MAX_CALLS = 1024
"""Calls that Gradio takes at a time; they wait in shorter queues of our own, see studio.server.call_queue."""

MAX_MAILBOXES = 1000
"""Visitors whose news are held while nobody fetches them."""

REST_SECONDS = 0.01
"""Between two looks for what has come. Gradio looks a thousand times a second, which takes a twentieth of a core."""

NO_ANALYTICS = {"GRADIO_ANALYTICS_MAX_EVENTS": "1", "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(2**62)}
"""Else Gradio makes a table of the last 10,000 calls after every call."""


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Caller(NamedTuple):
    """Whose call is being answered.

    Attributes:
        visitor: name of the page's session; None where nobody calls.
        client: address, see studio.server.rates.client_of; "" where the request does not say.
        number: Gradio's, of a call that was queued.
    """

    visitor: str | None = None
    client: str = ""
    number: str | None = None


_CALLER: ContextVar[Caller] = ContextVar("caller")


def current_caller() -> Caller:
    """Whose call this thread or task answers."""
    return _CALLER.get(Caller())


class StudioBlocks(gr.Blocks):
    """Gradio's page; calls wait in our own queues, and a handler's answer costs only what it changes.

    Gradio builds every output anew that a handler leaves alone, on the event loop, which took most of the time of a
    small picture. It also looks twice through all that a component of our own shows, each time in a thread, for files
    it might have to copy; the studio's lie where they are served from.
    """

    queues: CallQueues
    disk_quota: DiskQuota
    pictures: PictureFolder
    scripts: str

    def __init__(self, **settings: Any) -> None:
        """Settings as in gr.Blocks."""
        self._sessions: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self._served: dict[str, Call] = {}
        self._threads = asyncio.Semaphore(MAX_THREADS)
        super().__init__(**settings)

    @property
    def handlers(self) -> dict[int, Any]:
        """Every event's handler by its number, with what was said of it when it was connected."""
        return self.fns

    async def process_api(
        self, block_fn: Any, inputs: list[Any], *values: Any, **named: Any
    ) -> dict[str, Any]:
        """One step of a call: all of it, or what a generator gives next."""
        handler = self.handlers[block_fn] if isinstance(block_fn, int) else block_fn
        visitor, number = named.get("session_hash"), named.get("event_id")
        is_first = named.get("iterator") is None
        client = client_of_request(named.get("request"))
        _CALLER.set(Caller(visitor, client, number))
        if visitor and named.get("state") is not None:
            self._sessions[visitor] = named["state"]
        if number and is_first:
            try:
                self._served[number] = await self.queues.join(
                    handler.concurrency_id, client, *filter(None, {visitor, number})
                )
            except (QueueFull, NobodyListens) as refusal:
                raise gr.Error(str(refusal), print_exception=False) from None
        try:
            async with self._threads:
                output = await super().process_api(handler, inputs, *values, **named)
        except BaseException:
            self._end(number)
            raise
        iterator = output["iterator"]
        if iterator is None:
            self._end(number)
            if is_first and isgeneratorfunction(handler.fn):  # which ended without a word
                output["data"] = [None if item.stateful else gr.skip() for item in handler.outputs]
        elif number and is_first:  # whoever leaves in the middle never asks for the last step
            loop = asyncio.get_running_loop()
            finalize(iterator, _call_soon, loop, self._end, number).atexit = False
        return output

    def _end(self, number: str | None) -> None:
        """A queued call gives its place to the next one."""
        call = self._served.pop(number or "", None)
        if call is not None:
            self.queues.end(call)

    def is_wanted(self, number: str) -> bool:
        """Whether somebody still waits for a call that has begun."""
        call = self._served.get(number)
        return call is not None and self.queues.is_heard(*call.names)

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """The outputs' values for the page, in their order."""
        outputs = list(block_fn.outputs)
        if isinstance(predictions, dict) and state is not None:
            predictions = without_changes(predictions, _States(state)) or dict.fromkeys(outputs, gr.skip())
        if (
            not isinstance(predictions, dict)
            or not predictions
            or any(key not in outputs for key in predictions)
        ):
            return await super().postprocess_data(block_fn, predictions, state)
        changes = {
            item: predictions[item]
            for item in outputs
            if item in predictions and not _is_skip(predictions[item])
        }
        values = {item: _with_urls(value) for item, value in changes.items() if _stays_as_it_is(item, value)}
        others = [item for item in changes if item not in values]
        if others:
            slim = copy(block_fn)
            slim.outputs = others
            rest = [changes[item] for item in others]
            rest = await super().postprocess_data(slim, rest[0] if len(rest) == 1 else rest, state)
            values |= zip(others, rest, strict=True)
        return [
            values[item] if item in values else (None if item.stateful else gr.skip()) for item in outputs
        ]

    def held_by_sessions(self) -> dict[str, list[Any]]:
        """The values that every open page has on the server, by its name."""
        return {name: list(session.state_data.values()) for name, session in list(self._sessions.items())}

    def empty_session(self, name: str) -> None:
        """An open page begins anew; what it asks for next tells that nothing is there."""
        session = self._sessions.get(name)
        if session is not None:
            session.state_data.clear()


class _States:
    """What a visitor holds, by component."""

    def __init__(self, state: Any) -> None:
        self._state = state

    def __getitem__(self, component: Any) -> Any:
        return self._state[component._id]

    def __setitem__(self, component: Any, value: Any) -> None:
        self._state[component._id] = value


def _call_soon(loop: asyncio.AbstractEventLoop, work: Callable[..., object], *values: Any) -> None:
    """On the event loop, if it still runs."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(work, *values)


def _stays_as_it_is(component: Any, value: Any) -> bool:
    """Whether Gradio would not change a value of one of our own components, or an update of a button."""
    is_update = isinstance(value, dict) and value.get("__type__") == "update"
    return type(component) is (gr.Button if is_update else gr.HTML)


def _with_urls(value: Any) -> Any:
    """A value with a `url` in every dictionary that studio.server.files.served_file made."""
    if isinstance(value, dict):
        if isinstance(value.get("meta"), dict) and value["meta"].get("_type") == "gradio.FileData":
            return {**value, "url": FILE + quote(value["path"])}
        return {key: _with_urls(item) for key, item in value.items()}
    return [_with_urls(item) for item in value] if isinstance(value, list | tuple) else value


def _is_skip(value: Any) -> bool:
    return isinstance(value, dict) and value == gr.skip()


def client_of_request(request: Any) -> str:
    """Whose share a request is of; "" where it does not say."""
    return client_of(getattr(getattr(request, "client", None), "host", None) or "")


def prepare_for_many(demo: StudioBlocks) -> None:
    """Give a finished page its queues and cheap visitors; handlers are called through the queues only."""
    os.environ.update(NO_ANALYTICS)
    if find_spec("matplotlib") is None:  # else Gradio looks for it on the disk before and after every step
        sys.modules.setdefault("matplotlib", cast("Any", None))
    demo.queue(api_open=False)
    demo.queues = CallQueues(_places(demo.handlers.values()), sharing_work=MODELS["concurrency_id"])
    for handler in demo.handlers.values():
        handler.concurrency_limit = None
    queue = demo._queue
    queue.sleep_when_free = REST_SECONDS
    queue.pending_messages_per_session = cast("Any", _Mailboxes(demo))
    shared = demo.default_config
    shared.__class__ = type("SharedConfig", (type(shared),), {"__copy__": _as_a_visitor_sees_it})


def _places(handlers: Iterable[Any]) -> dict[str, int | None]:
    """How many calls of each group are served at a time."""
    places: dict[str, int | None] = {}
    for handler in handlers:
        limit = 1 if handler.concurrency_limit == "default" else handler.concurrency_limit
        known = places.get(handler.concurrency_id)
        places[handler.concurrency_id] = limit if known is None else min(known, limit or known)
    return places


def arities(demo: StudioBlocks) -> dict[int, int]:
    """How many values each handler takes, by its number."""
    return {
        number: len(handler.inputs) for number, handler in demo.handlers.items() if handler.fn is not None
    }


def queue_refusals(demo: StudioBlocks) -> Callable[[int | str, str], str | None]:
    """Says what a client is told whose call of a handler, by number or name, cannot even wait; None where it can."""
    groups: dict[int | str, str] = {
        number: handler.concurrency_id for number, handler in demo.handlers.items()
    }
    groups |= {handler.api_name: handler.concurrency_id for handler in _named(demo)}

    def refusal(handler: int | str, client: str) -> str | None:
        return demo.queues.refusal(groups[handler], client) if handler in groups else None

    return refusal


def _named(demo: StudioBlocks) -> list[Any]:
    """The handlers that programs call by name."""
    handlers = [handler for handler in demo.handlers.values() if handler.fn is not None and handler.api_name]
    return [handler for handler in handlers if handler.api_visibility != "private"]


def known_calls(demo: StudioBlocks) -> Known:
    """What can be asked of a finished page by name; see studio.server.calls."""
    named = {handler.api_name: len(handler.inputs) for handler in _named(demo)}
    queue = demo._queue

    def has_news(name: str) -> bool:
        return name in queue.pending_messages_per_session or any(
            name in numbers for numbers in queue.pending_event_ids_session.values()
        )

    demo.queues.heed_listeners()
    return Known(named, has_news, demo.queues.listening)


def _as_a_visitor_sees_it(shared: Any) -> Any:
    """The page's configuration as a thin layer over the one that all visitors share, which describes nothing.

    Gradio copies it for every visitor and keeps a description of every component in it, for links to snapshots of the
    page, written on the event loop: a new visitor took 30 ms and 280 kB. This page's links carry settings instead.
    """
    return _VisitorsPage(shared)


class _VisitorsPage:
    """Holds what the shared one holds, as layers; whatever is asked of it beyond that is answered with nothing."""

    def __init__(self, shared: Any) -> None:
        for name, value in vars(shared).items():
            if isinstance(value, dict):
                value = ChainMap({}, value)
            elif isinstance(value, list):
                value = copy(value)
            setattr(self, name, value)
        self.fns = shared.fns  # which no visitor changes, and Gradio looks through at every step

    def __getattr__(self, name: str) -> Callable[..., Mapping[str, Any]]:
        if name.startswith("__"):
            raise AttributeError(name)
        return _no_description


def _no_description(*_values: Any, **_named: Any) -> Mapping[str, Any]:
    return _NOTHING


class _Mailboxes(OrderedDict[str, Any]):
    """News by visitor; beyond MAX_MAILBOXES those go first to whom nobody listens.

    Gradio drops the one that was opened longest ago, even where its owner still waits for a result, and never forgets
    which calls were whose.
    """

    def __init__(self, demo: StudioBlocks) -> None:
        super().__init__()
        self._demo = demo

    def __missing__(self, _visitor: str) -> Any:
        """What is told somebody whose news are not held any more reaches nobody."""
        return asyncio.Queue()

    def __setitem__(self, visitor: str, mailbox: Any) -> None:
        while visitor not in self and len(self) >= MAX_MAILBOXES:
            idle = next((name for name in self if not self._demo.queues.is_heard(name)), next(iter(self)))
            del self[idle]
        super().__setitem__(visitor, mailbox)

    def __delitem__(self, visitor: str) -> None:
        """Somebody has left, which may be told twice."""
        self._demo._queue.pending_event_ids_session.pop(visitor, None)
        if visitor in self:
            super().__delitem__(visitor)


_STATIC_FILES: set[Path] = set()


def serve_where_it_lies(path: Path) -> None:
    """Have a file of the program served without being copied; Gradio looks through all of them at every file."""
    if path.resolve() not in _STATIC_FILES:
        _STATIC_FILES.add(path.resolve())
        gr.set_static_paths(path)


def static_files() -> frozenset[Path]:
    """The files that are served from where they lie."""
    return frozenset(_STATIC_FILES)

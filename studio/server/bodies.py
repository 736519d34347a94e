"""What arrives in a request's body: counted, timed, and, for a handler's call, looked at before Gradio sees it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from studio.server.routes import is_session

Receive = Callable[[], Awaitable[dict[str, Any]]]

MAX_HEAD_BYTES = 8192
"""Of what stands before an uploaded file."""
MAX_BOUNDARY_BYTES = 200
"""The standard allows 70."""

MAX_VALUES = 1000
"""In all lists and objects of a call together; the page's calls have thirty. Each takes twenty times its bytes, and a
moment of the event loop, while the call waits."""

SERVERS_OWN = ("event_id", "batched")
"""What Gradio itself writes into a call. From elsewhere, it would be taken for another call, or for nobody's."""

PIECE_SECONDS = 20.0
"""A sender who is silent for longer is not waited for."""

SHORT_SECONDS, UPLOAD_SECONDS = 20.0, 600.0
"""How long a whole body may take."""


class Refusal(Exception):
    """A request that ends here; its words have three parts, like every error people see."""

    def __init__(self, status: int, words: str) -> None:
        """An HTTP status and the sentence to show."""
        super().__init__(words)
        self.status, self.words = status, words


class CountedBody:
    """Passes a body on, piece by piece, until it is too large or takes too long."""

    def __init__(self, receive: Receive, most_bytes: int, seconds: float) -> None:
        self._receive, self._most_bytes = receive, most_bytes
        self._ends = monotonic() + seconds
        self._received, self._whole = 0, False

    async def __call__(self) -> dict[str, Any]:
        """The next message; once the body is whole, only the news that the sender has gone.

        Raises:
            Refusal: too large, or too slow.
        """
        if self._whole:
            return await self._receive()
        patience = min(PIECE_SECONDS, self._ends - monotonic())
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, patience))
        except TimeoutError:
            raise Refusal(
                408,
                f"The request stopped arriving after {self._received} bytes. It has to come within "
                f"{PIECE_SECONDS:.0f} s from piece to piece. Check the connection and try again.",
            ) from None
        self._received += len(message.get("body", b""))
        if self._received > self._most_bytes:
            raise too_large(self._most_bytes)
        self._whole = not message.get("more_body", False)
        return message


class OneFile:
    """Passes an upload on as long as it is one file: form fields would be held in memory, all of them.

    The body is taken apart by the parser that Gradio uses, so that both see the same parts.
    """

    def __init__(self, receive: Receive, content_type: bytes) -> None:
        """What brings the body, and its type.

        Raises:
            Refusal: no multipart form.
        """
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 1 <= len(boundary) <= MAX_BOUNDARY_BYTES:
            raise _not_one_file()
        if (
            options.get(b"charset", b"utf-8").lower() != b"utf-8"
        ):  # names would be decoded by any codec there is
            raise _not_one_file()
        self._receive = receive
        self._parts = self._head_bytes = 0
        self._name, self._value = b"", b""
        self._dispositions: list[bytes] = []
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_header_field": self._head_name,
            "on_header_value": self._head_value,
            "on_header_end": self._head_end,
            "on_headers_finished": self._head_whole,
        }
        self._parser = MultipartParser(boundary, callbacks)

    async def __call__(self) -> dict[str, Any]:
        """The next message.

        Raises:
            Refusal: a form field, another file, or no multipart form.
        """
        message = await self._receive()
        try:
            self._parser.write(message.get("body", b""))
        except MultipartParseError:
            raise _not_one_file() from None
        return message

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > 1:
            raise _not_one_file()

    def _head_name(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._name += data[start:end]

    def _head_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._value += data[start:end]

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            raise _not_one_file()

    def _head_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._dispositions.append(self._value)
        self._name, self._value = b"", b""

    def _head_whole(self) -> None:
        if len(self._dispositions) != 1:
            raise _not_one_file()
        _, options = parse_options_header(self._dispositions[0])
        if b"filename" not in options or b"name" not in options:
            raise _not_one_file()


async def whole_body(receive: Receive) -> bytes | None:
    """All of a counted body; None where the sender left before its end.

    Raises:
        Refusal: see CountedBody.
    """
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A receive that gives this body first, and then what the sender does."""
    told = False

    async def again() -> dict[str, Any]:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def handler_called(
    body: bytes, arities: Mapping[int, int], may_serve: Callable[[str], bool]
) -> tuple[int, str]:
    """The number of the handler that is called, and the visitor who calls it.

    Args:
        body: JSON as the page sends it.
        arities: how many values each handler takes, by its number.
        may_serve: True for the name of a file that may be handed to a handler.

    Raises:
        Refusal: anything but a call of one of these handlers.
    """
    call = _object_in(body)
    number, values, session = call.get("fn_index"), call.get("data"), call.get("session_hash")
    if type(number) is not int or number not in arities:
        raise _not_a_call("It names no handler of this page")
    if not isinstance(values, list) or len(values) != arities[number]:
        raise _not_a_call(f"Handler {number} takes {arities[number]} values")
    if not is_session(session):
        raise _not_a_call("Its session has no proper name")
    if any(call.get(name) for name in SERVERS_OWN):
        raise _not_a_call("It says what only the server may")
    if call.get("trigger_id") is not None and type(call["trigger_id"]) is not int:
        raise _not_a_call("Its trigger is no number")
    if isinstance(call.get("event_data"), list):  # an object, or the plain value of a control
        raise _not_a_call("Its event data are a list")
    check_files([*values, call.get("event_data")], may_serve)
    return number, session


def check_named_call(body: bytes, may_serve: Callable[[str], bool]) -> None:
    """The same for a call of an endpoint by its name.

    Raises:
        Refusal: no call, or files from elsewhere.
    """
    call = _object_in(body)
    if call.get("session_hash") is not None and not is_session(call["session_hash"]):
        raise _not_a_call("Its session has no proper name")
    check_files(call, may_serve)


def check_object(body: bytes) -> None:
    """The same for whatever else brings an object.

    Raises:
        Refusal: it is none.
    """
    _object_in(body)


def check_files(values: Any, may_serve: Callable[[str], bool]) -> None:
    """Refuse files that were not uploaded here, addresses elsewhere among them.

    Raises:
        Refusal: one of them is named.
    """
    rest = [values]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if path is not None and not (isinstance(path, str) and may_serve(path)):
                raise _not_a_call("It names a file that was not uploaded here")
            rest += value.values()
        elif isinstance(value, list):
            rest += value


def _object_in(body: bytes) -> dict[str, Any]:
    if body.count(b"[") + body.count(b"{") > MAX_VALUES:
        raise _too_many_values()  # at once, whatever is text: to read them takes a hundred times as long
    try:
        call = json.loads(body, parse_constant=_no_constant, object_pairs_hook=_without_repeats)
        if _count_of_values(call) > MAX_VALUES:
            raise _too_many_values()
        json.dumps(call, ensure_ascii=False).encode()  # a half of a letter could not be repeated in an answer
    except (ValueError, RecursionError):
        raise _not_a_call("It is no JSON") from None
    if not isinstance(call, dict):
        raise _not_a_call("It is no object")
    return call


def _count_of_values(call: Any) -> int:
    """In all lists and objects together, as far as that matters."""
    count = 0
    rest: list[Any] = [[call]]
    while rest and count <= MAX_VALUES:
        inner = rest.pop()
        items = inner.values() if isinstance(inner, dict) else inner
        count += len(items)
        rest += [item for item in items if isinstance(item, dict | list)]
    return count


def too_large(most_bytes: int) -> Refusal:
    """A body above its limit."""
    most = f"{most_bytes // 2**20} MB" if most_bytes >= 2**20 else f"{most_bytes // 2**10} kB"
    return Refusal(413, f"The request is larger than {most}. Up to that size is taken. Send less at once.")


def _not_one_file() -> Refusal:
    return Refusal(400, "The upload is not one file. One file at a time is taken. Drop one photograph.")


def _too_many_values() -> Refusal:
    return _not_a_call(f"It holds more than {MAX_VALUES} values")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless it says one thing twice: readers differ in which of the two they believe."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _not_a_call(why: str) -> Refusal:
    return Refusal(400, f"The request is no call that this page makes. {why}. Reload the page and try again.")

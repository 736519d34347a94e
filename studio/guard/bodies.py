"""What arrives in a request's body: counted, timed, and, for a handler's call, looked at before Gradio sees it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any

from python_multipart.multipart import parse_options_header

from studio.guard.doors import is_session

Receive = Callable[[], Awaitable[dict[str, Any]]]

MOST_HEAD_BYTES = 8192
"""Of what stands before an uploaded file."""

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
    """Passes an upload on as long as it is one file: form fields would be held in memory, all of them."""

    def __init__(self, receive: Receive, content_type: bytes) -> None:
        self._receive = receive
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        self._next_part = b"\r\n--" + boundary + b"\r\n"
        self._seen, self._in_file = b"", False

    async def __call__(self) -> dict[str, Any]:
        """The next message.

        Raises:
            Refusal: a form field, or another file.
        """
        message = await self._receive()
        self._look_at(message.get("body", b""))
        return message

    def _look_at(self, piece: bytes) -> None:
        seen = self._seen + piece
        if not self._in_file:
            head, end, seen = seen.partition(b"\r\n\r\n")
            if not end:
                self._seen = head
            if len(head) > MOST_HEAD_BYTES or (end and b"filename=" not in head):
                raise _not_one_file()
            if not end:
                return
            self._in_file = True
            seen = end + seen  # an empty file ends where its head does
        if self._next_part in seen:
            raise _not_one_file()
        self._seen = seen[-len(self._next_part) :]


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


def session_called(body: bytes, arities: Mapping[int, int], serves: Callable[[str], bool]) -> str:
    """The visitor who calls a handler.

    Args:
        body: JSON as the page sends it.
        arities: how many values each handler takes, by its number.
        serves: True for the name of a file that may be handed to a handler.

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
    if call.get("trigger_id") is not None and type(call["trigger_id"]) is not int:
        raise _not_a_call("Its trigger is no number")
    if not isinstance(call.get("event_data"), dict | None):
        raise _not_a_call("Its event data are no object")
    check_files([*values, call.get("event_data")], serves)
    return session


def check_named_call(body: bytes, serves: Callable[[str], bool]) -> None:
    """The same for a call of an endpoint by its name.

    Raises:
        Refusal: no call, or files from elsewhere.
    """
    check_files(_object_in(body).get("data"), serves)


def check_files(values: Any, serves: Callable[[str], bool]) -> None:
    """Refuse files that were not uploaded here, addresses elsewhere among them.

    Raises:
        Refusal: one of them is named.
    """
    rest = [values]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if path is not None and not (isinstance(path, str) and serves(path)):
                raise _not_a_call("It names a file that was not uploaded here")
            rest += value.values()
        elif isinstance(value, list):
            rest += value


def _object_in(body: bytes) -> dict[str, Any]:
    try:
        call = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _not_a_call("It is no JSON") from None
    if not isinstance(call, dict):
        raise _not_a_call("It is no object")
    return call


def too_large(most_bytes: int) -> Refusal:
    """A body above its limit."""
    most = f"{most_bytes // 2**20} MB" if most_bytes >= 2**20 else f"{most_bytes // 2**10} kB"
    return Refusal(413, f"The request is larger than {most}. Up to that size is taken. Send less at once.")


def _not_one_file() -> Refusal:
    return Refusal(400, "The upload is not one file. One file at a time is taken. Drop one photograph.")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _not_a_call(why: str) -> Refusal:
    return Refusal(400, f"The request is no call that this page makes. {why}. Reload the page and try again.")

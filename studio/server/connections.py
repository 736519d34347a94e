"""Connections before a request is whole: how many one address has, how long a head may be, and how long it may take.

The guard sees a request when its head is whole. Everything up to there, and whoever does not fetch the answer, is
bounded here, in the class that uvicorn makes for every connection; and here answers pass last.
"""

import asyncio
import contextlib
from typing import Any, ClassVar

from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from studio.server.rates import client_of

HEAD_BYTES = 64 * 2**10
"""Of a request's head, and of what stands between the pieces of its body."""
HEAD_SECONDS = 10.0
"""From a connection's beginning, or the end of the answer before, to the end of the head."""
FETCH_SECONDS = 60.0
"""Whoever fetches nothing of their answer for longer gets no more of it."""
MAX_WAITING = 100
"""Connections of one address without a whole head; the oldest is closed for a new one."""
MAX_CONNECTIONS = 300
"""Of one address; a class of thirty behind it has 180. A proxy that is believed has no such limit."""
MAX_OPEN_FILES = 65536

CORS = b"access-control-"
"""How headers begin that invite pages of other origins."""

_CHUNK_HEAD = 16
"""Bytes that stand around a piece of a body that is sent in pieces."""
_TOO_LONG = b"The head of the request is longer than 64 kB. Shorter ones are read. Reload the page.\n"


class BoundedProtocol(HttpToolsProtocol):
    """One connection. All of them live on one event loop."""

    _by_address: ClassVar["Groups"] = {}
    _waiting: ClassVar["Groups"] = {}
    """Those that have not yet brought one whole head."""

    def __init__(self, *values: Any, **settings: Any) -> None:
        super().__init__(*values, **settings)
        self.app = unreadable_elsewhere(self.config.loaded_app)
        self._address = ""
        self._overhead = self._head_bytes = 0
        self._is_refused = False
        self._deadline: asyncio.TimerHandle | None = None
        self._fetching: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, unless its address has too many."""
        super().connection_made(transport)
        self._address = client_of(self.client[0]) if self.client else ""
        own = self._by_address.setdefault(self._address, {})
        own[self] = None
        if len(own) > MAX_CONNECTIONS and not self._is_proxy():
            self._hang_up()
            return
        waiting = self._waiting.setdefault(self._address, {})
        waiting[self] = None
        if len(waiting) > MAX_WAITING:
            next(iter(waiting))._hang_up()
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._head_came()
        _forget(self._by_address, self._address, self)
        if self._fetching is not None:
            self._fetching.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass on what came, as long as it is not a head without end."""
        if self._is_refused:
            return
        self._overhead = max(0, self._overhead) + len(data)
        super().data_received(data)
        if self._overhead > HEAD_BYTES:
            self._refuse()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        self._head_bytes += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or one that follows a body."""
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes <= HEAD_BYTES:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self._head_bytes > HEAD_BYTES:
            self._refuse()
        if self._is_refused:
            return
        self._overhead -= self._head_bytes
        self._head_came()
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """A piece of a body begins."""
        self._overhead -= _CHUNK_HEAD

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._overhead -= len(body)
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is whole."""
        self._overhead = 0
        if not self._is_refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is whole; the rest of its request, and the next one's head, have to come soon."""
        has_next = bool(self.pipeline)
        super().on_response_complete()
        if not has_next and not self.transport.is_closing():
            self._await_head()

    def handle_websocket_upgrade(self) -> None:
        """The page has no websockets."""
        self._hang_up()

    def pause_writing(self) -> None:
        """The answer is not fetched as fast as it is made."""
        super().pause_writing()
        if self._fetching is None:
            self._fetching = self.loop.call_later(FETCH_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It is fetched again."""
        super().resume_writing()
        if self._fetching is not None:
            self._fetching.cancel()
            self._fetching = None

    def _await_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def _head_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        _forget(self._waiting, self._address, self)

    def _hang_up(self) -> None:
        self._is_refused = True
        self._head_came()
        self.transport.close()

    def _refuse(self) -> None:
        """Say why, where no answer is under way, and hang up."""
        if self._is_refused:
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\n"
                b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(_TOO_LONG) + _TOO_LONG
            )
        self._hang_up()

    def _is_proxy(self) -> bool:
        """True for an address whose word about others is taken: it brings everybody's connections."""
        app = self.config.loaded_app
        is_believed = (
            isinstance(app, ProxyHeadersMiddleware) and self.client and self.client[0] in app.trusted_hosts
        )
        return self.client is None or bool(is_believed)


def unreadable_elsewhere(app: Any) -> Any:
    """An application whose answers no page of another origin can read.

    Gradio invites such pages, in a middleware that stands before all that it lets us add.
    """

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        async def uninviting(message: Any) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message.get("headers", ()) if not pair[0].lower().startswith(CORS)]
                message = {**message, "headers": kept}
            await send(message)

        await app(scope, receive, uninviting)

    return answer


Groups = dict[str, dict[BoundedProtocol, None]]
"""Connections by address, oldest first."""


def bound_connections() -> None:
    """Have every server of this process bounded in this way, and let it open as many files as the system allows."""
    HTTP_PROTOCOLS["auto"] = f"{__name__}:{BoundedProtocol.__name__}"
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # some systems allow less than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _forget(groups: Groups, key: str, connection: BoundedProtocol) -> None:
    """Take a connection out of its group, and an empty group away."""
    group = groups.get(key, {})
    group.pop(connection, None)
    if not group:
        groups.pop(key, None)

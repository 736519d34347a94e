"""ASGI middleware that every request passes first: host, origin, route, share, size, time; headers on the answer."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect

from studio.server.bodies import (
    SHORT_SECONDS,
    UPLOAD_SECONDS,
    CountedBody,
    OneFile,
    Refusal,
    check_named_call,
    check_object,
    handler_called,
    replayed,
    too_large,
    whole_body,
)
from studio.server.rates import Buckets, Recent, Share, client_of
from studio.server.routes import (
    API,
    CALLS,
    CHEAP,
    ENDINGS,
    JOIN,
    MCP,
    UPLOAD,
    Routes,
    is_own_page,
    is_session,
    named_hosts,
    session_in,
)
from studio.server.shared import SHARED

OTHER_BYTES = 256 * 2**10
"""For everything that is no upload."""

LONG_CALL_BYTES = 16 * 2**10
"""Calls above that are taken apart beside the event loop, so that nobody else waits."""

ONCE = frozenset(
    (b"host", b"x-forwarded-host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"content-type")
    + (b"content-length", b"transfer-encoding")
)
"""Headers that decide something here. Said twice, they would be one thing to the guard and another to Gradio."""

OPEN_AT_ONCE = 400
"""Requests of one client that may be under way, streams of news among them: a class behind one address needs 100."""


@dataclass(frozen=True)
class FairShares:
    """What one client, or one visitor, may do in public mode; a class of thirty behind one address fits in.

    Attributes:
        requests: by client; a page is 1, the small files of its looks a tenth.
        visitors: new ones by client.
        calls: of handlers, by visitor.
        uploads: bytes by client.
    """

    requests: Share = Share(50, 900)
    visitors: Share = Share(1, 120)
    calls: Share = Share(15, 150)
    uploads: Share = Share(5e6, 1e9)


@dataclass(frozen=True)
class GuardRules:
    """Everything the guard goes by.

    Attributes:
        routes: hosts, routes and files.
        headers: put on every answer.
        upload_bytes: most of one upload.
        arities: how many values each handler takes; None leaves calls unread.
        shares: None where nobody has to share.
        queue_refusal: what a client is told whose call of a handler, by number or name, cannot even wait.
    """

    routes: Routes
    headers: tuple[tuple[bytes, bytes], ...]
    upload_bytes: int
    arities: Mapping[int, int] | None = None
    shares: FairShares | None = None
    queue_refusal: Callable[[int | str, str], str | None] = lambda _handler, _client: None


class Guard:
    """Refuses in one sentence, or passes on."""

    def __init__(self, app: Any, rules: GuardRules) -> None:
        self._app, self._rules = app, rules
        self._open: Counter[str] = Counter()
        self._visitors = Recent()
        if rules.shares is not None:
            self._requests, self._newcomers = Buckets(rules.shares.requests), Buckets(rules.shares.visitors)
            self._calls, self._uploads = Buckets(rules.shares.calls), Buckets(rules.shares.uploads)

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """One connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: dict, receive: Any, send: Any) -> None:
        answered = False

        async def dressed(message: dict) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                own = list(message.get("headers", ()))
                said = {name for name, _ in own}  # a shared page has a stricter policy
                general = [pair for pair in self._rules.headers if pair[0] not in said]
                message = {**message, "headers": [*own, *general]}
            await send(message)

        client = client_of((scope.get("client") or ("", 0))[0])
        self._open[client] += 1
        try:
            self._admit(scope, client)
            receive = await self._received(scope, receive, client)
            if receive is not None:
                await self._app(scope, receive, dressed)
        except Refusal as refusal:
            if not answered:
                await _refuse(scope, dressed, refusal)
        except ClientDisconnect:
            pass  # somebody left in the middle of an upload, and nobody is there to be told
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]

    def _admit(self, scope: dict, client: str) -> None:
        """Host, route and share.

        Raises:
            Refusal: for a stranger.
        """
        routes, path, query = self._rules.routes, scope["path"], scope.get("query_string", b"")
        headers = _headers_of(scope)
        if not all(map(routes.knows_host, named_hosts(headers))):
            raise Refusal(
                421,
                "This server does not answer to the name in your address. It has its own name and its IP address. "
                "Use one of these, or have the name allowed with --allow-host.",
            )
        visits_page = scope["method"] == "GET" and (path == "/" or SHARED.fullmatch(path) is not None)
        if not is_own_page(headers, scope.get("scheme", "http"), visits_page=visits_page):
            raise Refusal(
                403,
                "A page of another address asked for this. Only the studio's own page may. "
                "Open the studio in a tab of its own.",
            )
        if not routes.is_allowed(scope["method"], path, query):
            raise Refusal(404, "There is nothing at this address. The studio has one page. Open it at /.")
        session = session_in(path, query)
        if session is not None and not is_session(session):
            raise Refusal(400, "The session has no proper name. The page gives it one. Reload the page.")
        if self._rules.shares is None:
            return
        too_many = self._open[client] > OPEN_AT_ONCE
        if too_many or not self._requests.take(client, 0.1 if CHEAP.fullmatch(path) else 1.0):
            raise _too_often()
        if session is not None:
            self._greet(session, client)

    def _greet(self, session: str, client: str) -> None:
        """A visitor by name; new ones are counted.

        Raises:
            Refusal: too many new ones from one place.
        """
        if session in self._visitors:
            return
        if not self._newcomers.take(client):
            raise _too_often()
        self._visitors.add(session)

    async def _received(self, scope: dict, receive: Any, client: str) -> Any:
        """What the application reads from; None where the sender has left.

        Raises:
            Refusal: too large, too slow, or no proper call.
        """
        path = scope["path"].rstrip("/")
        headers = _headers_of(scope)
        declared = headers.get(b"content-length", b"0")
        size = int(declared) if declared.isdigit() and len(declared) < 16 else OTHER_BYTES**2
        brings_files = path == UPLOAD or path.startswith(MCP)
        most = self._rules.upload_bytes if brings_files else OTHER_BYTES
        if size > most:
            raise too_large(most)
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return receive
        counted = CountedBody(receive, most, UPLOAD_SECONDS if brings_files else SHORT_SECONDS)
        if path == UPLOAD:
            if self._rules.shares is not None and not self._uploads.take(client, size or most):
                raise _too_often()
            if self._rules.arities is None:
                return counted
            scope["query_string"] = b""  # Gradio would note there how far an upload is; the page does not ask
            return OneFile(counted, headers.get(b"content-type", b""))
        body = await whole_body(counted)
        if body is None:
            return None
        if self._rules.arities is not None:
            await self._check_call(path, body, client)
        return replayed(body, counted)

    async def _check_call(self, path: str, body: bytes, client: str) -> None:
        """A handler is called, by number or by name.

        Raises:
            Refusal: no proper call, or too many.
        """
        may_serve, shares = self._rules.routes.may_serve, self._rules.shares is not None
        if path in CALLS:
            handler, session = await _beside(body, handler_called, body, self._rules.arities, may_serve)
            if shares:
                self._greet(session, client)
            if shares and not self._calls.take(session):
                raise _too_often()
            if path == JOIN:
                self._check_room(handler, client)
        elif path.startswith(f"{API}/call/"):
            await _beside(body, check_named_call, body, may_serve)
            if shares and not self._newcomers.take(client):  # each of these calls is a session of its own
                raise _too_often()
            self._check_room(path.rpartition("/")[2], client)
        elif path in ENDINGS:
            await _beside(body, check_object, body)

    def _check_room(self, handler: int | str, client: str) -> None:
        """A call finds room in its queue.

        Raises:
            Refusal: it cannot even wait.
        """
        if (sentence := self._rules.queue_refusal(handler, client)) is not None:
            raise Refusal(429, sentence)


async def _beside(body: bytes, check: Callable[..., Any], *values: Any) -> Any:
    """What a check of a body gives; of a long one, without the event loop waiting for it."""
    return await asyncio.to_thread(check, *values) if len(body) > LONG_CALL_BYTES else check(*values)


def _headers_of(scope: Mapping[str, Any]) -> dict[bytes, bytes]:
    """By name.

    Raises:
        Refusal: one that decides something is there twice.
    """
    seen: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in seen and name in ONCE:
            raise Refusal(
                400,
                f"The request says {name.decode('latin-1')} twice. Once is allowed. Send it again without the other.",
            )
        seen[name] = value
    return seen


def _too_often() -> Refusal:
    return Refusal(
        429,
        "That was too much at once from one place. Everybody has a fair share. Wait a moment and try again.",
    )


async def _refuse(scope: dict, send: Any, refusal: Refusal) -> None:
    """In the form that the asker reads: scripts JSON, people text."""
    if scope["path"].startswith(API):
        kind, body = b"application/json", json.dumps({"detail": refusal.words}).encode()
    else:
        kind, body = b"text/plain; charset=utf-8", refusal.words.encode()
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

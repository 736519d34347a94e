"""ASGI middleware around Gradio: only what there is can be called or asked for, and nothing ends in a traceback."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from studio.server.bodies import replayed, whole_body
from studio.server.routes import API, NEWS, session_in

logger = logging.getLogger(__name__)

_NAMED_CALL = re.compile(rf"{API}/call/(\w{{1,40}})/?")
_NEWS_OF_CALL = re.compile(rf"{API}/call/\w{{1,40}}/([\w-]{{1,64}})/?")
_ONE_RANGE = re.compile(rb"bytes=(\d{1,15}-\d{0,15}|-\d{1,15})")

NOTHING_HERE = (
    "There is nothing of that name here. The page gives its names. Reload the page, and ask once more."
)
UNFORESEEN = (
    "Something unforeseen went wrong; the server's log says what. Nothing was lost. Try it once more."
)


@dataclass(frozen=True)
class Known:
    """What can be asked for.

    Attributes:
        endpoints: how many values each named endpoint takes, by its name.
        has_news: whether there are, or will be, news of a session or of the number of a call.
        listening: while this lasts, somebody waits for news of these.
    """

    endpoints: Mapping[str, int]
    has_news: Callable[[str], bool]
    listening: Callable[[str], AbstractContextManager[None]]


class KnownCalls:
    """Answers calls and questions that Gradio would fail at."""

    def __init__(self, app: Any, known: Known) -> None:
        self._app, self._known = app, known

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """One connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, method = scope["path"], scope["method"]
        news_of = self._news_of(path, scope.get("query_string", b"")) if method == "GET" else None
        called = _NAMED_CALL.fullmatch(path) if method == "POST" else None
        if (news_of is not None and not self._known.has_news(news_of)) or (
            called is not None and called[1] not in self._known.endpoints
        ):
            await answer(send, 404, NOTHING_HERE)
            return
        if called is not None:
            body = await whole_body(receive)
            needed = self._known.endpoints[called[1]]
            if body is None:
                return
            if _count_of_values(body) < needed:
                await answer(
                    send, 400, f"{called[1]} takes {needed} values. docs/api.md lists them. Send all of them."
                )
                return
            receive = replayed(body, receive)
        headers = [pair for pair in scope["headers"] if pair[0] != b"range" or _ONE_RANGE.fullmatch(pair[1])]
        with nullcontext() if news_of is None else self._known.listening(news_of):
            await self._app({**scope, "headers": headers}, receive, send)

    @staticmethod
    def _news_of(path: str, query: bytes) -> str | None:
        """Whose news; None where it is something else."""
        if path.rstrip("/") == NEWS:
            return session_in(path, query)
        call = _NEWS_OF_CALL.fullmatch(path)
        return call[1] if call else None


class LastResort:
    """Whatever fails is a line in the log, and one sentence where nothing was answered yet."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """One connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = False

        async def noted(message: dict) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            logger.error("%s %.200r failed: %.300r", scope["method"], scope["path"], _root_of(error))
            if not began:
                await answer(send, 500, UNFORESEEN)


async def answer(send: Any, status: int, words: str) -> None:
    """One sentence, as Gradio tells its own."""
    body = json.dumps({"detail": words}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _count_of_values(body: bytes) -> float:
    """How many values a named call brings; without bound where Gradio itself says what is wrong with it."""
    try:
        values = json.loads(body).get("data")
    except (ValueError, AttributeError, RecursionError):
        return float("inf")
    return len(values) if isinstance(values, list) else float("inf")


def _root_of(error: BaseException) -> BaseException:
    """What was raised first, out of the groups that tasks make of it."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error

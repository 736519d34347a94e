"""ASGI middleware: the page and its scripts travel compressed, and browsers keep what never changes."""

import gzip
import hashlib
from asyncio import to_thread
from collections.abc import Callable
from typing import Any

import brotli

from studio.server.routes import FILE, SCRIPTS

_HEAD = b"<head>"
GZIP_LEVEL = 5
BROTLI_LEVEL = 5
LASTING = b"public, max-age=31536000, immutable"
"""For addresses that name their content."""
CHECKED = b"private, no-cache"
"""For people's own pictures: kept by their browser alone, which asks each time whether they are still there."""


class PageHead:
    """Puts scripts at the head of the page, before Gradio's own, which launch(head=) cannot, and compresses it."""

    def __init__(self, app: Any, script: str, shared: str = "") -> None:
        """Wrap an application.

        Args:
            app: it answers.
            script: JavaScript that stands in the page.
            shared: JavaScript with an address of its own, so that browsers keep it.
        """
        self._app = app
        self._shared = {name: encode(shared.encode()) for name, encode in _ENCODINGS.items()}
        self._address = f"{SCRIPTS}{hashlib.blake2b(shared.encode(), digest_size=16).hexdigest()}.js"
        tags = f"<script>{script}</script>"
        if shared:
            tags += f'<script defer src="{self._address.removeprefix("/")}"></script>'
        self._markup = _HEAD + tags.encode()

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """One connection."""
        path = scope["path"] if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else ""
        if path == self._address:
            await self._send_scripts(scope, send)
        elif path == "/" and scope["method"] == "GET":
            await self._send_page(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _send_scripts(self, scope: dict, send: Any) -> None:
        encoding = _encoding_of(scope)
        body = self._shared[encoding]
        headers = [(b"content-type", b"text/javascript; charset=utf-8"), (b"cache-control", LASTING)]
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [*headers, *_told(encoding), _length(body)],
            }
        )
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _send_page(self, scope: dict, receive: Any, send: Any) -> None:
        start: dict = {}
        page = bytearray()

        async def with_scripts(message: dict) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_html(message):
                start = message
            elif message["type"] == "http.response.body" and start:
                page.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    encoding = _encoding_of(scope)
                    whole = bytes(page).replace(_HEAD, self._markup, 1)
                    body = await to_thread(_ENCODINGS[encoding], whole)
                    headers = [*_without_length(start), *_told(encoding), _length(body)]
                    await send({**start, "headers": headers})
                    await send({"type": "http.response.body", "body": body})
            else:
                await send(message)

        await self._app(scope, receive, with_scripts)


class Caching:
    """Says of every file that pages show how long a browser may keep it."""

    def __init__(self, app: Any, is_everybodys: Callable[[str], bool]) -> None:
        """Wrap an application.

        Args:
            app: it answers.
            is_everybodys: whether a file of this path is made of nobody's own picture, and its path of its content.
        """
        self._app, self._is_everybodys = app, is_everybodys

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """One connection."""
        if scope["type"] != "http" or not scope["path"].startswith(FILE):
            await self._app(scope, receive, send)
            return
        kept = LASTING if self._is_everybodys(scope["path"].removeprefix(FILE)) else CHECKED

        async def dated(message: dict) -> None:
            if message["type"] == "http.response.start" and message["status"] in (200, 206, 304):
                message = {**message, "headers": [*message.get("headers", ()), (b"cache-control", kept)]}
            await send(message)

        await self._app(scope, receive, dated)


_ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda data: brotli.compress(data, quality=BROTLI_LEVEL),
    "gzip": lambda data: gzip.compress(data, GZIP_LEVEL),
    "": lambda data: data,
}


def _encoding_of(scope: dict) -> str:
    accepted = b",".join(value for name, value in scope["headers"] if name.lower() == b"accept-encoding")
    known = {part.split(b";")[0].strip() for part in accepted.split(b",")}
    return next((name for name in ("br", "gzip") if name.encode() in known), "")


def _told(encoding: str) -> list[tuple[bytes, bytes]]:
    told = [(b"vary", b"accept-encoding")]
    return [(b"content-encoding", encoding.encode()), *told] if encoding else told


def _is_html(start: dict) -> bool:
    return any(name.lower() == b"content-type" and b"text/html" in value for name, value in start["headers"])


def _without_length(start: dict) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", str(len(body)).encode()

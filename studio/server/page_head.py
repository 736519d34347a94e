"""ASGI middleware that puts a script at the head of the page, before Gradio's own, which launch(head=) cannot."""

from typing import Any

HEAD = b"<head>"


class PageHead:
    """Changes nothing but answers at / that are HTML."""

    def __init__(self, app: Any, script: str) -> None:
        """Wrap an application.

        Args:
            app: it answers.
            script: JavaScript.
        """
        self._app = app
        self._markup = HEAD + b"<script>" + script.encode() + b"</script>"

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """One connection."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        start: dict = {}
        page = bytearray()

        async def with_script(message: dict) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_html(message):
                start = message
            elif message["type"] == "http.response.body" and start:
                page.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    body = bytes(page).replace(HEAD, self._markup, 1)
                    await send({**start, "headers": [*_without_length(start), _length(body)]})
                    await send({"type": "http.response.body", "body": body})
            else:
                await send(message)

        await self._app(scope, receive, with_script)


def _is_html(start: dict) -> bool:
    return any(name.lower() == b"content-type" and b"text/html" in value for name, value in start["headers"])


def _without_length(start: dict) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", str(len(body)).encode()

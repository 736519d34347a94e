"""The script at the head of the page: once, before everything else, and nowhere but in the page."""

import asyncio
import gzip

from studio.server.calls import PageHead

PAGE = "<!doctype html><html><head><title>é</title></head></html>".encode()


def answer(
    path: str, kind: bytes, pieces: list[bytes], method: str = "GET", accepted: bytes = b"br"
) -> tuple[dict[bytes, bytes], bytes]:
    """Headers and body of an application that answers in pieces, behind the middleware."""

    async def app(scope, receive, send) -> None:
        length = str(sum(map(len, pieces))).encode()
        headers = [(b"content-type", kind), (b"content-length", length), (b"x-other", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})

    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"accept-encoding", accepted)]}
    asyncio.run(PageHead(app, "let a = 1 < 2;")(scope, None, send))
    return dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])


def test_the_page_begins_with_the_script() -> None:
    for cut in (3, 20, len(PAGE)):
        headers, body = answer("/", b"text/html; charset=utf-8", [PAGE[:cut], PAGE[cut:]])
        assert body == PAGE.replace(b"<head>", b"<head><script>let a = 1 < 2;</script>")
        assert headers[b"content-length"] == str(len(body)).encode() and headers[b"x-other"] == b"1"


def test_the_page_travels_compressed_to_those_who_ask() -> None:
    headers, body = answer("/", b"text/html", [PAGE * 50], accepted=b"gzip, deflate, br")
    assert headers[b"content-encoding"] == b"gzip" and int(headers[b"content-length"]) == len(body)
    assert len(body) < len(PAGE) * 25
    assert gzip.decompress(body).count(PAGE[40:]) == 50


def test_everything_else_stays_as_it_is() -> None:
    for path, kind, method in (
        ("/config", b"application/json", "GET"),
        ("/", b"application/json", "GET"),
        ("/file", b"text/html", "GET"),
        ("/", b"text/html", "HEAD"),
    ):
        headers, body = answer(path, kind, [PAGE], method)
        assert body == PAGE and headers[b"content-length"] == str(len(PAGE)).encode()

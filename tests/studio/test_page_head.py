"""The script at the head of the page: once, before everything else, and nowhere but in the page."""

import asyncio
import gzip

import brotli
import pytest

from studio.server.page_files import CHECKED, LASTING, Caching, PageHead

PAGE = "<!doctype html><html><head><title>é</title></head></html>".encode()


def answer(
    path: str, kind: bytes, pieces: list[bytes], method: str = "GET", accepted: bytes = b"identity"
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


@pytest.mark.parametrize(
    ("accepted", "encoding", "decode"),
    [(b"gzip, deflate, br", b"br", brotli.decompress), (b"deflate, gzip;q=0.5", b"gzip", gzip.decompress)],
)
def test_the_page_travels_compressed_to_those_who_ask(accepted, encoding, decode) -> None:
    headers, body = answer("/", b"text/html", [PAGE * 50], accepted=accepted)
    assert headers[b"content-encoding"] == encoding and int(headers[b"content-length"]) == len(body)
    assert len(body) < len(PAGE) * 25
    assert decode(body).count(PAGE[40:]) == 50


def test_scripts_that_components_share_have_an_address_that_names_their_content() -> None:
    sent: list[dict] = []

    async def app(scope, receive, send) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]}
        )
        await send({"type": "http.response.body", "body": PAGE})

    async def send(message: dict) -> None:
        sent.append(message)

    def asked(path: str, shared: str) -> bytes:
        sent.clear()
        scope = {"type": "http", "method": "GET", "path": path, "headers": []}
        asyncio.run(PageHead(app, "", shared)(scope, None, send))
        return sent[1]["body"]

    first, other = (
        asked("/", text).split(b'src="')[1].split(b'"')[0].decode() for text in ("let a;", "let b;")
    )
    assert first != other
    assert asked(f"/{first}", "let a;") == b"let a;"
    assert dict(sent[0]["headers"])[b"cache-control"] == LASTING
    assert asked(f"/{other}", "let a;") == PAGE


@pytest.mark.parametrize(("name", "kept"), [("example.png", LASTING), ("mine.png", CHECKED)])
def test_only_pictures_of_nobody_are_kept_without_asking(name, kept) -> None:
    sent: list[dict] = []

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": f"/gradio_api/file={name}", "headers": []}
    asyncio.run(Caching(app, lambda path: path == "example.png")(scope, None, send))
    assert sent[0]["headers"] == [(b"cache-control", kept)]


def test_everything_else_stays_as_it_is() -> None:
    for path, kind, method in (
        ("/config", b"application/json", "GET"),
        ("/", b"application/json", "GET"),
        ("/file", b"text/html", "GET"),
        ("/", b"text/html", "HEAD"),
    ):
        headers, body = answer(path, kind, [PAGE], method)
        assert body == PAGE and headers[b"content-length"] == str(len(PAGE)).encode()

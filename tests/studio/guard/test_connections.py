"""Connections of a real server: silent ones, slow ones, too many, heads without end, answers that nobody fetches."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest
import uvicorn

from studio.server import connections
from studio.server.connections import BoundedProtocol, bound_connections

LONG = b"x" * 200_000


async def app(scope, receive, send):
    """Says how many bytes came; /long goes on for as long as anybody is there."""
    if scope["type"] != "http":
        return
    got = 0
    while scope["method"] == "POST":
        message = await receive()
        got += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    headers = [(b"Access-Control-Allow-Origin", b"*"), (b"access-control-max-age", b"600"), (b"x-own", b"1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["path"] == "/long":
        await receive()
        gone = asyncio.ensure_future(receive())
        while not gone.done():
            await send({"type": "http.response.body", "body": LONG, "more_body": True})
            await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b"%d" % got})


@contextlib.contextmanager
def served(**settings):
    bound_connections()
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off", **settings)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1], server
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


@pytest.fixture
def limits(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.6)
    monkeypatch.setattr(connections, "FETCH_SECONDS", 0.6)
    monkeypatch.setattr(connections, "MAX_WAITING", 8)
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 20)


LINES = []


@pytest.fixture(autouse=True)
def hung_up():
    yield
    while LINES:
        LINES.pop().close()


def connected(port, data=b""):
    line = socket.socket()
    LINES.append(line)
    line.settimeout(10)
    line.setsockopt(
        socket.SOL_SOCKET, socket.SO_SNDBUF, 2**15
    )  # or the own side takes megabytes of what is sent
    line.connect(("127.0.0.1", port))
    line.sendall(data)
    return line


def answered(port, data):
    """All that is said to one request, until the server hangs up or is silent."""
    with connected(port, data) as line:
        return all_of(line)


def all_of(line, seconds=3):
    line.settimeout(seconds)
    said = b""
    with contextlib.suppress(OSError):
        while piece := line.recv(65536):
            said += piece
            if said.endswith((b"\r\n\r\n0\r\n\r\n", b"\r\n0\r\n\r\n")):
                break
    return said


def until(condition, seconds=8):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def to_its_end(line):
    """All that is said until the server hangs up."""
    line.settimeout(8)
    said = b""
    with contextlib.suppress(ConnectionError):
        while piece := line.recv(65536):
            said += piece
    return said


def is_open(line):
    line.settimeout(0)
    try:
        return line.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX: "], ids=["silent", "half a head"])
def test_who_does_not_say_what_he_wants_is_hung_up_on(limits, start):
    with served() as (port, server):
        line, began = connected(port, start), time.monotonic()
        assert to_its_end(line) == b"" and time.monotonic() - began > 0.4
        until(lambda: not server.server_state.connections)
    assert not BoundedProtocol._by_address and not BoundedProtocol._waiting


def test_a_head_that_drips_in_has_no_more_time(limits):
    with served() as (port, _):
        line, began = connected(port, b"GET / HTTP/1.1\r\n"), time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < 8:
                line.sendall(b"X: y\r\n")
                time.sleep(0.1)
        assert time.monotonic() - began < 5


def test_neither_has_a_second_head_or_the_rest_of_a_body(limits):
    with served() as (port, _):
        for second in (b"GET / HTT", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\nabc"):
            line = connected(port, GET)
            assert b"200 OK" in all_of(line)
            line.sendall(second)
            to_its_end(line)


def test_the_oldest_silent_connection_makes_room(limits):
    with served() as (port, _):
        lines = [connected(port) for _ in range(40)]
        time.sleep(0.3)
        assert sum(map(is_open, lines)) == 8
        assert b"200 OK" in answered(port, GET)


def test_one_address_has_so_many_connections(limits, monkeypatch):
    busy = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
    for believed, most in (("", 20), ("127.0.0.1", 30)):
        with served(forwarded_allow_ips=believed) as (port, _):
            lines = []
            for _ in range(30):
                lines.append(connected(port, busy))
                time.sleep(0.02)
            time.sleep(0.2)
            assert sum(map(is_open, lines)) == most
            for line in lines:
                line.close()


WAYS = {
    "one value": (b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: ", b"a" * 65536),
    "many headers": (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X-Y: abc\r\n" * 6000),
    "the address": (b"GET /", b"a" * 65536),
    "one name": (b"GET / HTTP/1.1\r\nHost: a\r\n", b"a" * 65536),
    "spaces": (b"GET / HTTP/1.1\r\nHost: a\r\nX:", b" " * 65536),
    "trailers": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"X-Y: abc\r\n" * 6000,
    ),
    "extensions of a piece": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;",
        b"a" * 65536,
    ),
    "the second head": (GET + b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"a" * 65536),
}


@pytest.mark.parametrize("way", WAYS)
def test_heads_without_end_are_cut_off(way):
    start, piece = WAYS[way]
    with served() as (port, server), connected(port, start) as line:
        sent, began = 0, time.monotonic()
        with contextlib.suppress(OSError):
            while sent < 40 * 2**20 and time.monotonic() - began < 20:
                line.sendall(piece)
                sent += len(piece)
        assert sent < 2**20 and time.monotonic() - began < 8  # what the system holds in between
        until(lambda: not server.server_state.connections)


def test_a_long_head_at_once_is_refused_in_one_sentence():
    with served() as (port, _):
        for headers, status in ((600, b"200 OK"), (700, b"431 ")):
            head = GET[:-2] + b"X-Y: %s\r\n" % (b"a" * 90) * headers + b"\r\n"
            assert status in answered(port, head)


@pytest.mark.parametrize("pieces", [1, 7, 4096, 300_000])
def test_bodies_of_any_length_come_through(pieces):
    body = b"b" * min(1_500_000, pieces * 3000)
    whole = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    parts = [body[at : at + pieces] for at in range(0, len(body), pieces)]
    chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked += b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    with served() as (port, _):
        for request in (whole, chunked):
            assert b"\r\n%d\r\n" % len(body) in answered(port, request), len(request)


def test_many_requests_on_one_connection():
    with served() as (port, _), connected(port) as line:
        for _ in range(2000):
            line.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"c" * 50 + b"\r\n\r\n")
            said = b""
            while not said.endswith(b"0\r\n\r\n"):
                said += line.recv(1000)
        line.sendall(GET * 500)
        line.settimeout(1)
        said = b""
        with contextlib.suppress(TimeoutError):
            while piece := line.recv(65536):
                said += piece
        assert said.count(b"200 OK") == 500


def test_an_answer_that_nobody_fetches_ends(limits):
    with served() as (port, server):
        line = connected(port, b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.3)
        assert server.server_state.connections
        until(lambda: not server.server_state.connections)
        line.close()


def test_slow_readers_are_waited_for(limits):
    with served() as (port, server):
        line, began = connected(port, b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n"), time.monotonic()
        while time.monotonic() - began < 1.5:
            assert line.recv(2**20)
            time.sleep(0.02)
        assert server.server_state.connections
        line.close()


def test_there_are_no_websockets():
    with served() as (port, _):
        upgrade = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        upgrade += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        assert b"101" not in answered(port, upgrade)[:20]
    assert not BoundedProtocol._by_address


def test_no_page_elsewhere_is_invited_to_read():
    with served() as (port, _):
        said = answered(port, GET).lower()
        assert b"x-own: 1" in said and b"access-control" not in said

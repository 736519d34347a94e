"""Floods of nonsense while somebody waits for a result: python -m tests.load.junk --sessions 3000."""

import argparse
import json
import secrets
import socket
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.load.pictures import foreign_pixels, tinted
from tests.load.server import Server, served
from tests.load.visitor import Layout, Visitor

MEGABYTE = 2**20


def fresh_sessions(server: Server, count: int, *, from_one_place: bool) -> Counter[int]:
    """As many pages that ask for something once and never listen; the statuses of the answers.

    Args:
        server: that is flooded.
        count: of sessions.
        from_one_place: all from one address; otherwise each from its own.
    """
    layout = Layout.of(server.address)
    handler = layout.handler(None, "load", "arrive")

    def one(number: int) -> int:
        place = (
            "10.1.1.1" if from_one_place else f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        )
        visitor = Visitor(server.address, layout, client=place)
        body = visitor.body(handler)
        try:
            return visitor.web.post("/gradio_api/queue/join", json=body).status_code
        finally:
            visitor.close()

    with ThreadPoolExecutor(4) as pool:
        return Counter(pool.map(one, range(count)))


def large_form_field(server: Server, megabytes: int) -> int:
    """A form whose field never ends; the status, or 0 where the connection was cut."""
    boundary = secrets.token_hex(8)

    def pieces():
        yield f'--{boundary}\r\nContent-Disposition: form-data; name="files"\r\n\r\n'.encode()
        for _ in range(megabytes):
            yield b"x" * MEGABYTE

    return _sent(server, "/gradio_api/upload", pieces(), f"multipart/form-data; boundary={boundary}")


def large_json(server: Server, megabytes: int) -> int:
    """A call that never ends; the status, or 0 where the connection was cut."""

    def pieces():
        yield b'{"fn_index": 0, "session_hash": "a", "data": ["'
        for _ in range(megabytes):
            yield b"x" * MEGABYTE

    return _sent(server, "/gradio_api/queue/join", pieces(), "application/json")


def _sent(server: Server, path: str, pieces: Iterable[bytes], kind: str) -> int:
    try:
        answer = httpx.post(
            server.address + path, content=pieces, headers={"Content-Type": kind}, timeout=120
        )
    except httpx.TransportError:
        return 0
    return answer.status_code


def half_sent_uploads(server: Server, count: int) -> list[socket.socket]:
    """Uploads that stop after their first bytes; the connections, to be closed by the caller."""
    where = urlsplit(server.address)
    connections = []
    for _ in range(count):
        connection = socket.create_connection((where.hostname, where.port), timeout=60)
        connection.sendall(
            b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + b"x" * 4000
        )
        connections.append(connection)
    return connections


def bombard(server: Server, sessions: int, megabytes: int, uploads: int, *, attempt: int) -> dict[str, Any]:
    """All of it at once, while a visitor waits in line behind a slow run.

    Args:
        server: to be used by nobody else.
        sessions: fresh ones, from one place and again from everywhere.
        megabytes: of the form field and of the JSON.
        uploads: half sent.
        attempt: another number for other pictures.

    Returns:
        What happened, in words, and `grown_mb`, by how much memory grew.
    """
    layout = Layout.of(server.address)
    first, waiting = Visitor(server.address, layout), Visitor(server.address, layout)
    first.set("Models", ["reapply"])
    first.open(tinted(1, attempt, 1200, 1200))
    waiting.set("Models", ["plain"])
    waiting.open(tinted(2, attempt, 480, 640))
    before = server.memory_mb()
    pool = ThreadPoolExecutor(2)
    slow = pool.submit(first.call, first.begin())
    result = pool.submit(waiting.call, waiting.begin())
    connections = half_sent_uploads(server, uploads)
    told = {
        "sessions from one place": fresh_sessions(server, sessions, from_one_place=True),
        "sessions from everywhere": fresh_sessions(server, sessions, from_one_place=False),
        "form field": large_form_field(server, megabytes),
        "JSON": large_json(server, megabytes),
    }
    for run in (slow, result):  # a restoration at work would count as memory that junk took
        run.result(600)
    assert foreign_pixels(waiting.result("plain"), 2) == 0
    for connection in connections:
        connection.close()
    return {**told, "grown_mb": server.memory_mb() - before}


def main() -> None:
    """Start a server of its own and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=3000)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--uploads", type=int, default=100)
    told = parser.parse_args()
    with served("--public") as server:
        bombard(server, 10, 1, 1, attempt=0)  # what any first visitor costs
        found = bombard(server, told.sessions, told.megabytes, told.uploads, attempt=1)
        print(json.dumps({name: str(value) for name, value in found.items()}, indent=1))


if __name__ == "__main__":
    main()

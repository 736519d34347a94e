"""What is called or asked for by name, and what happens where something fails all the same."""

import asyncio
import json
import logging
from contextlib import nullcontext

import pytest

from studio.server.calls import Known, KnownCalls, LastResort


def asked(app, method="GET", path="/", query=b"", headers=(), body=b""):
    """Status and sentence of one request."""
    told = []
    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": list(headers)}

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        told.append(message)

    asyncio.run(app(scope, receive, send))
    return told[0]["status"], told[-1].get("body", b"").decode()


async def inner(scope, receive, send):
    """Stands for Gradio: says which headers and body it got."""
    got = {"range": [v.decode() for n, v in scope["headers"] if n == b"range"]}
    if scope["method"] == "POST":
        got["body"] = (await receive())["body"].decode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(got).encode()})


KNOWN = KnownCalls(
    inner, Known({"measure": 2}, {"anna", "event-1"}.__contains__, lambda _name: nullcontext())
)


@pytest.mark.parametrize("path", ["queue/data", "queue/data/"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        (b"session_hash=anna", 200),
        (b"session_hash=ben", 404),
        (b"", 404),
        (b"session_hash=ben&session_hash=anna", 404),
        (b"session_hash=anna&session_hash=ben", 404),
        (b"session_hash=anna&session_hash=", 404),
    ],
)
def test_news_are_for_those_who_are_waited_for(path, query, status):
    assert asked(KNOWN, path=f"/gradio_api/{path}", query=query)[0] == status


@pytest.mark.parametrize(("event", "status"), [("event-1", 200), ("event-2", 404), ("x" * 64, 404)])
def test_news_of_a_call(event, status):
    assert asked(KNOWN, path=f"/gradio_api/call/measure/{event}")[0] == status


@pytest.mark.parametrize(
    ("name", "values", "status"),
    [
        ("measure", [1, 2], 200),
        ("measure", [1], 400),
        ("measure", [], 400),
        ("opened", [1, 2], 404),
        ("no", [], 404),
    ],
)
def test_named_calls(name, values, status):
    body = json.dumps({"data": values}).encode()
    found, said = asked(KNOWN, "POST", f"/gradio_api/call/{name}", body=body)
    assert found == status
    if status == 200:
        assert json.loads(said)["body"] == body.decode()


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ("bytes=0-", 1),
        ("bytes=-5", 1),
        ("bytes=3-9", 1),
        ("bytes=0-1,2-3", 0),
        ("bytes=a-b", 0),
        ("bytes=" + "9" * 99, 0),
    ],
)
def test_one_range_or_none(wanted, kept):
    _, said = asked(KNOWN, path="/gradio_api/file=x", headers=[(b"range", wanted.encode())])
    assert len(json.loads(said)["range"]) == kept


def test_what_fails_is_one_sentence_and_one_line(caplog):
    async def failing(scope, receive, send):
        raise BaseExceptionGroup("tasks", [ValueError("x" * 5000 + "\n")])

    with caplog.at_level(logging.ERROR):
        status, said = asked(LastResort(failing), path="/" + "y" * 5000 + "\n")
    assert status == 500 and "Try it once more" in said
    [line] = caplog.messages
    assert "ValueError" in line and "\n" not in line and len(line) < 700


def test_what_fails_in_the_middle_of_an_answer_adds_nothing_to_it():
    async def failing(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise OSError("gone")

    assert asked(LastResort(failing)) == (200, "")

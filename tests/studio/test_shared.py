"""A comparison at an address nobody can guess: who may see it, until when, and what the page may do."""

import asyncio
import re
import time
from types import SimpleNamespace

import pytest

from models.errors import InvalidSetting
from studio.restore.takeaway_handlers import TakeawayHandlers
from studio.server.files import PictureFolder
from studio.server.shared import GONE, SharedPages
from studio.session.visitor import Run


@pytest.fixture
def shared(engine, tmp_path, visitor, photograph):
    """(pictures, path): a comparison that a visitor called "me" has shared."""
    pictures = PictureFolder(tmp_path / "shared", 600, visitor=lambda: "me")
    visitor.restore(photograph)
    made = TakeawayHandlers(engine, pictures).make_share({}, visitor.session, visitor.run).takeaway
    return pictures, made["shared"]


def answered(pictures: PictureFolder, path: str, method: str = "GET"):
    """(status, headers, body) of a request that reaches the shared pages."""
    sent = []

    async def passed_on(scope, receive, send):
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"passed on"})

    async def ask():
        async def receive():
            return await asyncio.sleep(3600)

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
        await SharedPages(passed_on, pictures)(scope, receive, send)

    asyncio.run(ask())
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


def test_the_address_shows_the_comparison_with_its_end_and_is_never_the_same(shared, engine, visitor):
    pictures, path = shared
    assert re.fullmatch(r"/shared/[0-9a-f]{32}", path)
    status, headers, body = answered(pictures, path)
    page = body.decode()
    assert status == 200 and headers["content-type"].startswith("text/html")
    assert "Shared until <time" in page and '"id": "cascade"' in page and "offline" not in page
    again = TakeawayHandlers(engine, pictures).make_share({}, visitor.session, visitor.run).takeaway
    assert again["shared"] != path and again["until"] > 0


def test_nothing_of_it_is_indexed_kept_or_part_of_the_studio(shared):
    pictures, path = shared
    for address in (path, "/shared/" + "0" * 32):
        _, headers, _ = answered(pictures, address)
        assert "noindex" in headers["x-robots-tag"] and headers["cache-control"] == "no-store"
        policy = headers["content-security-policy"]
        assert policy.startswith("sandbox allow-scripts") and "allow-same-origin" not in policy
        assert "default-src 'none'" in policy


def test_it_goes_with_the_images_of_whoever_shared_it(shared):
    pictures, path = shared
    pictures.forget("somebody else")
    assert answered(pictures, path)[0] == 200
    pictures.forget("me")
    status, _, body = answered(pictures, path)
    assert (status, body.decode()) == (404, GONE)


def test_it_ends_with_the_lifetime_of_the_pictures_however_often_it_is_looked_at(shared, monkeypatch):
    pictures, path = shared
    made = time.monotonic()
    for later in (300, 590):
        clock = SimpleNamespace(monotonic=lambda later=later: made + later, time=time.time)
        monkeypatch.setattr("models.ages.time", clock)
        assert answered(pictures, path)[0] == 200
    monkeypatch.setattr("models.ages.time", SimpleNamespace(monotonic=lambda: made + 610, time=time.time))
    assert answered(pictures, path)[0] == 404
    pictures.sweep()
    assert not list(pictures.root.rglob("shared-comparison.html"))


@pytest.mark.parametrize("end", ["", "a", "A" * 32, "0" * 31, "0" * 33, "../" + "0" * 29, "0" * 32 + "/x"])
def test_other_addresses_are_somebody_elses(shared, end):
    assert answered(shared[0], f"/shared/{end}")[0] == 299


def test_only_reading_is_answered(shared):
    pictures, path = shared
    assert answered(pictures, path, "HEAD")[0] == 200 and answered(pictures, path, "HEAD")[2] == b""
    assert answered(pictures, path, "POST")[0] == 404


def test_nothing_is_shared_before_there_is_a_result(engine, pictures, visitor, photograph):
    visitor.bring(photograph)
    with pytest.raises(InvalidSetting, match="Repair the"):
        TakeawayHandlers(engine, pictures).make_share({}, visitor.session, Run())

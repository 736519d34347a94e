"""The guard alone: sizes, silence, shares, names; everything it refuses is refused in one sentence."""

import asyncio
import json

import pytest

from studio.guard import bodies
from studio.guard.doors import Doors, headers_for, own_names
from studio.guard.middleware import OTHER_BYTES, FairShares, Guard, GuardRules
from studio.guard.rates import Buckets, Recent, Share, client_of
from studio.hosting import PRIVATE_NETWORKS, hosting

UPLOAD = "/gradio_api/upload"
JOIN = "/gradio_api/queue/join"
PIECE = {"type": "http.request", "body": b"x" * 1000, "more_body": True}
HEAD = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
FIELD = b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\n'
CALL = {"fn_index": 3, "data": [None, 1], "session_hash": "abc", "event_data": {"a": 1}, "trigger_id": 4}


class Desk:
    """An application that reads all it is sent, and says so."""

    def __init__(self):
        self.received, self.calls = 0, 0

    async def __call__(self, scope, receive, send):
        self.calls += 1
        while scope["method"] == "POST":
            message = await receive()
            self.received += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"fine"})


def asked(
    rules,
    app,
    path,
    *,
    method="POST",
    body=(),
    headers=(),
    host=b"localhost",
    query=b"",
    client="1.2.3.4",
    guard=None,
):
    """The answer to one request: status, words, headers."""
    messages = list(body)
    sent = []

    async def receive():
        if messages:
            return messages.pop(0)
        return await asyncio.sleep(3600)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "query_string": query, "client": (client, 1),
        "headers": [(b"host", host), *headers],
    }  # fmt: skip
    asyncio.run((guard or Guard(app, rules))(scope, receive, send))
    return sent[0]["status"], sent[1]["body"].decode(), dict(sent[0]["headers"])


def whole(data):
    return [{"type": "http.request", "body": data, "more_body": False}]


@pytest.fixture
def app():
    return Desk()


@pytest.fixture
def rules(tmp_path):
    doors = Doors(True, own_names(["studio.example", ".hf.space"]), (tmp_path,))
    return GuardRules(doors, headers_for(()), 10_000, {3: 2}, FairShares())


def test_an_upload_without_end_is_cut_off(app, rules):
    status, words, _ = asked(rules, app, UPLOAD, body=[{**PIECE, "body": HEAD}, *[PIECE] * 50])
    assert status == 413 and "is taken" in words
    assert 9_000 <= app.received <= 10_000


def test_a_declared_size_is_refused_before_anything_is_read(app, rules):
    for size in (b"10001", b"1" * 40, b"-5", b"a"):
        status, _, _ = asked(rules, app, UPLOAD, body=[PIECE], headers=[(b"content-length", size)])
        assert status == 413
    assert app.received == app.calls == 0


def test_everything_else_may_be_small_only(app, rules):
    big = {**PIECE, "body": b"x" * OTHER_BYTES}
    assert asked(rules, app, JOIN, body=[big, PIECE])[0] == 413
    assert app.calls == 0


def test_half_sent_bodies_time_out(app, rules, monkeypatch):
    monkeypatch.setattr(bodies, "PIECE_SECONDS", 0.05)
    for path in (UPLOAD, JOIN):
        status, words, _ = asked(rules, app, path, body=[PIECE])
        assert status == 408 and "1000 bytes" in words


def test_a_body_that_drips_in_forever_times_out(app, rules, monkeypatch):
    monkeypatch.setattr("studio.guard.middleware.UPLOAD_SECONDS", 0.0)
    assert asked(rules, app, UPLOAD, body=[])[0] == 408


def test_a_call_is_looked_at_and_passed_on_whole(app, rules):
    text = json.dumps(CALL).encode()
    split = [{**PIECE, "body": text[:20]}, *whole(text[20:])]
    assert asked(rules, app, JOIN, body=split)[0] == 200
    assert app.received == len(text)


@pytest.mark.parametrize(
    "changed",
    [
        {"fn_index": 4}, {"fn_index": True}, {"data": [1]}, {"session_hash": None}, {"session_hash": "a/b"},
        {"event_data": []}, {"trigger_id": "4"}, {"data": [{"path": "/etc/passwd"}, 1]}, {"data": [[[{"path": 1}]], 1]},
        {"data": [{"a": {"path": "https://example.com/x.png"}}, 1]}, {"event_data": {"path": "app.py"}},
    ],
    ids=str,
)  # fmt: skip
def test_what_no_page_sends_never_arrives(app, rules, changed):
    status, words, _ = asked(rules, app, JOIN, body=whole(json.dumps({**CALL, **changed}).encode()))
    assert status == 400 and json.loads(words)["detail"].startswith("The request is no call")
    assert app.calls == 0


def test_files_that_were_uploaded_here_may_be_named(app, rules, tmp_path):
    call = {**CALL, "data": [{"path": str(tmp_path / "abc" / "x.png")}, 1]}
    assert asked(rules, app, JOIN, body=whole(json.dumps(call).encode()))[0] == 200
    call["data"][0]["path"] = str(tmp_path / ".." / "x.png")
    assert asked(rules, app, JOIN, body=whole(json.dumps(call).encode()))[0] == 400
    named = json.dumps({"data": [{"path": "/etc/passwd"}]}).encode()
    assert asked(rules, app, "/gradio_api/call/restore", body=whole(named))[0] == 400


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_upload_is_one_file(app, rules, size):
    kind = [(b"content-type", b"multipart/form-data; boundary=b")]

    def sent(data):
        pieces = [{**PIECE, "body": data[at : at + size]} for at in range(0, len(data), size)]
        return asked(rules, app, UPLOAD, body=[*pieces, *whole(b"")], headers=kind)[0]

    end = b"\r\n--b--\r\n"
    assert sent(HEAD + b"pixels --b " * 50 + end) == 200
    assert sent(HEAD + end) == 200
    assert sent(FIELD + b"x" * 500 + end) == 400
    assert sent(HEAD + b"pixels\r\n" + FIELD + b"x" + end) == 400
    assert sent(HEAD + b"pixels\r\n" + HEAD + b"x" + end) == 400
    assert sent(HEAD + b"\r\n" + FIELD + end) == 400
    assert sent(b"-" * 9000) == 400


def test_without_strangers_calls_stay_unread_and_all_routes_are_open(app, rules, tmp_path):
    private = GuardRules(Doors(False, own_names(), (tmp_path,)), rules.headers, 10_000)
    assert asked(private, app, JOIN, body=whole(b"anything"))[0] == 200
    assert asked(private, app, "/gradio_api/component_server", body=whole(b"{}"))[0] == 200
    assert asked(private, app, "/gradio_api/file=/etc/passwd", method="GET")[0] == 404
    assert asked(private, app, "/", method="GET", host=b"evil.example")[0] == 421


def test_host_names(app, rules):
    for host, status in (
        (b"studio.example", 200), (b"STUDIO.example:443", 200), (b"studio.example.", 200), (b"a-b.hf.space", 200),
        (b"studio.example.evil.org", 421), (b"evilhf.space.org", 421), (b"10.0.0.1:80", 200), (b"[::1]", 200),
        (b"", 421), (b"[evil]", 421), (b"127.0.0.1.evil.org", 421),
    ):  # fmt: skip
        assert asked(rules, app, "/", method="GET", host=host)[0] == status, host


def test_every_answer_carries_the_headers(app, rules):
    for path in ("/", "/nowhere"):
        headers = asked(rules, app, path, method="GET")[2]
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert b"frame-ancestors 'self';" in headers[b"content-security-policy"] + b";"


def test_one_visitor_cannot_use_up_what_belongs_to_others(app, rules):
    guard = Guard(app, rules)
    text = json.dumps(CALL).encode()
    own = [asked(rules, app, JOIN, body=whole(text), guard=guard)[0] for _ in range(200)]
    assert own[:140] == [200] * 140 and own[-1] == 429
    other = json.dumps({**CALL, "session_hash": "other"}).encode()
    assert asked(rules, app, JOIN, body=whole(other), guard=guard)[0] == 200


def test_a_flood_of_fresh_sessions_leaves_known_ones_alone(app, rules):
    guard = Guard(app, rules)
    known = json.dumps(CALL).encode()
    assert asked(rules, app, JOIN, body=whole(known), guard=guard)[0] == 200
    flood = [
        asked(rules, app, "/gradio_api/queue/data", method="GET", query=b"session_hash=s%d" % n, guard=guard)[
            0
        ]
        for n in range(400)
    ]
    assert flood.count(200) < 150 and flood[-1] == 429
    assert asked(rules, app, JOIN, body=whole(known), guard=guard)[0] == 200
    strange = asked(rules, app, "/gradio_api/heartbeat/new", method="GET", client="9.9.9.9", guard=guard)
    assert strange[0] == 200


def test_uploaded_bytes_are_shared_out(app, rules):
    few = GuardRules(rules.doors, rules.headers, 10_000, {}, FairShares(uploads=Share(0, 25_000)))
    guard = Guard(app, few)
    size = [(b"content-length", b"9000")]
    file = whole(HEAD + b"x" * 8900)
    sent = [asked(few, app, UPLOAD, body=file, headers=size, guard=guard)[0] for _ in range(4)]
    assert sent == [200, 200, 429, 429]


def test_buckets_fill_up_again():
    now = [0.0]
    bucket = Buckets(Share(2, 4), clock=lambda: now[0])
    assert [bucket.take("a") for _ in range(5)] == [True] * 4 + [False]
    now[0] = 1.0
    assert [bucket.take("a") for _ in range(3)] == [True, True, False]
    assert bucket.take("b", 4) and not bucket.take("b")


def test_what_was_seen_long_ago_is_forgotten():
    recent = Recent(2)
    for key in ("a", "b"):
        recent.add(key)
    assert "a" in recent  # and is now the younger one
    recent.add("c")
    assert "b" not in recent and "a" in recent and "c" in recent


def test_clients():
    assert client_of("1.2.3.4") == "1.2.3.4" == client_of("::ffff:1.2.3.4")
    assert client_of("2001:db8::1") == client_of("2001:db8::2") != client_of("2001:db8:0:1::1")
    assert client_of("a unix socket") == "a unix socket"


def test_on_spaces_strangers_come_by_themselves():
    environment = {"SPACE_ID": "me/studio", "SPACE_HOST": "me-studio.hf.space"}
    told = hosting(environment, [])
    assert told.public and told.host == "0.0.0.0" and "me-studio.hf.space" in told.names
    assert environment["FORWARDED_ALLOW_IPS"] == PRIVATE_NETWORKS
    at_home = hosting({}, ["--allow-host", "studio.example"])
    assert not at_home.public and at_home.host == "127.0.0.1" and at_home.names == ("studio.example",)
    assert hosting({}, ["--public"]).public

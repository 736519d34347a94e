"""The guard alone: sizes, silence, shares, names; everything it refuses is refused in one sentence."""

import asyncio
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from studio.guard import bodies
from studio.guard.doors import MOST_NAME, Doors, headers_for, host_names, is_loopback, own_names
from studio.guard.middleware import OTHER_BYTES, FairShares, Guard, GuardRules
from studio.guard.rates import Buckets, Recent, Share, client_of
from studio.hosting import PRIVATE_NETWORKS, hosting

UPLOAD = "/gradio_api/upload"
JOIN = "/gradio_api/queue/join"
PIECE = {"type": "http.request", "body": b"x" * 1000, "more_body": True}
HEAD = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
FIELD = b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\n'
KIND = [(b"content-type", b"multipart/form-data; boundary=b")]
CONTENT = "0123456789abcdef" * 2
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
    doors = Doors(True, host_names(["studio.example", ".hf.space", *own_names()]), (tmp_path,))
    return GuardRules(doors, headers_for(()), 10_000, {3: 2}, FairShares())


def test_an_upload_without_end_is_cut_off(app, rules):
    body = [{**PIECE, "body": HEAD}, *[PIECE] * 50]
    status, words, _ = asked(rules, app, UPLOAD, body=body, headers=KIND)
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
        first = {**PIECE, "body": HEAD} if path == UPLOAD else PIECE
        status, words, _ = asked(rules, app, path, body=[first], headers=KIND if path == UPLOAD else ())
        assert status == 408 and f"{len(first['body'])} bytes" in words


def test_a_body_that_drips_in_forever_times_out(app, rules, monkeypatch):
    monkeypatch.setattr("studio.guard.middleware.UPLOAD_SECONDS", 0.0)
    assert asked(rules, app, UPLOAD, body=[], headers=KIND)[0] == 408


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


@pytest.mark.parametrize("value", [None, 25, 0.5, "4:4:4", True, {"index": 3}])
def test_an_event_may_carry_an_object_or_the_value_of_its_control(app, rules, value):
    call = json.dumps({**CALL, "event_data": value}).encode()
    assert asked(rules, app, JOIN, body=whole(call))[0] == 200


def test_files_that_were_uploaded_here_may_be_named(app, rules, tmp_path):
    call = {**CALL, "data": [{"path": str(tmp_path / CONTENT / "x.png")}, 1]}
    assert asked(rules, app, JOIN, body=whole(json.dumps(call).encode()))[0] == 200
    call["data"][0]["path"] = str(tmp_path / ".." / "x.png")
    assert asked(rules, app, JOIN, body=whole(json.dumps(call).encode()))[0] == 400
    named = json.dumps({"data": [{"path": "/etc/passwd"}]}).encode()
    assert asked(rules, app, "/gradio_api/call/restore", body=whole(named))[0] == 400


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_upload_is_one_file(app, rules, size):
    def sent(data):
        pieces = [{**PIECE, "body": data[at : at + size]} for at in range(0, len(data), size)]
        return asked(rules, app, UPLOAD, body=[*pieces, *whole(b"")], headers=KIND)[0]

    end = b"\r\n--b--\r\n"
    assert sent(HEAD + b"pixels --b " * 50 + end) == 200
    assert sent(HEAD + end) == 200
    assert sent(FIELD + b"x" * 500 + end) == 400
    assert sent(HEAD + b"pixels\r\n" + FIELD + b"x" + end) == 400
    assert sent(HEAD + b"pixels\r\n" + HEAD + b"x" + end) == 400
    assert sent(HEAD + b"\r\n" + FIELD + end) == 400
    assert sent(b"-" * 9000) == 400


def test_without_strangers_calls_stay_unread_and_all_routes_are_open(app, rules, tmp_path):
    private = GuardRules(Doors(False, host_names(own_names()), (tmp_path,)), rules.headers, 10_000)
    assert asked(private, app, JOIN, body=whole(b"anything"))[0] == 200
    assert asked(private, app, "/gradio_api/component_server", body=whole(b"{}"))[0] == 200
    assert asked(private, app, "/gradio_api/file=/etc/passwd", method="GET")[0] == 404
    assert asked(private, app, "/", method="GET", host=b"evil.example")[0] == 421


def test_host_names(app, rules):
    for host, status in (
        (b"studio.example", 200), (b"STUDIO.example:443", 200), (b"studio.example.", 200), (b"a-b.hf.space", 200),
        (b"studio.example.evil.org", 421), (b"evilhf.space.org", 421), (b"10.0.0.1:80", 200), (b"[::1]", 200),
        (b"", 421), (b"[evil]", 421), (b"127.0.0.1.evil.org", 421), (b"[::1].evil.org", 421), (b"[::1]:7860", 200),
        (b"[::1]7860", 421), (b"[::1", 421), (b"::1]", 421), (b"[::1]:", 421), (b"[::1]:x", 421),
        (b"[::1]@evil.org", 421),
        (b"evil.org[::1]", 421), (b"localhost@evil.org", 421), (b"localhost:1:2", 421), (b"local host", 421),
        (b"localhost:123456", 421), (b"[::ffff:10.0.0.1]", 200), (b"a/localhost", 421),
    ):  # fmt: skip
        assert asked(rules, app, "/", method="GET", host=host)[0] == status, host


def test_who_listens_to_this_machine_alone_has_its_names_only(app, rules, tmp_path):
    alone = GuardRules(
        Doors(False, host_names(["studio.example"]), (tmp_path,), local=True), rules.headers, 10_000
    )
    for host, status in (
        (b"localhost:7860", 200), (b"127.0.0.1:7860", 200), (b"127.9.9.9", 200), (b"[::1]:1", 200),
        (b"[::ffff:127.0.0.1]", 200), (b"studio.example", 200), (b"192.168.1.7", 421), (b"0.0.0.0", 421),
        (b"[::ffff:10.0.0.1]", 421), (b"[fe80::1]", 421), (own_names()[0].encode(), 421), (b"[::]", 421),
    ):  # fmt: skip
        assert asked(alone, app, "/", method="GET", host=host)[0] == status, host
    assert all(map(is_loopback, ("127.0.0.1", "::1", "[::1]", "localhost", "127.1.2.3")))
    assert not any(map(is_loopback, ("0.0.0.0", "10.0.0.1", "::", "studio.example", "")))


@pytest.fixture(params=[True, False], ids=["public", "private"])
def either(request, rules, tmp_path):
    if request.param:
        return rules
    return GuardRules(Doors(False, host_names(["studio.example"]), (tmp_path,)), rules.headers, 10_000)


def statuses(rules, app, headers, host=b"localhost:7860"):
    """Of visiting the page, reading and fetching, calling, uploading and asking in advance."""
    text = whole(json.dumps(CALL).encode())
    file = whole(HEAD + b"x\r\n--b--\r\n")
    return [
        asked(rules, app, path, method=method, body=body, headers=[*headers, *kind], host=host)[0]
        for method, path, body, kind in (
            ("GET", "/", (), ()), ("GET", "/config", (), ()), ("GET", "/gradio_api/heartbeat/a", (), ()),
            ("POST", JOIN, text, ()), ("POST", UPLOAD, file, KIND), ("OPTIONS", "/config", (), ()),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    "origin",
    [
        b"http://localhost:7861", b"http://localhost", b"http://127.0.0.1:7860", b"http://evil.example", b"null", b"",
        b"http://localhost:7860.evil.example", b"http://evil.example/http://localhost:7860", b"file://",
        b"chrome-extension://abc", b"http://[::1]:7860", b"ftp://localhost:7860", b"http://localhost:78600",
    ],
)  # fmt: skip
def test_pages_of_other_origins_drive_nothing(either, app, origin):
    assert statuses(either, app, [(b"origin", origin)]) == [403] * 6
    assert app.calls == 0


@pytest.mark.parametrize("site", [b"cross-site", b"same-site", b"anything"])
def test_what_is_fetched_for_other_sites_is_refused_and_links_lead_in(either, app, site):
    assert statuses(either, app, [(b"sec-fetch-site", site)]) == [403] * 6
    assert statuses(either, app, [(b"sec-fetch-site", site), (b"sec-fetch-mode", b"no-cors")]) == [403] * 6
    followed = [(b"sec-fetch-site", site), (b"sec-fetch-mode", b"navigate")]
    assert statuses(either, app, followed) == [200, *[403] * 5]


def test_the_own_page_people_and_scripts_come_in(either, app):
    for headers in (
        (), [(b"origin", b"http://localhost:7860")], [(b"origin", b"HTTP://LOCALHOST:7860")],
        [(b"sec-fetch-site", b"same-origin")], [(b"sec-fetch-site", b"none")],
        [(b"origin", b"http://localhost:7860"), (b"sec-fetch-site", b"same-origin")],
    ):  # fmt: skip
        assert statuses(either, app, headers) == [200] * 6, headers


def test_behind_a_proxy_the_name_that_people_type_decides(either, app):
    own = [(b"origin", b"https://studio.example")]
    assert statuses(either, app, own, b"studio.example") == [200] * 6
    assert statuses(either, app, own, b"studio.example:443") == [200] * 6
    forwarded = [*own, (b"x-forwarded-host", b"studio.example")]
    assert statuses(either, app, forwarded, b"127.0.0.1:7860") == [200] * 6
    assert statuses(either, app, own, b"127.0.0.1:7860") == [403] * 6
    for name in (b"evil.example", b"studio.example, evil.example", b"evil.example,studio.example", b""):
        assert statuses(either, app, [(b"x-forwarded-host", name)]) == [421] * 6, name


@pytest.mark.parametrize(
    "name", [b"host", b"origin", b"content-type", b"content-length", b"transfer-encoding"]
)
def test_what_decides_is_said_once(either, app, name):
    value = {b"host": b"localhost", b"origin": b"http://localhost", b"content-length": b"9"}.get(name, b"a")
    extra = [(name, value)] if name == b"host" else [(name, value), (name, value)]
    status, words, _ = asked(either, app, JOIN, headers=extra, body=whole(b"{}"))
    assert status == 400 and "twice" in words and app.calls == 0


def test_a_call_says_everything_once(app, rules):
    text = json.dumps(CALL)
    for more in ('"fn_index": 3', '"session_hash": "b"', '"data": [null, 1]'):
        body = whole((text[:-1] + ", " + more + "}").encode())
        assert asked(rules, app, JOIN, body=body)[0] == 400


TRICKS = {
    "another header that says filename=": (
        b'--b\r\nX-Note: filename="x"\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
    ),
    "a field called filename=": b'--b\r\nContent-Disposition: form-data; name="a filename=b"\r\n\r\n',
    "two dispositions": HEAD[:-2] + b'Content-Disposition: form-data; name="files"\r\n\r\n',
    "no disposition": b"--b\r\nContent-Type: image/png\r\n\r\n",
    "a disposition without a name": b'--b\r\nContent-Disposition: form-data; filename="a"\r\n\r\n',
    "a long head": b"--b\r\nX: " + b"a" * 9000 + b"\r\n" + HEAD[5:],
    "many heads": b"--b\r\n" + b"X: aaaaaaaa\r\n" * 900 + HEAD[5:],
}


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("size", [3, 4096])
def test_an_upload_is_read_as_its_receiver_reads_it(app, rules, trick, size):
    data = TRICKS[trick] + b"x" * 300 + b"\r\n--b--\r\n"
    pieces = [{**PIECE, "body": data[at : at + size]} for at in range(0, len(data), size)]
    status, words, _ = asked(rules, app, UPLOAD, body=[*pieces, *whole(b"")], headers=KIND)
    assert status == 400 and "not one file" in words
    assert app.received <= len(TRICKS[trick])


@pytest.mark.parametrize(
    "kind",
    [
        b"", b"text/plain", b"application/x-www-form-urlencoded", b"multipart/mixed; boundary=b",
        b"multipart/form-data", b"multipart/form-data; boundary=", b"multipart/form-data; boundary=" + b"b" * 300,
    ],
)  # fmt: skip
def test_uploads_of_another_kind_are_refused(app, rules, kind):
    assert asked(rules, app, UPLOAD, body=whole(HEAD), headers=[(b"content-type", kind)])[0] == 400
    assert app.calls == 0


def test_an_upload_brings_no_query_along(rules):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["query_string"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    assert asked(rules, app, UPLOAD, body=whole(HEAD), headers=KIND, query=b"upload_id=x")[0] == 200
    assert seen == [b""]


def test_files_are_known_by_their_names_alone(tmp_path, monkeypatch):
    own = Path("/srv/own.svg")
    doors = Doors(True, frozenset(), (tmp_path,), frozenset({own}))
    for name in ("getcwd", "stat", "lstat", "readlink", "scandir"):
        monkeypatch.setattr(os, name, None)
    served = [f"{tmp_path}/{CONTENT}/a.png", f"{tmp_path}/{CONTENT * 2}/ü b.png", str(own)]
    assert all(map(doors.serves, served))
    for name in (
        f"{tmp_path}/a.png", f"{tmp_path}/{CONTENT}", f"{tmp_path}/{CONTENT}/", f"{tmp_path}/{CONTENT}/..",
        f"{tmp_path}/{CONTENT}/../a.png", f"{tmp_path}/{CONTENT}/b/a.png", f"{tmp_path}/link/passwd", "a.png", "",
        f"{tmp_path}/x/../{CONTENT}/a.png", f"{tmp_path}/../{CONTENT}/a.png", f"{CONTENT}/a.png", "/etc/passwd",
        f"{tmp_path}/{CONTENT.upper()}/a.png", f"{tmp_path}/{CONTENT}/a\0.png", "https://example.com/x.png",
        f"{tmp_path}/{CONTENT}/" + "a" * MOST_NAME, "/srv/x/../own.svg", f"file://{tmp_path}/{CONTENT}/a.png",
    ):  # fmt: skip
        assert not doors.serves(name), name


def test_a_long_call_holds_nobody_up(app, rules, tmp_path):
    """The event loop goes on beside it, and its paths cost nothing."""
    path = f"{tmp_path}/{CONTENT}/" + "a/../" * 4000 + "x.png"
    long = {**CALL, "event_data": {"a": [{"path": path}] * 12}}
    lists = {**CALL, "event_data": {"a": [[] for _ in range(60_000)]}}
    guard = Guard(app, rules)

    async def worked(call):
        """The status, and seconds of the event loop's own thread."""
        sent, messages = [], whole(json.dumps(call).encode())

        async def receive():
            return messages.pop(0)

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": JOIN, "query_string": b"", "client": ("1.2.3.4", 1),
            "headers": [(b"host", b"localhost")],
        }  # fmt: skip
        began = time.thread_time()
        await guard(scope, receive, send)
        return sent[0]["status"], time.thread_time() - began

    for call, status in ((long, 400), (lists, 200)):
        answer, seconds = asyncio.run(worked(call))
        assert answer == status and seconds < 0.01


def test_every_answer_carries_the_headers(app, rules):
    for path in ("/", "/nowhere"):
        headers = asked(rules, app, path, method="GET")[2]
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert b"frame-ancestors 'self';" in headers[b"content-security-policy"] + b";"


@pytest.fixture
def not_refilled(rules):
    """The same shares on a machine of any speed: what is used up stays used up."""
    names = ("requests", "visitors", "calls", "uploads")
    shares = {name: replace(getattr(rules.shares, name), per_second=0) for name in names}
    return replace(rules, shares=FairShares(**shares))


def test_one_visitor_cannot_use_up_what_belongs_to_others(app, rules, not_refilled):
    guard = Guard(app, not_refilled)
    text = json.dumps(CALL).encode()
    own = [asked(rules, app, JOIN, body=whole(text), guard=guard)[0] for _ in range(200)]
    assert own == [200] * 150 + [429] * 50
    other = json.dumps({**CALL, "session_hash": "other"}).encode()
    assert asked(rules, app, JOIN, body=whole(other), guard=guard)[0] == 200


def test_a_flood_of_fresh_sessions_leaves_known_ones_alone(app, rules, not_refilled):
    guard = Guard(app, not_refilled)
    known = json.dumps(CALL).encode()
    assert asked(rules, app, JOIN, body=whole(known), guard=guard)[0] == 200
    flood = [
        asked(rules, app, "/gradio_api/queue/data", method="GET", query=b"session_hash=s%d" % n, guard=guard)[
            0
        ]
        for n in range(400)
    ]
    assert flood.count(200) <= 120 and flood[-1] == 429
    assert asked(rules, app, JOIN, body=whole(known), guard=guard)[0] == 200
    strange = asked(rules, app, "/gradio_api/heartbeat/new", method="GET", client="9.9.9.9", guard=guard)
    assert strange[0] == 200


def test_uploaded_bytes_are_shared_out(app, rules):
    few = GuardRules(rules.doors, rules.headers, 10_000, {}, FairShares(uploads=Share(0, 25_000)))
    guard = Guard(app, few)
    size = [(b"content-length", b"9000"), *KIND]
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


def test_a_customer_with_many_networks_has_some_shares_of_them_only():
    bucket = Buckets(Share(0, 5))
    clients = [client_of(f"2001:db8:7:{number:x}::1") for number in range(200)]
    assert sum(bucket.take(client) for client in clients) == 16 * 5
    assert bucket.take(client_of("2001:db8:8::1")) and bucket.take("1.2.3.4")
    alone = Buckets(Share(0, 5))
    assert [alone.take(clients[0]) for _ in range(6)] == [True] * 5 + [False]


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

"""The guard and who may come in where: host names, origins, routes, files; headers on every answer."""

import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest

from studio.server.guard import GuardRules
from studio.server.hosting import PRIVATE_NETWORKS, hosting
from studio.server.routes import MAX_NAME, Routes, host_names, is_loopback, local_host_names
from tests.studio.guard.asking import CALL, CONTENT, HEAD, JOIN, KIND, UPLOAD, asked, whole


def test_without_strangers_calls_stay_unread_and_all_routes_are_open(app, rules, tmp_path):
    private = GuardRules(Routes(False, host_names(local_host_names()), (tmp_path,)), rules.headers, 10_000)
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
        Routes(False, host_names(["studio.example"]), (tmp_path,), local=True), rules.headers, 10_000
    )
    for host, status in (
        (b"localhost:7860", 200), (b"127.0.0.1:7860", 200), (b"127.9.9.9", 200), (b"[::1]:1", 200),
        (b"[::ffff:127.0.0.1]", 200), (b"studio.example", 200), (b"192.168.1.7", 421), (b"0.0.0.0", 421),
        (b"[::ffff:10.0.0.1]", 421), (b"[fe80::1]", 421), (local_host_names()[0].encode(), 421), (b"[::]", 421),
    ):  # fmt: skip
        assert asked(alone, app, "/", method="GET", host=host)[0] == status, host
    assert all(map(is_loopback, ("127.0.0.1", "::1", "[::1]", "localhost", "127.1.2.3")))
    assert not any(map(is_loopback, ("0.0.0.0", "10.0.0.1", "::", "studio.example", "")))


@pytest.fixture(params=[True, False], ids=["public", "private"])
def either(request, rules, tmp_path):
    if request.param:
        return rules
    return GuardRules(Routes(False, host_names(["studio.example"]), (tmp_path,)), rules.headers, 10_000)


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


def test_files_are_known_by_their_names_alone(tmp_path, monkeypatch):
    own = Path("/srv/own.svg")
    routes = Routes(True, frozenset(), (tmp_path,), frozenset({own}))
    for name in ("getcwd", "stat", "lstat", "readlink", "scandir"):
        monkeypatch.setattr(os, name, None)
    served = [f"{tmp_path}/{CONTENT}/a.png", f"{tmp_path}/{CONTENT * 2}/ü b.png", str(own)]
    assert all(map(routes.may_serve, served))
    for name in (
        f"{tmp_path}/a.png", f"{tmp_path}/{CONTENT}", f"{tmp_path}/{CONTENT}/", f"{tmp_path}/{CONTENT}/..",
        f"{tmp_path}/{CONTENT}/../a.png", f"{tmp_path}/{CONTENT}/b/a.png", f"{tmp_path}/link/passwd", "a.png", "",
        f"{tmp_path}/x/../{CONTENT}/a.png", f"{tmp_path}/../{CONTENT}/a.png", f"{CONTENT}/a.png", "/etc/passwd",
        f"{tmp_path}/{CONTENT.upper()}/a.png", f"{tmp_path}/{CONTENT}/a\0.png", "https://example.com/x.png",
        f"{tmp_path}/{CONTENT}/" + "a" * MAX_NAME, "/srv/x/../own.svg", f"file://{tmp_path}/{CONTENT}/a.png",
    ):  # fmt: skip
        assert not routes.may_serve(name), name


@pytest.mark.parametrize(
    "start", ["/", "/assets/", "/static/fonts/", "/gradio_api/file=", "/gradio_api/call/"]
)
@pytest.mark.parametrize("name", ["a" * 256, "ü" * 128, "b/" * 1500], ids=["letters", "bytes", "parts"])
def test_names_that_no_system_opens_are_nowhere(either, app, start, name):
    for method in ("GET", "HEAD", "POST"):
        assert asked(either, app, start + name, method=method, body=whole(b"{}"))[0] == 404
    assert app.calls == 0


@pytest.mark.parametrize("name", ["", "a/b", "\0", "a" * 65, "ü"])
def test_a_session_has_a_proper_name(either, app, name):
    query = b"session_hash=" + quote(name).encode()
    assert asked(either, app, "/gradio_api/queue/data", method="GET", query=query)[0] == 400
    assert asked(either, app, f"/gradio_api/heartbeat/{name}", method="GET")[0] in (400, 404)
    assert app.calls == 0


@pytest.mark.parametrize(
    "second", ["session_hash=b", "session_hash=", "session%5fhash=b", "session_hash=../b"]
)
def test_news_are_asked_for_one_session(either, app, second):
    query = f"session_hash=a&{second}".encode()
    assert asked(either, app, "/gradio_api/queue/data", method="GET", query=query)[0] == 400
    assert app.calls == 0


def test_every_answer_carries_the_headers(app, rules):
    for path in ("/", "/nowhere"):
        headers = asked(rules, app, path, method="GET")[2]
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert b"frame-ancestors 'self';" in headers[b"content-security-policy"] + b";"


def test_on_spaces_strangers_come_by_themselves():
    environment = {"SPACE_ID": "me/studio", "SPACE_HOST": "me-studio.hf.space"}
    told = hosting(environment, [])
    assert told.public and told.host == "0.0.0.0" and "me-studio.hf.space" in told.names
    assert environment["FORWARDED_ALLOW_IPS"] == PRIVATE_NETWORKS
    at_home = hosting({}, ["--allow-host", "studio.example"])
    assert not at_home.public and at_home.host == "127.0.0.1" and at_home.names == ("studio.example",)
    assert hosting({}, ["--public"]).public


def test_a_shared_page_may_be_followed_from_anywhere_and_keeps_its_stricter_policy(either):
    async def page(scope, receive, send):
        own = (b"content-security-policy", b"sandbox")
        await send({"type": "http.response.start", "status": 200, "headers": [own]})
        await send({"type": "http.response.body", "body": b"shared"})

    elsewhere = [(b"sec-fetch-site", b"cross-site")]
    visit = [*elsewhere, (b"sec-fetch-mode", b"navigate")]
    path = f"/shared/{CONTENT}"
    status, words, headers = asked(either, page, path, method="GET", headers=visit)
    assert (status, words) == (200, "shared")
    assert headers[b"content-security-policy"] == b"sandbox"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert asked(either, page, path, method="GET", headers=elsewhere)[0] == 403
    assert asked(either, page, f"{path}/x", method="GET", headers=visit)[0] == 403

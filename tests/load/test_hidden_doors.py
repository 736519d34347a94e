"""Every function of the page with anything but what the page would send: never a traceback, never a foreign file."""

import json
import os
import random
import re

import httpx
import pytest

from tests.load.pictures import foreign_pixels, tinted
from tests.load.visitor import Refused

FILE = {"path": "/etc/passwd", "orig_name": "a.png", "meta": {"_type": "gradio.FileData"}}
ROUNDS = 12 if os.environ.get("JPEG_STUDIO_LOAD") else 3
DEEP: list = []
for _ in range(200):
    DEEP = [DEEP]
META = FILE["meta"]
EVIL = [
    None, True, -1, 0, 10**40, 1e308, 0.5, "", "x" * 5000, "../../etc/passwd", "/etc/passwd", "once", ["cascade"],
    "<script>alert(1)</script>", "{{7*7}}", "${7*7}", "\u202e\x00\x1b[31m", [], {}, DEEP, ["plain"] * 500, [["plain"]],
    {"path": "/etc/passwd"}, FILE, {"value": FILE}, [FILE], {"url": "http://127.0.0.1:1/x", **FILE},
    {"path": "file:///etc/passwd", "meta": META}, {"__type__": "update", "value": FILE},
    {"data": "data:image/png;base64,AAAA", "meta": META},
]  # fmt: skip
EVENTS = [
    None, {}, {"path": "/etc/passwd", "name": "x"}, {"path": FILE, "name": {"a": 1}}, {"name": "../../etc/passwd"},
    {"row": 10**30, "column": -1}, {"row": "1", "column": None}, {"picture": FILE, "first": [], "second": {}},
    {"round": None, "guess": "a"}, {"lesson": {"a": 1}}, {"lesson": "../x"},
    {"look": {"zoom": "1e999", "a": FILE}, "exif": "y"},
    {"component": 3.5, "row": 7, "column": 7}, {"path": "x" * 5000}, {"path": "a\x00b"}, {"pair": [1]},
]  # fmt: skip


def answered(visitor, handler, data, event):
    """Whatever the server says to one call, as text."""
    body = {**visitor.body(handler, event), "data": data, "trigger_id": random.choice([None, 3, -1, 10**9])}
    path = "/gradio_api/queue/join" if handler["queue"] else "/gradio_api/run/predict"
    answer = visitor.web.post(path, json=body)
    text = answer.text
    if handler["queue"] and answer.status_code == 200:
        with visitor.web.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": visitor.session}
        ) as news:
            for line in news.iter_lines():
                text += line
                if "close_stream" in line or "unexpected_error" in line:
                    break
    assert answer.status_code in (200, 400, 404, 422, 429, 500), answer.status_code
    return text


def check(text, folder):
    assert "Traceback" not in text
    assert "root:x:" not in text
    assert 'File "/' not in text
    for path in re.findall(r'"path": ?"([^"]*)"', text):
        assert path.startswith(str(folder)), path


def test_every_function_with_random_and_malicious_arguments(server, layout, arrive):
    rng = random.Random(6)
    for handler in layout.handlers.values():
        if not handler["backend_fn"]:
            continue
        visitor = arrive()
        for _ in range(ROUNDS):
            data = [rng.choice(EVIL) for _ in handler["inputs"]]
            check(answered(visitor, handler, data, rng.choice(EVENTS)), server.folder)
        plain = visitor.body(handler)["data"]
        for place in rng.sample(range(len(plain)), min(ROUNDS, len(plain))):
            data = [*plain[:place], rng.choice(EVIL), *plain[place + 1 :]]
            check(answered(visitor, handler, data, rng.choice(EVENTS)), server.folder)
        visitor.close()
    visitor = arrive()
    visitor.set("Models", ["plain"])
    visitor.open(tinted(3, 0, 96, 96))
    visitor.restore()
    assert foreign_pixels(visitor.result("plain"), 3) == 0
    said = server.log.read_text()
    assert "Traceback" not in said, said[said.index("Traceback") :][:3000]


@pytest.mark.parametrize(
    "changed",
    [
        {"fn_index": 10**6}, {"fn_index": "1"}, {"fn_index": None}, {"fn_index": -1}, {"data": None}, {"data": {}},
        {"data": [1] * 100}, {"data": []}, {"session_hash": ""}, {"session_hash": "../../x"}, {"session_hash": 5},
        {"session_hash": "x" * 65}, {"event_data": [1]}, {"trigger_id": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_call_is_refused_in_one_sentence(layout, arrive, changed):
    visitor = arrive()
    handler = layout.handler("photograph", "example")
    with pytest.raises(Refused, match="no call that this page makes") as refused:
        visitor.join({**visitor.body(handler), **changed})
    assert refused.value.status == 400


def test_bodies_that_are_no_json_are_refused(arrive):
    visitor = arrive()
    for text in (b"", b"{", b"[" * 100_000, b'{"a": NaN}', b"\xff\xfe", b"1" * 9000, b'{"fn_index": 1e999}'):
        answer = visitor.web.post("/gradio_api/queue/join", content=text)
        assert answer.status_code == 400, text[:20]
        assert "no call" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring", "/monitoring/summary", "/docs", "/redoc", "/openapi.json", "/gradio_api/openapi.json",
        "/gradio_api/deep_link", "/?deep_link=abc", "/login", "/logout", "/gradio_api/token", "/gradio_api/runs",
        "/gradio_api/run-history/buckets", "/gradio_api/component_server", "/gradio_api/queue/status", "/pwa_icon",
        "/gradio_api/proxy=https://example.com/", "/gradio_api/file=https://example.com/x.png", "/gradio_api/vibe-code",
        "/gradio_api/file=/etc/passwd", "/gradio_api/file=app.py", "/gradio_api/file=/proc/self/environ",
        "/gradio_api/file=checkpoints/cascade/weights.safetensors", "/gradio_api/file/etc/passwd", "/svelte/x",
        "/gradio_api/custom_component/x/client/component/index.js", "/gradio_api/dev/reload",
        "/gradio_api/profiling/traces", "/static/../../../../etc/passwd", "/assets/..%2f..%2f..%2fetc/passwd",
        "/gradio_api/file=%2e%2e/%2e%2e/etc/passwd",
        "/gradio_api/stream/a/b/1/playlist.m3u8", "/gradio_api/startup-events/x", "/gradio_api/file=/tmp",
    ],
)  # fmt: skip
def test_doors_that_the_page_does_not_use_are_closed(server, path):
    answer = httpx.get(server.address + path, timeout=60, follow_redirects=False)
    assert answer.status_code in (403, 404), answer.status_code
    assert "root:x:" not in answer.text
    for path_sent in (
        "/gradio_api/component_server",
        "/gradio_api/process_recording",
        "/gradio_api/vibe-edit/",
        "/login",
    ):
        assert httpx.post(server.address + path_sent, json={}, timeout=60).status_code == 404


def test_links_out_of_the_cache_lead_nowhere(server):
    server.folder.mkdir(exist_ok=True)
    link = server.folder / "link"
    link.symlink_to("/etc")
    try:
        assert httpx.get(f"{server.address}/gradio_api/file={link}/passwd", timeout=60).status_code == 404
    finally:
        link.unlink()


def test_names_of_other_hosts_are_refused(server):
    for name, status in (
        ("evil.example", 421), ("localhost.evil.example", 421), ("", 421), ("localhost:1", 200), ("[::1]:7860", 200),
        ("192.168.1.7", 421), ("127.0.0.1", 200),
    ):  # fmt: skip
        answer = httpx.get(f"{server.address}/theme.css", headers={"Host": name}, timeout=60)
        assert answer.status_code == status, name


def test_headers_keep_strangers_out(server):
    for path in ("/", "/theme.css", "/gradio_api/info", "/nowhere"):
        headers = httpx.get(server.address + path, timeout=60).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'self' https://huggingface.co" in headers["content-security-policy"]
        assert "default-src 'self'" in headers["content-security-policy"]


def test_nothing_of_training_is_there(layout):
    names = json.dumps([one["api_name"] for one in layout.handlers.values()]).lower()
    assert "train" not in names
    labels = [one["props"].get("label") for one in layout.components.values() if one["type"] == "tabitem"]
    assert "Train" not in labels and "Models" in labels

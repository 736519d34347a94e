"""The guard and what requests bring: sizes, silence, calls, uploads; refused in one sentence."""

import asyncio
import json
import time

import pytest

from studio.server import bodies
from studio.server.guard import OTHER_BYTES, Guard
from tests.studio.guard.asking import CALL, CONTENT, HEAD, JOIN, KIND, PIECE, UPLOAD, asked, whole

FIELD = b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\n'


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
    monkeypatch.setattr("studio.server.guard.UPLOAD_SECONDS", 0.0)
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
        {"event_id": "0" * 32}, {"batched": True}, {"batched": [1]}, {"event_data": {"a": [[]] * 1001}},
        {"event_data": {"a": [{"b": [{}] * 600}] * 2}},
    ],
    ids=lambda changed: str(changed)[:60],
)  # fmt: skip
def test_what_no_page_sends_never_arrives(app, rules, changed):
    status, words, _ = asked(rules, app, JOIN, body=whole(json.dumps({**CALL, **changed}).encode()))
    assert status == 400 and json.loads(words)["detail"].startswith("The request is no call")
    assert app.calls == 0


def test_a_call_may_say_that_it_is_none_of_several(app, rules):
    call = json.dumps({**CALL, "event_id": None, "batched": False}).encode()
    assert asked(rules, app, JOIN, body=whole(call))[0] == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"session_hash": "s" * 65}, {"session_hash": "a b"}, {"session_hash": ["a"]}, {"data": [[]] * 1001},
        {"data": [], "picture": {"path": "/etc/passwd"}},
    ],
    ids=lambda changed: str(changed)[:60],
)  # fmt: skip
def test_a_named_call_is_looked_at_as_a_whole(app, rules, changed):
    sent = whole(json.dumps({"data": [], **changed}).encode())
    status, words, _ = asked(rules, app, "/gradio_api/call/inspect", body=sent)
    assert status == 400 and json.loads(words)["detail"].startswith("The request is no call")
    assert app.calls == 0
    fine = {"data": [1, None], "session_hash": "a-1"}
    assert asked(rules, app, "/gradio_api/call/inspect", body=whole(json.dumps(fine).encode()))[0] == 200


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
        KIND[0][1] + b"; charset=undefined", KIND[0][1] + b"; charset=utf-7", KIND[0][1] + b'; charset=""',
    ],
)  # fmt: skip
def test_uploads_of_another_kind_are_refused(app, rules, kind):
    assert asked(rules, app, UPLOAD, body=whole(HEAD), headers=[(b"content-type", kind)])[0] == 400
    assert app.calls == 0


def test_an_upload_may_say_that_its_names_are_utf_8(app, rules):
    kind = [(b"content-type", KIND[0][1] + b"; charset=UTF-8")]
    assert asked(rules, app, UPLOAD, body=whole(HEAD + b"x\r\n--b--\r\n"), headers=kind)[0] == 200


@pytest.mark.parametrize(
    "path", [JOIN, "/gradio_api/call/restore", "/gradio_api/cancel", "/gradio_api/reset/"]
)
@pytest.mark.parametrize(
    "text", [b'"\\ud83d"', b'"\xed\xa0\xbd"', b'{"\\uDE00": 1}', b'["a\\\\\\ud83d"]', b"\xff"]
)
def test_half_a_letter_could_not_be_repeated_and_is_refused(app, rules, path, text):
    body = json.dumps({**CALL, "event_data": "HERE"}).encode().replace(b'"HERE"', text)
    status, words, _ = asked(rules, app, path, body=whole(body))
    assert status == 400 and "It is no JSON" in words and app.calls == 0


@pytest.mark.parametrize("text", [b'"\\ud83d\\ude00"', '"\U0001f600"'.encode(), b'"\\\\ud83d"', b'"\\u0000"'])
def test_whole_letters_come_through_in_any_spelling(app, rules, text):
    body = json.dumps({**CALL, "event_data": "HERE"}).encode().replace(b'"HERE"', text)
    assert asked(rules, app, JOIN, body=whole(body))[0] == 200


def test_an_upload_brings_no_query_along(rules):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["query_string"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    assert asked(rules, app, UPLOAD, body=whole(HEAD), headers=KIND, query=b"upload_id=x")[0] == 200
    assert seen == [b""]


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

    for call, status in ((long, 400), (lists, 400)):
        answer, seconds = asyncio.run(worked(call))
        assert answer == status and seconds < 0.01

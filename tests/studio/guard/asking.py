"""Asks a guard that stands before an application which only counts, and takes down the answer."""

import asyncio

from studio.server.guard import Guard

UPLOAD = "/gradio_api/upload"
JOIN = "/gradio_api/queue/join"
PIECE = {"type": "http.request", "body": b"x" * 1000, "more_body": True}
HEAD = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
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

"""A visitor without a browser: calls the handlers that the page calls, with the same requests."""

import json
import secrets
import time
from copy import deepcopy
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import httpx
import numpy as np
from PIL import Image


class Refused(Exception):
    """The server said no; the words are its own."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status}: {words}")
        self.status, self.words = status, words


@dataclass(frozen=True)
class Layout:
    """What /config tells of the page."""

    components: dict[int, dict[str, Any]]
    handlers: dict[int, dict[str, Any]]

    @classmethod
    def of(cls, address: str) -> "Layout":
        config = httpx.get(f"{address}/config", timeout=120).json()
        return cls(
            {one["id"]: one for one in config["components"]},
            {one["id"]: one for one in config["dependencies"]},
        )

    def handler(self, elem_id: str | None, event: str, name: str | None = None) -> dict[str, Any]:
        """The first handler of an event of the component of that identifier."""
        for one in self.handlers.values():
            for target, kind in one["targets"]:
                props = self.components.get(target, {}).get("props", {})
                if kind == event and props.get("elem_id") == elem_id and name in (None, one["api_name"]):
                    return one
        raise KeyError((elem_id, event, name))

    def after(self, handler: dict[str, Any]) -> dict[str, Any]:
        """The handler that is called when another has ended."""
        return next(one for one in self.handlers.values() if one["trigger_after"] == handler["id"])

    def labelled(self, label: str) -> int:
        """Number of the component of that label."""
        return next(n for n, one in self.components.items() if one["props"].get("label") == label)

    def named(self, elem_id: str) -> int:
        """Number of the component of that identifier."""
        return next(n for n, one in self.components.items() if one["props"].get("elem_id") == elem_id)


@dataclass
class Visitor:
    """One page; `shown` holds what its components show by number.

    The server takes the word of proxies on its own machine for who asks, so every visitor here has an address.
    """

    address: str
    layout: Layout
    seconds: float = 300
    client: str = field(
        default_factory=lambda: "10." + ".".join(str(secrets.randbelow(256)) for _ in range(3))
    )
    session: str = field(default_factory=lambda: secrets.token_hex(6))
    shown: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        limits = httpx.Limits(max_connections=8)
        self.web = httpx.Client(
            base_url=self.address,
            timeout=self.seconds,
            limits=limits,
            headers={"X-Forwarded-For": self.client},
        )
        for number, one in self.layout.components.items():
            self.shown[number] = one["props"].get("value")
        self.shown[self.layout.named("door")] = "experiment"

    def close(self) -> None:
        """Leave without a word."""
        self.web.close()

    def set(self, label: str, value: Any) -> None:
        """Move a control."""
        self.shown[self.layout.labelled(label)] = value

    def value(self, elem_id: str) -> Any:
        """What a component shows."""
        return self.shown[self.layout.named(elem_id)]

    # Requests

    def body(self, handler: dict[str, Any], event_data: Any = None) -> dict[str, Any]:
        """What the page sends to call a handler."""
        states = {n for n, one in self.layout.components.items() if one["type"] == "state"}
        data = [None if number in states else self.shown.get(number) for number in handler["inputs"]]
        return {
            "fn_index": handler["id"],
            "data": data,
            "session_hash": self.session,
            "event_data": event_data,
            "trigger_id": None,
        }

    def call(self, handler: dict[str, Any], event_data: Any = None) -> None:
        """Call a handler and take over what it changes; the events of a generator one by one.

        Raises:
            Refused: with the server's words.
        """
        body = self.body(handler, event_data)
        if not handler["queue"]:
            answer = self._checked(self.web.post("/gradio_api/run/predict", json=body))
            self._take(handler, answer["data"])
            return
        self.join(body)
        self.listen(handler)

    def join(self, body: dict[str, Any]) -> str:
        """Stand in line; the event's identifier.

        Raises:
            Refused: with the server's words.
        """
        return self._checked(self.web.post("/gradio_api/queue/join", json=body))["event_id"]

    def listen(self, handler: dict[str, Any]) -> None:
        """Take over the news until a handler has ended.

        Raises:
            Refused: it failed.
        """
        latest: list[Any] = []
        with self.web.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as news:
            for line in news.iter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message["msg"] == "process_generating":
                    data = message["output"]["data"]
                    if latest:
                        data = [apply_diff(old, change) for old, change in zip(latest, data, strict=True)]
                    latest = data
                    self._take(handler, data)
                elif message["msg"] == "process_completed":
                    if not message["success"]:
                        raise Refused(500, str(message["output"]))
                    self._take(handler, message["output"].get("data", []))
                elif message["msg"] == "close_stream":
                    return
                elif message["msg"] in ("unexpected_error", "server_stopped"):
                    raise Refused(500, str(message))

    def _checked(self, answer: httpx.Response) -> Any:
        if answer.status_code != 200:
            try:
                words = answer.json()["detail"]
            except (ValueError, KeyError, TypeError):
                words = answer.text
            raise Refused(answer.status_code, str(words))
        return answer.json()

    def _take(self, handler: dict[str, Any], data: list[Any]) -> None:
        for number, value in zip(handler["outputs"], data, strict=False):
            if isinstance(value, dict) and value.get("__type__") == "update":
                if "value" in value:
                    self.shown[number] = value["value"]
            else:
                self.shown[number] = value

    # What people do

    def upload(self, png: bytes, name: str = "picture.png") -> str:
        """Send a file; where it lies.

        Raises:
            Refused: with the server's words.
        """
        return self._checked(self.web.post("/gradio_api/upload", files={"files": (name, png)}))[0]

    def open(self, png: bytes, name: str = "picture.png") -> None:
        """Drop a file on the page, and damage it as the controls said before."""
        path, saves = self.upload(png, name), self.shown[self.layout.labelled("Save as JPEG")]
        self.call(self.layout.handler("photograph", "opened"), {"path": path, "name": name})
        self.set("Save as JPEG", saves)

    def begin(self) -> dict[str, Any]:
        """Press Run; returns the handler that runs the models."""
        began = self.layout.handler("action", "run")
        self.call(began, {"in_sight": [0, 0, 1, 1]})
        return self.layout.after(began)

    def restore(self) -> None:
        """Press Run and wait for all results."""
        running = self.begin()
        self.call(running)
        self.call(self.layout.after(running))

    def result(self, name: str) -> np.ndarray:
        """The pixels of one result as the page loads them: (rows, columns, 3) uint8."""
        pane = next(one for one in self.value("viewer")["panes"] if one["id"] == name)
        answer = self.web.get(pane["file"]["url"].replace("http://testserver", self.address))
        return np.array(Image.open(BytesIO(answer.content)).convert("RGB"))


def until(condition: Any, seconds: float, every: float = 0.05) -> bool:
    """Wait for something to become true; False where it did not in time."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(every)
    return True


def apply_diff(value: Any, edits: list[tuple[str, list[Any], Any]]) -> Any:
    """What a component shows after an answer that tells only what has changed."""
    whole = [deepcopy(value)]
    for action, path, content in edits:
        *way, last = [0, *path]
        place: Any = whole
        for key in way:
            place = place[key]
        if action == "delete":
            del place[last]
        elif action == "append":
            place[last] += content
        elif action == "add" and isinstance(place, list):
            place.insert(last, content)
        elif action in ("add", "replace"):
            place[last] = content
        else:
            raise ValueError(action)
    return whole[0]

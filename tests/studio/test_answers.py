"""Gradio's page with queues of our own, asked as a browser asks: answers, places given back, a visitor's cost."""

import gc
import json
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import cast

import gradio as gr
import httpx
import pytest
from starlette.middleware import Middleware

from studio.server import gradio_internals
from studio.server.calls import KnownCalls
from studio.server.files import served_file
from studio.server.gradio_internals import StudioBlocks, current_caller, known_calls, prepare_for_many

COMPONENTS = 200
KEPT_FILE = {"panes": [{"id": "plain"}, {"id": "none", "file": None}], "note": "<b>"}
GATE = threading.Event()
SKIPPED = gr.skip()


class Page:
    """A page that runs, and its visitors."""

    def __init__(self, demo, address):
        self.demo, self.address = demo, address
        self.number_of = {handler.api_name: number for number, handler in demo.handlers.items()}

    def join(self, web, name, data, visitor):
        body = {"fn_index": self.number_of[name], "data": data, "session_hash": visitor}
        answer = web.post("/gradio_api/queue/join", json=body)
        answer.raise_for_status()
        return answer.json()["event_id"]

    def news(self, web, visitor):
        """What is told a visitor, until nothing more is to come."""
        with web.stream("GET", "/gradio_api/queue/data", params={"session_hash": visitor}) as lines:
            lines.read() if lines.status_code != 200 else None
            lines.raise_for_status()
            for line in lines.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    def call(self, name, data, visitor="anna", seconds=30):
        """The last message."""
        with httpx.Client(base_url=self.address, timeout=seconds) as web:
            self.join(web, name, data, visitor)
            return [one for one in self.news(web, visitor) if one["msg"] == "process_completed"][-1]

    def answer(self, name, data, visitor="anna"):
        """The outputs' values."""
        message = self.call(name, data, visitor)
        assert message["success"], message
        return message["output"]["data"]


def build(file):
    one_place = {"concurrency_limit": 1, "concurrency_id": "one"}
    with StudioBlocks(analytics_enabled=False) as demo:
        state, text, number = gr.State(1), gr.HTML("a"), gr.Slider(0, 9, 5)
        stray = gr.HTML("stray")
        for index in range(COMPONENTS):
            gr.HTML(str(index), elem_id=f"filler-{index}")
        outputs, button = [state, text, number], gr.Button("go")

        def change_text():
            return {text: "b"}

        def change_all():
            return {state: 2, text: gr.skip(), number: 7}

        def update():
            return {number: gr.update(maximum=20)}

        def listed():
            return [3, "c", 4]

        def silent():
            yield from ()

        def show_file():
            return {text: {**KEPT_FILE, "panes": [{"id": "plain", "file": file}, KEPT_FILE["panes"][1]]}}

        def wrong():
            return {stray: "x"}

        def tell(value):
            return f"{value}"

        def who():
            return list(current_caller())

        def steps():
            for step in range(200):
                time.sleep(0.05)
                yield f"step {step}"

        def fails():
            yield "one"
            raise gr.Error("that was all", print_exception=False)

        def wait():
            GATE.wait(30)
            return "done"

        for handler in (change_text, change_all, update, listed, silent, show_file, wrong):
            button.click(handler, None, outputs)
        button.click(tell, state, text, api_name="tell_state")
        button.click(tell, number, text, api_name="tell_number")
        button.click(who, None, gr.JSON())
        for handler in (steps, fails, wait):
            button.click(handler, None, text, **one_place)
        button.click(lambda: "quick", None, text, api_name="quick", **one_place)
    prepare_for_many(demo)
    return demo


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    demo = build(served_file(tmp_path_factory.mktemp("file") / "a b#.png"))
    middleware = [Middleware(KnownCalls, known=known_calls(demo))]
    _, address, _ = demo.launch(
        prevent_thread_lock=True, quiet=True, max_threads=100, app_kwargs={"middleware": middleware}
    )
    yield Page(demo, address)
    demo.close()


def test_outputs_that_a_handler_leaves_alone_are_left_alone(page):
    assert page.answer("change_text", []) == [None, "b", SKIPPED]
    assert page.answer("tell_state", [None]) == ["1"]
    assert page.answer("change_all", []) == [None, SKIPPED, 7]
    assert page.answer("tell_state", [None]) == ["2"]


def test_updates_arrive_and_lists_still_work(page):
    _, text, number = page.answer("update", [])
    assert text == SKIPPED and number["maximum"] == 20
    assert page.answer("listed", []) == [None, "c", 4]


def test_a_generator_that_ends_without_a_word_empties_nothing(page):
    page.answer("listed", [], "ben")
    assert page.answer("silent", [], "ben") == [None, SKIPPED, SKIPPED]
    assert page.answer("tell_state", [None], "ben") == ["3"]


def test_files_in_our_own_components_gain_an_address_at_every_answer(page):
    for _ in range(2):  # what the studio keeps was not changed
        value = page.answer("show_file", [])[1]
        file = value["panes"][0]["file"]
        assert file["url"].startswith(page.address) and file["url"].endswith("a%20b%23.png")
        assert value == {**KEPT_FILE, "panes": [{"id": "plain", "file": file}, KEPT_FILE["panes"][1]]}


def test_an_output_of_another_handler_is_still_a_mistake(page):
    assert not page.call("wrong", [])["success"]


def test_handlers_know_who_calls(page):
    [(visitor, client, number)] = page.answer("who", [], "carla")
    assert (visitor, client) == ("carla", "127.0.0.1") and len(number) == 32
    assert current_caller() == (None, "", None)


def test_visitors_see_their_own_changes_only(page):
    page.answer("update", [], "dora")
    assert page.answer("tell_number", [15], "dora") == ["15"]
    assert not page.call("tell_number", [15], "emil")["success"]


def test_a_visitor_costs_no_description_of_the_page(page):
    def visit(number):
        page.answer("change_text", [], f"visitor-{number}")

    with ThreadPoolExecutor(1) as pool:
        list(pool.map(visit, range(20)))
        gc.collect()
        tracemalloc.start()
        list(pool.map(visit, range(20, 80)))
        gc.collect()
        bytes_each = tracemalloc.get_traced_memory()[0] / 60
        tracemalloc.stop()
    print(f"{bytes_each:.0f} bytes for each visitor")
    assert bytes_each < 150 * COMPONENTS  # two kilobytes by Gradio itself


@pytest.mark.parametrize("how", ["fails", "is cancelled", "leaves"])
def test_the_place_is_given_back(page, how):
    with httpx.Client(base_url=page.address, timeout=30) as web:
        if how == "fails":
            assert not page.call("fails", [], "frida")["success"]
        else:
            number = page.join(web, "steps", [], "gert")
            news = page.news(web, "gert")
            next(one for one in news if one["msg"] == "process_generating")
            if how == "leaves":
                news.close()
            else:
                body = {"session_hash": "gert", "fn_index": page.number_of["steps"], "event_id": number}
                httpx.post(f"{page.address}/gradio_api/cancel", json=body, timeout=30)
                news.close()
        began = time.monotonic()
        assert page.answer("quick", [], "hans") == ["quick"]
        assert time.monotonic() - began < 8, "the whole run would take ten seconds"


def test_with_the_news_of_who_has_left_goes_what_was_noted_of_his_calls():
    calls = {"olaf": {"call-1", "call-2"}, "per": {"call-3"}}
    demo = SimpleNamespace(_queue=SimpleNamespace(pending_event_ids_session=calls))
    mailboxes = gradio_internals._Mailboxes(cast("StudioBlocks", demo))
    mailboxes["olaf"] = mailboxes["per"] = "news"
    for _ in range(2):  # two streams of one visitor may end
        del mailboxes["olaf"]
    assert calls == {"per": {"call-3"}} and list(mailboxes) == ["per"]


def test_who_waits_hears_nothing_before_the_turn_comes(page):
    GATE.clear()
    with httpx.Client(base_url=page.address, timeout=30) as web, ThreadPoolExecutor(2) as pool:
        first = pool.submit(page.call, "wait", [], "ida")
        time.sleep(0.3)
        number = page.join(web, "quick", [], "jan")
        waiting = pool.submit(lambda: [one["msg"] for one in page.news(web, "jan")])
        time.sleep(1.5)
        assert not waiting.done() and not page.demo.is_wanted(number)
        GATE.set()
        assert first.result()["output"]["data"] == ["done"]
        assert set(waiting.result()) <= {"estimation", "process_starts", "process_completed", "close_stream"}
        assert waiting.result().count("estimation") <= 1, "places are not told again and again"


def test_news_of_people_who_wait_are_kept_and_others_are_forgotten(page, monkeypatch):
    monkeypatch.setattr(gradio_internals, "MAX_MAILBOXES", 3)
    GATE.clear()
    with httpx.Client(base_url=page.address, timeout=30) as web, ThreadPoolExecutor(2) as pool:
        first = pool.submit(page.call, "wait", [], "kurt")
        time.sleep(0.3)
        patient = pool.submit(page.call, "quick", [], "lena")
        time.sleep(0.3)
        for number in range(5):
            page.join(web, "change_text", [], f"junk-{number}")
        GATE.set()
        assert first.result()["success"] and patient.result()["output"]["data"] == ["quick"]
        with pytest.raises(httpx.HTTPStatusError, match="404"):
            next(page.news(web, "junk-0"))
        assert next(page.news(web, "junk-4"))["event_id"]


def test_a_call_that_nobody_may_make_past_the_queue_is_refused(page):
    body = {"fn_index": page.number_of["quick"], "data": [], "session_hash": "mia"}
    assert httpx.post(f"{page.address}/gradio_api/run/predict", json=body, timeout=30).status_code == 404

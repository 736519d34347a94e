"""The bounded queue's mailboxes, and answers that cost only what they change."""

import asyncio
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from studio.server import gradio_internals as waiting
from studio.server.files import served_file
from studio.server.gradio_internals import StudioBlocks, prepare_for_many


@pytest.fixture
def page():
    with StudioBlocks(analytics_enabled=False) as demo:
        state, text, number = gr.State(1), gr.HTML("a"), gr.Slider(0, 9, 5)
        button = gr.Button("go")
        button.click(lambda: None, None, [state, text, number])
    prepare_for_many(demo)
    return demo, state, text, number


def answered(page, predictions):
    demo, *outputs = page
    visitor = SessionState(demo)
    fn = next(iter(demo.fns.values()))
    return visitor, asyncio.run(demo.postprocess_data(fn, predictions, visitor))


def test_outputs_that_a_handler_leaves_alone_are_left_alone(page):
    _, state, text, number = page
    visitor, told = answered(page, {text: "b"})
    assert told == [None, "b", gr.skip()]
    assert visitor[state._id] == 1
    visitor, told = answered(page, {state: 2, text: gr.skip(), number: 7})
    assert told == [None, gr.skip(), 7]
    assert visitor[state._id] == 2


def test_updates_arrive_and_lists_still_work(page):
    _, _, text, number = page
    _, told = answered(page, {number: gr.update(maximum=20)})
    assert told[1] == gr.skip() and told[2]["maximum"] == 20
    assert answered(page, [3, "c", 4])[1] == [None, "c", 4]


def test_a_generator_that_ends_without_a_word_empties_nothing(page):
    demo, state, text, number = page

    def silent():
        yield from ()

    def answer_of(outputs):
        with demo:
            demo.load(silent, None, outputs)
        visitor = SessionState(demo)
        told = asyncio.run(demo.process_api(max(demo.fns), [], state=visitor))["data"]
        return visitor, told

    visitor, told = answer_of([state, text, number])
    assert told == [None, gr.skip(), gr.skip()]
    assert visitor[state._id] == 1
    assert answer_of([text])[1] == [gr.skip()]


def test_files_in_our_own_components_gain_an_address_and_nothing_else_changes(page, tmp_path):
    demo, _, text, _ = page
    file = served_file(tmp_path / "a b#.png")
    value = {"panes": [{"id": "plain", "file": file}, {"id": "none", "file": None}], "note": "<b>"}
    _, told = answered(page, {text: value})
    assert told[1] == {
        "panes": [
            {"id": "plain", "file": {**file, "url": f"/gradio_api/file={tmp_path}/a%20b%23.png"}},
            {"id": "none", "file": None},
        ],
        "note": "<b>",
    }
    assert "url" not in file, "what the studio keeps was changed"


def test_an_output_of_another_handler_is_still_a_mistake(page):
    with pytest.raises(ValueError):
        answered(page, {gr.HTML("stray"): "x"})


def test_a_visitor_costs_no_description_of_the_page(page):
    demo = page[0]
    assert not any(SessionState(demo).config_values.values())
    assert len(demo.get_config_file()["components"]) >= 4


def test_mailboxes_of_people_who_wait_are_kept(page, monkeypatch):
    monkeypatch.setattr(waiting, "MOST_MAILBOXES", 3)
    queue = page[0]._queue
    queue.event_ids_to_events["e"] = SimpleNamespace(session_hash="patient")
    boxes = queue.pending_messages_per_session
    for visitor in ("patient", "a", "b", "c", "d"):
        boxes[visitor] = object()
    assert list(boxes) == ["patient", "c", "d"]


def test_all_in_a_line_are_told_their_places_once_in_a_while_and_newcomers_at_once(page, monkeypatch):
    told = []
    monkeypatch.setattr(
        waiting.Queue, "broadcast_estimations", lambda self, line, after=None: told.append((line, after))
    )
    queue = page[0]._queue
    for line, after in (("models", None), ("models", None), ("models", 3), ("light", None), ("models", 4)):
        queue.broadcast_estimations(line, after)
    assert told == [("models", None), ("models", 3), ("light", None), ("models", 4)]
    monkeypatch.setattr(waiting, "ESTIMATION_SECONDS", 0.0)
    queue.broadcast_estimations("models")
    assert told[-1] == ("models", None)


def test_visitors_share_the_page_and_see_their_own_changes_only(page):
    demo, _, text, number = page
    one, other = SessionState(demo), SessionState(demo)
    changed = gr.HTML("mine", render=False)
    one[text._id] = changed
    assert one[text._id] is changed and other[text._id] is text and demo.blocks[text._id] is text
    assert one[number._id] is number and text._id in other and -1 not in other
    assert dict(one.blocks_config.fns) == demo.fns and list(one.blocks_config.blocks) == list(demo.blocks)
    assert sum(len(layer) for layer in other.blocks_config.blocks.maps[:1]) == 0, "nothing was copied"

"""Events, handlers and what lies between them: values, errors as sentences, and state that several events write."""

import logging
from dataclasses import dataclass
from html import unescape
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from models.errors import InvalidSetting
from studio.page.binding import HEAVY, IMMEDIATE, LIGHT, UNFORESEEN, Binding
from studio.server.answers import DROPPED, EMPTIED, Change, Props, only_while
from studio.server.gradio_internals import StudioBlocks
from tests.studio.events import Visitor


@dataclass(frozen=True)
class Form:
    low: Any = 1
    high: Any = 9


@dataclass(frozen=True)
class Page:
    held: Any = None
    low: Any = None
    words: Any = None
    button: Any = None
    group: bool | None = None
    groups: bool | None = None
    notice: str | None = None


@pytest.fixture
def page():
    """A page with a component of each kind, by name."""
    with StudioBlocks() as demo:
        with gr.Column() as group:
            words, notice = gr.HTML(""), gr.HTML("")
        with gr.Column() as first, gr.Column() as second:
            button = gr.Button("Run")
        low, high = gr.Slider(1, 10, 1), gr.Slider(1, 10, 9)
        held = gr.State(())
    parts = {"held": held, "low": low, "high": high, "words": words, "notice": notice, "button": button}
    return SimpleNamespace(demo=demo, parts={**parts, "group": group, "groups": [first, second]})


def bound(page, handler, *arguments, **settings):
    """A visitor of the page whose button calls a handler."""
    with page.demo:
        Binding(Page, page.parts, form=Form).on(page.parts["button"].click, handler, *arguments, **settings)
    return Visitor(page.demo, page.parts)


def test_parameters_are_the_values_of_the_components_they_are_named_after(page):
    visitor = bound(page, lambda high, low: Page(words=f"{low} to {high}"))
    assert visitor.call("<lambda>", low=3, high=7) == {"words": "3 to 7"}


def test_form_event_visitor_and_query_are_offered(page):
    def handler(form, event, visitor, query, words):
        return Page(words=f"{form} {event.get('row')} {visitor} {query} {words}")

    visitor = bound(page, handler)
    answer = visitor.call("handler", low=2, words="w", event={"row": 4}, query={"a": "b"})
    assert answer == {"words": f"Form(low=2, high=9) 4 {visitor.name} {{'a': 'b'}} w"}


@pytest.mark.parametrize("odd", [None, "x", 3, [1]])
def test_an_event_that_carries_no_names_is_an_empty_one(page, odd):
    visitor = bound(page, lambda event: Page(words=str(event.get("row"))))
    assert visitor.call("<lambda>", event=odd) == {"words": "None"}


def test_none_leaves_alone_and_no_page_leaves_everything_alone(page):
    assert bound(page, lambda: Page(low=0)).call("<lambda>") == {"low": 0}
    assert bound(page, lambda: Page()).call("<lambda>") == {}
    assert bound(page, lambda: None).call("<lambda>") == {}


def test_properties_and_groups(page):
    visitor = bound(
        page, lambda: Page(button=Props(value="Stop", interactive=False), group=True, groups=False)
    )
    answer = visitor.call("<lambda>")
    assert answer["button"] == {"__type__": "update", "value": "Stop", "interactive": False}
    assert answer["group"]["visible"] is True
    assert [update["visible"] for update in answer["groups"]] == [False, False]


def test_a_generator_answers_again_and_again(page):
    def handler(low):
        for number in range(low):
            yield Page(words=str(number))

    visitor = bound(page, handler, **HEAVY)
    assert visitor.calls("handler", low=3) == [{"words": "0"}, {"words": "1"}, {"words": "2"}]
    assert visitor.calls("handler", low=0) == []


def test_an_error_for_people_stands_in_the_notice(page):
    def handler():
        raise InvalidSetting("The <b> is wrong.")

    answer = bound(page, handler, Page(words="", group=False)).call("handler")
    assert answer["notice"] == "<p class='notice' role='alert'>The &lt;b&gt; is wrong.</p>"
    assert answer["words"] == "" and answer["group"]["visible"] is False
    assert set(bound(page, handler).call("handler")) == {"notice"}


def test_a_generator_that_fails_keeps_what_it_gave(page):
    def handler():
        yield Page(words="first")
        raise InvalidSetting("Enough.")

    first, second = bound(page, handler, Page(button=Props(interactive=True)), **HEAVY).calls("handler")
    assert first == {"words": "first"}
    assert "Enough." in second["notice"] and second["button"]["interactive"] is True


def test_whatever_else_goes_wrong_is_one_sentence_and_a_line_in_the_log(page, caplog):
    visitor = bound(page, lambda: 1 / 0)
    with caplog.at_level(logging.ERROR):
        assert UNFORESEEN in unescape(visitor.call("<lambda>")["notice"])
    assert caplog.records[0].exc_info[0] is ZeroDivisionError


def test_the_page_of_an_error_can_be_made_of_values(page):
    def handler(low):
        raise InvalidSetting(f"Not {low}.")

    def refused(sentence, high):
        return Page(words=f"{sentence} Up to {high}.")

    assert bound(page, handler, refused).call("handler", low=3) == {"words": "Not 3. Up to 9."}


@pytest.mark.parametrize("handler", [lambda nothing: Page(), lambda low, wrods: Page()])
def test_a_parameter_that_names_nothing_is_refused_while_the_page_is_built(page, handler):
    with pytest.raises(KeyError):
        bound(page, handler)
    with page.demo, pytest.raises(KeyError):
        Binding(Page, page.parts).on(page.parts["button"].click, lambda form: Page())


def test_a_field_that_names_nothing_is_refused_while_the_page_is_built(page):
    with pytest.raises(KeyError):
        Binding(Page, {name: part for name, part in page.parts.items() if name != "held"})
    with pytest.raises(KeyError):
        Binding(Page, {name: part for name, part in page.parts.items() if name != "high"}, form=Form)


def test_settings_are_the_events(page):
    visitor = bound(page, lambda: Page(), **IMMEDIATE)
    assert visitor.function("<lambda>").queue is False
    assert visitor.function("<lambda>").api_visibility == LIGHT["api_visibility"] == "private"


# ---------------------------------------------------------------- state that several events write


def adding(word):
    return lambda: Page(held=Change(lambda present: (*present, word)), words=word)


def test_a_change_is_made_of_what_is_held_when_the_answer_arrives(page):
    visitor = bound(page, lambda held: Page(held=Change(lambda present: (*present, len(held)))))
    late = visitor.begin("<lambda>")
    visitor.call("<lambda>")
    visitor.arrive(late)
    assert visitor.held("held") == (0, 0)  # both called while nothing was held, and neither is lost


def test_an_answer_that_belongs_to_another_state_is_dropped_as_a_whole(page):
    def handler(held):
        return Page(held=only_while(lambda present: present == held), words="of the state before")

    visitor = bound(page, handler)
    assert visitor.call("handler") == {"words": "of the state before"}
    late = visitor.begin("handler")
    visitor.hold("held", ("another",))
    assert visitor.arrive(late) == {}
    assert visitor.held("held") == ("another",)


def test_one_dropped_change_stops_the_others(page):
    changes = Page(held=Change(lambda _: DROPPED), low=4, notice="no")
    assert bound(page, lambda: changes).call("<lambda>") == {}


def test_a_state_is_emptied(page):
    visitor = bound(page, lambda: Page(held=EMPTIED, notice=""))
    visitor.hold("held", ("something",))
    assert visitor.call("<lambda>") == {"notice": ""}
    assert visitor.held("held") is None


def test_visitors_hold_their_own(page):
    first = bound(page, adding("mine"))
    second = Visitor(page.demo, page.parts)
    first.call("<lambda>")
    assert (first.held("held"), second.held("held")) == (("mine",), ())

"""The Lessons tab: lessons that set the studio up, two games for a class, and the glossary."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from studio.lessons.handlers import (
    BlindHandlers,
    GamePage,
    GuessHandlers,
    TabsPage,
    select,
    settings_of,
)
from studio.lessons.view import blind_value, glossary_markup, guess_value, lessons_value
from studio.page.binding import HEAVY, IMMEDIATE, LIGHT, Binding
from studio.page.components import component, viewer

TAB = "lessons"
"""The tab's identifier."""


def build_lessons_tab(
    tabs: gr.Tabs,
    guess: GuessHandlers,
    blind: BlindHandlers,
    session: gr.State,
    follow: Callable[..., None],
    session_seconds: int,
) -> None:
    """Lay the tab out and wire it.

    Args:
        tabs: the page's, to change between them.
        guess, blind: answer the events of the two games.
        session: what is open in the Restore tab; it can be played with.
        follow: sets the Restore tab up whenever an event is triggered, by a link's parameters of what it carries.
        session_seconds: how long a visitor's game is kept.
    """
    with gr.Tabs(elem_id="lessons-tabs"):
        with gr.Tab("Lessons", id="list"):
            page = component("lessons/lessons", lessons_value(), elem_id="lessons-page")
        with gr.Tab("Quality quiz", id="quiz") as quiz:
            parts = _game("guess", guess_value(), "A picture comes in a moment.")
            _wire_guess(quiz, guess, _with_states(parts, session, session_seconds))
        with gr.Tab("Blind test", id="blind") as test:
            parts = _game("blind", blind_value(None, blind.models()), "Press Show a pair.")
            _wire_blind(test, blind, _with_states(parts, session, session_seconds))
        with gr.Tab("Glossary", id="glossary"):
            gr.HTML(glossary_markup(), elem_id="glossary-page")
    Binding(TabsPage, {"tabs": tabs}).on(page.study, select("restore"), **IMMEDIATE)
    follow(page.study, settings_of)


def build_lesson_guide(tabs: gr.Tabs) -> None:
    """The steps of a lesson, beside whatever tab is open; below all tabs.

    Args:
        tabs: the page's, to go back to the lesson.
    """
    guide = component("lessons/lesson_guide", {}, elem_id="lesson-guide")
    Binding(TabsPage, {"tabs": tabs}).on(guide.back, select(TAB), **IMMEDIATE)


def _game(name: str, value: dict[str, Any], hint: str) -> dict[str, Any]:
    """A game's panel and viewer."""
    with gr.Row(elem_classes="bench game-bench"):
        with gr.Column(elem_classes="bench-controls", scale=0, min_width=304):
            panel = component(f"lessons/{name}", value, elem_id=f"{name}-game")
        with gr.Column(elem_classes="bench-looking"):
            return {"panel": panel, "viewer": viewer(f"{name}-viewer", hint)}


def _with_states(parts: dict[str, Any], session: gr.State, session_seconds: int) -> dict[str, Any]:
    return {**parts, "session": session, "state": gr.State(None, time_to_live=session_seconds)}


def _wire_guess(tab: gr.Tab, handlers: GuessHandlers, parts: dict[str, Any]) -> None:
    bound, refuse = Binding(GamePage, parts), handlers.refuse
    bound.on(tab.select, handlers.entered, otherwise=refuse, **LIGHT)
    bound.on(parts["panel"].deal, handlers.deal, otherwise=refuse, **LIGHT)
    bound.on(parts["panel"].guess, handlers.guess, otherwise=refuse, **LIGHT)


def _wire_blind(tab: gr.Tab, handlers: BlindHandlers, parts: dict[str, Any]) -> None:
    bound, refuse = Binding(GamePage, parts), handlers.refuse
    bound.on(tab.select, handlers.entered, otherwise=refuse, **LIGHT)
    dealt = bound.on(parts["panel"].deal, handlers.deal, otherwise=refuse, **HEAVY)
    bound.on(parts["panel"].halt, handlers.entered, otherwise=refuse, cancels=[dealt], **LIGHT)
    bound.on(parts["panel"].reveal, handlers.reveal, otherwise=refuse, **LIGHT)

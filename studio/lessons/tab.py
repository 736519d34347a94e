"""The Lessons tab: lessons that set the studio up, two games for a class, and the glossary."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from studio.lessons.game_handlers import GamesDesk
from studio.lessons.games import build_blind_game, build_guess_game
from studio.lessons.lessons import lesson
from studio.lessons.view import glossary_markup, lessons_value
from studio.page.binding import IMMEDIATE
from studio.page.components import component
from studio.restore.tab import RestoreTab

TAB = "lessons"
"""The tab's identifier."""


def build_lessons_tab(tabs: gr.Tabs, restore: RestoreTab, desk: GamesDesk, session_seconds: int) -> None:
    """Lay the tab out and wire it.

    Args:
        tabs: the page's, to change between them.
        restore: is set up as a lesson says; its photograph can be played with.
        desk: of the two games.
        session_seconds: how long a visitor's game is kept.
    """
    session = restore.components["session"]
    with gr.Tabs(elem_id="lessons-tabs"):
        with gr.Tab("Lessons"):
            page = component("lessons/lessons", lessons_value(), elem_id="lessons-page")
        with gr.Tab("Quality quiz") as guess:
            build_guess_game(guess, desk, session, session_seconds)
        with gr.Tab("Blind test") as blind:
            build_blind_game(blind, desk, session, session_seconds)
        with gr.Tab("Glossary"):
            gr.HTML(glossary_markup(), elem_id="glossary-page")
    page.study(lambda: gr.Tabs(selected="restore"), None, tabs, **IMMEDIATE)
    restore.follow(page.study, settings_of)


def build_lesson_guide(tabs: gr.Tabs) -> None:
    """The steps of a lesson, beside whatever tab is open; below all tabs.

    Args:
        tabs: the page's, to go back to the lesson.
    """
    guide = component("lessons/lesson_guide", {}, elem_id="lesson-guide")
    guide.back(lambda: gr.Tabs(selected=TAB), None, tabs, **IMMEDIATE)


def settings_of(asked: Any) -> Mapping[str, str]:
    """The link's parameters of the lesson that an event names; none for anything else."""
    one = lesson(asked.get("lesson")) if isinstance(asked, dict) else None
    return one.settings if one else {}

"""The two games of the Lessons tab: which event calls which method of their desk."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from models.errors import RestorationError
from studio.lessons.game_handlers import GamePage, GamesDesk
from studio.lessons.game_pictures import ANY
from studio.lessons.game_view import blind_value, guess_value
from studio.page.binding import HEAVY, LIGHT, UNFORESEEN, event_data
from studio.page.components import component, viewer

logger = logging.getLogger(__name__)


def build_guess_game(tab: gr.Tab, desk: GamesDesk, session: gr.State, session_seconds: int) -> None:
    """Guess the quality factor.

    Args:
        tab: the one being built; entering it shows the first picture.
        desk: answers every event.
        session: what is open in the Restore tab.
        session_seconds: how long a visitor's round is kept.
    """
    state = gr.State(None, time_to_live=session_seconds)
    with gr.Row(elem_classes="bench game-bench"):
        with gr.Column(elem_classes="bench-controls", scale=0, min_width=304):
            panel = component("lessons/guess", guess_value(), elem_id="guess-game")
        with gr.Column(elem_classes="bench-looking"):
            shown = viewer("guess-viewer", "A picture comes in a moment.")
            GuessGame(desk, session, state, panel, shown).wire(tab)


def build_blind_game(tab: gr.Tab, desk: GamesDesk, session: gr.State, session_seconds: int) -> None:
    """Compare two results without their names; arguments as in build_guess_game."""
    state = gr.State(None, time_to_live=session_seconds)
    with gr.Row(elem_classes="bench game-bench"):
        with gr.Column(elem_classes="bench-controls", scale=0, min_width=304):
            panel = component("lessons/blind", blind_value(None, desk.models()), elem_id="blind-game")
        with gr.Column(elem_classes="bench-looking"):
            BlindGame(desk, session, state, panel, viewer("blind-viewer", "Press Show a pair.")).wire(tab)


class _Game:
    """A panel, a viewer, and what the server keeps of the game."""

    def __init__(
        self, desk: GamesDesk, session: gr.State, state: gr.State, panel: gr.HTML, shown: gr.HTML
    ) -> None:
        self._desk, self._session, self._state = desk, session, state
        self._panel, self._viewer = panel, shown
        self._inputs, self._outputs = {session, state}, [state, panel, shown]

    def _calmly(self, work: Callable[[], GamePage], refused: Callable[[str], GamePage]) -> dict[Any, Any]:
        """The work's page, or one clear sentence."""
        try:
            return self._answer(work())
        except Exception as error:
            return self._excuse(error, refused)

    def _excuse(self, error: Exception, refused: Callable[[str], GamePage]) -> dict[Any, Any]:
        if isinstance(error, RestorationError):
            return self._answer(refused(str(error)))
        logger.error("a handler failed", exc_info=error)
        return self._answer(refused(UNFORESEEN))

    def _answer(self, page: GamePage) -> dict[Any, Any]:
        values = {self._state: page.state, self._viewer: page.viewer}
        return {
            self._panel: page.panel,
            **{output: value for output, value in values.items() if value is not None},
        }


class GuessGame(_Game):
    """Handlers with their components."""

    def wire(self, tab: gr.Tab) -> None:
        """Connect every event."""
        tab.select(self.entered, self._inputs, self._outputs, **LIGHT)
        self._panel.deal(self.dealt, self._inputs, self._outputs, **LIGHT)
        self._panel.guess(self.guessed, self._inputs, self._outputs, **LIGHT)

    def entered(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """The tab was opened: the first picture, unless there is one."""
        return {self._panel: gr.skip()} if values[self._state] else self._deal(values, ANY)

    def dealt(self, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
        """The next picture is asked for."""
        return self._deal(values, event_data(event).get("picture"))

    def _deal(self, values: dict[Any, Any], choice: Any) -> dict[Any, Any]:
        return self._calmly(
            lambda: self._desk.guess_dealt(choice, values[self._session]), self._refused(values)
        )

    def guessed(self, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
        """Somebody has guessed."""
        token, guess = event_data(event).get("round"), event_data(event).get("guess")
        return self._calmly(
            lambda: self._desk.guess_made(values[self._state], token, guess), self._refused(values)
        )

    def _refused(self, values: dict[Any, Any]) -> Callable[[str], GamePage]:
        return lambda sentence: self._desk.guess_refused(values[self._state], sentence)


class BlindGame(_Game):
    """Handlers with their components."""

    def wire(self, tab: gr.Tab) -> None:
        """Connect every event."""
        tab.select(self.entered, self._inputs, self._outputs, **LIGHT)
        dealt = self._panel.deal(self.dealt, self._inputs, self._outputs, **HEAVY)
        self._panel.halt(self.halted, self._inputs, self._outputs, cancels=[dealt], **LIGHT)
        self._panel.reveal(self.revealed, self._inputs, self._outputs, **LIGHT)

    def entered(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """The tab was opened: the models as the checkpoints folder holds them now."""
        return self._answer(self._desk.pair_refused(values[self._state], ""))

    halted = entered

    def dealt(self, values: dict[Any, Any], event: gr.EventData) -> Iterator[dict[Any, Any]]:
        """The next pair is asked for; result by result."""
        picture, *names = (event_data(event).get(name) for name in ("picture", "first", "second"))
        try:
            for page in self._desk.pair_dealt(picture, tuple(names), values[self._session]):
                yield self._answer(page)
        except Exception as error:
            yield self._excuse(error, self._refused(values))

    def revealed(self, values: dict[Any, Any], event: gr.EventData) -> dict[Any, Any]:
        """The names are asked for."""
        token = event_data(event).get("pair")
        return self._calmly(lambda: self._desk.pair_shown(values[self._state], token), self._refused(values))

    def _refused(self, values: dict[Any, Any]) -> Callable[[str], GamePage]:
        return lambda sentence: self._desk.pair_refused(values[self._state], sentence)

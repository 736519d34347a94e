"""Between Gradio's events and plain functions: the only place where values become arguments, and errors sentences."""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import gradio as gr
from gradio.blocks import BlockContext
from gradio.components import Component

from models.errors import RestorationError
from studio.page.facts import notice
from studio.server.gradio_internals import MODELS

logger = logging.getLogger(__name__)

UNFORESEEN = (
    "Something went wrong on our side. Nothing was lost. Try again; the details are in the server's log."
)

UNCHECKED = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False}
"""Values reach our handlers as they came, and are checked there; Gradio's components would answer with a traceback."""

LIGHT = {**UNCHECKED, "concurrency_limit": 8}
HEAVY = {**LIGHT, **MODELS}
IMMEDIATE = {**UNCHECKED, "queue": False}
LATEST = {**LIGHT, "trigger_mode": "always_last"}


class Props(dict[str, Any]):
    """What a handler sets of a component besides its value: Props(visible=False), Props(value="Stop")."""


class Binding:
    """Connects events of a tab to handlers.

    A handler is a plain function, or a generator. Its parameters are named like the components whose values it gets;
    `form` gets the whole form, `event` what the event carries by name, `visitor` the session that asks, and `query`
    the parameters of the page's address. It returns a page: a frozen dataclass whose fields are named like the
    components they set. None leaves a component alone, `Props` sets properties, and a truth value shows or hides a
    group. What a handler raises becomes a sentence in the page's field `notice`.
    """

    def __init__(self, page: type, components: Mapping[str, Any], form: type | None = None) -> None:
        """Bind one type of page.

        Args:
            page: every field names a component.
            components: by name; what belongs to another tab may stand among them.
            form: a dataclass, every field of which names a component.

        Raises:
            KeyError: a field names no component.
        """
        self._components, self._page, self._form = components, page, form
        self._form_names = [field.name for field in fields(form)] if form else []
        self._shown = {field.name: components[field.name] for field in fields(page)}

    def on(
        self, event: Callable[..., Any], handler: Callable[..., Any], otherwise: Any = None, **settings: Any
    ) -> Any:
        """Have a handler answer an event.

        Args:
            event: of a component or of another event, such as `button.click` or `pressed.success`.
            handler: see the class.
            otherwise: the page beside the sentence of an error, by default one that changes nothing; or a function
                that makes the page of the sentence.
            settings: of the event; LIGHT by default.

        Returns:
            Gradio's dependency, for `.success` and `.then`.

        Raises:
            KeyError: a parameter names no component.
        """
        wanted = inspect.signature(handler).parameters
        names = [name for name in wanted if name not in ("form", "event", "visitor", "query")]
        if "form" in wanted:
            names += self._form_names
        inputs = {name: self._components[name] for name in names}
        refused = otherwise if callable(otherwise) else self._noted(otherwise)

        def arguments(values: dict[Any, Any], event: gr.EventData, request: gr.Request) -> dict[str, Any]:
            given = {name: values[component] for name, component in inputs.items()}
            given |= {"event": event_data(event), "visitor": request.session_hash}
            if "form" in wanted and self._form is not None:
                given["form"] = self._form(**{name: given[name] for name in self._form_names})
            if "query" in wanted:
                given["query"] = dict(request.query_params)
            return {name: given[name] for name in wanted}

        def answered(values: dict[Any, Any], event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
            try:
                return self._changes(handler(**arguments(values, event, request)))
            except Exception as error:
                return self._changes(_excuse(error, refused))

        def streamed(
            values: dict[Any, Any], event: gr.EventData, request: gr.Request
        ) -> Iterator[dict[Any, Any]]:
            try:
                for page in handler(**arguments(values, event, request)):
                    yield self._changes(page)
            except Exception as error:
                yield self._changes(_excuse(error, refused))

        work = streamed if inspect.isgeneratorfunction(handler) else answered
        work.__name__ = handler.__name__
        return event(work, {*inputs.values()}, list(self._shown.values()), **(settings or LIGHT))

    def _noted(self, page: Any) -> Callable[[str], Any]:
        """Makes the page with one clear sentence in its field `notice`."""
        page = self._page() if page is None else page
        return lambda sentence: replace(page, notice=notice(sentence))

    def _changes(self, page: Any) -> dict[Any, Any]:
        """A page by component, in Gradio's words."""
        changes = {
            component: _in_gradio_words(component, value)
            for name, component in self._shown.items()
            if (value := getattr(page, name)) is not None
        }
        return changes or {next(iter(self._shown.values())): gr.skip()}


def _excuse(error: Exception, refused: Callable[[str], Any]) -> Any:
    """The page that says what went wrong."""
    if isinstance(error, RestorationError):
        return refused(str(error))
    logger.error("a handler failed", exc_info=error)
    return refused(UNFORESEEN)


def _in_gradio_words(component: Any, value: Any) -> Any:
    if isinstance(value, Props):
        return gr.update(**value)
    if isinstance(component, BlockContext) and not isinstance(component, Component):
        return gr.update(visible=value)
    return value


def event_data(event: gr.EventData) -> dict[str, Any]:
    """What an event of the page carries; nothing where somebody sent anything but names and values."""
    return event._data if isinstance(event._data, dict) else {}

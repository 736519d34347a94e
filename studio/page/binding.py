"""Between Gradio's events and plain functions: the only place where values become arguments, and errors sentences."""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import gradio as gr

from models.errors import RestorationError
from studio.page.facts import notice
from studio.server.answers import Props
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

GROUPS = (gr.Accordion, gr.Column, gr.Group, gr.Row, gr.Tab)
"""Of components, which are shown and hidden together."""

OFFERED = ("event", "visitor", "query", "sentence")
"""What functions may take besides values of components."""


class Binding:
    """Connects events of a tab to handlers.

    A handler is a plain function, or a generator. Its parameters are named like the components whose values it gets;
    `form` gets the whole form, `event` what the event carries by name, `visitor` the session that asks, and `query`
    the parameters of the page's address. It returns a page: a frozen dataclass whose fields are named like the
    components they set. None leaves a component alone, and a None in place of a page leaves all of them alone; `Props`
    sets properties, `Change` makes a state of the present one, and a truth value shows or hides a group, or several.
    What a handler raises becomes a sentence in the page's field `notice`. Every field's default is None.
    """

    def __init__(self, page: type, components: Mapping[str, Any], form: type | None = None) -> None:
        """Bind one type of page.

        Args:
            page: every field names a component, or a list of groups.
            components: by name; what belongs to another tab may stand among them.
            form: a dataclass, every field of which names a component.

        Raises:
            KeyError: a field of either names no component.
        """
        self._components, self._page, self._form = components, page, form
        self._form_inputs = {field.name: components[field.name] for field in fields(form)} if form else {}
        self._shown = {field.name: _listed(components[field.name]) for field in fields(page)}

    def on(
        self, event: Callable[..., Any], handler: Callable[..., Any], otherwise: Any = None, **settings: Any
    ) -> Any:
        """Have a handler answer an event.

        Args:
            event: of a component or of another event, such as `button.click` or `pressed.success`.
            handler: see the class.
            otherwise: the page beside the sentence of an error, by default one that changes nothing; or a function
                that makes the page: it takes the `sentence`, and values by name as a handler does, but no form.
            settings: of the event; LIGHT by default.

        Returns:
            Gradio's dependency, for `.success` and `.then`.

        Raises:
            KeyError: a parameter names no component.
        """
        refused = otherwise if callable(otherwise) else self._noted(otherwise)
        inputs = {name: self._components[name] for name in self._inputs(handler, refused)}

        def given(values: Any, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
            arguments = {name: values[component] for name, component in inputs.items()}
            about = {"visitor": request.session_hash, "query": dict(request.query_params)}
            return arguments | about | {"event": event_data(event)}

        def answer(values: Any, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
            arguments = given(values, event, request)
            try:
                return self._changes(handler(**self._chosen(handler, arguments)))
            except Exception as error:
                return self._changes(_excuse(error, refused, arguments))

        def stream(values: Any, event: gr.EventData, request: gr.Request) -> Iterator[dict[Any, Any]]:
            arguments = given(values, event, request)
            try:
                for page in handler(**self._chosen(handler, arguments)):
                    yield self._changes(page)
            except Exception as error:
                yield self._changes(_excuse(error, refused, arguments))

        work = stream if inspect.isgeneratorfunction(handler) else answer
        for name in ("__name__", "__qualname__", "__module__"):
            setattr(work, name, getattr(handler, name, getattr(work, name)))
        outputs = [component for components in self._shown.values() for component in components]
        return event(work, {*inputs.values()}, outputs, **(settings or LIGHT))

    def _inputs(self, *functions: Callable[..., Any]) -> list[str]:
        """Names of the components whose values functions take."""
        names = [name for function in functions for name in _parameters(function) if name not in OFFERED]
        if self._form and "form" in names:
            names = [*self._form_inputs, *(name for name in names if name != "form")]
        return names

    def _chosen(self, handler: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
        """What a handler takes of what there is, the form included."""
        if self._form and "form" in _parameters(handler):
            arguments = {
                **arguments,
                "form": self._form(**{name: arguments[name] for name in self._form_inputs}),
            }
        return {name: arguments[name] for name in _parameters(handler)}

    def _noted(self, page: Any) -> Callable[..., Any]:
        """Puts a sentence into a page's notice."""
        page = self._page() if page is None else page
        if "notice" in self._shown:
            return lambda sentence: replace(page, notice=notice(sentence))

        def unseen(sentence: str) -> Any:
            logger.error("a page without a notice cannot say: %s", sentence)
            return page

        return unseen

    def _changes(self, page: Any) -> dict[Any, Any]:
        """A page by component, in Gradio's words."""
        changes = {
            component: _in_gradio_words(component, value)
            for name, components in self._shown.items()
            if (value := getattr(page, name, None)) is not None
            for component in components
        }
        return changes or {next(iter(self._shown.values()))[0]: gr.skip()}


def _excuse(error: Exception, refused: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """The page with one clear sentence."""
    sentence = str(error) if isinstance(error, RestorationError) else UNFORESEEN
    if sentence == UNFORESEEN:
        logger.error("a handler failed", exc_info=error)
    arguments = {**arguments, "sentence": sentence}
    return refused(**{name: arguments[name] for name in _parameters(refused)})


def _parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def _listed(component: Any) -> list[Any]:
    return list(component) if isinstance(component, list | tuple) else [component]


def _in_gradio_words(component: Any, value: Any) -> Any:
    if isinstance(value, Props):
        return gr.update(**value)
    if isinstance(component, GROUPS):
        return gr.update(visible=value)
    return value


class EventValues(Mapping[str, Any]):
    """What an event of the page carries, untrusted; nothing where somebody sent anything but names and values.

    Gradio gives values by their names and lists no names, so neither does this.
    """

    def __init__(self, event: gr.EventData) -> None:
        self._event = event

    def __getitem__(self, name: str) -> Any:
        try:
            return getattr(self._event, name)
        except (AttributeError, TypeError):  # no names at all, such as a number
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def event_data(event: gr.EventData) -> EventValues:
    """What an event of the page carries."""
    return EventValues(event)

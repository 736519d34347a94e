"""A visitor of a page without a browser: events are answered as Gradio's queue has them answered, step by step."""

import asyncio
import inspect
import secrets
from dataclasses import fields
from types import SimpleNamespace

import gradio as gr


def parts_of(page, handler, answer):
    """The components of a tab by name: those that answers set, controls by label or id, other states by their type.

    Args:
        page: a whole one.
        handler: name of a handler that takes every control, whatever number of events it answers.
        answer: what it returns, a dataclass.
    """
    names = [field.name for field in fields(answer)]
    function, *_again = [
        fn for fn in page.handlers.values() if _name(fn) == handler and len(fn.outputs) == len(names)
    ]
    read = [block for block in function.inputs if block not in function.outputs]
    labelled = {
        type(block.value).__name__.lower() if block.stateful else block.label or block.elem_id: block
        for block in read
    }
    return labelled | dict(zip(names, function.outputs, strict=True))


def _name(function):
    return getattr(function.fn, "__name__", "")


class Visitor:
    """One session. Names of functions are those of their handlers; names of components are those of `parts`."""

    def __init__(self, page, parts):
        self.page, self.parts, self.name = page, parts, secrets.token_hex(4)
        self._state = page.state_holder[self.name]
        self._names = {}
        for name, part in parts.items():
            for block in part if isinstance(part, list) else [part]:
                self._names[block._id] = name

    def function(self, name):
        """The function that was bound last under a handler's name, of those that set components of `parts` alone."""
        own = [
            fn for fn in self.page.handlers.values() if all(block._id in self._names for block in fn.outputs)
        ]
        return [fn for fn in own if _name(fn) == name][-1]

    def held(self, name):
        """What a state holds."""
        return self._state[self.parts[name]._id]

    def hold(self, name, value):
        """Have a state hold something."""
        self._state[self.parts[name]._id] = value

    def begin(self, name, event=None, query=None, **values):
        """Call a handler now, and let its answer arrive later."""
        function = self.function(name)
        inputs = {
            block: self._state[block._id] if block.stateful else values.get(self._named(block), block.value)
            for block in function.inputs
        }
        request = SimpleNamespace(session_hash=self.name, query_params=query or {})
        return function, function.fn(inputs, gr.EventData(None, event), request)

    def arrive(self, begun):
        """What of a handler's answer reaches the page, by component."""
        function, answer = begun
        values = asyncio.run(self.page.postprocess_data(function, answer, self._state))
        return self._told(function, values)

    def call(self, name, event=None, query=None, **values):
        """An event from its beginning to its end."""
        return self.arrive(self.begin(name, event, query, **values))

    def calls(self, name, event=None, query=None, **values):
        """The same of a generator: all its answers."""
        function, answers = self.begin(name, event, query, **values)
        assert inspect.isgenerator(answers)
        return [self.arrive((function, answer)) for answer in answers]

    def _named(self, block):
        return self._names.get(block._id, "")

    def _told(self, function, values):
        told = {}
        for block, value in zip(function.outputs, values, strict=True):
            if block.stateful or value == gr.skip():
                continue
            name = self._named(block)
            told[name] = [*told.get(name, []), value] if isinstance(self.parts[name], list) else value
        return told

"""What a visitor leaves on the server, and how it goes: at the press of a button, and when the page is closed."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from studio.anatomy.handlers import AnatomyState
from studio.engine.cache import ResultCache
from studio.restore.tab import RestoreTab
from studio.server.files import PictureFolder
from studio.server.gradio_internals import StudioBlocks
from studio.server.later import Later
from studio.session.visitor import Photograph, Present, Run, Session
from studio.sweep.run import SweepRecord

STRAGGLER_SECONDS = 10
"""After which the last tile of a run that was ended has surely been written."""


class Privacy:
    """Handlers of the two events."""

    def __init__(self, demo: StudioBlocks, pictures: PictureFolder, cache: ResultCache) -> None:
        self._demo, self._pictures, self._cache = demo, pictures, cache
        self._stragglers = Later("stragglers")

    def wire(self, restore: RestoreTab, delete: Callable[..., Any]) -> None:
        """Connect both: the event of a button, which empties the Restore tab, and leaving."""
        restore.clear_after(delete, self.forget)
        self._demo.unload(self.left)

    def left(self, request: gr.Request) -> None:
        """The page was closed, or its connection broke."""
        visitor = request.session_hash
        if visitor:
            self.forget(visitor)
            self._stragglers.call(visitor, STRAGGLER_SECONDS, lambda: self._pictures.forget(visitor))

    def forget(self, visitor: str | None) -> int:
        """End a visitor's runs and delete their files, results and state; returns how many files that were."""
        values = self._demo.held_by_sessions().get(visitor, []) if visitor else []
        for value in values:
            if isinstance(value, Run):
                value.drop()
            elif isinstance(value, Present):
                value.replace_run(None)
            elif isinstance(value, SweepRecord):
                for run in value.runs:
                    run.stop.set()
        for photograph in {_photograph(value) for value in values}:
            if (
                photograph is not None and not photograph.example
            ):  # everybody's results of the examples may stay
                self._cache.forget(photograph.key)
        if not visitor:
            return 0
        self._demo.empty_session(visitor)
        return self._pictures.forget(visitor)


def _photograph(value: Any) -> Photograph | None:
    return value.photograph if isinstance(value, Session | AnatomyState) else None

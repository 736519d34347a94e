"""A clean original is added to what somebody brought, or taken away again. No page code."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic_ns
from typing import Any

from models.errors import InvalidSetting
from studio.engine.clean_original import CleanOriginal, checked_original
from studio.restore.handlers import RestoreHandlers, photograph_of
from studio.restore.page import Page
from studio.server.answers import DROPPED, Change
from studio.session.form import RestoreForm
from studio.session.uploads import OpenFile
from studio.session.visitor import Photograph, Present, Run, Session

ONLY_OWN = (
    "The examples have their originals already. A clean original can be added to a photograph of your own. "
    "Open one first."
)


@dataclass(frozen=True, eq=False)
class OriginalPage(Page):
    """A Page with what is known of the original.

    Attributes:
        session: a change of what is open by then.
        original: the value of its component.
    """

    session: Any = None
    original: dict[str, Any] | None = None


class OriginalHandlers:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, restoring: RestoreHandlers, open_file: OpenFile) -> None:
        """Show the page as `restoring` does; `open_file` opens originals as it does photographs."""
        self._restoring, self._open_file = restoring, open_file

    def add(
        self,
        event: Mapping[str, Any],
        session: Session | None,
        run: Run | None,
        present: Present,
        form: RestoreForm,
    ) -> OriginalPage:
        """A file was sent that shall be the original; from now on everything is measured against it."""
        photograph = photograph_of(session)
        if photograph.example:
            raise InvalidSetting(ONLY_OWN)
        opened = self._open_file(event.get("path"), event.get("name"))
        original = checked_original(
            CleanOriginal(opened.name, opened.key, opened.image.pixels), photograph.image.pixels
        )
        return self._with(original, photograph, run, present, form)

    def remove(
        self, session: Session | None, run: Run | None, present: Present, form: RestoreForm
    ) -> OriginalPage:
        """The original is not wanted any more."""
        return self._with(None, photograph_of(session), run, present, form)

    def _with(
        self,
        original: CleanOriginal | None,
        photograph: Photograph,
        run: Run | None,
        present: Present,
        form: RestoreForm,
    ) -> OriginalPage:
        """The page with another original, or none; nothing where another photograph was opened meanwhile."""
        if present.photograph_key != photograph.key:
            return OriginalPage()
        had_results = run is not None and run.outputs is not None and bool(run.outputs.restorations)
        changed = replace(photograph, original=original)
        page = self._restoring.change(Session(changed), run, present, form)
        fields = {**vars(page), "session": Change(partial(_changed, changed))}
        return OriginalPage(**fields, original=_answer(original, again=had_results))


def _changed(photograph: Photograph, held: Session | None) -> Any:
    """What is open, with its original; the answer is dropped where it is another photograph by now."""
    if held is None or held.photograph is None or held.photograph.key != photograph.key:
        return DROPPED
    return Session(photograph)


def refuse(sentence: str) -> OriginalPage:
    """The file cannot be the original; what was there before stays."""
    return OriginalPage(original={"answer": monotonic_ns() // 1000, "state": "failed", "words": sentence})


def _answer(original: CleanOriginal | None, *, again: bool) -> dict[str, Any]:
    """The component's value; `again` where there are results that shall be measured anew."""
    state = {"state": "added", "name": original.name} if original else {"state": "none"}
    return {"answer": monotonic_ns() // 1000, "again": again, **state}

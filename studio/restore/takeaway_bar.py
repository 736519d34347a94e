"""What the buttons below the results table give: a zip, one HTML page, a link with every setting."""

import logging
from collections.abc import Callable
from time import monotonic_ns
from typing import Any

import gradio as gr

from models.errors import RestorationError
from studio.page.binding import LIGHT, UNFORESEEN, EventValues, event_data
from studio.restore.handlers import Desk
from studio.restore.tab import RestoreTab
from studio.session.link import Link, example_of, form_of, look_of, to_query
from studio.session.visitor import Session

logger = logging.getLogger(__name__)

PACKING = {**LIGHT, "concurrency_limit": 2, "concurrency_id": "packing"}
OWN_PHOTOGRAPH = (
    "A link cannot carry your own photograph: whoever opens it sees an example with these settings."
)


class TakeawayBar:
    """Handlers of the bar; each answers with what the component hands over."""

    def __init__(self, desk: Desk, tab: RestoreTab) -> None:
        self._desk, self._tab, self._bar = desk, tab, tab.takeaway

    def wire(self) -> None:
        """Connect the three buttons."""
        outputs = self._tab.outputs
        results = {outputs.session, outputs.run}
        self._bar.take_zip(self.zipped, results, self._bar, **PACKING)
        self._bar.take_page(self.paged, results, self._bar, **PACKING)
        self._bar.take_link(self.linked, self._tab.form_inputs(), self._bar, **LIGHT)

    def zipped(self, values: dict[Any, Any], event: gr.EventData) -> dict[str, Any]:
        """Every picture and the report."""
        wanted = event_data(event)

        def work() -> dict[str, Any]:
            session, run = self._session(values), self._tab.run_of(values)
            link = self._link_of_results(session, run, wanted)
            return _answer(
                file=self._desk.zipped(session, run, link=link, with_exif=wanted.get("exif") is True)
            )

        return _calmly(work)

    def paged(self, values: dict[Any, Any], event: gr.EventData) -> dict[str, Any]:
        """The comparison as one file."""
        wanted = event_data(event)

        def work() -> dict[str, Any]:
            session, run = self._session(values), self._tab.run_of(values)
            link = self._link_of_results(session, run, wanted)
            return _answer(file=self._desk.paged(session, run, link=link))

        return _calmly(work)

    def linked(self, values: dict[Any, Any], event: gr.EventData) -> dict[str, Any]:
        """An address for the controls as they are."""
        wanted = event_data(event)

        def work() -> dict[str, Any]:
            form, photograph = self._tab.form(values), self._session(values).photograph
            form.request("", tuple(self._desk.cards()))  # refuses what no control can say
            picture = example_of(photograph) if photograph else ""
            query = to_query(Link(form, picture, look_of(wanted.get("look"))))
            return _answer(query=query, words="" if picture else OWN_PHOTOGRAPH)

        return _calmly(work)

    def _session(self, values: dict[Any, Any]) -> Session:
        return values[self._tab.outputs.session] or Session()

    def _link_of_results(self, session: Session, run: Any, wanted: EventValues) -> str:
        """The link of what is packed, whatever the controls say by now."""
        if run.request is None or session.photograph is None:
            return ""
        return to_query(
            Link(form_of(run.request), example_of(session.photograph), look_of(wanted.get("look")))
        )


def _answer(
    *, file: dict[str, Any] | None = None, query: str | None = None, words: str = ""
) -> dict[str, Any]:
    """The component's value; the number makes equal answers differ."""
    return {"answer": monotonic_ns() // 1000, "file": file, "query": query, "words": words}


def _calmly(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return work()
    except RestorationError as error:
        return _answer(words=str(error))
    except Exception:
        logger.exception("packing failed")
        return _answer(words=UNFORESEEN)

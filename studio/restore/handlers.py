"""What happens at each press: from a session and a form to everything the page shows afterwards. No page code.

A handler of the Restore tab calls one method here and hands the Page on. Fields that are None stay as they are.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from threading import Event
from time import monotonic
from typing import Any

from models.card import ModelCard
from models.errors import InvalidSetting, RestorationCancelled, RestorationError
from models.jpeg.formats import NAMES
from studio.engine.engine import Engine, Progress, StageOutputs, steering
from studio.page import facts
from studio.page.view import EMPTY_VIEW, view_of
from studio.page.wording import how_broken, settings_slug
from studio.restore.comparison_page import comparison_page
from studio.restore.results import table_of, waiting_table
from studio.restore.takeaway import report_of, zip_of_results
from studio.server.files import PictureFolder
from studio.session.form import RestoreForm
from studio.session.visitor import Photograph, Run, Session
from training.evaluation.score_files import weights_of

logger = logging.getLogger(__name__)

CHANGED = "Settings changed: these results belong to the earlier ones. Press Restore."
PROGRESS_SECONDS = 0.15
"""Tiles that end sooner after the last news are not told."""

NO_PHOTOGRAPH = (
    f"There is no photograph in memory. {NAMES} can be opened, and are held for a limited time. "
    "Drop one, or pick an example."
)
DELETED = "Nothing of yours is held here now. Drop a photograph, or pick an example."
BUSY = "Busy: as many runs are waiting as the line takes. This one could not join. Press Restore in a minute."
PRESS_RESTORE = "Press Restore to run the ticked models on this picture."


@dataclass(frozen=True, eq=False)
class Page:
    """What changes on the page; field names equal those of the tab's outputs, None leaves one alone.

    Attributes:
        session, run: the visitor's state.
        viewer, results: values of the two custom components.
        photograph_facts, bench_facts, quality, notice, freshness, summary: markup or text.
        busy: True while models work.
    """

    session: Session | None = None
    run: Run | None = None
    viewer: dict[str, Any] | None = None
    results: dict[str, Any] | None = None
    photograph_facts: str | None = None
    bench_facts: str | None = None
    quality: str | None = None
    notice: str | None = None
    freshness: str | None = None
    summary: str | None = None
    busy: bool | None = None


class Desk:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, engine: Engine, pictures: PictureFolder) -> None:
        self._engine = engine
        self._pictures = pictures

    def opened(self, photograph: Photograph, run: Run, form: RestoreForm) -> Page:
        """A photograph was opened: earlier results go, the degraded picture comes.

        Raises:
            RestorationError: with the sentence to show.
        """
        run.drop()
        session = Session(photograph)
        page = self.rebroken(session, Run(), form)
        return replace(
            page,
            session=session,
            run=Run(),
            photograph_facts=facts.photograph_line(photograph),
            results={"rows": [], "note": PRESS_RESTORE, "convention": ""},
            quality="",
            freshness="",
            notice="",
        )

    def rebroken(self, session: Session, run: Run, form: RestoreForm) -> Page:
        """A setting changed: show the picture as it is now broken, and whether the results still belong to it.

        Raises:
            RestorationError: with the sentence to show.
        """
        photograph, cards = self._photograph(session), self.cards()
        request = form.request(photograph.key, tuple(cards))
        broken = self._engine.broken(photograph.key, photograph.image, request.degradation)
        lines = Page(
            bench_facts=facts.bench_line(photograph, broken),
            summary=facts.summary(photograph, request),
            notice="",
        )
        current = run.request is not None and run.request.same_settings(request)
        outputs = run.outputs if current else None
        if not current:
            run.drop()
        outputs = outputs or StageOutputs(request, broken.original, broken.image)
        view = self._shown(photograph, outputs, cards).view
        stale = CHANGED if run.request is not None and not current else ""
        return replace(lines, viewer=view, freshness=facts.freshness(stale))

    def began(self, session: Session, run: Run, form: RestoreForm) -> Page:
        """Restore was pressed: answer at once, before any model is free, and without touching a pixel.

        Raises:
            RestorationError: with the sentence to show.
        """
        run.drop()
        photograph, cards = self._photograph(session), self.cards()
        request = form.request(photograph.key, tuple(cards))
        if not request.model_names:
            raise InvalidSetting(
                "No model is ticked. Any number of them can be compared. Tick at least one in step 3."
            )
        names = self._engine.by_cost(request.model_names, cards)
        return Page(
            results=waiting_table(names, cards),
            run=Run(Event(), Event(), request, None, Event()),
            freshness="",
            notice="",
            quality="",
            busy=True,
            summary=facts.summary(photograph, request),
        )

    def restored(self, session: Session, run: Run) -> Iterator[Page]:
        """Run the models of a begun run, and show each tile's progress and each result."""
        if run.taken is not None:
            run.taken.set()
        if run.stop is None or run.request is None or session.photograph is None:
            return
        cards = self.cards()
        shown: _Shown | None = None
        last_told = 0.0
        news = Page()  # what the next page tells besides its table; one follows every result at once
        try:
            for item in self._engine.run_stages(session.photograph.image, run.request, run.stop):
                if run.stop.is_set():
                    break
                if isinstance(item, StageOutputs):
                    if shown is None:
                        steering(run.request, item.degraded)  # refuses once what every model would refuse
                    shown = self._shown(session.photograph, item, cards)
                    news = replace(shown.page(), run=replace(run, outputs=item))
                elif item.done == 0 or monotonic() - last_told >= PROGRESS_SECONDS:
                    last_told = monotonic()
                    yield replace(news, results=shown.table(progress=item))
                    news = Page()
        except RestorationCancelled:
            logger.info("a run was stopped")
        except RestorationError as error:
            table = self._table_at_the_end(run, shown, stopped=True)
            yield replace(news, notice=facts.notice(str(error)), results=table, busy=False)
            return
        if run.dropped is not None and run.dropped.is_set():
            yield Page(busy=False)
        else:
            table = self._table_at_the_end(run, shown, stopped=run.stop.is_set())
            yield replace(news, results=table, busy=False)

    def _table_at_the_end(self, run: Run, shown: "_Shown | None", *, stopped: bool) -> dict[str, Any]:
        if shown is not None:
            return shown.table(stopped=stopped)
        cards = self.cards()
        return waiting_table(self._engine.by_cost(run.request.model_names, cards), cards, stopped=stopped)

    def emptied(self, files: int) -> Page:
        """A visitor's images were deleted: say so, and show nothing of them any more."""
        return Page(
            session=Session(),
            run=Run(),
            viewer=EMPTY_VIEW,
            results={"rows": [], "note": DELETED, "convention": ""},
            photograph_facts=facts.deleted_line(files),
            bench_facts="",
            quality="",
            freshness="",
            summary=facts.summary(None, None),
            notice="",
            busy=False,
        )

    def settled(self, session: Session, run: Run, form: RestoreForm) -> Page:
        """After a run: compare what was asked for with the controls as they are now."""
        if run.request is None or session.photograph is None:
            return Page(busy=False)
        cards = self.cards()
        if run.taken is not None and not run.taken.is_set() and not run.stop.is_set():
            table = self._table_at_the_end(run, None, stopped=True)
            return Page(results=table, notice=facts.notice(BUSY), busy=False)
        current = run.request.same_settings(form.request(session.photograph.key, tuple(cards)))
        return Page(freshness=facts.freshness("" if current else CHANGED), busy=False)

    def zipped(self, session: Session, run: Run, *, link: str, with_exif: bool) -> dict[str, Any]:
        """Everything of a run as one served zip; see studio.restore.takeaway.

        Raises:
            RestorationError: with the sentence to show.
        """
        photograph, shown = self._results(session, run)
        name, data = zip_of_results(
            photograph,
            shown.outputs,
            shown.view["panes"],
            weights_hash=self._weights_hash,
            link=link,
            with_exif=with_exif,
        )
        return self._pictures.served_bytes(name, data)

    def paged(self, session: Session, run: Run, *, link: str) -> dict[str, Any]:
        """Everything of a run as one served HTML page; see studio.restore.comparison_page.

        Raises:
            RestorationError: with the sentence to show.
        """
        photograph, shown = self._results(session, run)
        outputs = shown.outputs
        report = report_of(
            photograph, outputs, shown.view["panes"], weights_hash=self._weights_hash, link=link
        )
        page = comparison_page(
            photograph, how_broken(outputs.request.degradation), shown.view, shown.table(stopped=True), report
        )
        name = f"{photograph.name}_{settings_slug(outputs.request)}.html"
        return self._pictures.served_bytes(name, page)

    def _results(self, session: Session, run: Run) -> tuple[Photograph, "_Shown"]:
        photograph = self._photograph(session)
        if run.outputs is None:
            raise InvalidSetting(
                "There is nothing to take away yet. Results can be packed once a model has finished. Press Restore."
            )
        return photograph, self._shown(photograph, run.outputs, self.cards())

    def _weights_hash(self, name: str) -> str | None:
        card = self.cards()[name]
        return weights_of(self._engine.zoo.folder_of(name), card).sha256 if card.architecture else None

    def cards(self) -> dict[str, ModelCard]:
        """Every model's card by name, as the checkpoints folder holds them now."""
        return self._engine.cards()

    def _photograph(self, session: Session | None) -> Photograph:
        if session is None or session.photograph is None:
            raise InvalidSetting(NO_PHOTOGRAPH)
        return session.photograph

    def _shown(
        self, photograph: Photograph, outputs: StageOutputs, cards: Mapping[str, ModelCard]
    ) -> "_Shown":
        left = [
            name
            for name in self._engine.by_cost(outputs.request.model_names, cards)
            if name not in outputs.restorations and name not in outputs.failures
        ]
        return _Shown(outputs, cards, view_of(photograph, outputs, cards, self._pictures), tuple(left))


@dataclass(frozen=True, eq=False)
class _Shown:
    """One state of a run, ready for the page."""

    outputs: StageOutputs
    cards: Mapping[str, ModelCard]
    view: dict[str, Any]
    waiting: tuple[str, ...]

    def table(self, *, progress: Progress | None = None, stopped: bool = False) -> dict[str, Any]:
        return table_of(
            self.outputs,
            self.cards,
            self.view["panes"],
            waiting=self.waiting,
            progress=progress,
            stopped=stopped,
        )

    def page(self) -> Page:
        quality = facts.quality_line(self.outputs, self.cards)
        return Page(viewer=self.view, results=self.table(), quality=quality)

"""What happens at each event of the Restore tab: from values to everything the page shows afterwards. No page code.

Methods are bound to events by studio.page.binding: parameters are named like components, and a Page comes back.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, make_dataclass, replace
from threading import Event
from time import monotonic
from typing import Any

from models.card import ModelCard
from models.errors import InvalidSetting, RestorationCancelled, RestorationError
from models.jpeg.formats import NAMES
from studio.engine.engine import Engine, Progress, StageOutputs
from studio.page import facts
from studio.page.binding import Props
from studio.page.controls import first_models, model_choices
from studio.page.view import EMPTY_VIEW, view_of
from studio.restore.results import NO_RESULTS, table_of, waiting_table
from studio.server.files import PictureFolder
from studio.session.examples import EXAMPLES, open_example
from studio.session.form import RestoreForm
from studio.session.link import from_query, look_values
from studio.session.uploads import OpenFile
from studio.session.visitor import Photograph, Present, Run, Session

logger = logging.getLogger(__name__)

CHANGED = "Settings changed: these results belong to the earlier ones. Press Restore."
PROGRESS_SECONDS = 0.15
"""Tiles that end sooner after the last news are not told."""

NO_PHOTOGRAPH = (
    f"There is no photograph in memory. {NAMES} can be opened, and are held for a limited time. "
    "Drop one, or pick an example."
)
DELETED = "All of your images have been deleted. Drop a photograph, or pick an example."
BUSY = "Busy: the queue is full. Press Restore again in a minute."
PRESS_RESTORE = "Press Restore to run the ticked models on this picture."

GUIDANCE_WORDS = {
    "automatic": "Each model decides: by the file's tables, an earlier save it finds, or its own estimate.",
    "tables": "The one quality factor that the file's tables say.",
    "pixels": "Each network's own estimate; the file's tables are ignored.",
    "manual": "What the models take for the quality. Lower repairs harder.",
}


@dataclass(frozen=True, eq=False)
class Page:
    """What changes on the page; fields are named like the components they set, None leaves one alone.

    Attributes:
        session, run: the visitor's state.
        viewer, results: values of the two custom components.
        photograph_facts, bench_facts, quality, notice, freshness, summary: markup or text.
        restore, stop: what the buttons say, and whether they can be pressed.
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
    restore: Props | None = None
    stop: Props | None = None


LinkedPage = make_dataclass(
    "LinkedPage",
    [(entry.name, Any, field(default=None)) for entry in fields(RestoreForm)],
    bases=(Page,),
    frozen=True,
    eq=False,
)
"""A Page with the whole form, where a link or a lesson sets it."""


@dataclass(frozen=True, eq=False)
class FormGroups:
    """What of the form is seen, and what its guidance means."""

    breaking: bool | None = None
    second_save: bool | None = None
    by_hand: bool | None = None
    guidance_words: str | None = None
    notice: str | None = None


IDLE: dict[str, Any] = {
    "restore": Props(interactive=True, value="Restore"),
    "stop": Props(interactive=False, value="Stop"),
}
WORKING: dict[str, Any] = {
    "restore": Props(interactive=False, value="Restoring"),
    "stop": Props(interactive=True, value="Stop"),
}
"""The two buttons, as fields of a Page."""


class RestoreHandlers:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, engine: Engine, pictures: PictureFolder, open_file: OpenFile) -> None:
        self._engine, self._pictures, self._open_file = engine, pictures, open_file

    def cards(self) -> dict[str, ModelCard]:
        """Every model's card by name, as the checkpoints folder holds them now."""
        return self._engine.cards()

    def first_models(self) -> list[str]:
        """What is ticked at first."""
        return first_models(self._engine.zoo)

    # What is open

    def arrive(self, query: Mapping[str, str], present: Present) -> Page:
        """A page was opened, or a lesson chosen: the form as the link says, its picture or the first example open.

        Args:
            query: parameters of the link, see studio.session.link.
            present: what the visitor's page is about.
        """
        cards = self.cards()
        default = RestoreForm(model_names=tuple(self.first_models()))
        link = from_query(query, default, tuple(cards))
        form: dict[str, Any] = {entry.name: getattr(link.form, entry.name) for entry in fields(RestoreForm)}
        form["model_names"] = Props(
            choices=model_choices(list(cards.values())), value=list(link.form.model_names)
        )
        try:
            page = self._open(lambda: open_example(link.picture or EXAMPLES[0].name), present, link.form)
        except RestorationError as error:  # then no run may begin on the photograph before it
            page = Page(session=Session(), notice=facts.notice(str(error)))
        if page.viewer is not None:
            page = replace(page, viewer={**page.viewer, "look": look_values(link.look)})
        if link.problems:
            page = replace(page, notice=facts.notice(" ".join(link.problems)))
        return LinkedPage(**vars(page), **form)

    def open_example(self, event: Mapping[str, Any], present: Present, form: RestoreForm) -> Page:
        """One of the thumbnails was pressed."""
        return self._open(lambda: open_example(event.get("name")), present, form)

    def open_upload(self, event: Mapping[str, Any], present: Present, form: RestoreForm) -> Page:
        """A file was uploaded."""
        return self._open(lambda: self._open_file(event.get("path"), event.get("name")), present, form)

    def _open(self, read: Callable[[], Photograph], present: Present, form: RestoreForm) -> Page:
        """Earlier results go, the degraded picture comes; nothing where another file was opened meanwhile."""
        opening = present.begin_opening()
        photograph = read()
        page = self._degraded(photograph, Run(), form)
        if not present.is_latest(opening):
            return Page()
        present.replace_run(None)
        return replace(
            page,
            session=Session(photograph),
            run=Run(),
            photograph_facts=facts.photograph_line(photograph),
            results={**NO_RESULTS, "note": PRESS_RESTORE},
            quality="",
            freshness="",
            **IDLE,
        )

    def clear(self, files: int) -> Page:
        """A visitor's images were deleted: say so, and show nothing of them any more."""
        return Page(
            session=Session(),
            run=Run(),
            viewer=EMPTY_VIEW,
            results={**NO_RESULTS, "note": DELETED},
            photograph_facts=facts.deleted_line(files),
            bench_facts="",
            quality="",
            freshness="",
            summary=facts.summary(None, None),
            notice="",
            **IDLE,
        )

    # Settings

    def change(self, session: Session | None, run: Run | None, present: Present, form: RestoreForm) -> Page:
        """A setting changed: show the picture as it is degraded now, and whether the results still belong to it."""
        photograph, run = photograph_of(session), run or Run()
        page = self._degraded(photograph, run, form)
        if page.freshness and present.run is not None:
            present.run.drop()
        return page

    def _degraded(self, photograph: Photograph, run: Run, form: RestoreForm) -> Page:
        cards = self.cards()
        request = form.request(photograph.key, tuple(cards))
        degraded = self._engine.broken(photograph.key, photograph.image, request.degradation)
        current = run.request is not None and run.request.same_settings(request)
        outputs = run.outputs if current else None
        outputs = outputs or StageOutputs(request, degraded.original, degraded.image)
        return Page(
            viewer=view_of(photograph, outputs, cards, self._pictures, run.view),
            bench_facts=facts.bench_line(photograph, degraded),
            summary=facts.summary(photograph, request),
            freshness=facts.freshness(CHANGED if run.request is not None and not current else ""),
            notice="",
        )

    @staticmethod
    def show_saves(saves: Any) -> FormGroups:
        """Show the settings of as many saves as there are."""
        return FormGroups(breaking=saves in ("once", "twice"), second_save=saves == "twice")

    @staticmethod
    def show_guidance(guidance: Any) -> FormGroups:
        """Show the slider where the quality is set by hand, and say what the choice means."""
        return FormGroups(by_hand=guidance == "manual", guidance_words=guidance_markup(guidance))

    # Running

    def start(self, session: Session | None, present: Present, form: RestoreForm) -> Page:
        """Restore was pressed: answer at once, before any model is free, and without touching a pixel."""
        present.replace_run(None)
        photograph, cards = photograph_of(session), self.cards()
        request = form.request(photograph.key, tuple(cards))
        if not request.model_names:
            raise InvalidSetting(
                "No model is ticked. Any number of them can be compared. Tick at least one in step 3."
            )
        run = Run(Event(), Event(), request, taken=Event())
        present.replace_run(run)
        return Page(
            results=waiting_table(self._engine.by_cost(request.model_names, cards), cards),
            run=run,
            freshness="",
            notice="",
            quality="",
            summary=facts.summary(photograph, request),
            **WORKING,
        )

    def start_unasked(self, session: Session | None, present: Present, form: RestoreForm) -> Page:
        """The first run of a page: what was wrong with its address stays readable; no picture, no run."""
        if session is None or session.photograph is None:
            return Page(run=Run())
        return replace(self.start(session, present, form), notice=None)

    def work(self, session: Session | None, run: Run | None, present: Present) -> Iterator[Page]:
        """Run the models of a started run, and show each tile's progress and each result.

        A run that the page is not about any more says nothing: another photograph was opened, or another run started.
        """
        run = run or Run()
        if run.taken is not None:
            run.taken.set()
        if run.stop is None or run.request is None or session is None or session.photograph is None:
            return
        if run.photograph_key != session.photograph.key:
            return
        for page in self._worked(session.photograph, run, run.request, run.stop):
            if not present.shows(run):
                return
            yield page

    def _worked(self, photograph: Photograph, run: Run, request: Any, stop: Event) -> Iterator[Page]:
        cards = self.cards()
        shown = _Shown(run, cards, self._engine.by_cost(request.model_names, cards))
        last_told = 0.0
        news = Page()  # what the next page tells besides its table; one follows every result at once
        try:
            for item in self._engine.run_stages(photograph.image, request, stop, cards):
                if stop.is_set():
                    break
                if isinstance(item, StageOutputs):
                    if shown.run.outputs is None:
                        request.options.steering_factor(
                            item.degraded
                        )  # refuses once what every model would refuse
                    view = view_of(photograph, item, cards, self._pictures, shown.run.view)
                    shown = replace(shown, run=replace(run, outputs=item, view=view))
                    news = shown.page()
                elif item.done == 0 or monotonic() - last_told >= PROGRESS_SECONDS:
                    last_told = monotonic()
                    yield replace(news, results=shown.table(progress=item))
                    news = Page()
        except RestorationCancelled:
            logger.info("a run was stopped")
        except RestorationError as error:
            yield replace(news, notice=facts.notice(str(error)), results=shown.table(stopped=True), **IDLE)
            return
        if run.dropped is not None and run.dropped.is_set():
            yield Page(**IDLE)
        elif shown.run.outputs is None or stop.is_set():
            yield replace(news, results=shown.table(stopped=stop.is_set()), **IDLE)
        else:
            yield replace(news, results=shown.table())
            outputs = self._engine.with_slow_metrics(shown.run.outputs, stop)
            shown = replace(shown, run=replace(shown.run, outputs=outputs))
            dropped = run.dropped is not None and run.dropped.is_set()
            yield replace(Page() if dropped else shown.page(), **IDLE)

    @staticmethod
    def end(present: Present) -> Page:
        """Stop was pressed; the run itself reports its end within one tile."""
        if present.run is not None:
            present.run.end()
        return Page(stop=Props(interactive=False, value="Stopping"))

    def finish(self, session: Session | None, run: Run | None, present: Present, form: RestoreForm) -> Page:
        """After a run: compare what was asked for with the controls as they are now."""
        run = run or Run()
        if run.request is None or run.stop is None or session is None or session.photograph is None:
            return Page(**IDLE)
        if not present.shows(run):
            return Page()
        if run.photograph_key != session.photograph.key:  # it was opened while Restore was pressed
            return replace(Page(results={**NO_RESULTS, "note": PRESS_RESTORE}), **IDLE)
        cards = self.cards()
        if run.taken is not None and not run.taken.is_set() and not run.stop.is_set():
            shown = _Shown(run, cards, self._engine.by_cost(run.request.model_names, cards))
            return Page(results=shown.table(stopped=True), notice=facts.notice(BUSY), **IDLE)
        current = run.request.same_settings(form.request(session.photograph.key, tuple(cards)))
        return Page(freshness=facts.freshness("" if current else CHANGED), **IDLE)


def photograph_of(session: Session | None) -> Photograph:
    """What is open.

    Raises:
        InvalidSetting: nothing is.
    """
    if session is None or session.photograph is None:
        raise InvalidSetting(NO_PHOTOGRAPH)
    return session.photograph


def guidance_markup(guidance: object) -> str:
    """What a guidance means, as markup; nothing for anything else."""
    words = GUIDANCE_WORDS.get(guidance, "") if isinstance(guidance, str) else ""
    return f"<p class='fact fact-note'>{words}</p>"


@dataclass(frozen=True, eq=False)
class _Shown:
    """One state of a run, ready for the page; `names` are its models, cheapest first."""

    run: Run
    cards: Mapping[str, ModelCard]
    names: list[str]

    def table(self, *, progress: Progress | None = None, stopped: bool = False) -> dict[str, Any]:
        outputs, view = self.run.outputs, self.run.view
        if outputs is None or view is None:
            return waiting_table(self.names, self.cards, stopped=stopped)
        finished = {*outputs.restorations, *outputs.failures}
        waiting = tuple(name for name in self.names if name not in finished)
        return table_of(
            outputs, self.cards, view["panes"], waiting=waiting, progress=progress, stopped=stopped
        )

    def page(self) -> Page:
        quality = facts.quality_line(self.run.outputs, self.cards) if self.run.outputs else ""
        return Page(run=self.run, viewer=self.run.view, results=self.table(), quality=quality)

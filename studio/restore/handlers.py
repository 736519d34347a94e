"""What happens at each event of the Restore tab: from values to everything the page shows afterwards. No page code.

Methods are bound to events by studio.page.binding: parameters are named like components, and a Page comes back.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from functools import partial
from threading import Event
from time import monotonic
from typing import Any

from models.card import ModelCard
from models.errors import InvalidSetting, RestorationCancelled, RestorationError
from models.jpeg import Degradation
from models.jpeg.kept_exif import kept_exif
from studio.engine.engine import Engine, pace
from studio.engine.expectations import told_condition
from studio.engine.outputs import RestoreRequest, StageOutputs
from studio.page import facts
from studio.page.binding import Props
from studio.page.controls import first_models
from studio.page.sight import box_of
from studio.page.view import best_result, view_of
from studio.page.wording import duration
from studio.restore.page import (
    BUSY,
    CHANGED,
    IDLE,
    NO_MODEL,
    NO_PHOTOGRAPH,
    WORKING,
    LinkedPage,
    Page,
    first_form,
    opened_value,
    repairing_choices,
)
from studio.restore.results import NO_RESULTS, waiting_table
from studio.restore.shown import Shown
from studio.restore.verdict import (
    NO_VERDICT,
    diagnosis,
    diagnosis_markup,
    example_words,
    expected_words,
    verdict_value,
)
from studio.server.files import PictureFolder
from studio.session.examples import EXAMPLES, open_example
from studio.session.form import RestoreForm
from studio.session.link import Link, from_query, look_values, to_query
from studio.session.uploads import OpenFile
from studio.session.visitor import Photograph, Present, Run, Session
from training.evaluation.metrics import slow_metrics

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.15
"""Tiles that end sooner after the last news are not told."""


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
        form["repairing_model"] = Props(
            choices=repairing_choices(cards.values()), value=link.form.repairing_model
        )
        try:
            page = self._open(lambda: open_example(link.picture or EXAMPLES[0].name), present, link.form)
        except RestorationError as error:  # then no run may begin on the photograph before it
            page = Page(session=Session(), notice=facts.notice(str(error)))
        if page.viewer is not None:
            page = replace(page, viewer={**page.viewer, "look": look_values(link.look)})
        if link.problems:
            page = replace(page, notice=facts.notice(" ".join(link.problems)))
        picker = Props(page.model_names or {})
        if "models" in query or "value" not in picker:  # what a link says stays ticked, whatever it does
            picker["value"] = list(link.form.model_names)
        return LinkedPage(**{**vars(page), "address": None, **form, "model_names": picker})

    def open_example(self, event: Mapping[str, Any], present: Present, form: RestoreForm) -> Page:
        """One of the thumbnails was pressed; a clean picture that was kept as it is has nothing to repair."""
        saves = "once" if form.saves == "keep" else form.saves
        page = self._open(lambda: open_example(event.get("name")), present, replace(form, saves=saves))
        return replace(page, saves=saves)

    def open_upload(self, event: Mapping[str, Any], present: Present, form: RestoreForm) -> Page:
        """A file was uploaded; it is left as it is until somebody damages it, or did so before it was brought back."""
        read = partial(self._open_file, event.get("path"), event.get("name"))
        saves = event.get("saves")
        saves = saves if saves in ("once", "twice") else "keep"
        page = self._open(read, present, replace(form, saves=saves))
        return page if page.session is None else replace(page, saves=saves)

    def _open(self, read: Callable[[], Photograph], present: Present, form: RestoreForm) -> Page:
        """Earlier results go, the damaged picture comes; nothing where another file was opened meanwhile."""
        opening = present.begin_opening()
        photograph = read()
        page = self._degraded(photograph, Run(), form)
        if not present.is_latest(opening):
            return Page()
        present.replace_run(None)
        present.photograph_key = photograph.key
        return replace(
            page,
            session=Session(photograph),
            run=Run(),
            model_names=self._picker(photograph, form, self.cards(), untick=True),
            photograph=opened_value(photograph),
            photograph_facts=facts.photograph_line(photograph),
            diagnosis=page.diagnosis or "",
            results=NO_RESULTS,
            verdict=NO_VERDICT,
            quality="",
            freshness="",
        )

    def diagnose(self, session: Session | None, present: Present) -> Page:
        """Say how the photograph that somebody brought was saved, once it is on the page."""
        if session is None or session.photograph is None or session.photograph.example:
            return Page()
        photograph = session.photograph
        condition = self._engine.condition(photograph.image)
        edges = self._engine.observed_as_brought(photograph.key, photograph.image).block_edges
        if present.photograph_key != photograph.key:
            return Page()
        return Page(diagnosis=diagnosis_markup(diagnosis(photograph.image, condition, edges)))

    # Settings

    def change(self, session: Session | None, run: Run | None, present: Present, form: RestoreForm) -> Page:
        """A setting changed: show the picture as it is damaged now, and whether the results still belong to it."""
        photograph, run = photograph_of(session), run or Run()
        page = self._degraded(photograph, run, form)
        if page.freshness and present.run is not None:
            present.run.drop()
        return replace(page, model_names=self._picker(photograph, form, self.cards(), untick=False))

    def _degraded(self, photograph: Photograph, run: Run, form: RestoreForm) -> Page:
        cards = self.cards()
        request = self._request(photograph, form, cards)
        degraded = self._engine.broken(
            photograph.key, photograph.image, request.degradation, photograph.original
        )
        current = run.request is not None and run.request.same_settings(request)
        outputs = run.outputs if current else None
        outputs = outputs or StageOutputs(request, degraded.original, degraded.image)
        view = view_of(photograph, outputs, cards, self._pictures, run.view)
        if form.door == "repair":  # nobody there asks for the original, which need not travel
            view = {**view, "a": "degraded"}
        working = {} if run.stop is not None and not run.stop.is_set() else self._idle(photograph, request)
        return Page(
            viewer=view,
            diagnosis=example_words(request.degradation) if photograph.example else None,
            bench_facts=facts.bench_line(photograph, degraded, request.degradation),
            freshness=facts.freshness(CHANGED if run.request is not None and not current else ""),
            notice="",
            address=to_query(
                Link(form, photograph.example), default=first_form(photograph, self.first_models())
            ),
            **working,
        )

    def _request(
        self, photograph: Photograph, form: RestoreForm, cards: Mapping[str, ModelCard]
    ) -> RestoreRequest:
        """What the form asks for; no pixel is touched."""
        own = not photograph.example
        degradation = form.as_meant(own=own).degradation()
        meant = form.as_meant(own=own, recommended=self._recommended(photograph, degradation, cards))
        return replace(meant.request(photograph.key, tuple(cards)), original_key=photograph.original_key)

    def _recommended(
        self, photograph: Photograph, degradation: Degradation | None, cards: Mapping[str, ModelCard]
    ) -> str:
        """The name of the model that measurements recommend; where nothing was measured, of the last network."""
        told = told_condition(photograph.image, degradation)
        card = self._engine.expectations.recommended(cards.values(), told)
        networks = [card for card in cards.values() if card.architecture] or list(cards.values())
        return (card or networks[-1]).name

    def _idle(self, photograph: Photograph, request: RestoreRequest) -> dict[str, Any]:
        """Nothing runs, and how long what is asked for would take."""
        rows, columns = photograph.image.pixels.shape[:2]
        paces = [pace(name, request.options) for name in request.model_names]
        expected = self._engine.expected_seconds(paces, rows * columns / 1e6)
        words = f"about {duration(expected)}" if expected is not None and paces else ""
        stopped = self._engine.share_done(request)
        return {"action": {"state": "idle", "about": words, "models": len(paces), "stopped": stopped or 0}}

    def _picker(
        self, photograph: Photograph, form: RestoreForm, cards: Mapping[str, ModelCard], *, untick: bool
    ) -> Props:
        """The models to tick, with what they do to such a picture; those that harm may be unticked."""
        degradation = form.as_meant(own=not photograph.example).degradation()
        told = told_condition(photograph.image, degradation)
        found = {name: self._engine.expectations.of(card, told) for name, card in cards.items()}
        labels = [(card.title + expected_words(found[name], told), name) for name, card in cards.items()]
        if not untick or not isinstance(form.model_names, list | tuple):
            return Props(choices=labels)
        harm = {name for name, known in found.items() if known and known.harms}
        return Props(choices=labels, value=[name for name in form.model_names if name not in harm])

    # Running

    def start(
        self,
        session: Session | None,
        present: Present,
        form: RestoreForm,
        event: Mapping[str, Any] | None = None,
    ) -> Page:
        """Repair or Run was pressed: answer at once, before any model is free, and without touching a pixel."""
        present.replace_run(None)
        photograph, cards = photograph_of(session), self.cards()
        request = self._request(photograph, form, cards)
        request = replace(
            request,
            options=replace(
                request.options, in_sight=box_of(event.get("in_sight") if event is not None else None)
            ),
        )
        if not request.model_names:
            raise InvalidSetting(NO_MODEL)
        run = Run(Event(), Event(), request, taken=Event())
        present.replace_run(run)
        return Page(
            results=waiting_table(self._engine.by_cost(request.model_names, cards), cards),
            run=run,
            freshness="",
            notice="",
            quality="",
            verdict=NO_VERDICT,
            **WORKING,
        )

    def start_unasked(self, session: Session | None, present: Present, form: RestoreForm) -> Page:
        """The first run of a page: what was wrong with its address stays readable; no picture, no run."""
        if (
            session is None
            or session.photograph is None
            or not form.as_meant(own=False, recommended="any").model_names
        ):
            return Page(run=Run(), **IDLE)
        return replace(self.start(session, present, form), notice=None)

    def start_example(self, session: Session | None, present: Present, form: RestoreForm) -> Page:
        """An example was chosen: Repair shows what becomes of it, Experiment waits to be told."""
        return self.start_unasked(session, present, form) if form.door == "repair" else Page()

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

    def _worked(
        self, photograph: Photograph, run: Run, request: RestoreRequest, stop: Event
    ) -> Iterator[Page]:
        cards = self.cards()
        names = self._engine.by_cost(request.model_names, cards)
        shown = Shown(run, cards, names, monotonic(), self._engine.share_done(request) or 0.0)
        preferred = self._recommended(photograph, request.degradation, cards)
        last_told = 0.0
        news = Page()  # what the next page tells besides its table; one follows every result at once
        idle = self._idle(photograph, request)
        try:
            for item in self._engine.run_stages(photograph.image, request, stop, cards, photograph.original):
                if stop.is_set():
                    break
                if isinstance(item, StageOutputs):
                    if shown.run.outputs is None:  # refuses once what every model would refuse
                        request.options.steering_factor(item.degraded)
                    view = view_of(
                        photograph, item, cards, self._pictures, shown.run.view, preferred=preferred
                    )
                    shown = replace(shown, run=replace(run, outputs=item, view=view), parts=())
                    news = shown.page()
                    if shown.head_start and not item.restorations:  # what it shows already stays
                        news = replace(news, viewer=None)
                    continue
                if item.part is not None and item.done < item.total:  # the result follows the last one
                    shown = shown.with_part(item.part, self._pictures)
                    news = replace(news, viewer=shown.draft(item))
                if item.done == 0 or monotonic() - last_told >= PROGRESS_SECONDS:
                    last_told = monotonic()
                    yield replace(news, results=shown.table(progress=item), action=shown.progress(item))
                    news = Page()
        except RestorationCancelled:
            logger.info("a run was stopped")
        except RestorationError as error:
            yield replace(news, notice=facts.notice(str(error)), results=shown.table(stopped=True), **idle)
            return
        verdict = self._verdict(photograph, shown.run, preferred, cards)
        idle = self._idle(photograph, request)
        if run.dropped is not None and run.dropped.is_set():
            yield Page(**idle)
        elif shown.run.outputs is None or stop.is_set():
            table = shown.table(stopped=stop.is_set())
            yield replace(news, results=table, verdict=verdict, **idle)
        elif shown.run.outputs.original is None or not slow_metrics():
            yield replace(news, results=shown.table(), verdict=verdict, **idle)
        else:
            yield replace(news, results=shown.table(), verdict=verdict, **idle)
            outputs = self._engine.with_slow_metrics(shown.run.outputs, stop)
            shown = replace(shown, run=replace(shown.run, outputs=outputs))
            dropped = run.dropped is not None and run.dropped.is_set()
            yield Page() if dropped else shown.page()

    def _verdict(
        self, photograph: Photograph, run: Run, preferred: str, cards: Mapping[str, ModelCard]
    ) -> dict[str, Any]:
        """Which of the results so far to take."""
        outputs, view = run.outputs, run.view
        if outputs is None or view is None or (best := best_result(outputs, preferred)) is None:
            return NO_VERDICT
        condition, expected = None, {}
        if outputs.original is None:
            condition = self._engine.condition(photograph.image)
            of = self._engine.expectations.of
            expected = {name: of(cards[name], condition) for name in outputs.restorations}
        file = next(pane["file"] for pane in view["panes"] if pane["id"] == best)
        if outputs.request.degradation is None:
            file = self._pictures.under_another_name(file, f"{photograph.name}_repaired.png")
        value = verdict_value(outputs, cards, expected, condition, preferred, best, file)
        return value | {"camera": kept_exif(photograph.image.exif) is not None}

    @staticmethod
    def end(present: Present) -> Page:
        """Stop was pressed; the run itself reports its end within one tile."""
        if present.run is not None:
            present.run.end()
        return Page()

    def finish(self, session: Session | None, run: Run | None, present: Present, form: RestoreForm) -> Page:
        """After a run: compare what was asked for with the controls as they are now."""
        run = run or Run()
        if run.request is None or run.stop is None or session is None or session.photograph is None:
            return Page(**IDLE)
        if not present.shows(run):
            return Page()
        if run.photograph_key != session.photograph.key:  # it was opened while Repair was pressed
            return replace(Page(results=NO_RESULTS), **IDLE)
        cards = self.cards()
        if run.taken is not None and not run.taken.is_set() and not run.stop.is_set():
            shown = Shown(run, cards, self._engine.by_cost(run.request.model_names, cards))
            return Page(results=shown.table(stopped=True), notice=facts.notice(BUSY), **IDLE)
        current = run.request.same_settings(self._request(session.photograph, form, cards))
        return Page(freshness=facts.freshness("" if current else CHANGED), **IDLE)


def photograph_of(session: Session | None) -> Photograph:
    """What is open.

    Raises:
        InvalidSetting: nothing is.
    """
    if session is None or session.photograph is None:
        raise InvalidSetting(NO_PHOTOGRAPH)
    return session.photograph

"""What happens at each press in the Sweep tab: from a photograph and a form to everything the page shows.

Values of components go in, a page comes out. What a sweep answers belongs to that sweep: once another one was started,
nothing of it is said any more, and only points of another kind than the new one's are kept.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from models.baselines import PLAIN
from models.card import ModelCard
from models.errors import InvalidSetting, RestorationCancelled, RestorationError
from models.zoo import Zoo
from studio.page import facts
from studio.page.controls import first_models, model_choices
from studio.server.answers import DROPPED, Change, Props
from studio.server.files import PictureFolder
from studio.session.crop import swept_picture
from studio.session.visitor import Photograph, Session
from studio.sweep import view
from studio.sweep.form import SweepForm, check_size
from studio.sweep.rate_distortion import readings_at
from studio.sweep.run import SweepRecord, SweepRun
from studio.sweep.sweeper import ByHandSweep, QualitySweep, Sweeper, SweepStep

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.15
"""Tiles that end sooner after the last news are not told."""

DRAWING_SECONDS = 0.25
"""Points that come sooner after the last drawing wait for the next one: drawing keeps the browser busy."""

NOTHING_OPEN = "No photograph is open. Sweeps measure the one that is open in Experiment. Open one there."
CHANGED = "Settings or photograph changed: these results belong to the earlier ones. Press Run."
REPLACED = "These results belong to the earlier settings; the new ones are on their way."
BUSY = "Busy: as many runs are waiting as the line takes. This sweep could not join. Press Run in a minute."


@dataclass(frozen=True, eq=False)
class SweepPage:
    """What changes on the page; None leaves a component alone.

    Attributes:
        record: what the visitor has swept; decides which answers are dropped.
        picture_facts, plan, notice, progress, freshness, outcome, empty, reading: markup.
        curves, rates, gains, plain_decodings, manual_curve: values of charts.
        strip: value of the strip of pictures.
        run, stop: the two buttons.
    """

    record: Change | None = None
    picture_facts: str | None = None
    plan: str | None = None
    notice: str | None = None
    progress: str | None = None
    freshness: str | None = None
    outcome: str | None = None
    empty: str | None = None
    curves: dict[str, Any] | None = None
    rates: dict[str, Any] | None = None
    reading: str | None = None
    gains: dict[str, Any] | None = None
    plain_decodings: dict[str, Any] | None = None
    manual_curve: dict[str, Any] | None = None
    strip: dict[str, Any] | None = None
    run: Props | None = None
    stop: Props | None = None


@dataclass(frozen=True, eq=False)
class ChoicesPage:
    """What can be chosen.

    Attributes:
        model_names, model_name, steerable_name: the pickers.
        kind_words: what the chosen kind of sweep does, as markup.
        quality, twice, by_hand: whether the groups of that kind are shown.
        notice: markup.
    """

    model_names: Props | None = None
    model_name: Props | None = None
    steerable_name: Props | None = None
    kind_words: str | None = None
    quality: bool | None = None
    twice: bool | None = None
    by_hand: bool | None = None
    notice: str | None = None


def _buttons(*, busy: bool) -> dict[str, Any]:
    run = Props(interactive=not busy, value="Running" if busy else "Run")
    return {"run": run, "stop": Props(interactive=busy, value="Stop")}


REFUSED = SweepPage(plan="")
"""What Run would do is not said where it would do nothing."""

REFUSED_AT_THE_END = SweepPage(plan="", **_buttons(busy=False))
FAILED = SweepPage(progress="", **_buttons(busy=False))

MAIN_CHART = {"quality": "curves", "twice": "gains", "by_hand": "manual_curve"}
"""By kind of sweep, the chart beside whose name its files are offered."""

CLEARED: dict[str, dict[str, Any]] = {
    "quality": {"curves": view.NO_CHART, "rates": view.NO_CHART, "reading": ""},
    "twice": {"gains": view.NO_CHART, "plain_decodings": view.NO_CHART},
    "by_hand": {"manual_curve": view.NO_CHART, "strip": view.NO_STRIP},
}
"""By kind of sweep, its part of a page without results."""


def kind_chosen(kind: Any) -> ChoicesPage:
    """Show what belongs to a kind of sweep."""
    shown = {name: name == kind for name in MAIN_CHART}
    return ChoicesPage(kind_words=view.kind_line(kind), **shown)


def stopped(record: SweepRecord | None) -> SweepPage:
    """Stop was pressed; the sweep itself reports its end within one tile."""
    current = (record or SweepRecord()).current
    if current is not None:
        current.stop.set()
    return SweepPage(stop=Props(interactive=False, value="Stopping"))


class SweepHandlers:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, zoo: Zoo, sweeper: Sweeper, pictures: PictureFolder) -> None:
        self._zoo = zoo
        self._sweeper = sweeper
        self._pictures = pictures

    def models_offered(self) -> ChoicesPage:
        """A page was opened: the checkpoints folder as it is now."""
        return ChoicesPage(**self.pickers())

    def pickers(self) -> dict[str, Any]:
        """The three pickers of models, with what is chosen at first; plain decoding is swept anyway."""
        others = [card for card in self.cards() if card.name != PLAIN]
        steerable = [card for card in others if card.steerable]
        networks = [card.name for card in steerable if card.architecture]
        guess = (networks or [card.name for card in steerable] or [None])[0]
        return {
            "model_names": Props(choices=model_choices(others), value=first_models(self._zoo)),
            "model_name": Props(choices=model_choices(others), value=guess),
            "steerable_name": Props(choices=model_choices(steerable), value=guess),
        }

    def checked(self, session: Session | None, record: SweepRecord | None, form: SweepForm) -> SweepPage:
        """The tab was entered or a control moved: say what Run would do, and whether the results still belong to it.

        Raises:
            RestorationError: with the sentence to show.
        """
        record = record or SweepRecord()
        kind = form.checked_kind()
        run = record.of(kind)
        page = SweepPage(
            record=_while_at(record.current),
            notice="",
            empty="" if run else view.empty_line(kind),
            outcome=view.outcome_line(run) if run else "",
        )
        if session is None or session.photograph is None:
            gone = {} if run else CLEARED[kind]
            return replace(page, picture_facts=facts.notice(NOTHING_OPEN), plan="", freshness="", **gone)
        picture = swept_picture(session.photograph, form.checked_extent())
        sweep = form.sweep(self.cards())
        current = run is None or run.measures(picture, sweep)
        return replace(
            page,
            picture_facts=view.picture_line(picture),
            plan=view.plan_line(sweep, picture),
            freshness=facts.freshness("" if current else CHANGED),
        )

    def started(self, session: Session | None, record: SweepRecord | None, form: SweepForm) -> SweepPage:
        """Run was pressed: answer at once, before any model is free.

        Raises:
            RestorationError: with the sentence to show.
        """
        picture = swept_picture(_photograph(session), form.checked_extent())
        sweep = form.sweep(self.cards())
        check_size(picture, sweep)
        earlier = (record or SweepRecord()).of(sweep.kind)
        replaced = earlier is not None and not earlier.measures(picture, sweep)
        run = SweepRun(picture, sweep)
        return SweepPage(
            record=Change(lambda present: (present or SweepRecord()).begun(run)),
            picture_facts=view.picture_line(picture),
            plan=view.plan_line(sweep, picture),
            notice="",
            progress=view.waiting_line(),
            freshness=facts.freshness(REPLACED if replaced else ""),
            outcome="",
            empty="",
            **_buttons(busy=True),
        )

    def swept(self, record: SweepRecord | None) -> Iterator[SweepPage]:
        """Work through the sweep that was started last, and show each tile's progress and each point."""
        run = (record or SweepRecord()).current
        if run is None or run.state != "running" or run.taken.is_set():
            return
        run.taken.set()
        titles, last_told = self._titles(), 0.0
        try:
            last_drawn = 0.0
            for item in self._sweeper.run(run.picture, run.sweep, run.stop):
                if isinstance(item, SweepStep):
                    if item.tile.done == 0 or monotonic() - last_told >= PROGRESS_SECONDS:
                        last_told = monotonic()
                        yield SweepPage(record=_while_at(run), progress=view.progress_line(item, titles))
                else:
                    run = run.with_item(item)
                    freshness = "" if len(run.points) == 1 else None
                    if len(run.points) > 1 and monotonic() - last_drawn < DRAWING_SECONDS:
                        continue
                    last_drawn = monotonic()
                    yield SweepPage(
                        record=_while_at(run, run), freshness=freshness, **self._drawn(run, titles)
                    )
            run = replace(run, state="finished")
        except RestorationCancelled:
            logger.info("a sweep was stopped")
            run = replace(run, state="stopped")
        except RestorationError as error:
            run = replace(run, state="stopped")
            yield SweepPage(record=_while_at(run), notice=facts.notice(str(error)))
        yield self._ended(run, titles)

    def settled(
        self, session: Session | None, record: SweepRecord | None, form: SweepForm
    ) -> SweepPage | None:
        """After a sweep: the comparison at the quality factor chosen now, and whether the controls have moved on.

        What went wrong when it began stays on the page.

        Raises:
            RestorationError: with the sentence to show.
        """
        record = record or SweepRecord()
        current = record.current
        if current is not None and current.state == "running" and current.taken.is_set():
            return None  # another one is at work by now
        checked, read = self.checked(session, record, form), self.read(record, form)
        page = replace(checked, notice=None, rates=read.rates, reading=read.reading, **_buttons(busy=False))
        if current is not None and current.state == "running":  # it never came to the head of the line
            return replace(page, notice=facts.notice(BUSY), progress="")
        return page

    def read(self, record: SweepRecord | None, form: SweepForm) -> SweepPage:
        """The quality factor to compare at was moved.

        Raises:
            RestorationError: with the sentence to show.
        """
        run = (record or SweepRecord()).of(QualitySweep.kind)
        if run is None or not run.points:
            return SweepPage()
        quality_factor, titles = form.checked_reading(), self._titles()
        readings = readings_at(run.points, quality_factor)
        return SweepPage(
            record=_while_known(run),
            rates=view.rates(run, readings, titles),
            reading=view.reading_lines(run, readings, quality_factor, titles),
        )

    def cards(self) -> list[ModelCard]:
        """Every model's card as the checkpoints folder holds them now, cheapest first."""
        return self._zoo.cards()

    def _titles(self) -> dict[str, str]:
        return {card.name: card.title for card in self.cards()}

    def _drawn(self, run: SweepRun, titles: view.Titles) -> dict[str, Any]:
        """A run's part of a page, as far as it is; before its first point, nothing of an earlier one either."""
        if not run.points:
            return CLEARED[run.sweep.kind]
        if isinstance(run.sweep, QualitySweep):
            return {"curves": view.curves(run, titles), "rates": view.rates(run, [], titles), "reading": ""}
        if isinstance(run.sweep, ByHandSweep):
            strip = view.strip(run, titles, self._pictures)
            return {"manual_curve": view.manual_curve(run, titles), "strip": strip}
        return {"gains": view.gains(run, titles), "plain_decodings": view.plain_decodings(run)}

    def _ended(self, run: SweepRun, titles: view.Titles) -> SweepPage:
        """The finished or stopped run, with its files to take away."""
        drawn, kind = self._drawn(run, titles), run.sweep.kind
        charts = [value for value in drawn.values() if isinstance(value, dict) and value.get("charts")]
        if charts:
            name = MAIN_CHART[kind]
            drawn |= {name: {**drawn[name], "files": view.downloads(run, charts, self._pictures)}}
        if run.replaced.is_set():  # by a sweep of another kind, or its answer is dropped
            return SweepPage(record=_while_known(run, run), **drawn)
        return SweepPage(
            record=_while_at(run, run),
            progress="",
            freshness="",
            outcome=view.outcome_line(run),
            empty="" if run.points else view.empty_line(kind),
            **drawn,
            **_buttons(busy=False),
        )


def _while_at(current: SweepRun | None, then: SweepRun | None = None) -> Change:
    """Drops the answer once another sweep was started; `then` is the current one as far as it has come."""
    if current is None:
        return _while(lambda present: present.current is None)
    return _while(lambda present: current.is_run(present.current), then)


def _while_known(run: SweepRun, then: SweepRun | None = None) -> Change:
    """Drops the answer once another sweep of the same kind was started."""
    return _while(lambda present: run.is_run(present.of(run.sweep.kind)), then)


def _while(is_current: Callable[[SweepRecord], bool], then: SweepRun | None = None) -> Change:
    def change(present: SweepRecord | None) -> Any:
        present = present or SweepRecord()
        if not is_current(present):
            return DROPPED
        return present.advanced(then) if then else present

    return Change(change)


def _photograph(session: Session | None) -> Photograph:
    if session is None or session.photograph is None:
        raise InvalidSetting(NOTHING_OPEN)
    return session.photograph

"""What happens at each press in the Sweep tab: from a photograph and a form to everything the page shows. No page code.

A handler of the Sweep tab calls one method here and hands the SweepPage on. Fields that are None stay as they are.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Event
from time import monotonic
from typing import Any

from models.card import ModelCard
from models.errors import InvalidSetting, RestorationCancelled, RestorationError
from models.zoo import Zoo
from studio.page import facts
from studio.server.files import PictureFolder
from studio.session.crop import swept_picture
from studio.session.visitor import Photograph, Session
from studio.sweep import view as views
from studio.sweep import words as sweep_words
from studio.sweep.form import SweepForm, check_size
from studio.sweep.rate_distortion import readings_at
from studio.sweep.run import SweepRecord, SweepRun
from studio.sweep.sweeper import ByHandSweep, QualitySweep, Sweeper, SweepStep

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.15
"""Tiles that end sooner after the last news are not told."""

DRAWING_SECONDS = 0.25
"""Points that come sooner after the last drawing wait for the next one: drawing keeps the browser busy."""


@dataclass(frozen=True, eq=False)
class SweepPage:
    """What changes on the page; field names equal those of the tab's outputs, None leaves one alone.

    Attributes:
        record: the visitor's state.
        picture_facts, plan, notice, progress, freshness, outcome, empty, reading: markup.
        curves, rates, gains, plain_decodings, told_curve: values of charts.
        strip: value of the strip of pictures.
        busy: True while models work.
    """

    record: SweepRecord | None = None
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
    told_curve: dict[str, Any] | None = None
    strip: dict[str, Any] | None = None
    busy: bool | None = None


MAIN_CHART = {"quality": "curves", "twice": "gains", "by_hand": "told_curve"}
"""By kind of sweep, the chart beside whose name its files are offered."""

CLEARED = {
    "quality": SweepPage(curves=views.NO_CHART, rates=views.NO_CHART, reading=""),
    "twice": SweepPage(gains=views.NO_CHART, plain_decodings=views.NO_CHART),
    "by_hand": SweepPage(told_curve=views.NO_CHART, strip=views.NO_STRIP),
}
"""By kind of sweep, a page without results."""


class SweepDesk:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, zoo: Zoo, sweeper: Sweeper, pictures: PictureFolder) -> None:
        self._zoo = zoo
        self._sweeper = sweeper
        self._pictures = pictures

    def checked(self, session: Session | None, record: SweepRecord, form: SweepForm) -> SweepPage:
        """The tab was entered or a control moved: say what Run would do, and whether the results still belong to it.

        Raises:
            RestorationError: with the sentence to show.
        """
        kind = form.checked_kind()
        run = record.of(kind)
        page = SweepPage(
            notice="", empty="" if run else sweep_words.empty_line(kind), outcome=self._outcome(run)
        )
        if session is None or session.photograph is None:
            gone = page if run else _joined(page, CLEARED[kind])
            return replace(gone, picture_facts=facts.notice(sweep_words.NOTHING_OPEN), plan="", freshness="")
        picture = swept_picture(session.photograph, form.checked_extent())
        sweep = form.sweep(self.cards())
        current = run is None or run.is_of(picture, sweep)
        return replace(
            page,
            picture_facts=sweep_words.picture_line(picture),
            plan=sweep_words.plan_line(sweep, picture),
            freshness=facts.freshness("" if current else sweep_words.CHANGED),
        )

    def began(self, session: Session | None, record: SweepRecord, form: SweepForm) -> SweepPage:
        """Run was pressed: answer at once, before any model is free.

        Raises:
            RestorationError: with the sentence to show.
        """
        if record.current is not None:
            record.current.stop.set()
        picture = swept_picture(_photograph(session), form.checked_extent())
        sweep = form.sweep(self.cards())
        check_size(picture, sweep)
        earlier = record.of(sweep.kind)
        replaced = earlier is not None and not earlier.is_of(picture, sweep)
        return SweepPage(
            record=record.with_run(SweepRun(picture, sweep, Event())),
            picture_facts=sweep_words.picture_line(picture),
            plan=sweep_words.plan_line(sweep, picture),
            notice="",
            progress=sweep_words.waiting_line(),
            freshness=facts.freshness(sweep_words.REPLACED if replaced else ""),
            outcome="",
            empty="",
            busy=True,
        )

    def swept(self, record: SweepRecord) -> Iterator[SweepPage]:
        """Work through the sweep that was begun, and show each tile's progress and each point."""
        run = record.current
        if run is None or run.state != "running":
            return
        titles, last_told = self._titles(), 0.0
        try:
            last_drawn = 0.0
            for item in self._sweeper.run(run.picture, run.sweep, run.stop):
                if isinstance(item, SweepStep):
                    if item.tile.done == 0 or monotonic() - last_told >= PROGRESS_SECONDS:
                        last_told = monotonic()
                        yield SweepPage(progress=sweep_words.progress_line(item, titles))
                else:
                    run = run.with_item(item)
                    freshness = "" if len(run.points) == 1 else None
                    if len(run.points) > 1 and monotonic() - last_drawn < DRAWING_SECONDS:
                        continue
                    last_drawn = monotonic()
                    yield replace(self._drawn(run, titles), record=record.with_run(run), freshness=freshness)
            run = replace(run, state="finished")
        except RestorationCancelled:
            logger.info("a sweep was stopped")
            run = replace(run, state="stopped")
        except RestorationError as error:
            run = replace(run, state="stopped")
            yield SweepPage(notice=facts.notice(str(error)))
        yield self._ended(run, record, titles)

    def settled(self, session: Session | None, record: SweepRecord, form: SweepForm) -> SweepPage:
        """After a sweep: the comparison at the quality factor chosen now, and whether the controls have moved on.

        What went wrong when it began stays on the page.

        Raises:
            RestorationError: with the sentence to show.
        """
        checked, read = self.checked(session, record, form), self.read(record, form)
        page = replace(checked, notice=None, rates=read.rates, reading=read.reading, busy=False)
        if (
            record.current is not None and record.current.state == "running"
        ):  # it never came to the head of the line
            return replace(page, notice=facts.notice(sweep_words.BUSY), progress="")
        return page

    def read(self, record: SweepRecord, form: SweepForm) -> SweepPage:
        """The quality factor to compare at was moved.

        Raises:
            RestorationError: with the sentence to show.
        """
        run = record.of(QualitySweep.kind)
        if run is None or not run.points:
            return SweepPage()
        quality_factor, titles = form.checked_reading(), self._titles()
        readings = readings_at(run.points, quality_factor)
        return SweepPage(
            rates=views.rates(run, readings, titles),
            reading=sweep_words.reading_lines(run, readings, quality_factor, titles),
        )

    def cards(self) -> list[ModelCard]:
        """Every model's card as the checkpoints folder holds them now, cheapest first."""
        return self._zoo.cards()

    def _titles(self) -> dict[str, str]:
        return {card.name: card.title for card in self.cards()}

    def _outcome(self, run: SweepRun | None) -> str:
        return sweep_words.outcome_line(run) if run else ""

    def _drawn(self, run: SweepRun, titles: views.Titles) -> SweepPage:
        """A run as far as it is; before its first point, nothing of an earlier one either."""
        if not run.points:
            return CLEARED[run.sweep.kind]
        if isinstance(run.sweep, QualitySweep):
            return SweepPage(curves=views.curves(run, titles), rates=views.rates(run, [], titles), reading="")
        if isinstance(run.sweep, ByHandSweep):
            strip = views.strip(run, titles, self._pictures)
            return SweepPage(told_curve=views.told_curve(run, titles), strip=strip)
        return SweepPage(gains=views.gains(run, titles), plain_decodings=views.plain_decodings(run))

    def _ended(self, run: SweepRun, record: SweepRecord, titles: views.Titles) -> SweepPage:
        """The finished or stopped run, with its files to take away."""
        page = self._drawn(run, titles)
        charts = [value for value in vars(page).values() if isinstance(value, dict) and value.get("charts")]
        if charts:
            name = MAIN_CHART[run.sweep.kind]
            files = views.downloads(run, charts, self._pictures)
            page = replace(page, **{name: {**getattr(page, name), "files": files}})
        return replace(
            page,
            record=record.with_run(run),
            progress="",
            freshness="",
            outcome=self._outcome(run),
            empty="" if run.points else sweep_words.empty_line(run.sweep.kind),
            busy=False,
        )


def _joined(page: SweepPage, other: SweepPage) -> SweepPage:
    """The page and what only the other one changes."""
    return replace(page, **{name: value for name, value in vars(other).items() if value is not None})


def _photograph(session: Session | None) -> Photograph:
    if session is None or session.photograph is None:
        raise InvalidSetting(sweep_words.NOTHING_OPEN)
    return session.photograph

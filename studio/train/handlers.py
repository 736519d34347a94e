"""What happens at each press in the Train tab and at each look at a run: from jobs to what is shown. No page code.

A handler of the Train tab calls one method here and hands the TrainPage on. Fields that are None stay as they are.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.card import ModelCard
from models.errors import InvalidSetting, RestorationError
from models.zoo import Zoo
from studio.page import facts
from studio.server.files import PictureFolder
from studio.train import runs_view as train_runs
from studio.train import view as views
from studio.train.jobs import Jobs
from studio.train.overview import Overview
from studio.train.publish import publish
from training.config import TrainConfig
from training.log import log_lines
from training.run_state import RunState

START, STOP, RESUME, STOPPING, WAITING = "start", "stop", "resume", "stopping", "waiting"
"""What the large button does; the last two say why it does nothing."""


@dataclass(frozen=True)
class Watch:
    """What one visitor looks at.

    Attributes:
        shown: the run on view; "" for none, which is a recipe to be started.
        picture: name of the preview on view; "" for the first one.
    """

    shown: str = ""
    picture: str = ""


@dataclass(frozen=True)
class Seen:
    """What a visitor's page shows already.

    Attributes:
        action: what the large button does.
        head, charts, view, log, runs: what each part was made of; equal again means nothing new.
    """

    action: str = START
    head: tuple[Any, ...] = ()
    charts: tuple[Any, ...] = ()
    view: tuple[Any, ...] = ()
    log: tuple[Any, ...] = ()
    runs: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class TrainPage:
    """What changes on the right side; field names equal those of the tab's outputs, None leaves one alone.

    Attributes:
        watch, seen: the visitor's state.
        notice, head, facts, empty, differences: markup.
        charts, comparison: values of charts.
        viewer, log, runs: values of components.
        pictures: names of the previews, with the chosen one; () hides the choice.
        button: what the large button says; its action stands in `seen`.
    """

    watch: Watch | None = None
    seen: Seen | None = None
    notice: str | None = None
    head: str | None = None
    facts: str | None = None
    empty: str | None = None
    charts: dict[str, Any] | None = None
    viewer: dict[str, Any] | None = None
    log: dict[str, Any] | None = None
    runs: dict[str, Any] | None = None
    comparison: dict[str, Any] | None = None
    differences: str | None = None
    pictures: tuple[tuple[str, ...], str] | None = None
    button: str | None = None


class TrainDesk:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, jobs: Jobs, zoo: Zoo, pictures: PictureFolder) -> None:
        self.jobs = jobs
        self._zoo, self._pictures = zoo, pictures
        self._overview = Overview(jobs, zoo)

    # Looking

    def pulse(self) -> dict[str, str]:
        """What there is to see, as texts that change with it: the states of runs, and how far they are."""
        return self._overview.pulse()

    def entered(self, watch: Watch, name: str) -> TrainPage:
        """The tab was opened: everything, and the live run where nothing else is on view."""
        rows = self._overview.rows()
        live = next((row.name for row in rows if row.state.is_live), "")
        known = watch.shown if any(row.name == watch.shown for row in rows) else ""
        return self._looked(replace(watch, shown=known or live), Seen(), name)

    def refreshed(self, watch: Watch, seen: Seen, name: str) -> TrainPage | None:
        """What is new since the page was brought up to date; None for nothing.

        Args:
            watch: what the visitor looks at.
            seen: what the page shows.
            name: of the run that the recipe would start.
        """
        page = self._looked(watch, seen, name)
        return None if page.seen == seen else replace(page, watch=None)

    def chosen(self, watch: Watch, name: str, run: Any) -> TrainPage:
        """A run was picked from the list; "" goes back to the recipe.

        Raises:
            RestorationError: there is no such run.
        """
        if run and run not in self.jobs.names():
            raise InvalidSetting(
                f"There is no run called {str(run)[:80]!r} any more. Those in the list can be shown. "
                "Choose another one."
            )
        return replace(self._looked(replace(watch, shown=run, picture=""), Seen(), name), notice="")

    def pictured(self, watch: Watch, seen: Seen, name: str, picture: Any) -> TrainPage:
        """Another preview was chosen."""
        return self._looked(replace(watch, picture=str(picture or "")), seen, name)

    # Doing

    def pressed(self, watch: Watch, seen: Seen, name: str, config: TrainConfig | None) -> TrainPage:
        """The large button was pressed: do what it said.

        Args:
            watch, seen: as the page was.
            name: of the run that the recipe would start.
            config: of the recipe; None while it has problems.

        Raises:
            RestorationError: with the sentence to show.
        """
        if seen.action == STOP:
            self.jobs.stop(watch.shown)
        elif seen.action == RESUME:
            self.jobs.resume(watch.shown)
        elif seen.action == START:
            self.jobs.start(_ready(config))
            watch = replace(watch, shown=config.name, picture="")
        self._overview.forget()
        return replace(self._looked(watch, Seen(), name), notice="")

    def used_page(
        self, watch: Watch, seen: Seen, name: str, run: Any, made: Callable[[str], object]
    ) -> TrainPage:
        """A run's best weights were put into the pickers.

        Args:
            watch, seen, name: see refreshed.
            run: whose weights.
            made: told the name of the checkpoint.

        Raises:
            RestorationError: with the sentence to show.
        """
        card = publish(self.jobs.files(run), self._own_folder(), self._overview.shipped_names())
        made(card.name)
        self._overview.forget()
        page = self._looked(watch, seen, name)
        return replace(
            page, notice=facts.freshness(f"{card.title} is in the Restore tab's list now, and ticked.")
        )

    def cards(self) -> list[ModelCard]:
        """Every model's card, as the checkpoints folders hold them now."""
        return self._zoo.cards()

    def deleted(self, watch: Watch, name: str, run: Any) -> TrainPage:
        """A run was deleted, and the question whether to do so was answered.

        Raises:
            RestorationError: with the sentence to show.
        """
        self.jobs.delete(run)
        self._overview.forget()
        shown = "" if watch.shown == run else watch.shown
        page = self._looked(replace(watch, shown=shown), Seen(), name)
        return replace(page, notice="", comparison=views.NO_CHART, differences="")

    def compared(self, runs: Any) -> TrainPage:
        """Several runs were ticked and laid over each other.

        Raises:
            RestorationError: fewer than two of them are there.
        """
        names = self.jobs.names()
        asked = [run for run in runs if run in names] if isinstance(runs, list) else []
        if len(asked) < 2:
            raise InvalidSetting(
                f"{len(asked)} of the ticked runs are there. Two or more can be compared. Tick others in the list."
            )
        records = {name: self.jobs.record(name) for name in asked[:8]}
        configs = {name: self._config(name) for name in records}
        return TrainPage(
            notice="",
            comparison=train_runs.comparison_chart(records),
            differences=train_runs.comparison_table(configs),
        )

    # Parts of the page

    def _looked(self, watch: Watch, seen: Seen, name: str) -> TrainPage:
        """All parts that differ from what the page shows."""
        rows = self._overview.rows()
        row = next((one for one in rows if one.name == watch.shown), None)
        action, words = self._action(watch.shown, row.state if row else None, rows, name)
        head = (watch.shown, row.state if row else None, row.record.version if row else 0, action, words)
        page = TrainPage(watch=watch, seen=replace(seen, action=action, head=head))
        if head != seen.head:
            live = next((one.name for one in rows if one.state.is_live), "") if action == WAITING else ""
            page = replace(page, button=words, **self._head(row, name, live))
        page = self._drawn(page, watch, row, rows)
        return self._viewed(page, watch, row)

    @staticmethod
    def _head(row: train_runs.RunRow | None, name: str, waits_for: str) -> dict[str, Any]:
        if row is None:
            return {"head": views.ready_head(name, waits_for), "facts": "", "empty": views.EMPTY}
        return {
            "head": views.head_of(row.name, row.state, row.record, waits_for),
            "facts": views.facts_of(row.record, live=row.state.is_live),
            "empty": "",
        }

    def _drawn(
        self,
        page: TrainPage,
        watch: Watch,
        row: train_runs.RunRow | None,
        rows: Sequence[train_runs.RunRow],
    ) -> TrainPage:
        """Curves, log and list, each only where it is another one."""
        seen = page.seen
        charts = (row.name, row.record.version) if row else ()
        if charts != seen.charts:
            page = replace(page, charts=views.curves_of(row.name, row.record) if row else views.NO_CHART)
        log, shown = self._log(row)
        if log != seen.log:
            page = replace(page, log=shown)
        listed = (watch.shown, *((one.name, one.state, one.record.version, one.can_publish) for one in rows))
        if listed != seen.runs:
            page = replace(page, runs=train_runs.rows_of(rows, watch.shown))
        return replace(page, seen=replace(seen, charts=charts, log=log, runs=listed))

    def _viewed(self, page: TrainPage, watch: Watch, row: train_runs.RunRow | None) -> TrainPage:
        """The preview, where there is another one."""
        found = row.record.previews if row else {}
        names = tuple(name for name, shown in found.items() if shown)
        picture = watch.picture if watch.picture in names else (names or ("",))[0]
        steps = found.get(picture, [])
        view = (row.name, names, picture, steps[-1].step, len(steps)) if row and steps else ()
        if view == page.seen.view:
            return page
        folder = self.jobs.files(row.name).folder if row else None
        value = (
            views.view_of(row.name, folder, row.record, picture, self._pictures) if view else views.NO_VIEW
        )
        seen = replace(page.seen, view=view)
        return replace(page, viewer=value, pictures=(names if len(names) > 1 else (), picture), seen=seen)

    def _log(self, row: train_runs.RunRow | None) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What the log is made of, and the value of its component."""
        nothing: dict[str, Any] = {"lines": [], "note": ""}
        if row is None or row.state.kind == "new":
            return (), nothing
        path = self.jobs.files(row.name).log_path
        try:
            facts_of_file = path.stat()
        except OSError:
            note = "It was started in a terminal, and prints there." if row.state.is_live else ""
            return (row.name, note), {**nothing, "note": note}
        made_of = (row.name, facts_of_file.st_mtime_ns, facts_of_file.st_size)
        return made_of, {"lines": log_lines(path), "note": ""}

    def _action(
        self, shown: str, state: RunState | None, rows: Sequence[train_runs.RunRow], name: str
    ) -> tuple[str, str]:
        """What the large button does, and what it says."""
        if state is not None and state.is_live:
            return (STOPPING, "Stopping") if state.kind == "stopping" else (STOP, "Stop")
        resumes = (
            state is not None and state.kind in ("stopped", "failed") and self.jobs.files(shown).can_resume()
        )
        words = f"Resume {shown}" if resumes else f"Start {name}" if name else "Start"
        if any(row.state.is_live for row in rows):
            return WAITING, words
        return (RESUME if resumes else START), words

    def _config(self, name: str) -> TrainConfig | None:
        with contextlib.suppress(RestorationError):
            return self.jobs.files(name).config
        return None

    def _own_folder(self) -> Any:
        if self._zoo.own_folder is None:
            raise InvalidSetting(
                "The studio was started without a place for checkpoints of one's own. One is needed. "
                "Start it with --runs."
            )
        return self._zoo.own_folder


def _ready(config: TrainConfig | None) -> TrainConfig:
    if config is None:
        raise InvalidSetting(
            "The recipe has problems, so nothing was started. They stand below the recipe. "
            "Correct them and press Start again."
        )
    return config

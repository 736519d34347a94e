"""What happens at each press in the Train tab and at each look at a run: from jobs to what is shown."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.errors import InvalidSetting, RestorationError
from models.zoo import Zoo
from studio.page.controls import model_choices
from studio.server.answers import Change, Props, only_while
from studio.server.files import PictureFolder
from studio.train import runs_view as train_runs
from studio.train import view as views
from studio.train.actions import MORE, MORE_MINUTES, RESUME, START, STOP, WAITING, action_of, buttons
from studio.train.jobs import Jobs
from studio.train.overview import Overview
from studio.train.publish import is_published, own_name, publish, withdraw
from studio.train.recipe_handlers import RecipeHandlers, RecipePage
from training.config import TrainConfig
from training.log import log_lines

RESTORE = "restore"
"""The tab that models are used in."""


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
    """What changes on the right side; None leaves a component alone.

    Attributes:
        watch, seen: the visitor's state.
        notice, head, facts, empty, differences: markup.
        charts, comparison: values of charts.
        viewer, log, runs: values of components.
        pictures: the choice of previews, hidden where there are none to choose from.
        previews: whether there is one to see.
        button: the large one; its action stands in `seen`.
        another: the way back from a run to the recipe.
    """

    watch: Watch | Change | None = None
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
    pictures: Props | None = None
    previews: bool | None = None
    button: Props | None = None
    another: Props | None = None


@dataclass(frozen=True, eq=False)
class PressedPage(TrainPage, RecipePage):
    """Both sides: a start gives the recipe its next name."""


@dataclass(frozen=True, eq=False)
class PickedPage(TrainPage):
    """The right side, the Restore tab's picker, and which tab is in front."""

    model_names: Props | None = None
    tabs: Props | None = None
    door: str | None = None


class TrainHandlers:
    """Of runs; serves every visitor, and holds nothing of any of them."""

    def __init__(self, jobs: Jobs, zoo: Zoo, pictures: PictureFolder, recipes: RecipeHandlers) -> None:
        self.jobs = jobs
        self._zoo, self._pictures, self._recipes = zoo, pictures, recipes
        self._overview = Overview(jobs, zoo)

    # Looking

    def pulse(self) -> dict[str, str]:
        """What there is to see, as texts that change with it: the states of runs, and how far they are."""
        return self._overview.pulse()

    def entered(self, watch: Watch | None, run_name: Any) -> TrainPage:
        """The tab was opened: everything, and the live run where nothing else is on view.

        Args:
            watch: what the visitor looks at.
            run_name: of the run that the recipe would start.
        """
        watch, rows = watch or Watch(), self._overview.rows()
        live = next((row.name for row in rows if row.state.is_live), "")
        known = watch.shown if any(row.name == watch.shown for row in rows) else ""
        return self._looked(replace(watch, shown=known or live), Seen(), run_name)

    def refreshed(self, watch: Watch | None, seen: Seen | None, run_name: Any) -> TrainPage | None:
        """What is new since the page was brought up to date; None for nothing.

        Args:
            watch: what the visitor looks at; dropped where they look at something else by now.
            seen: what the page shows.
            run_name: of the run that the recipe would start.
        """
        watch = watch or Watch()
        page = self._looked(watch, seen or Seen(), run_name)
        still = only_while(lambda present: (present or Watch()) == watch)
        return None if page.seen == seen else replace(page, watch=still)

    def chosen(self, watch: Watch | None, run_name: Any, event: dict[str, Any]) -> TrainPage:
        """A run was picked from the list.

        Raises:
            RestorationError: there is no such run.
        """
        run = event.get("name")
        if run and run not in self.jobs.names():
            raise InvalidSetting(
                f"There is no run called {str(run)[:80]!r} any more. Those in the list can be shown. "
                "Choose another one."
            )
        return self._turned_to(watch, run_name, run or "")

    def recipe_chosen(self, watch: Watch | None, run_name: Any) -> TrainPage:
        """Back to the recipe."""
        return self._turned_to(watch, run_name, "")

    def _turned_to(self, watch: Watch | None, run_name: Any, run: str) -> TrainPage:
        watch = replace(watch or Watch(), shown=run, picture="")
        return replace(self._looked(watch, Seen(), run_name), notice="")

    def pictured(self, watch: Watch | None, seen: Seen | None, run_name: Any, pictures: Any) -> TrainPage:
        """Another preview was chosen."""
        watch = replace(watch or Watch(), picture=str(pictures or ""))
        return self._looked(watch, seen or Seen(), run_name)

    # Doing

    def pressed(self, watch: Watch | None, seen: Seen | None, run_name: Any, yaml: Any) -> PressedPage:
        """The large button was pressed: do what it said.

        Args:
            watch, seen: as the page was.
            run_name: of the run that the recipe would start.
            yaml: the recipe.

        Raises:
            RestorationError: with the sentence to show.
        """
        watch, action, left = watch or Watch(), (seen or Seen()).action, RecipePage()
        if action == STOP:
            self.jobs.stop(watch.shown)
        elif action in (RESUME, MORE):
            self.jobs.resume(watch.shown, more_minutes=MORE_MINUTES if action == MORE else 0.0)
        elif action == START:
            config = _ready(self._recipes.config_of(yaml))
            self.jobs.start(config)
            watch, left = replace(watch, shown=config.name, picture=""), self._recipes.next_of(yaml)
        self._overview.forget()
        right = self._looked(watch, Seen(), run_name)
        return PressedPage(**{**vars(left), **vars(right), "notice": ""})

    def used(
        self,
        watch: Watch | None,
        seen: Seen | None,
        run_name: Any,
        event: dict[str, Any],
        model_names: Any,
    ) -> PickedPage:
        """A run's best weights are put into the pickers and ticked in the Restore tab's, which comes to the front.

        Args:
            watch, seen, run_name: see refreshed.
            event: names the run.
            model_names: what is ticked.

        Raises:
            RestorationError: with the sentence to show.
        """
        card = publish(
            self.jobs.files(str(event.get("name"))), self._own_folder(), self._overview.shipped_names()
        )
        self._overview.forget()
        page = self._looked(watch or Watch(), seen or Seen(), run_name)
        picker, front = self._picker(model_names, card.name), Props(selected=RESTORE)
        return PickedPage(
            **{**vars(page), "notice": "", "model_names": picker, "tabs": front, "door": "experiment"}
        )

    def deleted(
        self, watch: Watch | None, run_name: Any, event: dict[str, Any], model_names: Any
    ) -> PickedPage:
        """A run was deleted with the model that was made of it, and the question whether to do so was answered.

        Args:
            watch, run_name: see refreshed.
            event: names the run.
            model_names: what is ticked in the Restore tab.

        Raises:
            RestorationError: with the sentence to show.
        """
        watch, run = watch or Watch(), str(event.get("name"))
        files, own, shipped = self.jobs.files(run), self._zoo.own_folder, self._overview.shipped_names()
        self.jobs.delete(run)
        picker = None
        if own is not None and is_published(files, own, shipped):
            withdraw(own, own_name(files, shipped))
            picker = self._picker(model_names)
        self._overview.forget()
        shown = "" if watch.shown == run else watch.shown
        page = self._looked(replace(watch, shown=shown), Seen(), run_name)
        changes = {"notice": "", "comparison": views.NO_CHART, "differences": ""}
        return PickedPage(**{**vars(page), **changes, "model_names": picker})

    def _picker(self, ticked: Any, also: str = "") -> Props:
        """The Restore tab's picker as the models are now: what is ticked stays ticked while it is there."""
        choices = model_choices(self._zoo.cards())
        there = {name for _, name in choices}
        names = [*(ticked if isinstance(ticked, list) else []), also]
        return Props(
            choices=choices,
            value=[*dict.fromkeys(one for one in names if isinstance(one, str) and one in there)],
        )

    def compared(self, event: dict[str, Any]) -> TrainPage:
        """Several runs were ticked and laid over each other.

        Raises:
            RestorationError: fewer than two of them are there.
        """
        ticked, names = event.get("names"), self.jobs.names()
        there = [run for run in ticked if run in names] if isinstance(ticked, list) else []
        if len(there) < 2:
            raise InvalidSetting(
                f"{len(there)} of the ticked runs are there. Two or more can be compared. Tick others in the list."
            )
        records = {name: self.jobs.record(name) for name in there[:8]}
        configs = {name: self._config(name) for name in records}
        return TrainPage(
            notice="",
            comparison=train_runs.comparison_chart(records),
            differences=train_runs.comparison_table(configs),
        )

    # Parts of the page

    def _looked(self, watch: Watch, seen: Seen, run_name: Any) -> TrainPage:
        """All parts that differ from what the page shows."""
        name = run_name if isinstance(run_name, str) else ""
        rows = self._overview.rows()
        row = next((run for run in rows if run.name == watch.shown), None)
        action, words = action_of(row, rows, name, self.jobs)
        head = (watch.shown, row.state if row else None, row.record.version if row else 0, action, words)
        seen, before = replace(seen, action=action, head=head), seen
        changes: dict[str, Any] = {}
        if head != before.head:
            live = next((run.name for run in rows if run.state.is_live), "") if action == WAITING else ""
            shown = buttons(action, words, run_on_view=bool(watch.shown))
            changes = {**shown, **self._head(row, name, live)}
        drawn, seen = self._drawn(seen, watch, row, rows)
        viewed, seen = self._viewed(seen, watch, row)
        return TrainPage(watch=watch, seen=seen, **changes, **drawn, **viewed)

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
        seen: Seen,
        watch: Watch,
        row: train_runs.RunRow | None,
        rows: Sequence[train_runs.RunRow],
    ) -> tuple[dict[str, Any], Seen]:
        """Curves, log and list, each only where it is another one; and what the page shows then."""
        changes: dict[str, Any] = {}
        charts = (row.name, row.record.version) if row else ()
        if charts != seen.charts:
            changes["charts"] = views.curves_of(row.name, row.record) if row else views.NO_CHART
        log, shown = self._log(row)
        if log != seen.log:
            changes["log"] = shown
        listed = (watch.shown, *((run.name, run.state, run.record.version, run.can_publish) for run in rows))
        if listed != seen.runs:
            changes["runs"] = train_runs.rows_of(rows, watch.shown)
        return changes, replace(seen, charts=charts, log=log, runs=listed)

    def _viewed(self, seen: Seen, watch: Watch, row: train_runs.RunRow | None) -> tuple[dict[str, Any], Seen]:
        """The preview, where there is another one."""
        previews = row.record.previews if row else {}
        names = tuple(name for name, steps in previews.items() if steps)
        picture = watch.picture if watch.picture in names else (names or ("",))[0]
        steps = previews.get(picture, [])
        view = (row.name, names, picture, steps[-1].step, len(steps)) if row and steps else ()
        if view == seen.view:
            return {}, seen
        value = views.NO_VIEW
        if row is not None and view:
            folder = self.jobs.files(row.name).folder
            value = views.view_of(row.name, folder, row.record, picture, self._pictures)
        offered = list(names) if len(names) > 1 else []
        changes = {
            "viewer": value,
            "pictures": Props(choices=offered, value=picture, visible=bool(offered)),
            "previews": bool(picture),
        }
        return changes, replace(seen, view=view)

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

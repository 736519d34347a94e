"""What happens at each event of the Anatomy tab: from what is open to everything the tab shows.

Values of components go in, a page comes out. Every page of a file belongs to that file: where the tab has come to show
another one meanwhile, or another photograph is open, nothing of it is shown.
"""

from dataclasses import dataclass, replace
from typing import Any

from models.jpeg import quantization_tables
from studio.anatomy.block_view import Place, block_value, map_value
from studio.anatomy.histogram import histogram_figure
from studio.anatomy.taken_apart import (
    TakenApart,
    busiest_block,
    cell_share,
    earlier_save,
    extent,
    file_histogram,
    knows_planes,
    shifted_histogram,
    take_apart,
)
from studio.anatomy.view import (
    NO_PHOTOGRAPH,
    Found,
    empty_markup,
    facts_markup,
    hint_markup,
    no_jpeg,
    save_markup,
    shares_markup,
)
from studio.engine.engine import Engine
from studio.engine.outputs import StageOutputs
from studio.page.view import view_of
from studio.page.wording import how_broken, settings_slug
from studio.server.answers import DROPPED, EMPTIED, Change, Props, only_while
from studio.server.files import PictureFolder
from studio.session.form import RestoreForm, whole
from studio.session.visitor import Photograph, Run, Session

NOT_COMPARED = (
    "The file's colours are not stored as Y, Cb and Cr, or carry a profile of their own, so pictures cannot be turned "
    "back into its numbers exactly."
)
SEARCHING = "<section><h3>Saved before?</h3><p>Looking for traces on all 64 grids.</p></section>"
NO_CHART: dict[str, Any] = {"title": "", "charts": [], "files": []}


@dataclass(frozen=True, eq=False)
class AnatomyState:
    """The file that the tab shows; held in a gr.State and replaced, never changed.

    Attributes:
        photograph: names the files.
        outputs: the degraded file, the original and the restorations that belong to it.
        taken: the file taken apart.
        view: value of the viewer.
        searched: True once an earlier save was looked for.
        found: the evidence; None where there is too little to examine.
    """

    photograph: Photograph
    outputs: StageOutputs
    taken: TakenApart
    view: dict[str, Any]
    searched: bool = False
    found: Found | None = None

    def shows(self, outputs: StageOutputs) -> bool:
        """True where these outputs would be shown in the same way."""
        return self.outputs.degraded is outputs.degraded and list(self.outputs.restorations.values()) == list(
            outputs.restorations.values()
        )

    def is_shown_by(self, other: "AnatomyState | None") -> bool:
        """True where the other one is of the same file and results."""
        return other is not None and other.outputs is self.outputs


@dataclass(frozen=True, eq=False)
class AnatomyPage:
    """What changes on the page; None leaves a component alone.

    Attributes:
        session: what is open in the Restore tab; never changed, but a page of another photograph is dropped.
        state, place: what the visitor looks at.
        viewer, block_map, block, histogram: values of custom components.
        empty, hint, file_facts, earlier, shares, notice: markup.
        component, frequency_row, frequency_column: what the histogram is of.
        bench: whether there is a file to show.
        blocks: whether its blocks can be shown as well.
    """

    session: Change | None = None
    state: AnatomyState | Change | None = None
    place: Place | None = None
    viewer: dict[str, Any] | None = None
    block_map: dict[str, Any] | None = None
    block: dict[str, Any] | None = None
    histogram: dict[str, Any] | None = None
    empty: str | None = None
    hint: str | None = None
    file_facts: str | None = None
    earlier: str | None = None
    shares: str | None = None
    notice: str | None = None
    component: Props | None = None
    frequency_row: int | None = None
    frequency_column: int | None = None
    bench: bool | None = None
    blocks: bool | None = None


CLOSED = AnatomyPage(state=EMPTIED, notice="", bench=False, blocks=False)
NOTHING_SHOWN = replace(CLOSED, empty="", hint="", file_facts="", earlier="", shares="")
"""Where a file could not be taken apart, nothing of the one before it stays beside the sentence that says so."""


def picked_elsewhere(event: dict[str, Any]) -> AnatomyPage | None:
    """A block was picked in the Restore tab's viewer; it is shown when this tab is entered."""
    row, column = event.get("row"), event.get("column")
    if type(row) is int and type(column) is int and min(row, column) >= 0:
        return AnatomyPage(place=(row, column))
    return None


class AnatomyHandlers:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, engine: Engine, pictures: PictureFolder) -> None:
        self._engine, self._pictures = engine, pictures

    def opened(
        self,
        session: Session | None,
        run: Run | None,
        form: RestoreForm,
        state: AnatomyState | None,
        place: Place | None,
    ) -> AnatomyPage:
        """The tab was entered: show the file as it is broken now, and the block that was picked last.

        Args:
            session, run, form: of the Restore tab.
            state: what the tab showed before.
            place: the block that was picked last, here or in the Restore tab.

        Raises:
            RestorationError: with the sentence to show.
        """
        photograph, run = _photograph(session), run or Run()
        still_open = only_while(lambda present: _key(_photograph(present)) == _key(photograph))
        if photograph is None:
            return replace(CLOSED, session=still_open, empty=empty_markup(NO_PHOTOGRAPH))
        outputs = self._outputs(photograph, run, form)
        if not outputs.degraded.saved_as_jpeg:
            return replace(CLOSED, session=still_open, empty=empty_markup(no_jpeg(photograph)))
        is_other_file = state is None or state.outputs.degraded is not outputs.degraded
        if state is None or not state.shows(outputs):
            view = view_of(photograph, outputs, self._engine.cards(), self._pictures)
            state = AnatomyState(photograph, outputs, take_apart(outputs.degraded), view)
        page = AnatomyPage(
            session=still_open,
            state=state,
            empty="",
            notice="",
            hint=hint_markup(outputs, run),
            file_facts=facts_markup(photograph, outputs, state.taken),
            earlier=None if state.searched else SEARCHING,
            histogram=NO_CHART if is_other_file else None,
            shares="" if is_other_file else None,
            bench=True,
            blocks=state.taken.bits is not None,
        )
        if not page.blocks:
            return page
        rows, columns = extent(outputs.degraded)
        if place is None or place[0] >= rows or place[1] >= columns:
            place = busiest_block(state.taken)
        return self._placed(state, place, page)

    def searched(
        self, state: AnatomyState | None, component: Any, frequency_row: Any, frequency_column: Any
    ) -> AnatomyPage | None:
        """After the tab was entered: look for an earlier save, draw the histogram, count the cells.

        Raises:
            RestorationError: with the sentence to show.
        """
        if state is None or state.taken.bits is None:
            return None
        if not state.searched:
            state = replace(state, searched=True, found=earlier_save(state.outputs.degraded))
        degradation = state.outputs.request.degradation
        why_not = "" if knows_planes(state.outputs.degraded) else NOT_COMPARED
        return replace(
            _histogram_page(state, component, frequency_row, frequency_column),
            state=Change(lambda present: state if state.is_shown_by(present) else DROPPED),
            notice=None,  # the step before has said what there is to say
            earlier=save_markup(state.found, degradation, why_not),
            shares=self._shares(state),
        )

    def picked(self, state: AnatomyState | None, event: dict[str, Any]) -> AnatomyPage | None:
        """A block was picked in this tab.

        Raises:
            InvalidSetting: for a place outside the picture.
        """
        if state is None or state.taken.bits is None:
            return None
        rows, columns = extent(state.outputs.degraded)
        place = (
            whole(event.get("row"), 0, rows - 1, "The block's row"),
            whole(event.get("column"), 0, columns - 1, "The block's column"),
        )
        return self._placed(state, place, AnatomyPage(state=only_while(state.is_shown_by), notice=""))

    def frequency_picked(self, state: AnatomyState | None, event: dict[str, Any]) -> AnatomyPage | None:
        """A coefficient was chosen in the inspector."""
        return self.frequency_set(state, event.get("component"), event.get("row"), event.get("column"))

    def frequency_set(
        self, state: AnatomyState | None, component: Any, frequency_row: Any, frequency_column: Any
    ) -> AnatomyPage | None:
        """Another frequency or component: draw its histogram, on the file's grid and that of an evident earlier save.

        Raises:
            InvalidSetting: for a component or frequency that is not there.
        """
        if state is None or state.taken.bits is None:
            return None
        return _histogram_page(state, component, frequency_row, frequency_column)

    def _outputs(self, photograph: Photograph, run: Run, form: RestoreForm) -> StageOutputs:
        """The results on the Restore tab where they belong to its settings, else the degraded file alone."""
        meant = form.as_meant(own=not photograph.example)
        request = meant.request(photograph.key, tuple(self._engine.cards()))
        request = replace(request, original_key=photograph.original_key)
        if run.request is not None and run.outputs is not None and run.request.same_settings(request):
            return run.outputs
        broken = self._engine.broken(
            photograph.key, photograph.image, request.degradation, photograph.original
        )
        return StageOutputs(request, broken.original, broken.image)

    def _placed(self, state: AnatomyState, place: Place, page: AnatomyPage) -> AnatomyPage:
        picture = f"{state.photograph.key} {settings_slug(state.outputs.request)}"
        return replace(
            page,
            place=place,
            viewer={**state.view, "block": {"row": place[0], "column": place[1]}},
            block_map=map_value(state.photograph, state.outputs, state.taken, place, self._pictures),
            block=block_value(state.taken, state.outputs, place, self._engine.cards(), picture),
        )

    def _shares(self, state: AnatomyState) -> str:
        outputs, image = state.outputs, state.outputs.degraded
        pictures = {"degraded": image.pixels}
        pictures |= {name: restoration.pixels for name, restoration in outputs.restorations.items()}
        if outputs.original is not None:
            pictures = {"original": outputs.original, **pictures}
        shares = [cell_share(image, name, pixels) for name, pixels in pictures.items()]
        degradation = outputs.request.degradation
        known = degradation is not None and len(degradation.saves) > 1
        evident = state.found is not None and state.found[1] is not None
        return shares_markup(
            [share for share in shares if share is not None],
            self._engine.cards(),
            saved_twice=known or evident,
            why_not=NOT_COMPARED,
        )


def _photograph(session: Session | None) -> Photograph | None:
    return session.photograph if session else None


def _key(photograph: Photograph | None) -> str | None:
    return photograph.key if photograph else None


def _histogram_page(state: AnatomyState, component: Any, row: Any, column: Any) -> AnatomyPage:
    components = state.outputs.degraded.components
    number = whole(component, 0, 3, "The component")
    number = min(number, len(components) - 1)  # the file before this one may have had more
    row = whole(row, 0, 7, "The frequency down")
    column = whole(column, 0, 7, "The frequency across")
    choices = [(part.name, index) for index, part in enumerate(components)]
    return AnatomyPage(
        state=only_while(state.is_shown_by),
        histogram=_histogram_value(state, number, row, column),
        component=Props(choices=choices, value=number),
        frequency_row=row,
        frequency_column=column,
        notice="",
    )


def _histogram_value(state: AnatomyState, number: int, row: int, column: int) -> dict[str, Any]:
    """The chart's value; the first save's grid and table are those of luma."""
    component = state.outputs.degraded.components[number]
    degradation = state.outputs.request.degradation
    can_show = number == 0 and (
        degradation is None or degradation.keeps_grid
    )  # else no grid is the first save's
    earlier = state.found[1] if state.found and can_show else None
    first_step = None
    if earlier is not None:
        first_step = int(quantization_tables(earlier.quality_factor)[0][row, column])
    title = f"{component.name}, frequency row {row}, column {column}"
    subtitle = f"{state.photograph.name}, {how_broken(degradation)}"
    aligned = earlier is not None and earlier.kind == "aligned"
    histograms = {"This file's grid": (file_histogram(component, row, column), aligned)}
    if earlier is not None and earlier.kind == "shifted":
        histogram = shifted_histogram(component, earlier.grid_shift, row, column)
        histograms = {"Grid of the first save": (histogram, True), **histograms}
    charts = []
    for label, (histogram, combed) in histograms.items():
        figure = histogram_figure(
            histogram, title, f"{subtitle}. {label}", first_step=first_step if combed else None
        )
        beside = int(histogram.counts[histogram.values != 0].sum())
        charts.append(
            {
                "label": label,
                "figure": figure.to_plotly_json(),
                "alt": f"Histogram of {title}, {label.lower()}: {histogram.zeros} blocks at 0, {beside} elsewhere, in "
                f"steps of {histogram.width:g}",
                "file_name": f"{state.photograph.name}_histogram-{component.name}-{row}-{column}",
            }
        )
    return {"title": title, "charts": charts, "files": []}

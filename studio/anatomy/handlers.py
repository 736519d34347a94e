"""What happens at each event of the Anatomy tab: from what is open to everything the tab shows. No page code.

A handler of the tab calls one method here and hands the AnatomyPage on. Fields that are None stay as they are.
"""

from dataclasses import dataclass, replace
from typing import Any

from models.card import ModelCard
from models.jpeg import quantization_tables
from studio.anatomy.block_view import Place, block_value, map_value
from studio.anatomy.histogram import histogram_figure
from studio.anatomy.save_view import Found, save_markup, shares_markup
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
from studio.anatomy.view import NO_PHOTOGRAPH, empty_markup, facts_markup, hint_markup, no_jpeg
from studio.engine.engine import Engine, StageOutputs
from studio.page.view import view_of
from studio.page.wording import how_broken, settings_slug
from studio.server.files import PictureFolder
from studio.session.form import RestoreForm, whole
from studio.session.visitor import Photograph, Run, Session

NOT_COMPARED = (
    "The file's colours are not stored as Y, Cb and Cr, or carry a profile of their own, so pictures cannot be turned "
    "back into its numbers exactly."
)
SEARCHING = "<section><h3>Saved before?</h3><p>Looking for traces on all 64 grids.</p></section>"


@dataclass(frozen=True, eq=False)
class Subject:
    """What the tab shows; held in a gr.State and replaced, never changed.

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


@dataclass(frozen=True, eq=False)
class AnatomyPage:
    """What changes on the page; field names equal those of the tab's outputs, None leaves one alone.

    Attributes:
        subject, place: the visitor's state.
        viewer, block_map, block, histogram: values of custom components.
        empty, hint, file_facts, earlier, shares, notice: markup.
        components: names the histogram's control offers.
        component, frequency_row, frequency_column: what the histogram is of.
        open: True where there is a file to show.
        has_blocks: True where its blocks can be shown as well.
    """

    subject: Subject | None = None
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
    components: tuple[str, ...] | None = None
    component: int | None = None
    frequency_row: int | None = None
    frequency_column: int | None = None
    open: bool | None = None
    has_blocks: bool | None = None


class AnatomyDesk:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, engine: Engine, pictures: PictureFolder) -> None:
        self._engine, self._pictures = engine, pictures

    def opened(
        self,
        session: Session | None,
        run: Run,
        form: RestoreForm,
        subject: Subject | None,
        place: Place | None,
    ) -> AnatomyPage:
        """The tab was entered: show the file as it is broken now, and the block that was picked last.

        Args:
            session, run, form: of the Restore tab.
            subject: what the tab showed before.
            place: the block that was picked last, here or in the Restore tab.

        Raises:
            RestorationError: with the sentence to show.
        """
        photograph = session.photograph if session else None
        if photograph is None:
            return AnatomyPage(empty=empty_markup(NO_PHOTOGRAPH), notice="", open=False, has_blocks=False)
        outputs = self._outputs(photograph, run, form)
        if not outputs.degraded.saved_as_jpeg:
            return AnatomyPage(
                empty=empty_markup(no_jpeg(photograph)), notice="", open=False, has_blocks=False
            )
        if subject is None or not subject.shows(outputs):
            view = view_of(photograph, outputs, self.cards(), self._pictures)
            subject = Subject(photograph, outputs, take_apart(outputs.degraded), view)
        has_blocks = subject.taken.bits is not None
        page = AnatomyPage(
            subject=subject,
            empty="",
            notice="",
            hint=hint_markup(outputs, run),
            file_facts=facts_markup(photograph, outputs, subject.taken),
            earlier=None if subject.searched else SEARCHING,
            open=True,
            has_blocks=has_blocks,
        )
        if not has_blocks:
            return page
        rows, columns = extent(outputs.degraded)
        if place is None or place[0] >= rows or place[1] >= columns:
            place = busiest_block(subject.taken)
        return self._placed(subject, place, page)

    def searched(
        self, subject: Subject | None, component: Any, frequency_row: Any, frequency_column: Any
    ) -> AnatomyPage:
        """After the tab was entered: look for an earlier save, draw the histogram, count the cells.

        Raises:
            RestorationError: with the sentence to show.
        """
        if subject is None or subject.taken.bits is None:
            return AnatomyPage()
        if not subject.searched:
            subject = replace(subject, searched=True, found=earlier_save(subject.outputs.degraded))
        degradation = subject.outputs.request.degradation
        why_not = "" if knows_planes(subject.outputs.degraded) else NOT_COMPARED
        page = self.histogram(subject, component, frequency_row, frequency_column)
        return replace(
            page,
            subject=subject,
            notice=None,  # the step before has said what there is to say
            earlier=save_markup(subject.found, degradation, why_not),
            shares=self._shares(subject),
        )

    def picked(self, subject: Subject | None, row: Any, column: Any) -> AnatomyPage:
        """Another block was asked for.

        Raises:
            InvalidSetting: for a place outside the picture.
        """
        if subject is None or subject.taken.bits is None:
            return AnatomyPage()
        rows, columns = extent(subject.outputs.degraded)
        place = (
            whole(row, 0, rows - 1, "The block's row"),
            whole(column, 0, columns - 1, "The block's column"),
        )
        return self._placed(subject, place, AnatomyPage(notice=""))

    def histogram(
        self, subject: Subject | None, component: Any, frequency_row: Any, frequency_column: Any
    ) -> AnatomyPage:
        """Draw the histogram of one frequency, on the file's grid and on that of an evident earlier save.

        Raises:
            InvalidSetting: for a component or frequency that is not there.
        """
        if subject is None or subject.taken.bits is None:
            return AnatomyPage()
        components = subject.outputs.degraded.components
        number = whole(component, 0, 3, "The component")
        number = min(number, len(components) - 1)  # the file before this one may have had more
        row = whole(frequency_row, 0, 7, "The frequency down")
        column = whole(frequency_column, 0, 7, "The frequency across")
        return AnatomyPage(
            histogram=_histogram_value(subject, number, row, column),
            components=tuple(one.name for one in components),
            component=number,
            frequency_row=row,
            frequency_column=column,
            notice="",
        )

    def cards(self) -> dict[str, ModelCard]:
        """Every model's card by name, as the checkpoints folder holds them now."""
        return self._engine.cards()

    def _outputs(self, photograph: Photograph, run: Run, form: RestoreForm) -> StageOutputs:
        """The results on the Restore tab where they belong to its settings, else the degraded file alone."""
        request = form.request(photograph.key, tuple(self.cards()))
        if run.request is not None and run.outputs is not None and run.request.same_settings(request):
            return run.outputs
        broken = self._engine.broken(photograph.key, photograph.image, request.degradation)
        return StageOutputs(request, broken.original, broken.image)

    def _placed(self, subject: Subject, place: Place, page: AnatomyPage) -> AnatomyPage:
        picture = f"{subject.photograph.key} {settings_slug(subject.outputs.request)}"
        return replace(
            page,
            place=place,
            viewer={**subject.view, "block": {"row": place[0], "column": place[1]}},
            block_map=map_value(subject.photograph, subject.outputs, subject.taken, place, self._pictures),
            block=block_value(subject.taken, subject.outputs, place, self.cards(), picture),
        )

    def _shares(self, subject: Subject) -> str:
        outputs, image = subject.outputs, subject.outputs.degraded
        pictures = {
            "degraded": image.pixels,
            **{name: one.pixels for name, one in outputs.restorations.items()},
        }
        if outputs.original is not None:
            pictures = {"original": outputs.original, **pictures}
        shares = [cell_share(image, name, pixels) for name, pixels in pictures.items()]
        degradation = outputs.request.degradation
        known = degradation is not None and len(degradation.saves) > 1
        evident = subject.found is not None and subject.found[1].kind != "none"
        return shares_markup(
            [one for one in shares if one is not None],
            self.cards(),
            saved_twice=known or evident,
            why_not=NOT_COMPARED,
        )


def _histogram_value(subject: Subject, number: int, row: int, column: int) -> dict[str, Any]:
    """The chart's value; the first save's grid and table are those of luma."""
    component = subject.outputs.degraded.components[number]
    verdict = subject.found[1] if subject.found else None
    degradation = subject.outputs.request.degradation
    evident = verdict is not None and verdict.kind != "none" and number == 0
    if degradation is not None and not degradation.keeps_grid:  # then it cannot be the first save's
        evident = False
    first_step = int(quantization_tables(verdict.quality_factor)[0][row, column]) if evident else None
    title = f"{component.name}, frequency row {row}, column {column}"
    subtitle = f"{subject.photograph.name}, {how_broken(degradation)}"
    histograms = {
        "This file's grid": (file_histogram(component, row, column), evident and verdict.kind == "aligned")
    }
    if evident and verdict.kind == "shifted":
        histogram = shifted_histogram(component, verdict.grid_shift, row, column)
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
                "file_name": f"{subject.photograph.name}_histogram-{component.name}-{row}-{column}",
            }
        )
    return {"title": title, "charts": charts, "files": []}

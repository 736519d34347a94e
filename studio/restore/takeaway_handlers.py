"""What the buttons below the results table give: a zip, one HTML page, a link with every setting. No page code."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic_ns
from typing import Any

from models.errors import InvalidSetting
from models.jpeg.kept_exif import kept_exif
from studio.engine.engine import Engine
from studio.engine.outputs import StageOutputs
from studio.page.view import view_of
from studio.page.wording import file_size, how_broken, settings_slug
from studio.restore.comparison_page import comparison_page
from studio.restore.handlers import photograph_of
from studio.restore.results import table_of
from studio.restore.takeaway import SMALLER_FORMATS, png_of, report_of, smaller_file, zip_of_results
from studio.server.files import PictureFolder
from studio.session.form import RestoreForm, one_of
from studio.session.link import Link, look_of, to_query
from studio.session.visitor import Photograph, Run, Session
from training.evaluation.score_files import weights_of

OWN_PHOTOGRAPH = (
    "A link cannot carry your own photograph: whoever opens it sees an example with these settings."
)


@dataclass(frozen=True, eq=False)
class TakeawayPage:
    """What changes: the value of the bar."""

    takeaway: dict[str, Any]


class TakeawayHandlers:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, engine: Engine, pictures: PictureFolder) -> None:
        self._engine, self._pictures = engine, pictures

    def make_zip(self, event: Mapping[str, Any], session: Session | None, run: Run | None) -> TakeawayPage:
        """Every picture and the report."""
        photograph, request, outputs, view = self.results(session, run)
        name, data = zip_of_results(
            photograph,
            outputs,
            view["panes"],
            weights_hash=self.weights_hash,
            link=_link(photograph, request, event),
            with_exif=event.get("exif") is True,
        )
        return answer(file=self._pictures.served_bytes(name, data))

    def make_page(self, event: Mapping[str, Any], session: Session | None, run: Run | None) -> TakeawayPage:
        """The comparison as one file."""
        photograph, request, _, _ = self.results(session, run)
        name = f"{photograph.name}_{settings_slug(request)}.html"
        return answer(file=self._pictures.served_bytes(name, self._page(event, session, run)))

    def make_share(self, event: Mapping[str, Any], session: Session | None, run: Run | None) -> TakeawayPage:
        """The comparison at an address of its own, which nobody can guess."""
        until = datetime.now(UTC) + timedelta(seconds=self._pictures.lifetime_seconds)
        secret = self._pictures.share(self._page(event, session, run, shared_until=until))
        return answer(shared=f"/shared/{secret}", until=until.timestamp())

    def _page(
        self,
        event: Mapping[str, Any],
        session: Session | None,
        run: Run | None,
        shared_until: datetime | None = None,
    ) -> bytes:
        photograph, request, outputs, view = self.results(session, run)
        report = report_of(
            photograph,
            outputs,
            view["panes"],
            weights_hash=self.weights_hash,
            link=_link(photograph, request, event),
        )
        table = table_of(outputs, self._engine.cards(), view["panes"], stopped=True)
        settings = how_broken(request.degradation)
        return comparison_page(photograph, settings, view, table, report, shared_until)

    def make_picture(
        self, event: Mapping[str, Any], session: Session | None, run: Run | None
    ) -> TakeawayPage:
        """One result as PNG, JPEG, WebP or AVIF."""
        photograph, _, outputs, view = self.results(session, run)
        wanted = str(event.get("result"))
        restoration = outputs.restorations.get(wanted)
        if restoration is None:
            raise InvalidSetting(
                "That result is not there any more. Finished results can be saved. Repair the picture again."
            )
        kind = one_of(event.get("format"), ("png", *SMALLER_FORMATS), "The format")
        exif = kept_exif(photograph.image.exif) if event.get("exif") is True else None
        if kind == "png":
            data = png_of(next(pane for pane in view["panes"] if pane["id"] == wanted), exif)
        else:
            data = smaller_file(restoration.pixels, kind, exif, photograph.image.density)
        suffix = "png" if kind == "png" else SMALLER_FORMATS[kind].suffix
        name = f"{photograph.name}_repaired.{suffix}"
        return answer(file=self._pictures.served_bytes(name, data), words=f"{name}: {file_size(len(data))}.")

    def make_link(self, event: Mapping[str, Any], session: Session | None, form: RestoreForm) -> TakeawayPage:
        """An address for the controls as they are."""
        form.request("", tuple(self._engine.cards()))  # refuses what no control can say
        photograph = session.photograph if session else None
        picture = photograph.example if photograph else ""
        query = to_query(Link(form, picture, look_of(event.get("look"))))
        return answer(query=query, words="" if picture else OWN_PHOTOGRAPH)

    def results(
        self, session: Session | None, run: Run | None
    ) -> tuple[Photograph, Any, StageOutputs, dict[str, Any]]:
        """The photograph, what was asked for, what came of it, and the viewer's value."""
        photograph = photograph_of(session)
        if run is None or run.outputs is None:
            raise InvalidSetting(
                "There is nothing to take away yet. Results can be packed once a model has finished. Repair the "
                "picture first."
            )
        outputs = run.outputs
        if outputs.request.photograph_key != photograph.key:
            raise InvalidSetting(
                "These results belong to another photograph than the one that is open. Results of the open one can be "
                "packed. Repair it first."
            )
        view = view_of(photograph, outputs, self._engine.cards(), self._pictures, run.view)
        return photograph, outputs.request, outputs, view

    def weights_hash(self, name: str) -> str | None:
        """The sha256 of a model's weights, None for baselines without any."""
        card = self._engine.cards()[name]
        return weights_of(self._engine.zoo.folder_of(name), card).sha256 if card.architecture else None


def refuse(sentence: str) -> TakeawayPage:
    """The bar with what went wrong."""
    return answer(words=sentence)


def answer(
    *, file: dict[str, Any] | None = None, query: str | None = None, words: str = "", **more: Any
) -> TakeawayPage:
    """The bar's value; the number makes equal answers differ."""
    return TakeawayPage(
        {"answer": monotonic_ns() // 1000, "file": file, "query": query, "words": words, **more}
    )


def _link(photograph: Photograph, request: Any, event: Mapping[str, Any]) -> str:
    """The link of what is packed, whatever the controls say by now."""
    return to_query(Link(RestoreForm.of(request), photograph.example, look_of(event.get("look"))))

"""What the viewer shows: panes in a fixed order, which two are compared, and where the blocks lie."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.card import ModelCard
from models.images import RgbImage
from studio.engine.outputs import StageOutputs
from studio.page.block_grids import grids_of, turn_of
from studio.page.sight import telling_spot
from studio.page.wording import decibels, settings_slug
from studio.server.files import PictureFolder
from studio.session.visitor import Photograph

EMPTY_VIEW = {"picture": "", "run": "", "panes": [], "a": "", "b": ""}
"""The value of a viewer without pictures."""


def view_of(
    photograph: Photograph,
    outputs: StageOutputs,
    cards: Mapping[str, ModelCard],
    pictures: PictureFolder,
    earlier: Mapping[str, Any] | None = None,
    *,
    preferred: str | None = None,
) -> dict[str, Any]:
    """The viewer's value: original, degraded, then one pane per result and stage.

    Args:
        photograph: names the files.
        outputs: what there is so far; only the degraded picture at least.
        cards: by model name.
        pictures: where the PNG files are written.
        earlier: a value made of an earlier state of the same run, whose files are used again.
        preferred: the result that is shown where nothing is measured, once it is there; a run names it, and is
            compared with the degraded picture from the start.
    """
    writer = _Panes(photograph, outputs, pictures, earlier or EMPTY_VIEW)
    panes = []
    if outputs.original is not None:
        panes.append(writer.pane("original", "original", outputs.original))
    panes.append(
        writer.pane("degraded", degraded_label(outputs), outputs.degraded.pixels, _db(outputs, "degraded"))
    )
    for name, restoration in outputs.restorations.items():
        title = cards[name].title
        for number, stage in enumerate(restoration.stages[:-1], 1):
            measured = outputs.stage_psnr_db.get(name, ())
            detail = decibels(measured[number - 1]) if measured else ""
            pane = writer.pane(f"{name}/{number}", f"{title}, {stage.name}", stage.pixels, detail)
            panes.append({**pane, "group": title, "stage": number, "last": False})
        pane = writer.pane(name, title, restoration.pixels, _db(outputs, name))
        count = len(restoration.stages)
        panes.append({**pane, "group": title, "stage": count, "last": True} if count > 1 else pane)
    best = best_result(outputs, preferred)
    left = "degraded" if best or preferred or outputs.original is None else "original"
    return {
        "picture": picture_name(photograph, outputs),
        "run": f"{photograph.key} {settings_slug(outputs.request)}",
        "panes": panes,
        "a": left,
        "b": best or "degraded",
        "reference": "degraded" if outputs.original is None else "original",
        "grids": [grid.as_json() for grid in grids_of(outputs.degraded, outputs.request.degradation)],
        "turn": turn_of(outputs.degraded),
        "spot": writer.spot(),
    }


def with_draft(
    view: dict[str, Any], name: str, title: str, parts: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """A view and what a model at work has finished so far, over the degraded picture.

    Args:
        view: see view_of, without a result of this model.
        name, title: of the model.
        parts: rectangles of the upright picture: {x, y, width, height, file}, see PictureFolder.served.
    """
    degraded = next(pane for pane in view["panes"] if pane["id"] == "degraded")
    words = {"label": f"{title}, so far", "detail": "", "alt": f"{degraded['alt']}, repaired in part"}
    draft = {**degraded, **words, "id": name, "parts": list(parts)}
    looked_at = {"a": "degraded", "b": name} if view["b"] == "degraded" else {}
    return {**view, "panes": [*view["panes"], draft], **looked_at}


def picture_name(photograph: Photograph, outputs: StageOutputs) -> str:
    """Tells the viewer whether it still shows the same picture at the same size."""
    return f"{photograph.key} {outputs.degraded.pixels.shape}"


def best_result(outputs: StageOutputs, preferred: str | None = None) -> str | None:
    """The restored picture with the highest PSNR; where nothing is measured the preferred one, or the last."""
    names = list(outputs.restorations)
    if not names:
        return None
    if outputs.metrics:
        return max(names, key=lambda name: outputs.metrics[name]["psnr_db"])
    return preferred if preferred in names else names[-1]


def degraded_label(outputs: StageOutputs) -> str:
    """A file kept as it is was not damaged by us."""
    return "as brought" if outputs.request.degradation is None else "damaged"


def _db(outputs: StageOutputs, name: str) -> str:
    return decibels(outputs.metrics[name]["psnr_db"]) if name in outputs.metrics else ""


class _Panes:
    """Writes the pictures of one run and describes them."""

    def __init__(
        self,
        photograph: Photograph,
        outputs: StageOutputs,
        pictures: PictureFolder,
        earlier: Mapping[str, Any],
    ) -> None:
        self._photograph, self._outputs = photograph, outputs
        self._slug = settings_slug(outputs.request)
        self._pictures = pictures
        same = earlier["picture"] == picture_name(photograph, outputs)
        self._files = {pane["download"]: pane["file"] for pane in earlier["panes"]} if same else {}
        self._spot = earlier["spot"] if same else None
        if photograph.original is not None:  # there may have been another one
            self._files.pop(self._named("original"), None)

    def spot(self) -> tuple[int, int]:
        return self._spot or telling_spot(self._outputs.degraded.pixels)

    def pane(self, identifier: str, label: str, pixels: RgbImage, detail: str = "") -> dict[str, Any]:
        name = self._named(identifier)
        file = self._files.get(name)
        if file is None or not self._pictures.renew(file):
            density, example = self._photograph.image.density, self._photograph.example
            file = self._pictures.served(name, pixels, density, everybodys=bool(example))
        return {
            "id": identifier,
            "label": label,
            "detail": detail,
            "alt": f"{self._photograph.name}, {label}",
            "width": pixels.shape[1],
            "height": pixels.shape[0],
            "file": file,
            "download": name,
        }

    def _named(self, identifier: str) -> str:
        settings = "" if identifier == "original" else f"_{self._slug}"
        return f"{self._photograph.name}_{identifier.replace('/', '-stage')}{settings}.png"

"""What the two games of the Lessons tab show. Nothing of the truth is in it before it is revealed."""

from time import monotonic_ns
from typing import Any

from models.images import RgbImage
from studio.lessons.blind_pair import BlindPair
from studio.lessons.game_pictures import picture_choices
from studio.lessons.quality_guess import FULL_POINTS, POINTS_PER_STEP, ROUNDS, GuessRound
from studio.page.block_grids import BlockGrid
from studio.page.wording import decibels
from studio.server.files import PictureFolder

PANES = ("a", "b")
UNTURNED = {"flip_rows": False, "flip_columns": False, "swap": False}


def guess_value(one: GuessRound | None = None, *, notice: str = "") -> dict[str, Any]:
    """The value of the guessing component.

    Args:
        one: the round at hand.
        notice: a sentence about something that went wrong.
    """
    value = {
        "pictures": picture_choices(),
        "rounds": ROUNDS,
        "full": FULL_POINTS,
        "per_step": POINTS_PER_STEP,
    }
    value |= {"answer": _fresh(), "notice": notice, "round": one.token if one else "", "revealed": False}
    if one is None or one.guess is None:
        return value
    truth = {"truth": one.quality_factor, "guess": one.guess, "error": one.error, "points": one.points}
    return {**value, **truth, "revealed": True}


def guess_view(one: GuessRound, pictures: PictureFolder) -> dict[str, Any]:
    """The viewer's value: the broken picture, and once it was guessed the original beside it."""
    panes = [_pane("degraded", "saved as JPEG", "picture.png", one.degraded.image.pixels, pictures)]
    if one.guess is not None:
        panes[0]["label"] = f"quality factor {one.quality_factor}"
        panes.insert(0, _pane("original", "original", "original.png", one.degraded.reference, pictures))
    return _view(one.token, panes, is_gray=one.picture.is_gray)


def blind_value(
    pair: BlindPair | None, models: list[tuple[str, str]], *, notice: str = "", working: str = ""
) -> dict[str, Any]:
    """The value of the blind comparison's component.

    Args:
        pair: at hand.
        models: titles and names.
        notice: a sentence about something that went wrong.
        working: what is going on.
    """
    value = {"pictures": picture_choices(), "models": models, "answer": _fresh(), "notice": notice}
    value |= {"working": working, "pair": pair.token if pair else "", "revealed": False}
    if pair is None or not pair.revealed:
        return value
    rows = [
        {
            "name": one.title,
            "psnr": decibels(one.metrics["psnr_db"]),
            "ssim": f"{one.metrics['ssim']:.4f}",
        }
        for one in pair.contestants
    ]
    return {**value, "revealed": True, "rows": rows, "closer": pair.closer, "quality": pair.quality_factor}


def blind_view(pair: BlindPair, pictures: PictureFolder) -> dict[str, Any]:
    """The viewer's value: both results without names, and once they are revealed with names and the original."""
    panes = []
    for identifier, one in zip(PANES, pair.contestants, strict=True):
        letter = identifier.upper()
        pane = _pane(identifier, letter, f"{identifier}.png", one.pixels, pictures)
        if pair.revealed:
            pane |= {"label": f"{letter}: {one.title}", "detail": decibels(one.metrics["psnr_db"])}
        panes.append(pane)
    if pair.revealed:
        panes.append(_pane("original", "original", "original.png", pair.original, pictures))
        return _view(pair.token, panes, is_gray=pair.picture.is_gray)
    return {**_view(pair.token, panes, is_gray=pair.picture.is_gray), "look": {"view": "grid"}}


def _pane(
    identifier: str, label: str, file_name: str, pixels: RgbImage, pictures: PictureFolder
) -> dict[str, Any]:
    return {
        "id": identifier,
        "label": label,
        "detail": "",
        "alt": label,
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "file": pictures.served(file_name, pixels),
    }


def _view(token: str, panes: list[dict[str, Any]], *, is_gray: bool) -> dict[str, Any]:
    ids = [pane["id"] for pane in panes]
    chroma = 8 if is_gray else 16
    return {
        "picture": token,
        "run": f"{token} {len(panes)}",
        "panes": panes,
        "a": ids[0],
        "b": ids[1 if len(ids) > 1 else 0],
        "reference": "original" if "original" in ids else "",
        "grids": [BlockGrid("the file's blocks", 0, 0, chroma, chroma).as_json()],
        "turn": UNTURNED,
    }


def _fresh() -> int:
    """Makes equal answers differ."""
    return monotonic_ns() // 1000

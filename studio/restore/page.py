"""What the Restore tab's handlers answer: fields named like the components they set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, make_dataclass, replace
from time import monotonic_ns
from typing import Any

from models.card import ModelCard
from models.jpeg.formats import NAMES
from studio.page import facts
from studio.page.controls import model_choices
from studio.page.view import EMPTY_VIEW
from studio.restore.results import NO_RESULTS
from studio.restore.verdict import NO_VERDICT
from studio.session.form import RECOMMENDED, RestoreForm
from studio.session.visitor import Photograph, Run, Session

CHANGED = "From earlier settings. Repair the picture again to see results of the present ones."
DELETED = "All of your images have been deleted. Open a photograph, or choose an example."
BUSY = "Busy: the queue is full. Try again in a minute."
NO_PHOTOGRAPH = (
    f"There is no photograph in memory. {NAMES} can be opened, and are held for a limited time. "
    "Open one, or choose an example."
)
NO_MODEL = "No model is ticked. Any number of them can be compared. Tick at least one in step 3."

GUIDANCE_WORDS = {
    "automatic": "Each model decides: by the file's tables, an earlier save it finds, or its own estimate.",
    "tables": "The one quality factor that the file's tables say.",
    "pixels": "Each network's own estimate; the file's tables are ignored.",
    "manual": "What the models take for the quality. Lower repairs harder.",
}


@dataclass(frozen=True, eq=False)
class Page:
    """What changes on the page; fields are named like the components they set, None leaves one alone.

    Attributes:
        session, run: the visitor's state.
        viewer, results, photograph, action, verdict: values of the custom components.
        photograph_facts, diagnosis, bench_facts, quality, notice, freshness: markup.
        saves, model_names: controls that another picture sets.
        address: the settings as the parameters of an address.
    """

    session: Session | None = None
    run: Run | None = None
    viewer: dict[str, Any] | None = None
    results: dict[str, Any] | None = None
    photograph: dict[str, Any] | None = None
    photograph_facts: str | None = None
    diagnosis: str | None = None
    bench_facts: str | None = None
    quality: str | None = None
    notice: str | None = None
    freshness: str | None = None
    verdict: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    address: str | None = None
    saves: str | None = None
    model_names: Any = None


LinkedPage = make_dataclass(
    "LinkedPage",
    [
        (entry.name, Any, field(default=None))
        for entry in fields(RestoreForm)
        if entry.name not in Page.__dataclass_fields__
    ],
    bases=(Page,),
    frozen=True,
    eq=False,
)
"""A Page with the whole form, where a link or a lesson sets it."""


@dataclass(frozen=True, eq=False)
class FormGroups:
    """What of the form is seen, and what its guidance means."""

    breaking: bool | None = None
    second_save: bool | None = None
    by_hand: bool | None = None
    guidance_words: str | None = None
    notice: str | None = None


IDLE: dict[str, Any] = {"action": {"state": "idle"}}
WORKING: dict[str, Any] = {"action": {"state": "running"}}
"""What can be pressed, as a field of a Page."""


def first_form(photograph: Photograph, model_names: Sequence[str]) -> RestoreForm:
    """What the page is set to while nobody changes it; these models are ticked at first."""
    return RestoreForm(saves="once" if photograph.example else "keep", model_names=model_names)


def opened_value(photograph: Photograph) -> dict[str, Any]:
    """What the drop zone is told once a file is open."""
    about = {"state": "open", "name": photograph.name, "own": not photograph.example}
    return {"answer": monotonic_ns() // 1000, "example": photograph.example, **about}


def emptied(files: int) -> Page:
    """A visitor's images were deleted: say so, and show nothing of them any more."""
    return Page(
        session=Session(),
        run=Run(),
        viewer=EMPTY_VIEW,
        results={**NO_RESULTS, "note": DELETED},
        photograph={"answer": monotonic_ns() // 1000, "state": "deleted"},
        photograph_facts=facts.deleted_line(files),
        diagnosis="",
        bench_facts="",
        verdict=NO_VERDICT,
        quality="",
        freshness="",
        notice="",
        **IDLE,
    )


def refused_value(sentence: str) -> Page:
    """What the drop zone is told of a file that cannot be opened; the picture before it stays."""
    return Page(photograph={"answer": monotonic_ns() // 1000, "state": "failed", "words": sentence})


def refused_change(sentence: str) -> Page:
    """What is told of a press or a setting; a photograph that the server holds no more may lie in the browser still."""
    lost = {"answer": monotonic_ns() // 1000, "state": "lost"} if sentence == NO_PHOTOGRAPH else None
    return Page(notice=facts.notice(sentence), photograph=lost)


def refused_press(sentence: str) -> Page:
    """The same where a run was to begin."""
    return replace(refused_change(sentence), run=Run(), **IDLE)


def repairing_choices(cards: Iterable[ModelCard]) -> list[tuple[str, str]]:
    """What Repair can use: the recommended model, or one by name."""
    return [("Recommended", RECOMMENDED), *model_choices([card for card in cards if card.name != "plain"])]


def show_saves(saves: Any) -> FormGroups:
    """Show the settings of as many saves as there are."""
    return FormGroups(breaking=saves in ("once", "twice"), second_save=saves == "twice")


def show_guidance(guidance: Any) -> FormGroups:
    """Show the slider where the quality is set by hand, and say what the choice means."""
    return FormGroups(by_hand=guidance == "manual", guidance_words=guidance_markup(guidance))


def guidance_markup(guidance: object) -> str:
    """What a guidance means, as markup; nothing for anything else."""
    words = GUIDANCE_WORDS.get(guidance, "") if isinstance(guidance, str) else ""
    return f"<p class='fact fact-note'>{words}</p>"

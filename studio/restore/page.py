"""What the Restore tab's handlers answer: fields named like the components they set."""

from dataclasses import dataclass, field, fields, make_dataclass
from typing import Any

from studio.session.form import RestoreForm
from studio.session.visitor import Run, Session


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

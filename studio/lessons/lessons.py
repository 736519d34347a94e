"""The lessons of docs/lessons: one Markdown file each, read as a pupil's page, a teacher's page and a list of claims.

A file begins with YAML front matter (title, minutes, studio, claims); its sections have the headings of SECTIONS.
`studio` is the query string of a link, see studio.session.link: it sets every control, the example and the viewer.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import yaml

from models.places import shipped

FOLDER = shipped("docs/lessons")
SECTIONS = (
    "Aim",
    "What it is about",
    "What to do",
    "What to find out",
    "The answer",
    "What pupils often think",
    "An extra question",
)
PUPILS = ("What it is about", "What to do", "What to find out", "The answer")
"""Sections that the page shows; all of them are the teacher's."""


@dataclass(frozen=True, eq=False)
class Claim:
    """A statement of the text that can be measured.

    Attributes:
        words: as they stand in the text.
        measure: name of a measure of tests.studio.lesson_facts.Scene.
        arguments: of the measure, beside the lesson's settings.
        settings: parts of the link that differ from the lesson's, by their keys.
        lowest, highest: what the measured value must lie between.
    """

    words: str
    measure: str
    arguments: dict[str, Any]
    settings: dict[str, str]
    lowest: float
    highest: float


@dataclass(frozen=True, eq=False)
class Lesson:
    """One page.

    Attributes:
        identifier: name of its file without the number in front.
        number: 1, 2, ...
        title: for people.
        minutes: how long it takes.
        studio: query string that sets the studio up.
        sections: Markdown by heading, see SECTIONS.
        claims: every number in the text.
    """

    identifier: str
    number: int
    title: str
    minutes: int
    studio: str
    sections: dict[str, str]
    claims: tuple[Claim, ...]

    @property
    def settings(self) -> dict[str, str]:
        """The parts of its link."""
        return dict(parse_qsl(self.studio, strict_parsing=True))

    @property
    def steps(self) -> tuple[str, ...]:
        """What to do, point by point, in Markdown."""
        return tuple(
            " ".join(point.split())
            for point in re.split(r"^\d+\. ", self.sections["What to do"], flags=re.MULTILINE)[1:]
        )


@lru_cache(maxsize=1)
def lessons() -> tuple[Lesson, ...]:
    """All lessons in order; read once."""
    return tuple(read_lesson(path) for path in sorted(FOLDER.glob("[0-9]-*.md")))


def lesson(identifier: object) -> Lesson | None:
    """The lesson of that name, None where there is none."""
    return next((one for one in lessons() if one.identifier == identifier), None)


def read_lesson(path: Path) -> Lesson:
    """Read one file.

    Raises:
        ValueError: naming the file and what is missing or unknown in it.
    """
    _, front, text = path.read_text("utf-8").split("---\n", 2)
    entries = yaml.safe_load(front)
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    sections = {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
    if tuple(sections) != SECTIONS or set(entries) != {"title", "minutes", "studio", "claims"}:
        raise ValueError(f"{path.name} has the sections {tuple(sections)} and the entries {tuple(entries)}")
    number, _, identifier = path.stem.partition("-")
    return Lesson(
        identifier=identifier,
        number=int(number),
        title=entries["title"],
        minutes=entries["minutes"],
        studio=entries["studio"],
        sections=sections,
        claims=tuple(_claim(one) for one in entries["claims"]),
    )


def _claim(entries: dict[str, Any]) -> Claim:
    """A claim of the front matter; `is`, `about` with `within`, `above` and `below` say what is expected."""
    known = {"words", "measure", "with", "settings", "is", "about", "within", "above", "below"}
    if unknown := set(entries) - known:
        raise ValueError(f"the claim {entries['words']!r} has the unknown entries {unknown}")
    lowest, highest = entries.get("above", float("-inf")), entries.get("below", float("inf"))
    if "is" in entries or "about" in entries:
        middle, slack = entries.get("is", entries.get("about")), entries.get("within", 0)
        lowest, highest = middle - slack, middle + slack
    if (lowest, highest) == (float("-inf"), float("inf")):
        raise ValueError(f"the claim {entries['words']!r} expects nothing")
    return Claim(
        words=entries["words"],
        measure=entries["measure"],
        arguments=entries.get("with", {}),
        settings={key: str(value) for key, value in entries.get("settings", {}).items()},
        lowest=lowest,
        highest=highest,
    )

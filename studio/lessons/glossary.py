"""Every technical word of the page, from glossary.yaml: python -m studio.lessons.glossary docs/glossary.md."""

import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

DATA = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class Term:
    """One word.

    Attributes:
        name: as a heading.
        words: one or two plain sentences.
        forms: other ways it is written, its plural and abbreviations among them.
    """

    name: str
    words: str
    forms: tuple[str, ...] = ()

    @property
    def identifier(self) -> str:
        """Lower case with dashes: what GitHub makes of the heading, and what the lessons link to."""
        return re.sub(r"[^a-z0-9-]", "", self.name.lower().replace(" ", "-"))


@lru_cache(maxsize=1)
def glossary() -> tuple[Term, ...]:
    """All terms in alphabetical order."""
    entries = yaml.safe_load(DATA.read_text("utf-8"))
    terms = (Term(one["name"], one["words"], tuple(one.get("forms", ()))) for one in entries)
    return tuple(sorted(terms, key=lambda term: term.name.lower()))


def glossary_markdown() -> str:
    """The page docs/glossary.md."""
    entries = (f"## {term.name}\n\n{term.words}\n" for term in glossary())
    head = "# Glossary\n\nThe words that the studio and its [lessons](lessons/README.md) use.\n"
    return "\n".join([head, *entries])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(glossary_markdown(), "utf-8")

"""What the page shows of the lessons and the glossary, made from the project's own Markdown and drawings.

Marked-up text travels as a tree: a string is text, a list is [tag, attributes, *children].
"""

from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from studio.lessons.glossary import Term, glossary
from studio.lessons.lessons import FOLDER, Lesson, lessons

Tree = str | list[Any]

_TAGS = {"paragraph": "p", "strong": "strong", "em": "em"}
_LEFT_OUT = ("title", "style")
"""Of a drawing: the text around it describes it, and the page has its own colours, light and dark."""


def lessons_value() -> dict[str, Any]:
    """The value of the lessons' component: the pupils' part of every lesson, and all terms."""
    return {"lessons": [_pupils_part(one) for one in lessons()], "terms": terms_value(glossary())}


def terms_value(terms: Sequence[Term]) -> dict[str, dict[str, str]]:
    """Name and explanation by identifier."""
    return {term.identifier: {"name": term.name, "words": term.words} for term in terms}


def glossary_markup() -> str:
    """All terms in one list."""
    entries = "".join(
        f"<div id='term-{term.identifier}'><dt>{escape(term.name)}</dt><dd>{escape(term.words)}</dd></div>"
        for term in glossary()
    )
    return f"<section class='glossary'><h2>Glossary</h2><dl>{entries}</dl></section>"


def markdown_trees(markdown: str) -> list[Tree]:
    """Paragraphs with bold and slanted words, code, terms of the glossary, and drawings.

    Raises:
        ValueError: for anything else.
    """
    return _trees(SyntaxTreeNode(MarkdownIt("commonmark").parse(markdown)).children)


def _pupils_part(lesson: Lesson) -> dict[str, Any]:
    return {
        "id": lesson.identifier,
        "number": lesson.number,
        "title": lesson.title,
        "minutes": lesson.minutes,
        "about": markdown_trees(lesson.sections["What it is about"]),
        "steps": [markdown_trees(step) for step in lesson.steps],
        "question": markdown_trees(lesson.sections["What to find out"]),
        "answer": markdown_trees(lesson.sections["The answer"]),
    }


def _trees(nodes: Sequence[SyntaxTreeNode]) -> list[Tree]:
    found: list[Tree] = []
    for node in nodes:
        if node.type == "inline":
            found += _trees(node.children)
        else:
            found.append(_tree(node))
    return found


def _tree(node: SyntaxTreeNode) -> Tree:
    if node.type in ("text", "softbreak"):
        return node.content or " "
    if node.type in _TAGS:
        return [_TAGS[node.type], {}, *_trees(node.children)]
    if node.type == "code_inline":
        return ["code", {}, node.content]
    if node.type == "link":
        return ["button", _term_attributes(str(node.attrs["href"])), *_trees(node.children)]
    if node.type == "image":
        attributes = {"class": "drawing", "role": "img", "aria-label": node.content}
        return ["span", attributes, _drawing(str(node.attrs["src"]))]
    raise ValueError(f"the pupils' part of a lesson holds {node.type}, which the page cannot show")


def _term_attributes(href: str) -> dict[str, str]:
    """A link to the glossary becomes a button that explains its word."""
    target = urlsplit(href)
    if not target.path.endswith("glossary.md") or not target.fragment:
        raise ValueError(f"the pupils' part links to {href}; only terms of the glossary can be shown")
    return {"type": "button", "class": "term", "data-term": target.fragment}


def _drawing(source: str) -> Tree:
    root = ElementTree.parse(FOLDER / source).getroot()
    return _drawn(root, {"viewBox": root.attrib["viewBox"], "aria-hidden": "true"})


def _drawn(element: ElementTree.Element, attributes: dict[str, str]) -> Tree:
    children = [one for one in element if _name(one) not in _LEFT_OUT]
    words = [element.text] if element.text and element.text.strip() else []
    return [_name(element), attributes, *words, *(_drawn(one, dict(one.attrib)) for one in children)]


def _name(element: ElementTree.Element) -> str:
    return element.tag.partition("}")[2]

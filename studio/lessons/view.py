"""What the page shows of the lessons, the glossary and the two games.

Lessons are made from the project's own Markdown and drawings; their text travels as a tree: a string is text, a list is
[tag, attributes, *children]. Nothing of the truth is in a game's values before it is revealed.
"""

from collections.abc import Sequence
from time import monotonic_ns
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from models.images import RgbImage
from studio.lessons.blind_pair import BlindPair
from studio.lessons.game_pictures import picture_choices
from studio.lessons.glossary import Term, glossary
from studio.lessons.lessons import FOLDER, Lesson, lessons
from studio.lessons.quality_guess import FULL_POINTS, POINTS_PER_STEP, ROUNDS, GuessRound
from studio.page.block_grids import BlockGrid
from studio.page.markup import template
from studio.page.wording import decibels
from studio.server.files import PictureFolder

Tree = str | list[Any]

_TAGS = {"paragraph": "p", "strong": "strong", "em": "em"}
_LEFT_OUT = ("title", "style")
"""Of a drawing: the text around it describes it, and the page has its own colors, light and dark."""

_glossary = template("""
    <section class='glossary'>
      <h2>Glossary</h2>
      <dl>
        {% for term in terms %}
          <div id='term-{{ term.identifier }}'><dt>{{ term.name }}</dt><dd>{{ term.words }}</dd></div>
        {% endfor %}
      </dl>
    </section>""")

PANES = ("a", "b")
UNTURNED = {"flip_rows": False, "flip_columns": False, "swap": False}


def lessons_value() -> dict[str, Any]:
    """The value of the lessons' component: the pupils' part of every lesson, and all terms."""
    return {"lessons": [_pupils_part(one) for one in lessons()], "terms": terms_value(glossary())}


def terms_value(terms: Sequence[Term]) -> dict[str, dict[str, str]]:
    """Name and explanation by identifier."""
    return {term.identifier: {"name": term.name, "words": term.words} for term in terms}


def glossary_markup() -> str:
    """All terms in one list."""
    return _glossary(terms=glossary())


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


# ---------------------------------------------------------------- games


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

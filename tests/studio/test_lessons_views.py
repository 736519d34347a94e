"""The lessons on the page: every lesson can be shown, its words arrive, and what cannot be shown is refused."""

from collections.abc import Iterator

import pytest

from assets import draw_lessons
from studio.lessons.glossary import glossary
from studio.lessons.handlers import settings_of
from studio.lessons.lessons import FOLDER, lessons
from studio.lessons.view import glossary_markup, lessons_value, markdown_trees


def elements(trees) -> Iterator[list]:
    for tree in trees:
        if isinstance(tree, list):
            yield tree
            yield from elements(tree[2:])


def text(trees):
    return "".join(tree if isinstance(tree, str) else text(tree[2:]) for tree in trees)


def test_every_lesson_is_on_the_page():
    value = lessons_value()
    assert [one["id"] for one in value["lessons"]] == [one.identifier for one in lessons()]
    terms = {term.identifier for term in glossary()}
    assert set(value["terms"]) == terms
    for shown, one in zip(value["lessons"], lessons(), strict=True):
        assert len(shown["steps"]) == len(one.steps)
        parts = [*shown["about"], *shown["question"], *shown["answer"]]
        parts += [tree for step in shown["steps"] for tree in step]
        used = [attributes["data-term"] for tag, attributes, *_ in elements(parts) if tag == "button"]
        assert used
        assert set(used) <= terms
        assert len([tag for tag, *_ in elements(shown["about"]) if tag == "svg"]) == 1
        assert "](" not in text(parts)
        assert "**" not in text(parts)


def test_the_teachers_part_stays_in_the_files():
    shown = str(lessons_value())
    for one in lessons():
        assert one.sections["Aim"].split(".")[0] not in shown
        assert one.sections["An extra question"].split("?")[0] not in shown


def test_drawings_are_what_the_engine_gives(tmp_path, monkeypatch):
    monkeypatch.setattr(draw_lessons, "FOLDER", tmp_path)
    draw_lessons.main()
    for path in (FOLDER.parent.parent / "assets" / "lessons").glob("*.svg"):
        assert (tmp_path / path.name).read_text("utf-8") == path.read_text("utf-8"), (
            "python -m assets.draw_lessons"
        )


def test_drawings_bring_shapes_only():
    allowed = {"svg", "rect", "path", "circle", "text"}
    for path in (FOLDER.parent.parent / "assets" / "lessons").glob("*.svg"):
        (tree,) = markdown_trees(f"![what it shows](../../assets/lessons/{path.name})")
        (span,) = tree[2:]
        assert span[1] == {"class": "drawing", "role": "img", "aria-label": "what it shows"}
        assert {tag for tag, *_ in elements(span[2:])} <= allowed


@pytest.mark.parametrize(
    "markdown",
    ["- a list", "<b>markup</b>", "[elsewhere](https://example.org)", "[a page](README.md)", "# head"],
)
def test_what_cannot_be_shown_is_refused(markdown):
    with pytest.raises(ValueError, match="pupils' part"):
        markdown_trees(markdown)


def test_bold_code_and_terms_become_elements():
    (tree,) = markdown_trees("Press **b** or `b` in a [block](../glossary.md#block).")
    assert [one[0] for one in tree[2:] if isinstance(one, list)] == ["strong", "code", "button"]
    assert text([tree]) == "Press b or b in a block."


def test_the_glossary_lists_every_term_once():
    markup = glossary_markup()
    for term in glossary():
        assert markup.count(f"id='term-{term.identifier}'") == 1


@pytest.mark.parametrize(
    "asked", [None, "block", {}, {"lesson": None}, {"lesson": ["block"]}, {"lesson": "none"}]
)
def test_an_unknown_lesson_changes_nothing_special(asked):
    assert settings_of(asked) == {}


def test_a_lesson_brings_its_own_settings():
    assert settings_of({"lesson": "ringing"})["picture"] == "text"

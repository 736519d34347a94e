"""The lessons are true, complete and linked: every number is measured, every technical word explained."""

import re
from dataclasses import replace

import pytest

from models.zoo import Zoo
from studio.lessons.glossary import glossary, glossary_markdown
from studio.lessons.lessons import FOLDER, PUPILS, lesson, lessons, read_lesson
from studio.session.form import RestoreForm
from studio.session.link import from_query, to_query
from tests.paths import REPOSITORY
from tests.present import present
from tests.studio.lesson_facts import LessonFacts

CLAIMS = [(one, claim) for one in lessons() for claim in one.claims]
LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
NUMBER = r"\d+(?:\.\d+)?"
SETTING = re.compile(rf"[Qq]uality(?: factor)? \d+|\d:\d:\d|{NUMBER}:1|shifts to \d")
"""Numbers that people set, not results."""


def plain(markdown):
    """The words as they are read."""
    return re.sub(r"[*`]", "", LINK.sub(r"\1", " ".join(markdown.split())))


def text_of(one, readable=plain):
    """The whole page without its headings, the numbers of its steps and the captions of its pictures."""
    sections = {**one.sections, "What to do": " ".join(one.steps)}
    return " ".join(readable(re.sub(r"!\[[^\]]*\]", "", section)) for section in sections.values())


def names(pair):
    return f"{pair[0].identifier}: {pair[1].words}"


@pytest.fixture(scope="module")
def facts():
    return LessonFacts(Zoo(REPOSITORY / "checkpoints", "cpu"))


def test_there_are_six_in_order():
    assert [one.number for one in lessons()] == [1, 2, 3, 4, 5, 6]
    assert present(lesson("block")).title == "What a block is"
    assert lesson("nothing") is None
    for one in lessons():
        assert 3 <= len(one.steps) <= 6
        assert 5 <= one.minutes <= 20
        assert all(one.sections[name] for name in PUPILS)


@pytest.mark.parametrize("pair", CLAIMS, ids=names)
def test_a_claim_is_measured_and_stands_in_the_text(pair, facts):
    one, claim = pair
    assert claim.words in text_of(one)
    value = facts.value(one, claim)
    assert claim.lowest <= value <= claim.highest, f"{claim.measure} is {value}"


@pytest.mark.parametrize("pair", CLAIMS, ids=names)
def test_the_words_of_a_claim_say_the_expected_number(pair):
    _, claim = pair
    said = [float(number) for number in re.findall(NUMBER, claim.words)]
    bounds = [bound for bound in (claim.lowest, claim.highest) if abs(bound) != float("inf")]
    if len(bounds) == 1:
        assert bounds[0] in said
        assert ("more than" if bounds[0] == claim.lowest else "less than") in claim.words
    else:
        assert any(claim.lowest <= number <= claim.highest for number in said)


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.identifier)
def test_every_number_is_a_claim_or_a_setting(one):
    text = plain(re.sub(r"`[^`]*`", "", text_of(one, str)))
    for claim in sorted(one.claims, key=lambda claim: -len(claim.words)):
        text = text.replace(claim.words, "")
        assert text.strip()
    assert re.findall(rf".{{0,30}}{NUMBER}.{{0,20}}", SETTING.sub("", text)) == []


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.identifier)
def test_the_link_sets_the_studio_up_without_a_problem(one, facts):
    known = tuple(card.name for card in Zoo(REPOSITORY / "checkpoints", "cpu").cards())
    link = from_query(one.settings, RestoreForm(), known)
    assert link.problems == ()
    assert link.picture
    assert from_query(dict(re.findall(r"([^=&]+)=([^&]*)", to_query(link))), RestoreForm(), known) == link


def test_a_claim_without_a_measure_is_refused(facts):
    one = present(lesson("block"))
    for measure in ("_picture", "nothing"):
        with pytest.raises(ValueError, match="measure"):
            facts.value(one, replace(one.claims[0], measure=measure))


def test_a_page_with_a_missing_section_is_refused(tmp_path):
    text = (FOLDER / "1-block.md").read_text("utf-8")
    broken = tmp_path / "1-block.md"
    broken.write_text(text.replace("## The answer", "## Answer"), "utf-8")
    with pytest.raises(ValueError, match="1-block.md"):
        read_lesson(broken)


def test_a_claim_with_a_misspelt_entry_is_refused(tmp_path):
    text = (FOLDER / "1-block.md").read_text("utf-8")
    broken = tmp_path / "1-block.md"
    broken.write_text(text.replace("is: 8}", "iss: 8}"), "utf-8")
    with pytest.raises(ValueError, match="iss"):
        read_lesson(broken)


# Glossary


def test_the_glossary_page_is_the_data():
    assert (REPOSITORY / "docs" / "glossary.md").read_text("utf-8") == glossary_markdown(), (
        "python -m studio.lessons.glossary docs/glossary.md"
    )


def test_terms_are_unique_and_short():
    terms = glossary()
    forms = [form.lower() for term in terms for form in (term.name, *term.forms)]
    assert len(forms) == len(set(forms))
    for term in terms:
        assert term.words.endswith(".")
        assert 1 <= len(re.findall(r"\.(?: |$)", term.words)) <= 3, term.name
        assert len(term.words) <= 240, term.name


WANTED = (
    "quality factor, quantization, coefficient, block, luma, chroma, subsampling, ringing, blocking, PSNR, SSIM, "
    "PSNR-B, decibel, double saving, grid shift, bits per pixel, blind, stage, parameters, MAC"
)


def test_the_words_of_the_page_are_there():
    known = {form.lower() for term in glossary() for form in (term.name, *term.forms)}
    assert [word for word in WANTED.split(", ") if word.lower() not in known] == []


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.identifier)
def test_the_first_use_of_each_term_is_linked(one):
    """In the pupils' part: what comes first is inside the link, and every link names a term."""
    pupils = " ".join(" ".join(one.sections[name].split()) for name in PUPILS)
    pupils = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", pupils)
    linked = {}
    for match in LINK.finditer(pupils):
        linked.setdefault(match[2].partition("#")[2], match.start())
    assert set(linked) <= {term.identifier for term in glossary()}
    for term in glossary():
        forms = "|".join(re.escape(form) for form in (term.name, *term.forms))
        first = re.search(rf"(?<![\w-])(?:{forms})(?![\w-])", pupils, re.IGNORECASE)
        if first:
            place = pupils[max(first.start() - 30, 0) : first.end() + 30]
            assert pupils.rfind("[", 0, first.start() + 1) == linked.get(term.identifier), (term.name, place)

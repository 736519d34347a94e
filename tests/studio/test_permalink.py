"""A link says what the controls say, and a broken link says what is wrong and harms nothing."""

from dataclasses import fields, replace
from urllib.parse import parse_qsl

import numpy as np
import pytest

from studio.session.examples import EXAMPLES, open_example
from studio.session.form import RestoreForm
from studio.session.link import Link, Look, from_query, look_of, to_query
from studio.session.visitor import open_photograph

MODELS = ("plain", "ar_cnn", "cascade")
DEFAULT = RestoreForm(model_names=("ar_cnn", "cascade"))


def back(query: str) -> Link:
    return from_query(dict(parse_qsl(query, keep_blank_values=True)), DEFAULT, MODELS)


def random_form(rng: np.random.Generator) -> RestoreForm:
    samplings = ("4:4:4", "4:2:2", "4:2:0")
    return RestoreForm(
        saves=str(rng.choice(["keep", "once", "twice"])),
        first_quality=int(rng.integers(1, 101)),
        first_subsampling=str(rng.choice(samplings)),
        second_quality=int(rng.integers(1, 101)),
        second_subsampling=str(rng.choice(samplings)),
        shift_rows=int(rng.integers(8)),
        shift_columns=int(rng.integers(8)),
        resize_percent=100 if rng.random() < 0.5 else int(rng.integers(25, 201)),
        model_names=tuple(name for name in MODELS if rng.random() < 0.5),
        guidance=str(rng.choice(["automatic", "tables", "pixels", "manual"])),
        manual_quality=int(rng.integers(1, 101)),
    )


def test_every_control_has_a_key_of_its_own():
    keys = [control.key for control in RestoreForm.controls().values()]
    assert len({*keys, "picture", "view", "a", "b", "zoom", "x", "y"}) == len(fields(RestoreForm)) + 7


def test_any_setting_survives_the_way_there_and_back():
    rng = np.random.default_rng(5)
    for _ in range(50):
        look = Look(
            str(rng.choice(["split", "flip", "grid"])),
            "degraded",
            "cascade/2",
            round(float(rng.uniform(0.1, 16)), 2),
            round(float(rng.uniform(0, 900)), 1),
            round(float(rng.uniform(0, 900)), 1),
        )
        link = Link(random_form(rng), "coffee", look)
        assert back(to_query(link)) == link


def test_links_without_a_resize_read_as_they_always_did():
    old = (
        "saves=twice&quality=12&subsampling=4:2:0&quality2=34&subsampling2=4:4:4&rows=1&columns=2"
        "&models=ar_cnn,cascade&guidance=automatic&manual=30&view=split"
    )
    link = back(old)
    assert link.form.resize_percent == 100 and not link.problems
    assert to_query(link) == "door=experiment&" + old
    resized = replace(link, form=replace(link.form, resize_percent=50))
    assert to_query(resized) == "door=experiment&" + old.replace("&columns=2", "&columns=2&resize=50")
    assert back(to_query(resized)) == resized


def test_no_parameters_mean_the_defaults():
    assert back("") == Link(DEFAULT)
    assert back("utm_source=mail&__theme=dark") == Link(DEFAULT)


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("quality=0", "first_quality", "1 to 100"),
        ("quality=1e3", "first_quality", "1 to 100"),
        ("quality=" + "9" * 5000, "first_quality", "1 to 100"),
        ("quality=٣", "first_quality", "1 to 100"),
        ("rows=8", "shift_rows", "0 to 7"),
        ("resize=24", "resize_percent", "25 to 200"),
        ("saves=thrice", "saves", "keep, once, twice"),
        ("guidance=", "guidance", "automatic"),
    ],
)
def test_what_cannot_be_used_is_said_and_the_default_stands(query, field, words):
    link = back(query)
    assert getattr(link.form, field) == getattr(DEFAULT, field)
    assert len(link.problems) == 1 and words in link.problems[0] and len(link.problems[0]) < 250


@pytest.mark.parametrize("query", ["zoom=nan", "zoom=inf", "zoom=99", "x=-1", "y=red", "picture=nobody"])
def test_the_rest_of_a_link_is_checked_too(query):
    link = back(query)
    assert (link.look, link.picture) == (Look(), "")
    assert len(link.problems) == 1


def test_unknown_models_are_named_and_known_ones_ticked():
    link = back("models=cascade,fbcnn")
    assert link.form.model_names == ("cascade",)
    assert "fbcnn" in link.problems[0] and "plain, ar_cnn, cascade" in link.problems[0]
    assert back("models=").form.model_names == ()


def test_an_example_is_one_that_was_chosen_not_a_file_of_the_same_bytes():
    one = EXAMPLES[0]
    assert open_example(one.name).example == one.name
    assert open_photograph(one.read_bytes(), one.file_name).example == ""


def test_settings_without_a_door_are_for_experiments():
    assert back("quality=20").form.door == "experiment"
    assert back("").form.door == back("picture=coffee").form.door == "repair"
    assert back("door=repair&quality=20").form.door == "repair"


def test_an_address_tells_what_is_not_as_at_first():
    first = RestoreForm(model_names=("ar_cnn",))
    assert to_query(Link(first), default=first) == ""
    changed = replace(first, effort="best")
    assert to_query(Link(changed), default=first) == "effort=best&door=repair"
    assert from_query(dict(parse_qsl("effort=best&door=repair")), first, MODELS).form == changed


@pytest.mark.parametrize("values", [None, [], "view", {"view": 3}, {"zoom": "nan", "a": ["x"]}])
def test_what_the_page_says_of_its_viewer_is_checked(values):
    assert look_of(values) == Look()


def test_a_request_leads_back_to_the_controls_that_asked_for_it():
    rng = np.random.default_rng(6)
    for _ in range(30):
        request = random_form(rng).request("key", MODELS)
        assert RestoreForm.of(request).request("key", MODELS) == request

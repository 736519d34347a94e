"""The quality quiz and the blind test: nothing of the truth reaches the page before its time, and the truth is true."""

import json
import re
from random import Random

import numpy as np
import pytest

from models.errors import InvalidSetting
from models.jpeg import Degradation, Save, degrade
from studio.lessons.blind_pair import BlindPair, checked_names, new_pair
from studio.lessons.game_handlers import GamesDesk
from studio.lessons.game_pictures import ANY, CLEAN, OPENED, picture_choices, picture_for
from studio.lessons.game_view import blind_value, blind_view, guess_value, guess_view
from studio.lessons.quality_guess import FULL_POINTS, HIGHEST, LOWEST, POINTS_PER_STEP, new_round
from studio.server.files import PictureFolder
from studio.session.crop import swept_picture
from studio.session.visitor import Session
from training.evaluation.metrics import psnr_db


@pytest.fixture
def pictures(tmp_path):
    return PictureFolder(tmp_path / "pictures", 600)


@pytest.fixture
def games(zoo, pictures):
    return GamesDesk(zoo, pictures, Random(5))


@pytest.fixture
def picture(photograph):
    return swept_picture(photograph, "crop")


def masked(value):
    """A value as text without what is random: the round's token, a picture's folder, the answer's number."""
    text = json.dumps(value)
    for name in ("round", "pair"):
        if value.get(name):
            text = text.replace(value[name], "TOKEN")
    text = re.sub(r"[0-9a-f]{32}", "FOLDER", text)
    text = re.sub(r'"(picture|run)": "[0-9a-f]{16}', r'"\1": "TOKEN', text)
    return re.sub(r'"answer": \d+', "", text)


# Quality quiz


def rounds_of(picture, count=40):
    random = Random(1)
    return [new_round(picture, random) for _ in range(count)]


def test_nothing_of_the_truth_is_sent_before_the_guess(picture, pictures):
    rounds = rounds_of(picture)
    assert len({one.quality_factor for one in rounds}) > 20
    assert len({masked(guess_value(one)) for one in rounds}) == 1
    assert len({masked(guess_view(one, pictures)) for one in rounds}) == 1
    assert len({one.token for one in rounds}) == len(rounds)


def test_the_truth_comes_with_the_answer_and_is_the_truth(games, photograph):
    dealt = games.guess_dealt(OPENED, Session(photograph))
    page = games.guess_made(dealt.state, dealt.state.token, 40)
    told = page.panel
    assert told["revealed"]
    assert (told["truth"], told["guess"]) == (dealt.state.quality_factor, 40)
    assert told["error"] == abs(40 - told["truth"])
    again = degrade(photograph.image.pixels, Degradation((Save(told["truth"]),)))
    np.testing.assert_array_equal(again.image.pixels, dealt.state.degraded.image.pixels)
    assert [pane["id"] for pane in dealt.viewer["panes"]] == ["degraded"]
    assert [pane["id"] for pane in page.viewer["panes"]] == ["original", "degraded"]
    assert page.viewer["picture"] == dealt.viewer["picture"]  # zoom and place stay


def test_the_first_guess_counts(picture):
    one = rounds_of(picture, 1)[0]
    assert one.guessed(50).guessed(one.quality_factor).guess == 50


@pytest.mark.parametrize(
    ("off", "points"), [(0, FULL_POINTS), (3, FULL_POINTS - 3 * POINTS_PER_STEP), (60, 0)]
)
def test_points_fall_with_the_error(picture, off, points):
    one = next(one for one in rounds_of(picture) if one.quality_factor < 40)
    assert one.guessed(one.quality_factor + off).points == points


def test_quality_factors_are_drawn_from_the_whole_range(picture):
    drawn = [one.quality_factor for one in rounds_of(picture, 300)]
    assert min(drawn) < LOWEST + 10
    assert max(drawn) > HIGHEST - 10
    assert all(LOWEST <= one <= HIGHEST for one in drawn)


@pytest.mark.parametrize("guess", [None, "40", 0, 101, 12.5, float("nan"), [40], True])
def test_a_guess_that_is_none_is_one_sentence(games, guess):
    dealt = games.guess_dealt(ANY, None)
    with pytest.raises(InvalidSetting, match="The guess is"):
        games.guess_made(dealt.state, dealt.state.token, guess)


def test_a_guess_at_an_earlier_picture_is_refused(games):
    first, second = games.guess_dealt(ANY, None), games.guess_dealt(ANY, None)
    for state in (second.state, None):
        with pytest.raises(InvalidSetting, match="not held any more"):
            games.guess_made(state, first.state.token, 50)


# Pictures


def test_pictures_are_clean_examples_or_the_open_one(photograph):
    offered = [identifier for _, identifier in picture_choices()]
    assert offered == [ANY, *CLEAN, OPENED]
    for name in CLEAN:
        assert not picture_for(name, None, Random(0)).was_jpeg
    assert {picture_for(ANY, None, Random(seed)).name for seed in range(30)} == set(CLEAN)
    assert picture_for(OPENED, Session(photograph), Random(0)).name == "whiskers"


@pytest.mark.parametrize("choice", ["rocket", None, 3, ["any"], "../etc"])
def test_unknown_pictures_are_one_sentence(choice):
    with pytest.raises(InvalidSetting, match="The picture is"):
        picture_for(choice, None, Random(0))


@pytest.mark.parametrize("session", [None, Session()])
def test_no_open_photograph_is_one_sentence(session):
    with pytest.raises(InvalidSetting, match="no photograph"):
        picture_for(OPENED, session, Random(0))


# Blind test


def pair_of(zoo, picture, seed):
    *_, pair = new_pair(zoo, picture, ("plain", "ar_cnn"), Random(seed))
    assert isinstance(pair, BlindPair)
    return pair


def test_names_and_numbers_are_sent_only_when_asked_for(zoo, picture, pictures, games):
    pairs = [pair_of(zoo, picture, seed) for seed in range(8)]
    assert len({pair.contestants[0].title for pair in pairs}) == 2
    assert len({pair.quality_factor for pair in pairs}) > 1
    models = games.models()
    assert len({masked(blind_value(pair, models)) for pair in pairs}) == 1
    assert len({masked(blind_view(pair, pictures)) for pair in pairs}) == 1
    sent = json.dumps(blind_view(pairs[0], pictures))
    assert all(title not in sent for title, _ in models)
    assert all(name not in sent for _, name in models)


def test_the_names_belong_to_the_pictures(zoo, games, photograph):
    *progress, dealt = games.pair_dealt(OPENED, ("plain", "ar_cnn"), Session(photograph))
    assert progress
    assert all(page.state is None and page.panel["working"] for page in progress)
    page = games.pair_shown(dealt.state, dealt.panel["pair"])
    saved = Degradation((Save(page.panel["quality"]),))
    degraded = degrade(photograph.image.pixels, saved)
    titles = {card.title: card.name for card in zoo.cards()}
    for row, contestant in zip(page.panel["rows"], dealt.state.contestants, strict=True):
        pixels = zoo.load(titles[row["name"]]).restore(degraded.image).pixels
        np.testing.assert_array_equal(pixels, contestant.pixels)
        assert row["psnr"] == f"{psnr_db(pixels, degraded.reference):.2f} dB"
    better = max("ab", key=lambda one: dealt.state.contestants["ab".index(one)].metrics["psnr_db"])
    assert page.panel["closer"] == better
    assert [pane["id"] for pane in page.viewer["panes"]] == ["a", "b", "original"]


def test_equal_results_are_a_draw(zoo, picture):
    pair = pair_of(zoo, picture, 0)
    same = BlindPair("t", picture, pair.original, 10, (pair.contestants[0], pair.contestants[0]))
    assert same.closer is None


@pytest.mark.parametrize("names", [("plain", "plain"), ("plain", "nobody"), (None, "plain"), ("plain", 7)])
def test_two_different_known_methods_are_needed(names):
    with pytest.raises(InvalidSetting):
        checked_names(names, ("plain", "ar_cnn"))


def test_an_earlier_pair_is_refused(games, photograph):
    *_, dealt = games.pair_dealt(OPENED, ("plain", "ar_cnn"), Session(photograph))
    for state, token in ((None, dealt.panel["pair"]), (dealt.state, "x"), (dealt.state, None)):
        with pytest.raises(InvalidSetting, match="not held any more"):
            games.pair_shown(state, token)

"""The Train tab's handlers: what each press and each look answers, with pretended trainers and runs written by hand."""

import shutil
import sys
import time
from pathlib import Path

import psutil
import pytest

import studio.train.overview
from models.card import read_card
from models.errors import InvalidSetting, RestorationError
from models.png_files import write_png
from models.zoo import Zoo
from studio.interface import build_studio
from studio.server.answers import DROPPED
from studio.server.files import PictureFolder
from studio.train.actions import MORE, MORE_MINUTES, RESUME, START, STOP, WAITING
from studio.train.handlers import Seen, TrainHandlers, Watch
from studio.train.jobs import Jobs
from studio.train.publish import publish, withdraw
from studio.train.recipe_handlers import RecipeHandlers
from studio.train.view import MOST_STEPS
from tests.training.sample_runs import configuration, write_run
from training.run_state import ProcessFile

FAKE = Path(__file__).with_name("fake_trainer.py")
PATIENCE_SECONDS = 120


@pytest.fixture
def jobs(tmp_path):
    jobs = Jobs(tmp_path / "runs", tmp_path, trainer=(sys.executable, str(FAKE), "trains"))
    yield jobs
    for name in jobs.names():
        trainer = ProcessFile.read(jobs.files(name).process_path).trainer
        if trainer is not None and trainer.is_alive():
            psutil.Process(trainer.pid).kill()


@pytest.fixture
def train(jobs, zoo, tmp_path):
    own = Zoo(zoo.folder, "cpu", own_folder=jobs.published)
    return TrainHandlers(jobs, own, PictureFolder(tmp_path / "pictures", 600), RecipeHandlers(jobs))


def recipe(name="run"):
    return f"name: {name}\narchitecture: cascade\ndata: {{train: [skimage], validation: skimage}}\n"


def until(condition):
    limit = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.1)


def test_an_empty_tab_says_what_to_do(train):
    page = train.entered(Watch(), "mine")
    assert "press Start" in page.empty and page.seen.action == START
    assert page.button == {"value": "Start mine", "interactive": True, "variant": "primary"}
    assert page.runs == {"runs": []} and train.refreshed(page.watch, page.seen, "mine") is None


def test_a_run_is_started_watched_and_stopped(train):
    page = train.pressed(Watch(), Seen(), "run", recipe())
    assert page.watch.shown == "run" and page.seen.action == STOP
    assert page.button == {"value": "Stop", "interactive": True, "variant": "stop"}
    until(lambda: (looked := train.refreshed(page.watch, Seen(), "next")).charts and looked.charts["charts"])
    looked = train.refreshed(page.watch, Seen(), "next")
    assert "training" in looked.head and "Loss" in looked.facts and looked.runs["runs"][0]["live"]
    other = train.recipe_chosen(Watch(), "next")  # somebody looks at the recipe meanwhile
    assert (
        other.seen.action == WAITING
        and other.button["value"] == "Start next"
        and not other.button["interactive"]
    )
    assert "run is being trained" in other.head
    stopped = train.pressed(page.watch, looked.seen, "next", "")
    assert stopped.button["value"] in ("Saving", "Resume run")
    until(lambda: "stopped" in train.chosen(page.watch, "next", {"name": "run"}).head)
    assert train.chosen(page.watch, "next", {"name": "run"}).button["value"] == "Resume run"


@pytest.fixture
def looks_often(monkeypatch):
    monkeypatch.setattr(studio.train.overview, "FRESH_SECONDS", 0.1)


def test_nothing_is_sent_while_nothing_happens(train, jobs, looks_often):
    write_run(configuration("done"), jobs.root, score_db=27.0)
    page = train.chosen(Watch(), "next", {"name": "done"})
    assert page.charts["charts"] and page.runs["runs"]
    assert train.refreshed(page.watch, page.seen, "next") is None
    time.sleep(0.2)
    assert train.refreshed(page.watch, page.seen, "next") is None


def test_the_pulse_tells_news_from_states_and_is_still_where_nothing_happens(train, jobs, looks_often):
    write_run(configuration("done"), jobs.root, score_db=27.0)
    still = train.pulse()
    time.sleep(0.2)
    assert train.pulse() == still
    page = train.pressed(Watch(), Seen(), "run", recipe())
    until(lambda: train.jobs.record("run").step > 5)
    time.sleep(0.2)
    first = train.pulse()
    assert first["urgent"] != still["urgent"]
    until(lambda: train.pulse()["news"] != first["news"])
    second = train.pulse()
    assert second["urgent"] == first["urgent"]
    train.pressed(page.watch, Seen(action=STOP), "next", "")
    assert train.pulse()["urgent"] != second["urgent"]


def test_recipes_with_problems_start_nothing(train, jobs):
    with pytest.raises(InvalidSetting, match=r"has problems.*below the recipe.*press Start"):
        train.pressed(Watch(), Seen(), "run", "architecture: none")
    assert jobs.names() == []


def test_used_weights_are_in_the_zoo_with_their_card(train, jobs, zoo):
    write_run(configuration("mine"), jobs.root, score_db=27.0)
    write_run(configuration("cascade"), jobs.root, score_db=27.0)  # a shipped model's name
    ticked = ["plain"]
    for name in ("mine", "cascade"):
        page = train.used(Watch(shown=name), Seen(), "next", {"name": name}, [*ticked, 7])
        ticked = page.model_names["value"]
        assert page.tabs == {"selected": "restore"}
    assert ticked == ["plain", "mine", "cascade-own"]
    assert {name for _, name in page.model_names["choices"]} >= {"plain", "mine", "cascade", "cascade-own"}
    own = Zoo(zoo.folder, "cpu", own_folder=jobs.published)
    card = own.load("mine").card
    assert card.title == "mine (mine)" and card.trained is not None and card.trained.steps == 10
    assert own.load("cascade").card.title == "Cascade, untrained"
    assert own.load("cascade-own").card.name == "cascade-own"
    rows = {row["name"]: row for row in train.chosen(Watch(), "next", {"name": "mine"}).runs["runs"]}
    assert rows["mine"]["use"] == "" and rows["mine"]["used"] == "in Restore"
    assert not list(jobs.published.glob(".part-*"))
    write_run(configuration("bare"), jobs.root, score_db=27.0).best_path.unlink()
    with pytest.raises(RestorationError, match="best.pt"):
        train.used(Watch(), Seen(), "next", {"name": "bare"}, ticked)


def test_a_run_is_deleted_with_its_model(train, jobs, zoo):
    own = Zoo(zoo.folder, "cpu", own_folder=jobs.published)
    for name in ("mine", "cascade", "other"):
        write_run(configuration(name), jobs.root, score_db=27.0)
        train.used(Watch(), Seen(), "next", {"name": name}, [])
    ticked = ["plain", "mine", "cascade", "cascade-own"]
    page = train.deleted(Watch(shown="mine"), "next", {"name": "mine"}, ticked)
    assert page.model_names["value"] == ["plain", "cascade", "cascade-own"] and page.tabs is None
    page = train.deleted(Watch(), "next", {"name": "cascade"}, page.model_names["value"])
    assert page.model_names["value"] == ["plain", "cascade"], "the shipped one stays"
    assert {name for _, name in page.model_names["choices"]} & {"mine", "cascade-own"} == set()
    assert sorted(path.name for path in jobs.published.iterdir()) == ["other"]
    assert {"mine", "cascade-own"}.isdisjoint(card.name for card in own.cards())
    assert jobs.names() == ["other"]
    write_run(configuration("plainly"), jobs.root, score_db=27.0)
    assert train.deleted(Watch(), "next", {"name": "plainly"}, ticked).model_names is None


def test_a_live_run_keeps_its_model(train, jobs):
    run = write_run(configuration("mine"), jobs.root, score_db=27.0)
    train.used(Watch(), Seen(), "next", {"name": "mine"}, [])
    with run.lock(), pytest.raises(InvalidSetting, match="is being trained"):
        train.deleted(Watch(), "next", {"name": "mine"}, [])
    assert (jobs.published / "mine" / "card.yaml").is_file()


def test_only_models_that_were_made_here_are_withdrawn(jobs, tmp_path):
    write_run(configuration("mine"), jobs.root, score_db=27.0)
    publish(jobs.files("mine"), jobs.published, frozenset())
    outside = shutil.copytree(jobs.published / "mine", tmp_path / "outside" / "mine")
    (jobs.published / "link").symlink_to(outside)
    (jobs.published / "notes").mkdir()
    (jobs.published / "notes" / "diary.txt").write_text("mine")
    shutil.copytree(jobs.published / "mine", jobs.published / "renamed")
    for name in ("../outside/mine", "..", "", ".", "link", "notes", "renamed", "none", "/", str(outside)):
        with pytest.raises(InvalidSetting, match="no published model called"):
            withdraw(jobs.published, name)
    assert outside.is_dir() and len(list(jobs.published.iterdir())) == 4
    withdraw(jobs.published, "mine")
    assert not (jobs.published / "mine").exists() and jobs.files("mine").best_path.exists()


def vain(jobs, name, *, finished=True, ended_by="minutes"):
    """A run whose best validation is below doing nothing."""
    run = write_run(configuration(name), jobs.root, score_db=19.9)
    run.events_path.unlink()
    run.write_event(0, "start", resumed=False, score_db=20.0, score_input_db=20.0)
    run.write_event(9, "train", minutes=1.94, progress=1.0)
    run.write_event(9, "validation", score_db=19.9, score_input_db=20.0)
    run.write_event(9, "end", finished=finished, minutes=1.94, ended_by=ended_by)
    return run


def test_a_run_that_learned_nothing_says_so_and_is_given_more(train, jobs):
    run = vain(jobs, "vain")
    sentence = "Only 9 steps fitted into 1.9 minutes: it learned nothing."
    page = train.chosen(Watch(), "next", {"name": "vain"})
    assert sentence in page.head and page.button["value"] == "10 more minutes" and page.seen.action == MORE
    assert page.another["visible"]
    (row,) = page.runs["runs"]
    assert row["use"] == "Use it" and row["caution"] == sentence
    train.used(page.watch, page.seen, "next", {"name": "vain"}, [])
    assert sentence in read_card(jobs.published / "vain" / "card.yaml").summary
    page = train.pressed(page.watch, page.seen, "next", "")
    assert page.seen.action == STOP and page.yaml is None
    assert run.config.optimizer.minutes == pytest.approx(1.9 + MORE_MINUTES)

    def starts():
        return [event.values["resumed"] for event in run.events() if event.kind == "start"]

    until(lambda: jobs.state("vain").kind == "running" and starts() == [False, True])


def test_more_minutes_are_offered_where_minutes_were_short(train, jobs):
    vain(jobs, "stopped", finished=False, ended_by="")
    vain(jobs, "stepped", ended_by="steps")
    write_run(configuration("good"), jobs.root, score_db=27.0)
    actions = {
        name: train.chosen(Watch(), "next", {"name": name}).seen.action
        for name in ("stopped", "stepped", "good")
    }
    assert actions == {"stopped": RESUME, "stepped": START, "good": START}
    rows = {row["name"]: row for row in train.entered(Watch(), "next").runs["runs"]}
    assert rows["good"]["caution"] == "" and "learned nothing" in rows["stepped"]["caution"]


def test_a_run_that_was_stopped_early_shows_no_empty_charts_and_no_dashes(train, jobs):
    run = jobs.write_recipe(configuration("early"))
    run.write_event(0, "start", resumed=False, score_db=20.0, score_input_db=20.0)
    run.write_event(5, "train", minutes=0.1, progress=0.1, loss=0.5)
    run.write_event(5, "end", finished=False, minutes=0.1)
    page = train.chosen(Watch(), "next", {"name": "early"})
    assert "Stopped before the first validation." in page.head
    assert page.charts is None or page.charts["charts"] == []
    (row,) = page.runs["runs"]
    assert "–" not in row.values() and row["words"].endswith("before the first validation")
    assert row["score"] == row["gain"] == "" and row["use"] == ""


def test_the_head_follows_what_a_starting_run_does(train, jobs, looks_often):
    run, urgent = jobs.write_recipe(configuration("new")), ""
    with run.lock():
        for number, (doing, words) in enumerate(
            (("load", "Loading 3 photographs"), ("measure", "Measuring 2 of 3"), ("first_step", "First step"))
        ):
            run.write_event(0, "activity", doing=doing, done=2, of=3)
            time.sleep(0.2)
            urgent = train.pulse()["urgent"]
            head = train.chosen(Watch(), "next", {"name": "new"}).head
            assert words in head and "data-passed" in head and "data-state='starting'" in head, number
            assert "%" not in head
            time.sleep(0.2)
            assert train.pulse()["urgent"] == urgent
        run.write_event(0, "start", resumed=False)
        run.write_event(1, "activity", doing="training")
        time.sleep(0.2)
        assert train.pulse()["urgent"] != urgent
        assert "data-state='running'" in train.chosen(Watch(), "next", {"name": "new"}).head
        run.stop_path.touch()
        time.sleep(0.2)
        assert "Saving" in train.chosen(Watch(), "next", {"name": "new"}).head


def test_runs_are_compared_and_deleted(train, jobs):
    for name, rate in (("one", 0.001), ("two", 0.002)):
        optimizer = {"petaflop": 0.25, "learning_rate": rate}
        write_run(configuration(name, optimizer=optimizer), jobs.root, score_db=27.0)
    page = train.compared({"names": ["one", "two", "none"]})
    assert [chart["label"] for chart in page.comparison["charts"]][0] == "Validation"
    assert len(page.comparison["charts"][0]["figure"]["data"]) == 2
    assert "optimizer.learning_rate" in page.differences and "0.002" in page.differences
    for names in (["one"], [], None, "one", ["../evil", "one"]):
        with pytest.raises(InvalidSetting, match="can be compared"):
            train.compared({"names": names})
    left = train.deleted(Watch(shown="two"), "next", {"name": "two"}, [])
    assert left.watch == Watch() and [row["name"] for row in left.runs["runs"]] == ["one"]
    with pytest.raises(InvalidSetting, match="any more"):
        train.chosen(Watch(), "next", {"name": "two"})


def test_previews_are_served_as_they_are_and_only_from_the_run(train, jobs, tmp_path, photograph):
    run = write_run(configuration("seen"), jobs.root, score_db=27.0)
    run.previews.mkdir()
    pixels = photograph.image.pixels
    for kind in ("original", "degraded", *range(100)):
        write_png(pixels, run.previews / f"cat-{kind}.png")
    write_png(pixels, tmp_path / "secret-7.png")
    for step in range(100):
        file = f"previews/cat-{step}.png" if step != 50 else "../../secret-7.png"
        run.write_event(step, "preview", name="cat", file=file, psnr_db=27 + step / 100, input_db=26.5)
    run.write_event(100, "preview", name="<b>", file="config.yaml", psnr_db=1, input_db=1)
    view = train.chosen(Watch(), "next", {"name": "seen"}).viewer
    ids = [pane["id"] for pane in view["panes"]]
    assert ids[:2] == ["original", "degraded"] and ids[2] == "step0" and ids[-1] == "step99"
    assert len(ids) <= MOST_STEPS + 2 and "step50" not in ids
    served = Path(view["panes"][-1]["file"]["path"])
    assert served.read_bytes() == (run.previews / "cat-99.png").read_bytes()
    assert (view["a"], view["b"], view["reference"]) == ("degraded", "step99", "original")
    assert train.pictured(Watch(shown="seen"), Seen(), "next", "<b>").viewer["panes"] == []


def test_hostile_run_folders_do_not_stop_the_tab(train, jobs):
    jobs.root.mkdir()
    for name, content in (
        ("binary", b"\x00\xff" * 1000),
        ("list", b"- 1\n"),
        ("huge", b"x: " + b"y" * 10**6),
    ):
        (jobs.root / name).mkdir()
        (jobs.root / name / "config.yaml").write_bytes(content)
        (jobs.root / name / "events.jsonl").write_bytes(content + b"\n" + content)
    page = train.entered(Watch(), "next")
    assert {row["name"] for row in page.runs["runs"]} == {"binary", "list", "huge"}
    assert train.chosen(Watch(), "next", {"name": "huge"}).head


def test_news_of_a_run_that_is_not_looked_at_any_more_is_dropped(train, jobs):
    write_run(configuration("done"), jobs.root, score_db=27.0)
    watch = Watch(shown="done")
    news = train.refreshed(watch, Seen(), "next")
    assert news.watch.of(watch) is watch
    assert news.watch.of(Watch()) is news.watch.of(None) is DROPPED


def test_after_a_start_the_recipe_has_a_free_name(train):
    page = train.pressed(Watch(), Seen(), "run", recipe())
    assert page.run_name == "run-2" and "name: run-2" in page.yaml
    assert train.pressed(page.watch, page.seen, "run-2", page.yaml).yaml is None  # a stop leaves it alone


def handlers(demo):
    return {f"{fn.fn.__module__}.{fn.fn.__qualname__}" for fn in demo.handlers.values() if fn.fn is not None}


def test_without_jobs_nothing_that_trains_is_built(zoo, jobs):
    without, with_jobs = handlers(build_studio(zoo)), handlers(build_studio(zoo, jobs))
    assert any(name.startswith("studio.train.") for name in with_jobs)
    assert not any("train." in name.lower() for name in without), sorted(without)

"""The Train tab's handlers: what each press and each look answers, with pretended trainers and runs written by hand."""

import sys
import time
from pathlib import Path

import psutil
import pytest

import studio.train.overview
from models.errors import InvalidSetting, RestorationError
from models.png_files import write_png
from models.zoo import Zoo
from studio.interface import build_studio
from studio.server.answers import DROPPED
from studio.server.files import PictureFolder
from studio.train.handlers import START, STOP, WAITING, Seen, TrainHandlers, Watch
from studio.train.jobs import Jobs
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
    assert stopped.button["value"] in ("Stopping", "Resume run")
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
        assert "now, and ticked" in page.notice
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
    left = train.deleted(Watch(shown="two"), "next", {"name": "two"})
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

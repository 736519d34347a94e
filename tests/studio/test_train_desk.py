"""The Train tab's desk: what each press and each look answers, with pretended trainers and runs written by hand."""

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
from studio.server.files import PictureFolder
from studio.train.handlers import START, STOP, WAITING, Seen, TrainDesk, Watch
from studio.train.jobs import Jobs
from studio.train.process import ProcessFile
from studio.train.view import MOST_STEPS
from tests.training.sample_runs import configuration, write_run
from training.config import TrainConfig

FAKE = Path(__file__).with_name("fake_trainer.py")
PATIENCE_SECONDS = 120


@pytest.fixture
def jobs(tmp_path):
    jobs = Jobs(tmp_path / "runs", tmp_path, trainer=(sys.executable, str(FAKE), "trains"))
    yield jobs
    for name in jobs.names():
        trainer = ProcessFile.read(jobs.files(name).process).trainer
        if trainer is not None and trainer.is_alive():
            psutil.Process(trainer.pid).kill()


@pytest.fixture
def desk(jobs, zoo, tmp_path):
    own = Zoo(zoo.folder, "cpu", own_folder=jobs.published)
    return TrainDesk(jobs, own, PictureFolder(tmp_path / "pictures", 600))


def config(name="run"):
    return TrainConfig.from_text(f"name: {name}\narchitecture: cascade\n")


def until(condition):
    limit = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.1)


def test_an_empty_tab_says_what_to_do(desk):
    page = desk.entered(Watch(), "mine")
    assert "press Start" in page.empty and page.button == "Start mine" and page.seen.action == START
    assert page.runs == {"runs": []} and desk.refreshed(page.watch, page.seen, "mine") is None


def test_a_run_is_started_watched_and_stopped(desk):
    page = desk.pressed(Watch(), Seen(), "run", config())
    assert page.watch.shown == "run" and page.seen.action == STOP and page.button == "Stop"
    until(lambda: (looked := desk.refreshed(page.watch, Seen(), "next")).charts and looked.charts["charts"])
    looked = desk.refreshed(page.watch, Seen(), "next")
    assert "training" in looked.head and "Loss" in looked.facts and looked.runs["runs"][0]["live"]
    other = desk.chosen(Watch(), "next", "")  # somebody looks at the recipe meanwhile
    assert other.seen.action == WAITING and other.button == "Start next"
    assert "run is being trained" in other.head
    stopped = desk.pressed(page.watch, looked.seen, "next", None)
    assert stopped.button in ("Stopping", "Resume run")
    until(lambda: "stopped" in desk.chosen(page.watch, "next", "run").head)
    assert desk.chosen(page.watch, "next", "run").button == "Resume run"


@pytest.fixture
def looks_often(monkeypatch):
    monkeypatch.setattr(studio.train.overview, "FRESH_SECONDS", 0.1)


def test_nothing_is_sent_while_nothing_happens(desk, jobs, looks_often):
    write_run(configuration("done"), jobs.root, score_db=27.0)
    page = desk.chosen(Watch(), "next", "done")
    assert page.charts["charts"] and page.runs["runs"]
    assert desk.refreshed(page.watch, page.seen, "next") is None
    time.sleep(0.2)
    assert desk.refreshed(page.watch, page.seen, "next") is None


def test_the_pulse_tells_news_from_states_and_is_still_where_nothing_happens(desk, jobs, looks_often):
    write_run(configuration("done"), jobs.root, score_db=27.0)
    still = desk.pulse()
    time.sleep(0.2)
    assert desk.pulse() == still
    page = desk.pressed(Watch(), Seen(), "run", config())
    until(lambda: desk.jobs.record("run").step > 5)
    time.sleep(0.2)
    first = desk.pulse()
    assert first["urgent"] != still["urgent"]
    until(lambda: desk.pulse()["news"] != first["news"])
    second = desk.pulse()
    assert second["urgent"] == first["urgent"]
    desk.pressed(page.watch, Seen(action=STOP), "next", None)
    assert desk.pulse()["urgent"] != second["urgent"]


def test_recipes_with_problems_start_nothing(desk, jobs):
    with pytest.raises(InvalidSetting, match=r"has problems.*below the recipe.*press Start"):
        desk.pressed(Watch(), Seen(), "run", None)
    assert jobs.names() == []


def test_used_weights_are_in_the_zoo_with_their_card(desk, jobs, zoo):
    write_run(configuration("mine"), jobs.root, score_db=27.0)
    write_run(configuration("cascade"), jobs.root, score_db=27.0)  # a shipped model's name
    made = []
    for name in ("mine", "cascade"):
        desk.used_page(Watch(shown=name), Seen(), "next", name, made.append)
    assert made == ["mine", "cascade-own"]
    own = Zoo(zoo.folder, "cpu", own_folder=jobs.published)
    assert own.load("mine").card.title == "mine (mine)" and own.load("mine").card.trained.steps == 10
    assert own.load("cascade").card.title == "Cascade, untrained"
    assert own.load("cascade-own").card.name == "cascade-own"
    rows = {row["name"]: row for row in desk.chosen(Watch(), "next", "mine").runs["runs"]}
    assert rows["mine"]["use"] == "" and rows["mine"]["used"] == "in Restore"
    assert not list(jobs.published.glob(".part-*"))
    write_run(configuration("bare"), jobs.root, score_db=27.0).best_path.unlink()
    with pytest.raises(RestorationError, match="best.pt"):
        desk.used_page(Watch(), Seen(), "next", "bare", made.append)


def test_runs_are_compared_and_deleted(desk, jobs):
    for name, rate in (("one", 0.001), ("two", 0.002)):
        optimizer = {"petaflop": 0.25, "learning_rate": rate}
        write_run(configuration(name, optimizer=optimizer), jobs.root, score_db=27.0)
    page = desk.compared(["one", "two", "none"])
    assert [chart["label"] for chart in page.comparison["charts"]][0] == "Validation"
    assert len(page.comparison["charts"][0]["figure"]["data"]) == 2
    assert "optimizer.learning_rate" in page.differences and "0.002" in page.differences
    for asked in (["one"], [], None, "one", ["../evil", "one"]):
        with pytest.raises(InvalidSetting, match="can be compared"):
            desk.compared(asked)
    left = desk.deleted(Watch(shown="two"), "next", "two")
    assert left.watch == Watch() and [row["name"] for row in left.runs["runs"]] == ["one"]
    with pytest.raises(InvalidSetting, match="any more"):
        desk.chosen(Watch(), "next", "two")


def test_previews_are_served_as_they_are_and_only_from_the_run(desk, jobs, tmp_path, photograph):
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
    view = desk.chosen(Watch(), "next", "seen").viewer
    ids = [pane["id"] for pane in view["panes"]]
    assert ids[:2] == ["original", "degraded"] and ids[2] == "step0" and ids[-1] == "step99"
    assert len(ids) <= MOST_STEPS + 2 and "step50" not in ids
    served = Path(view["panes"][-1]["file"]["path"])
    assert served.read_bytes() == (run.previews / "cat-99.png").read_bytes()
    assert (view["a"], view["b"], view["reference"]) == ("degraded", "step99", "original")
    assert desk.pictured(Watch(shown="seen"), Seen(), "next", "<b>").viewer["panes"] == []


def test_hostile_run_folders_do_not_stop_the_tab(desk, jobs):
    jobs.root.mkdir()
    for name, content in (
        ("binary", b"\x00\xff" * 1000),
        ("list", b"- 1\n"),
        ("huge", b"x: " + b"y" * 10**6),
    ):
        (jobs.root / name).mkdir()
        (jobs.root / name / "config.yaml").write_bytes(content)
        (jobs.root / name / "events.jsonl").write_bytes(content + b"\n" + content)
    page = desk.entered(Watch(), "next")
    assert {row["name"] for row in page.runs["runs"]} == {"binary", "list", "huge"}
    assert desk.chosen(Watch(), "next", "huge").head


def handlers(demo):
    return {
        f"{one.fn.__module__}.{one.fn.__qualname__}" for one in demo.handlers.values() if one.fn is not None
    }


def test_without_jobs_nothing_that_trains_is_built(zoo, jobs):
    without, with_jobs = handlers(build_studio(zoo)), handlers(build_studio(zoo, jobs))
    assert any("TrainTab" in name for name in with_jobs)
    assert not any("rain" in name.lower() and "tab" in name.lower() for name in without), sorted(without)

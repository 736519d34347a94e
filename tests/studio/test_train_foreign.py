"""Folders of runs that came from elsewhere: the list stays, and files are read only as far as runs of ours go."""

import json

import pytest

from models.zoo import Zoo
from studio.server.files import PictureFolder
from studio.train import record
from studio.train.handlers import TrainHandlers, Watch
from studio.train.jobs import Jobs
from studio.train.overview import Overview
from studio.train.recipe_handlers import RecipeHandlers
from training import events

HUGE = "8" * 350


def line(step="1", kind='"train"', time="1.0", values="{}"):
    return f'{{"step": {step}, "kind": {kind}, "time": {time}, "values": {values}}}\n'


HOSTILE = {
    "events.jsonl": {
        "huge loss": line(values=f'{{"loss": {HUGE}}}'),
        "huge score": line(kind='"validation"', values=f'{{"score_db": -{HUGE}}}'),
        "huge preview": line(kind='"preview"', values=f'{{"name": "a", "file": "a.png", "psnr_db": {HUGE}}}'),
        "huge step": line(step=HUGE, values='{"loss": 1}'),
        "huge time": line(time=HUGE),
        "no time": line(time="NaN") + line(time="Infinity", values='{"loss": 2}'),
        "numbers as texts": line(values='{"loss": "1e999", "minutes": [], "progress": {}}'),
        "huge minutes": line(values=f'{{"minutes": {HUGE}, "progress": {HUGE}}}') + line(kind='"end"'),
        "no text as sentence": line(kind='"error"', values='{"sentence": {"a": [1]}}'),
        "bytes": "\x00\x01\ufffd\n",
    },
    "process.json": {
        "huge": json.dumps({"keeper": {"pid": 1}, "exit_code": 0})[:-1]
        + f', "trainer": {{"pid": {HUGE}, "started": {HUGE}}}}}',
        "no start": '{"keeper": {"pid": 1, "started": NaN}, "trainer": {"pid": true, "started": 1}}',
        "long": '{"keeper": "' + "x" * 100_000 + '"}',
    },
    "lock": {
        "huge": f'{{"pid": {HUGE}, "started": {HUGE}, "host": 3, "command": []}}',
        "list": "[1]",
        "deep": "[" * 9000,
    },
    "config.yaml": {"aliases": "a: &a [1]\nb: *a\n", "no mapping": "[1]", "long": "#" * 200_000},
}
CASES = [(file, name) for file, cases in HOSTILE.items() for name in cases]


@pytest.fixture
def runs(tmp_path):
    for name in ("good", "bad"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "config.yaml").write_text(f"name: {name}\narchitecture: ar_cnn\n")
    return tmp_path / "runs"


@pytest.mark.parametrize(("file", "case"), CASES, ids=[f"{file}, {name}" for file, name in CASES])
def test_every_run_stays_in_the_list(runs, tmp_path, file, case):
    (runs / "bad" / file).write_text(HOSTILE[file][case], encoding="utf-8")
    jobs = Jobs(runs)
    pictures = PictureFolder(tmp_path / "served", 600)
    train = TrainHandlers(jobs, Zoo(tmp_path / "none", "cpu"), pictures, RecipeHandlers(jobs))
    train.pulse()
    page = train.entered(Watch("bad"), "new")
    json.dumps({"runs": page.runs, "charts": page.charts}, allow_nan=False)
    assert "good" in str(page.runs) and "bad" in str(page.runs)
    assert train.jobs.live() is None


def test_a_run_that_cannot_be_told_leaves_the_others(runs, tmp_path, monkeypatch):
    row = Overview._row

    def telling(self, name, shipped):
        if name == "bad":
            raise OverflowError("nobody foresaw this")
        return row(self, name, shipped)

    monkeypatch.setattr(Overview, "_row", telling)
    rows = {one.name: one for one in Overview(Jobs(runs), Zoo(tmp_path / "none", "cpu")).rows()}
    assert rows["good"].state.kind == "new"
    assert rows["bad"].state.kind == "failed" and "Delete it" in rows["bad"].state.sentence


def test_an_endless_file_of_events_is_read_to_a_limit(runs, monkeypatch):
    monkeypatch.setattr(events, "MAX_EVENTS_BYTES", 2**20)
    monkeypatch.setattr(events, "CHUNK_BYTES", 2**16)
    path = runs / "bad" / "events.jsonl"
    path.write_text(line(values='{"loss": 1}'))
    with path.open("r+b") as file:
        file.truncate(2**40)
    assert record.RunBook().record(runs / "bad").version == 1
    reader = events.EventReader(path)
    assert len(list(reader.read())) == 1 and reader.offset <= 2**20 + 2**16


def test_a_run_cannot_fill_the_memory_with_names(runs):
    many = json.dumps({f"n{number}": number for number in range(5000)})
    previews = [line(kind='"preview"', values=f'{{"name": "p{n}", "file": "a.png"}}') for n in range(500)]
    (runs / "bad" / "events.jsonl").write_text(line(values=many) + "".join(previews))
    found = record.RunBook().record(runs / "bad")
    assert len(found.training.points[0][1]) == record.MOST_NUMBERS
    assert len(found.previews) == record.MOST_PICTURES

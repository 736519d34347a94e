"""What a run has told: read as it grows, in bounded memory, whatever else stands in its file."""

import json

import pytest

from studio.train.record import CAPACITY, Curve, RunBook


def line(step, kind, time=1000.0, **values):
    return json.dumps({"step": step, "kind": kind, "values": values, "time": time}) + "\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "events.jsonl").write_text(line(0, "start", score_db=28.0))
    return tmp_path


def append(folder, text):
    with open(folder / "events.jsonl", "ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def test_events_are_read_as_they_come_and_half_a_line_waits(folder):
    book = RunBook()
    record = book.record(folder)
    assert (record.version, record.kind, record.validation.series("score_db")) == (1, "start", ([0], [28.0]))
    whole = line(10, "train", loss=0.5, learning_rate=0.1)
    append(folder, whole[:20])
    assert book.record(folder).version == 1
    append(folder, whole[20:] + line(10, "validation", score_db=29.0, qf10_input_db=27.0, qf10_db=28.5))
    record = book.record(folder)
    assert record.version == 3 and record.training.series("loss") == ([10], [0.5])
    assert (record.best_step, record.best_db) == (10, 29.0)


def test_what_is_no_event_is_passed_over(folder):
    append(
        folder, b"\x00\xff\xfe\n[]\nnull\n{}\n" + b'{"step": "1", "kind": "train", "values": {}, "time": 0}\n'
    )
    append(folder, b'{"step": 1, "kind": "train", "values": [], "time": 0}\n' + b"[" * 100_000 + b"\n")
    append(folder, b"x" * 2_000_000 + b"\n" + line(5, "train", loss="nan", progress=float("nan")).encode())
    append(folder, line(6, "__init__") + line(7, "take", loss=1) + line(8, "preview", name=3, file=[]))
    record = RunBook().record(folder)
    assert record.step == 8 and record.training.series("loss") == ([], []) and record.previews == {}


def test_a_resumed_run_forgets_what_it_does_again(folder):
    append(folder, "".join(line(step, "train", loss=1.0) for step in range(10, 60, 10)))
    append(folder, line(50, "preview", name="cat", file="previews/cat-50.png", psnr_db=28.0, input_db=27.0))
    append(folder, line(30, "start", resumed=True, score_db=29.0))
    record = RunBook().record(folder)
    assert record.training.series("loss")[0] == [10, 20, 30] and record.previews == {"cat": []}


def test_a_file_that_was_written_anew_is_read_anew(folder):
    book = RunBook()
    append(folder, line(500, "train", loss=1.0))
    assert book.record(folder).step == 500
    other = folder / "other"
    other.write_text(line(0, "start") + line(3, "train", loss=2.0) * 50)
    other.replace(folder / "events.jsonl")
    assert book.record(folder).training.series("loss") == ([3] * 50, [2.0] * 50)
    (folder / "events.jsonl").unlink()
    assert book.record(folder).version == 0


def test_a_curve_keeps_its_shape_in_fewer_points():
    curve = Curve()
    for step in range(1, 100_001):
        curve.add(step, {"loss": 1 / step, "rate": 2.0})
    steps, loss = curve.series("loss")
    assert CAPACITY / 2 <= len(steps) < CAPACITY and steps == sorted(steps)
    assert max(steps) > 99_000 and all(
        earlier > later for earlier, later in zip(loss, loss[1:], strict=False)
    )
    assert set(curve.series("rate")[1]) == {2.0}


def test_a_long_run_takes_no_more_memory_than_a_short_one(folder):
    append(folder, "".join(line(step, "train", loss=1.0, minutes=step) for step in range(1, 20_001)))
    book = RunBook()
    record = book.record(folder)
    assert (
        record.step == 20_000
        and len(record.training.points) < CAPACITY
        and record.latest["minutes"] == 20_000
    )

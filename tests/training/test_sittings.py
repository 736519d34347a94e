"""How a run begins and ends: what its clock counts, what it tells before the first step, how it is left, its worth."""

import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from models.card import read_card
from tests.slow.training.test_kills import assert_same_end
from tests.training.doomed import small_configuration, write_photographs
from tests.training.sample_runs import configuration, last_state, write_run
from training import clock, learner
from training.clock import Clock
from training.evaluation.benchmarks import VALIDATION_CASES
from training.events import History, TrainEvent, activity_words
from training.outcome import Outcome, outcome_of
from training.run import RunFolder
from training.run_state import STARTING_SECONDS, RunState, this_process
from training.train import main
from training.trainer import fit

FIRST_STEP_SECONDS, STEP_SECONDS = 90.0, 3.0
MEASURED = 2 * len(VALIDATION_CASES)
"""Pictures of one validation: two photographs in every case."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_photographs(tmp_path)
    return tmp_path


def events(run: RunFolder, kind: str) -> list[TrainEvent]:
    return [event for event in run.events() if event.kind == kind]


@pytest.fixture
def told_time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the trainer's clocks tell, which pass at its work alone."""
    now, load, step, validate = (
        [1000.0],
        learner.load_photographs,
        learner.Learner.step,
        learner.Learner.validate,
    )
    steps: list[int] = []

    def taking(seconds, function):
        def slowly(*arguments, **options):
            now[0] += seconds()
            return function(*arguments, **options)

        return slowly

    def step_seconds() -> float:
        steps.append(1)
        return STEP_SECONDS if len(steps) > 1 else FIRST_STEP_SECONDS

    def load_seconds() -> float:
        steps.clear()  # a sitting begins
        return 500

    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(learner, "load_photographs", taking(load_seconds, load))
    monkeypatch.setattr(learner.Learner, "validate", taking(lambda: 50, validate))
    monkeypatch.setattr(learner.Learner, "step", taking(step_seconds, step))
    return now


def test_minutes_are_counted_from_the_end_of_the_first_step_of_every_sitting(
    root: Path, told_time: list[float]
) -> None:
    """Loading, measuring and the first step take many times the budget, in which 20 more steps fit."""
    config = small_configuration(steps=100_000, minutes=20 * STEP_SECONDS / 60, warmup_steps=1)
    config = replace(config, runtime=replace(config.runtime, log_every=1, validate_every=100_000))
    run, ending = RunFolder(root / "run"), iter([False] * 10 + [True])
    assert not fit(config, run, data_root=root, device="cpu", should_stop=lambda: next(ending))
    assert last_state(run)["seconds"] == 10 * STEP_SECONDS and last_state(run)["step"] == 11
    fit(config, run, data_root=root, device="cpu", resume=True)
    trained = events(run, "train")
    assert [round(event.values["progress"] * 20) for event in trained] == [*range(11), *range(10, 21)]
    assert [event.values["minutes"] for event in trained[10:12]] == [round(10 * STEP_SECONDS / 60, 2)] * 2
    assert trained[10].values["seconds_left"] == 10 * STEP_SECONDS and trained[-1].values["seconds_left"] == 0
    rates = [event.values["learning_rate"] for event in trained]
    assert rates[-1] < rates[1] / 50, "the schedule completes in it"
    assert events(run, "end")[-1].values["ended_by"] == "minutes"


def test_a_run_of_steps_tells_how_long_they_take_without_the_first(
    root: Path, told_time: list[float]
) -> None:
    config = small_configuration(steps=6)
    config = replace(config, runtime=replace(config.runtime, log_every=1))
    run = RunFolder(root / "run")
    fit(config, run, data_root=root, device="cpu")
    left = [event.values["seconds_left"] for event in events(run, "train")]
    assert left == [5 * FIRST_STEP_SECONDS, *(STEP_SECONDS * number for number in (4, 3, 2, 1, 0))]


def test_a_clock_that_has_not_begun_stands_still() -> None:
    stands = Clock(100, 1.0, earlier_seconds=30)
    assert (stands.seconds, stands.progress(10), stands.nearest_budget(10)) == (30, 0.5, "minutes")
    time.sleep(0.02)
    assert stands.seconds == 30 and stands.nearest_budget(60) == "steps"
    stands.begin()
    time.sleep(0.02)
    assert stands.seconds > 30


def test_a_run_says_what_it_does_until_its_first_step_is_done(root: Path) -> None:
    run, told = RunFolder(root / "run"), []
    fit(small_configuration(steps=3), run, data_root=root, device="cpu", on_event=told.append)
    kinds = [event.kind for event in told]
    words = [activity_words(event.values) for event in told if event.kind == "activity"]
    assert words == [
        "Loading 3 photographs",
        "Loading 2 photographs",
        "Measuring 1 of 2",
        "Measuring 2 of 2",
        "First step",
        "",
    ]
    assert kinds.index("start") == 4 and told[-1].kind == "end"
    start = told[4].values
    assert start["score_db"] == pytest.approx(start["score_input_db"], abs=0.05), "untrained"
    first = [event.step for event in told if event.kind == "activity"]
    assert first == [0, 0, 0, 0, 0, 1]


def test_a_resumed_run_says_it_again_at_its_step(root: Path) -> None:
    run, asked = RunFolder(root / "run"), iter(range(1, 100))
    config = small_configuration(steps=9)
    fit(config, run, data_root=root, device="cpu", should_stop=lambda: next(asked) == 5)
    told = []
    fit(config, run, data_root=root, device="cpu", resume=True, on_event=told.append)
    doing = [(event.step, event.values["doing"]) for event in told if event.kind == "activity"]
    assert doing == [(5, "load"), (5, "load"), (5, "first_step"), (6, "training")]
    steps = [event.step for event in run.events()]
    assert steps == sorted(steps)


def test_a_run_counts_as_starting_until_a_step_is_done(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    with run.lock():
        assert run.state() == RunState("starting", "Starting the trainer", this_process().started)
        for doing, words in (("load", "Loading 3 photographs"), ("measure", "Measuring 2 of 3")):
            event = run.write_event(0, "activity", doing=doing, done=2, of=3)
            assert run.state() == RunState("starting", words, event.time)
        assert History.of(run.events()).kind == "start", "whatever an earlier sitting said last"
        run.write_event(0, "activity", doing="measure", done=3, of=3)
        assert run.state() == RunState("starting", "Measuring 3 of 3", event.time), "it still measures"
        run.write_event(0, "start", resumed=False)
        run.write_event(0, "activity", doing="first_step")
        assert run.state().sentence == "First step" and STARTING_SECONDS > 60
        run.write_event(1, "activity", doing="training")
        assert run.state() == RunState("running")


def leave_after(monkeypatch: pytest.MonkeyPatch, name: str, calls: int, asked: list[int]):
    """should_leave for fit(): True from the so-manieth time on that it is asked inside that function."""
    function = getattr(*_place(name))
    inside = []

    def within(*arguments, **options):
        inside.append(1)
        try:
            return function(*arguments, **options)
        finally:
            inside.pop()

    monkeypatch.setattr(*_place(name), within)

    def should_leave() -> bool:
        asked.extend(inside)
        return len(asked) > calls

    return should_leave


def _place(name: str) -> tuple[object, str]:
    return (learner, name) if name == "load_photographs" else (learner.Learner, name)


@pytest.mark.parametrize(("where", "calls"), [("load_photographs", 2), ("validate", 3)])
def test_a_run_that_is_left_before_its_first_step_begins_anew(
    root: Path, monkeypatch: pytest.MonkeyPatch, where: str, calls: int
) -> None:
    run, asked = RunFolder(root / "run"), []
    with monkeypatch.context() as patched:
        leave = leave_after(patched, where, calls, asked)
        config = small_configuration(steps=4)
        assert not fit(config, run, data_root=root, device="cpu", should_leave=leave)
    assert len(asked) == calls + 1, "asked once more, and not again"
    assert [event.kind for event in run.events() if event.kind != "activity"] == ["end"]
    assert not run.can_resume() and run.state() == RunState("stopped")
    assert outcome_of(History.of(run.events())).sentence == "Stopped before the first validation."
    assert fit(config, run, data_root=root, device="cpu", resume=True)
    assert [event.values["resumed"] for event in events(run, "start")] == [False]


def test_a_validation_that_is_given_up_is_owed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends as it would have without: same weights, same validations, same best."""
    whole, parts, asked = RunFolder(root / "whole"), RunFolder(root / "parts"), []
    config = small_configuration(steps=25)
    fit(config, whole, data_root=root, device="cpu")
    with monkeypatch.context() as patched:
        leave = leave_after(patched, "validate", MEASURED + 2, asked)
        assert not fit(config, parts, data_root=root, device="cpu", should_leave=leave)
    assert last_state(parts)["step"] == 11 and last_state(parts)["owes_validation"]
    assert events(parts, "validation") == [] and not parts.best_path.exists()
    assert fit(config, parts, data_root=root, device="cpu", resume=True)
    assert_same_end(whole, parts)


def test_the_last_validation_is_owed_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, asked = RunFolder(root / "run"), []
    config = small_configuration(steps=5)
    with monkeypatch.context() as patched:
        leave = leave_after(patched, "validate", MEASURED + 1, asked)
        assert not fit(config, run, data_root=root, device="cpu", should_leave=leave)
    assert events(run, "end")[-1].values["finished"] is False and last_state(run)["owes_validation"]
    assert fit(config, run, data_root=root, device="cpu", resume=True)
    assert [event.step for event in events(run, "validation")] == [5]
    assert not last_state(run)["owes_validation"]
    ended = events(run, "end")[-1].values
    assert (ended["finished"], ended["ended_by"]) == (True, "steps")


def history(
    *scores: float,
    first: float | None = 28.0,
    nothing: float | None = 28.0,
    step: int = 1000,
    minutes: float = 1.94,
    finished: bool = True,
) -> History:
    """Of a run with these validations, the last one at its last step."""
    known = {"score_db": first, "score_input_db": nothing}
    start = {name: value for name, value in known.items() if value is not None}
    told = [TrainEvent(0, "start", start)]
    told += [TrainEvent(step, "validation", {"score_db": score}) for score in scores]
    ended = {"finished": finished, "minutes": minutes, "ended_by": "minutes"}
    return History.of([*told, TrainEvent(step, "end", ended)])


@pytest.mark.parametrize(
    ("of", "gain", "learned", "sentence"),
    [
        (history(28.2, 28.41), 0.41, True, "Finished: +0.41 dB over doing nothing."),
        (history(28.41, 28.2), 0.41, True, "Finished: +0.41 dB over doing nothing."),
        (history(28.1, finished=False), 0.1, True, "Stopped: +0.10 dB over doing nothing."),
        (history(27.99, step=9), -0.01, False, "Only 9 steps fitted into 1.9 minutes: it learned nothing."),
        (history(28.0, step=1, minutes=2.02), 0, False, "Only 1 step fitted into 2 minutes: it learned nothing."),
        (history(28.004, step=9, minutes=0.5), 0.004, False,
         "Only 9 steps fitted into 30 seconds: it learned nothing."),
        (history(27.5), -0.5, False, "It learned nothing in 1,000 steps: no validation was better than doing nothing."),
        (history(27.5, finished=False), -0.5, False, "After 1,000 steps it has learned nothing yet."),
        (history(30.4, first=30.5), 2.4, False,
         "It learned nothing in 1,000 steps: no validation was better than what it began with."),
        (history(30.6, first=30.5), 2.6, True,
         "Finished: +2.60 dB over doing nothing, +0.10 dB over what it began with."),
        (history(finished=False, step=150), None, None, "Stopped before the first validation."),
        (history(29.0, first=None, nothing=None), None, None, "Finished."),
        (history(29.0, nothing=None), None, True, "Finished."),
    ],
)  # fmt: skip
def test_what_a_run_is_worth(of: History, gain: float | None, learned: bool | None, sentence: str) -> None:
    found = outcome_of(of)
    assert replace(found, gain_db=None) == Outcome(None, learned, sentence)
    assert found.gain_db == (None if gain is None else pytest.approx(gain))


def test_runs_that_tell_doing_nothing_case_by_case_are_understood() -> None:
    values = {
        "score_db": 29.0,
        "qf10_input_db": 27.0,
        "qf10_db": 28.0,
        "qf40_input_db": 30.0,
        "qf40_db": 30.0,
    }
    assert outcome_of(History.of([TrainEvent(5, "validation", values)])).gain_db == pytest.approx(0.5)


def test_the_command_line_says_what_a_run_is_worth(root: Path, capsys: pytest.CaptureFixture) -> None:
    config = small_configuration(steps=2, learning_rate=1e-9, final_learning_rate=0.0)
    path = root / "small.yaml"
    path.write_text(config.to_yaml())
    options = ["--run", str(root / "run"), "--data", str(root), "--device", "cpu"]
    assert main([str(path), *options]) == 0
    *_, sentence, advice = capsys.readouterr().out.splitlines()
    assert sentence.startswith("Only 2 steps fitted into") and sentence.endswith("it learned nothing.")
    assert advice.endswith("--resume --steps MORE")
    assert main([*options, "--publish", str(root / "checkpoints")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == sentence
    assert sentence in read_card(root / "checkpoints" / "small" / "card.yaml").summary


def test_a_published_run_that_learned_says_nothing_of_it(tmp_path: Path) -> None:
    run = write_run(configuration("good"), tmp_path, score_db=27.0)
    card = read_card(run.publish(tmp_path / "checkpoints") / "card.yaml")
    assert "learned" not in card.summary

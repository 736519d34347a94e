"""A series trains what is missing, goes on with what was interrupted, and trains nothing twice."""

import dataclasses
from pathlib import Path

import pytest
import torch

from models.errors import InvalidSetting
from tests.paths import REPOSITORY
from tests.present import present
from tests.training.sample_runs import TINY, configuration, write_configuration, write_run
from training.config import TrainConfig
from training.experiments.series import (
    DIFFERENT,
    FINISHED,
    INTERRUPTED,
    MISSING,
    chosen,
    main,
    read_series,
    train_all,
)
from training.learner import Learner
from training.processes import Processes
from training.run import RunFolder
from training.trainer import fit

CONFIGS = REPOSITORY / "training" / "configs"
SMALL = {
    "data": {
        "train": ["skimage"],
        "validation": "skimage",
        "patch_sizes": [32],
        "batch_sizes": [1],
        "workers": 0,
        "validation_size": 32,
        "drawn_share": 0.0,
    },
    "optimizer": {"steps": 2},
    "runtime": {
        "precision": "fp32",
        "compile": False,
        "validate_every": 2,
        "save_every": 1,
        "log_every": 1,
    },
}


@pytest.mark.parametrize("series", ["ablation", "quality-factor"])
def test_the_shipped_series_are_sound(series: str, tmp_path: Path) -> None:
    members = read_series(CONFIGS / series, tmp_path)
    assert len(members) >= 6
    assert {member.config.optimizer for member in members} == {members[0].config.optimizer}
    assert {member.config.data for member in members} == {members[0].config.data}
    for member in members:
        assert member.config.name == member.path.stem and member.state == MISSING
        assert member.config.card.keys() == {"title", "summary", "paper"}


def test_the_ablation_changes_one_thing_at_a_time(tmp_path: Path) -> None:
    full, *others = (member.config for member in read_series(CONFIGS / "ablation", tmp_path))
    assert full.hyperparameters == {} and full.seed == 0
    for other in others:
        assert dataclasses.replace(other, **_allowed(full)) == full
        assert not {"widths", "blocks", "embedding"} & other.hyperparameters.keys()
    changes = [
        (
            dict(other.hyperparameters),
            other.loss.frequency != full.loss.frequency,
            other.loss.quality != full.loss.quality,
            other.seed,
        )
        for other in others
    ]
    assert changes == [
        ({"use_quality": False}, False, True, 0),
        ({"use_tables": False}, False, False, 0),
        ({"use_quality": False, "use_tables": False}, False, True, 0),
        ({"use_context": False}, False, False, 0),
        ({}, True, False, 0),
        ({"stages": 1}, False, False, 0),
        ({"stages": 2}, False, False, 0),
        ({}, False, False, 1),
    ]


def _allowed(full: TrainConfig) -> dict:
    return {name: getattr(full, name) for name in ("name", "card", "hyperparameters", "loss", "seed")}


@pytest.mark.parametrize("name", ["2-without-quality", "4-without-steering", "5-without-context"])
def test_idle_parts_keep_their_weights_and_the_others_learn(name: str, tmp_path: Path) -> None:
    [shipped] = (
        each.config for each in read_series(CONFIGS / "ablation", tmp_path) if each.config.name == name
    )
    settings = shipped.hyperparameters | TINY
    config = dataclasses.replace(shipped, hyperparameters=settings, **_small_parts())
    trainer = Learner(config, tmp_path, Processes("cpu"))
    before = {key: value.clone() for key, value in trainer.network.state_dict().items()}
    for step in range(3):  # blocks that begin at zero pass no gradient on at first
        batch = trainer.patches(0)[step]
        trainer.step(batch, rate=1e-2, step=step, squared=False)
    after = trainer.network.state_dict()
    still = {key.split(".")[0] for key in before if torch.equal(before[key], after[key])}
    head_rests = torch.equal(before["quality.head.0.weight"], after["quality.head.0.weight"])
    assert head_rests == (name != "5-without-context")
    assert ("contextualize" in still) == (name == "5-without-context")
    assert not {"steer", "scale"} & still
    assert not torch.equal(before["stages.2.leave.weight"], after["stages.2.leave.weight"])


def _small_parts() -> dict:
    config = configuration("small", **SMALL)
    return {"data": config.data, "runtime": config.runtime}


def test_state_budget_and_best_are_read_from_the_run(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for name in ("a", "b", "c", "d"):
        write_configuration(configuration(name), tmp_path / "configs")
    write_run(configuration("b"), runs, score_db=27.0, finished=False)
    write_run(configuration("c"), runs, score_db=28.0)
    write_run(configuration("d", seed=7), runs, score_db=29.0)
    members = read_series(tmp_path / "configs", runs)
    assert [member.state for member in members] == [MISSING, INTERRUPTED, FINISHED, DIFFERENT]
    assert members[0].best is None and members[0].petaflop == 0
    best = present(members[2].best)
    assert best.step == 10 and best.values["score_db"] == 28.0
    assert members[2].petaflop == 0.25 and members[2].megapixels == 2000
    assert read_series(tmp_path / "configs", runs, petaflop=0.5)[2].state == DIFFERENT
    for member in members[1:3]:
        member.run.last_path.unlink()
    assert [member.state for member in members[1:3]] == [
        MISSING,
        FINISHED,
    ]  # nothing to go on from; nothing to do
    with pytest.raises(InvalidSetting, match="other settings"):
        train_all(members, tmp_path)


def test_what_an_attempt_left_that_was_killed_before_saving_does_not_count(tmp_path: Path) -> None:
    config = configuration("a")
    path = write_configuration(config, tmp_path / "configs")
    run = RunFolder(tmp_path / "a")
    run.begin(config)
    run.write_event(0, "start", resumed=False, score_db=1.0)
    run.write_event(5, "validation", score_db=99.0)
    write_run(config, tmp_path, score_db=27.0)
    [member] = read_series(path.parent, tmp_path)
    assert present(member.best).values["score_db"] == 27.0


def test_names_are_checked(tmp_path: Path, capsys) -> None:
    write_configuration(configuration("a"), tmp_path / "configs")
    members = read_series(tmp_path / "configs", tmp_path)
    assert [member.config.name for member in chosen(members, ["a"])] == ["a"]
    with pytest.raises(InvalidSetting, match="has no x. It has a"):
        chosen(members, ["x"])
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty"), "--list"]) == 2
    assert "no configuration" in capsys.readouterr().err
    assert main([str(tmp_path / "configs"), "--runs", str(tmp_path), "--list"]) == 0
    assert capsys.readouterr().out == "a  missing, 0.000 PFLOP used of 0.25 PFLOP, not validated yet\n"


def test_a_series_trains_once_and_goes_on_where_it_was_interrupted(tmp_path: Path, capsys) -> None:
    configs, runs = tmp_path / "configs", tmp_path / "runs"
    for name in ("first", "second"):
        write_configuration(configuration(name, **SMALL), configs)
    config = configuration("first", **SMALL)
    assert not fit(config, RunFolder(runs / "first"), data_root=tmp_path, should_stop=lambda: True)
    assert [member.state for member in read_series(configs, runs)] == [INTERRUPTED, MISSING]
    arguments = [str(configs), "--runs", str(runs), "--data", str(tmp_path)]
    assert main(arguments) == 0
    assert [member.state for member in read_series(configs, runs)] == [FINISHED, FINISHED]
    first = [event.values["resumed"] for event in RunFolder(runs / "first").events() if event.kind == "start"]
    assert first == [False, True]
    before = (runs / "second" / "events.jsonl").read_bytes()
    capsys.readouterr()
    assert main(arguments) == 0
    assert capsys.readouterr().out == "All are finished.\n"
    assert (runs / "second" / "events.jsonl").read_bytes() == before


def test_a_training_that_fails_is_named(tmp_path: Path, capsys) -> None:
    write_configuration(configuration("lost", data={"train": ["nowhere"]}), tmp_path / "configs")
    arguments = [str(tmp_path / "configs"), "--runs", str(tmp_path / "runs"), "--data", str(tmp_path)]
    assert main(arguments) == 2
    assert "Training lost ended with exit code 2" in capsys.readouterr().err

"""The trainer: it learns, it resumes exactly, it survives being killed, and it publishes what the zoo can load."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from models.errors import InvalidSetting
from models.files import write_atomically
from models.zoo import ARCHITECTURES, Zoo
from tests.models.sample_networks import CARDS
from tests.paths import REPOSITORY
from tests.training.sample_runs import last_state
from tests.training.tiny_runs import TINY, any_architecture, tiny
from training.clock import Clock
from training.config import TrainConfig
from training.learner import Learner
from training.processes import Processes
from training.run import RunFolder
from training.trainer import fit, learning_rate


def same_weights(first: RunFolder, second: RunFolder) -> bool:
    one, two = last_state(first), last_state(second)
    return all(
        torch.equal(one[part][name], two[part][name])
        for part in ("network", "averaged")
        for name in one[part]
    )


def test_a_stopped_run_resumes_to_the_very_same_weights(tmp_path) -> None:
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    assert fit(tiny(), whole, data_root=tmp_path)
    asked = iter([False, False, True])
    assert not fit(tiny(), parts, data_root=tmp_path, should_stop=lambda: next(asked))
    assert last_state(parts)["step"] == 3
    assert not same_weights(whole, parts)
    assert fit(tiny(), parts, data_root=tmp_path, resume=True)
    assert same_weights(whole, parts)
    kinds = [event.kind for event in parts.events()]
    assert kinds.count("start") == 2 and kinds[-1] == "end" and "validation" in kinds


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_trains_resumes_exactly_and_is_published(architecture, tmp_path) -> None:
    config = any_architecture(architecture, steps=3)
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    assert fit(config, whole, data_root=tmp_path)
    asked = iter([False, True])
    assert not fit(config, parts, data_root=tmp_path, should_stop=lambda: next(asked))
    assert fit(config, parts, data_root=tmp_path, resume=True)
    assert same_weights(whole, parts)
    parts.publish(tmp_path / "checkpoints")
    card = Zoo(tmp_path / "checkpoints", "cpu").load("tiny-cpu").card
    expected = CARDS[architecture]
    for name in ("color", "stage_names", "steerable", "uses_tables", "hyperparameters"):
        assert getattr(card, name) == getattr(expected, name), name


@pytest.mark.parametrize("architecture", ["dncnn", "qgcn", "luma_chroma"])
def test_an_untrained_network_validates_as_doing_nothing_in_both_precisions(architecture, tmp_path) -> None:
    for precision in ("fp32", "bf16"):
        config = any_architecture(architecture)
        config = dataclasses.replace(config, runtime=dataclasses.replace(config.runtime, precision=precision))
        trainer = Learner(config, tmp_path, Processes("cpu"))
        values = trainer.validate()
        assert values["qf10_db"] == pytest.approx(values["qf10_input_db"], abs=0.02)
        batch = trainer.patches(0)[0]
        terms = trainer.step(batch, rate=1e-3, step=0, squared=False)
        assert all(torch.isfinite(value) for value in terms.values())
        assert terms["gradient_norm"] > 0


def test_the_network_decides_whether_it_is_trained_on_pictures_or_on_planes(tmp_path) -> None:
    for architecture, channels in (("ar_cnn", 1), ("hr_cnn", 1), ("qcn", 3), ("luma_chroma", 3)):
        config = any_architecture(architecture)
        learner = Learner(config, tmp_path, Processes("cpu"))
        batches = [learner.patches(0)[0], *learner.validation["qf10"]]
        assert {batch.degraded.shape[1] for batch in batches} == {channels}, architecture


def test_configurations_that_still_say_planes_are_read() -> None:
    for architecture, planes in (("ar_cnn", "true"), ("qcn", "false")):
        config = any_architecture(architecture)
        former = config.to_yaml().replace("\ndata:\n", f"\ndata:\n  planes: {planes}\n")
        assert former != config.to_yaml() and TrainConfig.from_text(former) == config


def test_tables_are_hidden_from_the_share_of_patches_asked_for(tmp_path, monkeypatch) -> None:
    config = dataclasses.replace(any_architecture("qcn"), tables_dropped_share=0.5)
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, batch_sizes=(64,)))
    trainer = Learner(config, tmp_path, Processes("cpu"))
    batch, seen = trainer.patches(0)[0], []

    def listen(summary: torch.Tensor, *, quality_factor: None, tables: torch.Tensor) -> torch.Tensor:
        seen.append((tables == 0).all(1).float().mean().item())
        return original(summary, quality_factor=quality_factor, tables=tables)

    forward, original = trainer.network.forward, trainer.network.condition
    monkeypatch.setattr(trainer.network, "condition", listen)
    trainer.restore(trainer.network, forward, batch)
    shown = dataclasses.replace(batch, tables_hidden=torch.zeros(64, dtype=torch.bool))
    trainer.restore(trainer.network, forward, shown)
    assert 0.3 < seen[0] < 0.7
    assert seen[1] == (batch.tables == 0).all(1).float().mean().item()


def test_averaged_weights_take_running_statistics_along(tmp_path) -> None:
    config = any_architecture("dncnn", ema=0.0)
    trainer = Learner(config, tmp_path, Processes("cpu"))
    trainer.step(trainer.patches(0)[0], rate=1e-3, step=0, squared=False)
    for average, current in zip(trainer.averaged.buffers(), trainer.network.buffers(), strict=True):
        assert torch.equal(average, current)
    assert any((buffer != 0).any() for buffer in trainer.averaged.buffers())


@pytest.mark.parametrize("method", ["adamw", "muon"])
def test_frozen_parts_keep_their_weights(method, tmp_path) -> None:
    config = any_architecture("luma_chroma", frozen=("luma",), method=method, weight_decay=0.1)
    trainer = Learner(config, tmp_path, Processes("cpu"))
    before = {name: weight.clone() for name, weight in trainer.network.named_parameters()}
    for step in range(3):
        trainer.step(trainer.patches(0)[step], rate=1e-2, step=step, squared=False)
    for network in (trainer.network, trainer.averaged):
        changed = {
            name.split(".")[0]
            for name, now in network.named_parameters()
            if not torch.equal(now, before[name])
        }
        assert changed == {"chroma"}


def test_parts_that_are_not_there_or_all_there_are_cannot_be_frozen(tmp_path) -> None:
    for frozen, sentence in ((("lum",), "luma, chroma"), (("luma", "chroma"), "nothing would be trained")):
        with pytest.raises(InvalidSetting, match=sentence):
            Learner(any_architecture("luma_chroma", frozen=frozen), tmp_path, Processes("cpu"))


def test_operations_end_a_run_and_move_its_schedule_exactly(tmp_path) -> None:
    """Four steps of 2 x 64 x 64 and two of 1 x 96 x 96 pixels are the budget; the sixth step uses it up."""
    pixels = [8192] * 4 + [9216] * 2
    cost = 6e6 * ARCHITECTURES["cascade"](**tiny().hyperparameters).mmac_per_pixel() / 1e15
    config = tiny(steps=1000, petaflop=cost * (sum(pixels) - 100))
    config = dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, patch_sizes=(64, 96), batch_sizes=(2, 1)),
        runtime=dataclasses.replace(config.runtime, log_every=1, save_every=1),
    )
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    assert fit(config, whole, data_root=tmp_path)
    trained = [event.values for event in whole.events() if event.kind == "train"]
    totals = [sum(pixels[: i + 1]) for i in range(6)]
    assert [round(values["megapixels"], 3) for values in trained] == [round(x / 1e6, 3) for x in totals]
    assert trained[-1]["petaflop"] == pytest.approx(cost * totals[-1], abs=1e-6)
    assert [values["progress"] for values in trained][:-1] == pytest.approx(
        [total / (totals[-1] - 100) for total in totals[:-1]], abs=1e-4
    )
    assert trained[-1]["learning_rate"] < trained[2]["learning_rate"]
    asked = iter([False, False, False, False, True])
    assert not fit(config, parts, data_root=tmp_path, should_stop=lambda: next(asked))
    assert fit(config, parts, data_root=tmp_path, resume=True)
    assert last_state(parts)["step"] == 6
    assert same_weights(whole, parts)


def test_a_checkpoint_that_does_not_know_its_pixels_takes_them_from_the_events(tmp_path) -> None:
    run = RunFolder(tmp_path / "run")
    asked = iter([False, False, False, True])
    fit(tiny(), run, data_root=tmp_path, should_stop=lambda: next(asked))
    state = last_state(run)
    assert state["step"] == 4 and state["pixels"] == 4 * 2 * 64 * 64
    run.save({name: value for name, value in state.items() if name != "pixels"})
    fit(tiny(), run, data_root=tmp_path, resume=True)
    last = [event for event in run.events() if event.kind == "train"][-1]
    assert last.values["megapixels"] == pytest.approx(8 * 2 * 64 * 64 / 1e6, abs=1e-3)


def test_one_batch_is_learned_by_heart(tmp_path) -> None:
    trainer = Learner(tiny(learning_rate=3e-3), tmp_path, Processes("cpu"))
    batch = trainer.patches(0)[0]
    losses = [trainer.step(batch, rate=3e-3, step=i, squared=False)["spatial_3"].item() for i in range(60)]
    assert min(losses[-5:]) < 0.85 * losses[0]


def test_validation_of_an_untrained_network_is_the_do_nothing_row(tmp_path) -> None:
    values = Learner(tiny(), tmp_path, Processes("cpu")).validate()
    for case in ("qf10", "qf40", "double_10_30"):
        assert values[f"{case}_db"] == pytest.approx(values[f"{case}_input_db"], abs=0.01)
    assert values["qf10_input_db"] < values["qf40_input_db"]


def test_a_second_run_in_the_same_folder_is_refused(tmp_path) -> None:
    run = RunFolder(tmp_path / "run")
    fit(tiny(steps=1), run, data_root=tmp_path)
    with pytest.raises(InvalidSetting, match="--resume"):
        fit(tiny(steps=1), run, data_root=tmp_path)
    with pytest.raises(InvalidSetting, match="nothing to resume"):
        fit(tiny(), RunFolder(tmp_path / "other"), data_root=tmp_path, resume=True)


def test_a_published_run_is_loaded_by_the_zoo(tmp_path) -> None:
    run = RunFolder(tmp_path / "run")
    with pytest.raises(InvalidSetting, match="best.pt"):
        run.publish(tmp_path / "checkpoints")
    fit(tiny(steps=4), run, data_root=tmp_path)
    run.publish(tmp_path / "checkpoints")
    zoo = Zoo(tmp_path / "checkpoints", "cpu")
    card = next(card for card in zoo.cards() if card.name == "tiny-cpu")
    assert card.stage_names == ("stage 1", "stage 2", "stage 3") and card.steerable and card.parameters > 1000
    facts = card.trained
    assert facts is not None
    assert (facts.config, facts.steps) == ("tiny-cpu", 4)
    assert 0 < facts.petaflop <= facts.run_petaflop and facts.megapixels > 0 and facts.machines
    assert facts.validation_db == pytest.approx(
        max(event.values["score_db"] for event in run.events() if event.kind == "validation"), abs=1e-3
    )
    assert zoo.load("tiny-cpu").card.name == "tiny-cpu"


def test_the_schedule_warms_up_and_ends_low_by_steps_or_by_minutes() -> None:
    config = tiny(steps=1000, warmup_steps=10, learning_rate=1e-3, final_learning_rate=1e-6)
    assert learning_rate(config, 0, 0.0) == pytest.approx(1e-4)
    assert learning_rate(config, 10, 0.0) == pytest.approx(1e-3)
    assert learning_rate(config, 999, 1.0) == pytest.approx(1e-6)
    assert Clock(1000, 10.0, earlier_seconds=300).progress(100) == pytest.approx(0.5, abs=0.01)
    assert Clock(1000, None, earlier_seconds=1e6).progress(100) == pytest.approx(0.1)
    clock = Clock(1000, None, petaflop=3.0, mac_per_pixel=1e6, pixels=250_000_000)
    assert clock.petaflop_used == pytest.approx(1.5)
    assert clock.progress(100) == pytest.approx(0.5) and clock.progress(700) == pytest.approx(0.7)


def test_an_interrupted_write_leaves_the_old_file(tmp_path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(temporary) -> None:
        temporary.write_text("half")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        write_atomically(path, fail)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def _command(run, *more: str) -> list[str]:
    arguments = ["--run", str(run), "--steps", "24", "--minutes", "600", "--data", str(run.parent)]
    return [sys.executable, "-m", "training.train", str(TINY), *arguments, *more]


def test_the_command_line_survives_kill_and_resumes_identically(tmp_path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    config = tmp_path / "often.yaml"
    config.write_text(TINY.read_text().replace("save_every: 100", "save_every: 5"))

    def command(name: str, *more: str) -> list[str]:
        return [str(config) if part == str(TINY) else part for part in _command(tmp_path / name, *more)]

    subprocess.run(
        command("whole"), check=True, cwd=REPOSITORY, env=environment, capture_output=True, timeout=200
    )
    child = subprocess.Popen(command("killed"), cwd=REPOSITORY, env=environment, stderr=subprocess.DEVNULL)
    events, deadline = tmp_path / "killed" / "events.jsonl", time.monotonic() + 120
    while time.monotonic() < deadline and not (events.exists() and events.read_text().count('"saved"') > 1):
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    saved = [json.loads(line) for line in events.read_text().splitlines() if '"saved"' in line]
    assert saved and 0 < saved[-1]["step"] < 24
    subprocess.run(
        command("killed", "--resume"),
        check=True,
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        timeout=200,
    )
    assert same_weights(RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "killed"))


def test_a_bad_command_line_is_a_sentence_and_code_2(tmp_path) -> None:
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "training.train",
            str(TINY),
            "--run",
            str(tmp_path),
            "--steps",
            "0",
            "--petaflop",
            "-1",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert result.returncode == 2
    assert "optimizer.steps" in result.stderr and "optimizer.petaflop" in result.stderr
    assert "Traceback" not in result.stderr

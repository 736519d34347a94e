"""Learning from a teacher: the target, what steers the teacher, and checkpoints that cannot teach."""

import dataclasses

import pytest
import torch

from models.errors import InvalidSetting
from models.tensors import pixels_to_ycbcr, ycbcr_to_pixels
from models.zoo import save_checkpoint
from tests.models.sample_networks import CARDS, lively_network
from tests.training.doomed import assert_three_parts
from tests.training.tiny_runs import any_architecture
from training.config import TrainConfig
from training.learner import Learner
from training.processes import Processes


def taught(architecture: str, teacher: str, share: float = 1.0, **optimizer) -> TrainConfig:
    """A tiny run that learns from the checkpoint in a folder."""
    config = any_architecture(architecture, **optimizer)
    return dataclasses.replace(
        config, loss=dataclasses.replace(config.loss, teacher=teacher, teacher_share=share)
    )


def sample_teacher(architecture: str, folder) -> str:
    """A checkpoint with weights that change pictures."""
    card = CARDS[architecture]
    return str(save_checkpoint(folder / architecture, lively_network(card), card))


def test_the_target_lies_between_photograph_and_teacher(tmp_path) -> None:
    folder = sample_teacher("luma_chroma", tmp_path)
    targets = {}
    for share in (0.0, 0.25, 1.0):
        trainer = Learner(taught("dncnn", folder, share), tmp_path, Processes("cpu"))
        batch = trainer.patches(0)[0]
        targets[share] = trainer.target(batch)
    network = lively_network(CARDS["luma_chroma"]).half().float().eval()
    with torch.no_grad():
        restored = ycbcr_to_pixels(network(pixels_to_ycbcr(trainer.to_device(batch.degraded)))[-1])
    assert (restored - trainer.to_device(batch.degraded)).abs().max() > 0.02, "a teacher that does nothing"
    assert torch.equal(targets[0.0], trainer.to_device(batch.clean))
    assert torch.allclose(targets[1.0], restored.clamp(0, 1), atol=2e-3)
    assert torch.allclose(targets[0.25], 0.75 * targets[0.0] + 0.25 * targets[1.0], atol=1e-6)
    assert not targets[1.0].requires_grad


def test_a_teacher_sees_the_tables_that_are_hidden_from_its_pupil(tmp_path, monkeypatch) -> None:
    config = taught("cascade", sample_teacher("cascade", tmp_path))
    config = dataclasses.replace(config, tables_dropped_share=1.0, true_quality_share=1.0)
    trainer = Learner(config, tmp_path, Processes("cpu"))
    batch, seen = trainer.patches(0)[0], []
    assert batch.tables_hidden.all() and (batch.tables != 0).any()
    teacher = trainer.teacher
    assert teacher is not None
    original = teacher.condition

    def listen(summary, *, quality_factor, tables):
        seen.append((torch.equal(tables, batch.tables), torch.equal(quality_factor, batch.quality_factor)))
        return original(summary, quality_factor=quality_factor, tables=tables)

    monkeypatch.setattr(teacher, "condition", listen)
    trainer.target(batch)
    assert seen == [(True, False)], "all tables, and its own estimate of the quality factor"


@pytest.mark.parametrize("architecture", ["hr_cnn", "ar_cnn"])
def test_networks_of_planes_teach_one_another(architecture, tmp_path) -> None:
    trainer = Learner(taught("ar_cnn", sample_teacher(architecture, tmp_path)), tmp_path, Processes("cpu"))
    batch = trainer.patches(0)[0]
    assert trainer.target(batch).shape == batch.clean.shape


def test_a_pupil_comes_closer_to_its_teacher(tmp_path) -> None:
    config = taught("dncnn", sample_teacher("dncnn", tmp_path), warmup_steps=1)
    trainer = Learner(config, tmp_path, Processes("cpu"))
    teacher, batch = trainer.teacher, trainer.patches(0)[0]
    assert teacher is not None
    before = {name: weight.clone() for name, weight in teacher.state_dict().items()}
    losses = [trainer.step(batch, rate=1e-3, step=step, squared=False)["loss"].item() for step in range(12)]
    assert losses[-1] < 0.9 * losses[0]
    assert all(torch.equal(weight, before[name]) for name, weight in teacher.state_dict().items())


def test_checkpoints_that_cannot_teach_are_refused(tmp_path) -> None:
    planes = sample_teacher("ar_cnn", tmp_path)
    (tmp_path / "empty").mkdir()
    for teacher, words in (
        (str(tmp_path / "empty"), "no checkpoint to learn from"),
        ("nowhere/at/all", "no checkpoint to learn from"),
        (planes, "whole pictures"),
    ):
        with pytest.raises(InvalidSetting, match=words) as caught:
            Learner(taught("dncnn", teacher), tmp_path, Processes("cpu"))
        assert_three_parts(str(caught.value))

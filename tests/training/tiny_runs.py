"""Configurations of runs that take a second or two."""

import dataclasses

from tests.models.sample_networks import CARDS
from tests.paths import REPOSITORY
from training.config import TrainConfig

TINY = REPOSITORY / "training" / "configs" / "tiny-cpu.yaml"


def tiny(**optimizer) -> TrainConfig:
    """tiny-cpu.yaml for 8 steps of 2 patches."""
    config = TrainConfig.from_yaml(TINY)
    settings = {"steps": 8, "minutes": None, "warmup_steps": 2, **optimizer}
    return dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, batch_sizes=(2,), validation_size=64, workers=0),
        optimizer=dataclasses.replace(config.optimizer, **settings),
        runtime=dataclasses.replace(config.runtime, validate_every=4, save_every=4, log_every=2),
    )


def any_architecture(architecture: str, **optimizer) -> TrainConfig:
    """A tiny run of an architecture."""
    config = tiny(**optimizer)
    return dataclasses.replace(
        config,
        architecture=architecture,
        hyperparameters=CARDS[architecture].hyperparameters,
        data=dataclasses.replace(config.data, patch_sizes=(32,), validation_size=32),
        loss=dataclasses.replace(config.loss, stage_weights=(1.0,)),
    )

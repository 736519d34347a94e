"""Training runs as they look when they are finished or interrupted, written without training."""

from pathlib import Path
from typing import Any

import torch

from models.networks.cascade import Cascade
from training.config import TrainConfig
from training.evaluation.benchmarks import VALIDATION_CASES
from training.run import RunFolder
from training.run_state import ProcessMark, living_holder

TINY = {"widths": [8, 8, 8], "blocks": [1, 1, 1], "embedding": 8, "periods": 2, "summary": 8}


def configuration(name: str, **changes: object) -> TrainConfig:
    """A small cascade at a budget of 0.25 PFLOP."""
    card = {"title": name.replace("-", " "), "summary": "For tests.", "paper": "None."}
    text = {
        "name": name,
        "architecture": "cascade",
        "hyperparameters": TINY,
        "card": card,
        "optimizer": {"petaflop": 0.25},
        **changes,
    }
    return TrainConfig.from_text(str(text).replace("True", "true").replace("False", "false"))


def write_configuration(config: TrainConfig, folder: Path) -> Path:
    """As a YAML file of its name."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{config.name}.yaml"
    path.write_text(config.to_yaml(), encoding="utf-8")
    return path


def write_run(config: TrainConfig, folder: Path, *, score_db: float, finished: bool = True) -> RunFolder:
    """A run with two validations, the first better by a tenth of a dB than the second, and random best weights."""
    run = RunFolder(folder / config.name)
    run.begin(config)
    run.write_event(0, "start", resumed=False, score_db=20.0)
    for step, score in ((10, score_db), (20, score_db - 0.1)):
        run.write_event(
            step, "train", megapixels=step * 100.0, petaflop=step / 80, minutes=step / 10, machine="none"
        )
        cases = {f"{case.name}_db": score + number for number, case in enumerate(VALIDATION_CASES)}
        run.write_event(step, "validation", score_db=score, **cases)
    run.write_event(20, "end", finished=finished, minutes=2.0)
    run.save({})
    torch.manual_seed(4)
    run.save_best(Cascade(**config.hyperparameters).state_dict(), 10, score_db)
    return run


def holder_of(run: RunFolder) -> ProcessMark | None:
    """The living process that trains there; None where there is none."""
    return living_holder(run)


def last_state(run: RunFolder) -> dict[str, Any]:
    """What a resumed run begins with."""
    return run.load_latest()[0]

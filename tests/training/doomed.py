"""Processes that tests kill: forked from a server that has imported the trainer already, so they start fast."""

import multiprocessing
from multiprocessing.process import BaseProcess
from pathlib import Path

import skimage.data
import torch
import torch._dynamo  # which the first optimizer imports otherwise, in two seconds

from models.png_files import write_png
from tests.training.sample_runs import TINY
from training.config import TrainConfig
from training.run import RunFolder
from training.trainer import fit

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.training.doomed"])


def assert_three_parts(sentence: str) -> None:
    assert len(sentence.split(". ")) >= 3 and "Traceback" not in sentence and "\n" not in sentence, sentence


def started(target, *arguments) -> BaseProcess:
    """A process that runs target(*arguments)."""
    process = SERVER.Process(target=target, args=arguments)
    process.start()
    return process


def write_photographs(root: Path) -> None:
    """Three photographs to train on and two for validation, 80 to 96 pixels wide."""
    for folder, picture, corners in (
        ("train", skimage.data.astronaut(), ((100, 180), (0, 200), (300, 100))),
        ("validation", skimage.data.coffee(), ((100, 200), (200, 300))),
    ):
        (root / folder).mkdir(parents=True)
        for number, (top, left) in enumerate(corners):
            write_png(picture[top : top + 80, left : left + 96], root / folder / f"{folder}-{number}.png")


def small_configuration(**optimizer: object) -> TrainConfig:
    """Two phases of a minuscule cascade with one data worker, saved and validated often."""
    settings = {"steps": 60, "warmup_steps": 5, "method": "muon", "ema": 0.9, **optimizer}
    values = {
        "name": "small",
        "architecture": "cascade",
        "hyperparameters": TINY,
        "data": {
            "train": ["train"],
            "validation": "validation",
            "patch_sizes": [32, 48],
            "batch_sizes": [2, 2],
            "workers": 1,
            "validation_size": 48,
        },
        "optimizer": settings,
        "runtime": {
            "precision": "fp32",
            "compile": False,
            "validate_every": 11,
            "save_every": 4,
            "log_every": 3,
        },
    }
    return TrainConfig.from_text(str(values).replace("True", "true").replace("False", "false"))


def train(folder: Path, data_root: Path, *, resume: bool = True) -> None:
    """Train in one thread, going on where there is something to go on from."""
    torch.set_num_threads(1)
    run = RunFolder(folder)
    fit(
        small_configuration(),
        run,
        data_root=data_root,
        resume=resume and run.config_path.exists(),
        device="cpu",
    )


def save_without_end(folder: Path, step: int) -> None:
    """Save one state after the other; each is told from the others by its step and full of it."""
    run = RunFolder(folder)
    while True:
        step += 1
        run.save({"step": step, "weights": torch.full((200_000,), float(step))})

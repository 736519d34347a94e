"""Command line of the trainer: python -m training.train training/configs/cascade.yaml."""

from models.interrupts import end_at_signals

if __name__ == "__main__":
    end_at_signals()  # before what takes long to import

import argparse
import dataclasses
import os
import signal
import sys
from pathlib import Path

from models.errors import RestorationError
from training.config import TrainConfig
from training.console import Console
from training.failures import in_words
from training.processes import end_process, is_first_process
from training.run import TrainRun
from training.trainer import fit

DEFAULT_DATA = os.environ.get("JPEG_STUDIO_DATA", "../shared/data")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line, as described by --help."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train", description="Train a restoration network."
    )
    parser.add_argument(
        "config", type=Path, nargs="?", help="YAML file; may be left out with --resume or --publish"
    )
    parser.add_argument(
        "--run",
        "--folder",
        type=Path,
        help="folder of the run (default: runs/<name>); torchrun takes --run for an option of its own",
    )
    parser.add_argument(
        "--data", type=Path, default=Path(DEFAULT_DATA), help="folder above the picture folders"
    )
    parser.add_argument(
        "--minutes", type=float, help="wall-clock budget; the learning rate's schedule completes in it"
    )
    parser.add_argument("--steps", type=int, help="step budget")
    parser.add_argument(
        "--petaflop", type=float, help="budget of training operations in 1e15, 6 per multiply-accumulate"
    )
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    parser.add_argument("--device", help="cpu, cuda, cuda:1 (default: CUDA where there is one)")
    parser.add_argument(
        "--publish", type=Path, metavar="CHECKPOINTS", help="write the best weights there and stop"
    )
    return parser.parse_args(arguments)


def load_config(options: argparse.Namespace) -> tuple[TrainConfig, TrainRun]:
    """The configuration, with the command line's budget in it, and the run's folder."""
    if options.config is None:
        if options.run is None:
            raise SystemExit(
                "Name a configuration such as training/configs/tiny-cpu.yaml, or a run with --run."
            )
        run = TrainRun(options.run)
        config = TrainConfig.from_yaml(run.config_path)
    else:
        config = TrainConfig.from_yaml(options.config)
        run = TrainRun(options.run or Path("runs") / config.name)
        if options.resume:
            config = TrainConfig.from_yaml(run.config_path)
    budget = {
        name: getattr(options, name)
        for name in ("minutes", "steps", "petaflop")
        if getattr(options, name) is not None
    }
    if budget:
        config = dataclasses.replace(config, optimizer=dataclasses.replace(config.optimizer, **budget))
        config = TrainConfig.from_text(config.to_yaml(), "the command line")
    return config, run


def main(arguments: list[str] | None = None) -> int:
    """Train, resume or publish; returns the exit code."""
    options = parse_arguments(arguments)
    asked_to_stop = []
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, frame: asked_to_stop.append(number))
    console = Console()
    try:
        config, run = load_config(options)
        if options.publish:
            print(f"Wrote {run.publish(options.publish)}")
            return 0
        finished = fit(
            config,
            run,
            data_root=options.data,
            resume=options.resume,
            device=options.device,
            should_stop=lambda: bool(asked_to_stop),
            on_event=console.show,
        )
    except (RestorationError, OSError) as error:
        console.close()
        print(in_words(error), file=sys.stderr)
        return 2
    console.close()
    if not is_first_process():
        return 0
    if finished:
        print(f"Finished. Publish it with: python -m training.train --run {run.folder} --publish checkpoints")
    else:
        print(f"Stopped and saved. Go on with: python -m training.train --run {run.folder} --resume")
    return 0


if __name__ == "__main__":
    end_process(main())

"""Command line of the trainer, and what it prints: python -m training.train training/configs/cascade.yaml."""

import sys

from tqdm import tqdm

from models.interrupts import end_at_signals

if __name__ == "__main__":
    end_at_signals()  # before anything else is imported

import argparse
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from models.command_line import add_common_options, begin, program
from models.errors import RestorationError
from training.events import History, activity_words
from training.outcome import outcome_of

if TYPE_CHECKING:
    from training.config import TrainConfig
    from training.events import TrainEvent
    from training.run import RunFolder

MORE_MINUTES = 10
"""Offered to a run that learned nothing."""

DEFAULT_DATA = os.environ.get("JPEG_STUDIO_DATA", "../shared/data")


class Console:
    """Prints the events of a run as they happen."""

    def __init__(self, *, quiet: bool = False) -> None:
        """A bar where a person watches, lines where a file does; neither where quiet."""
        self.bar = None
        self.quiet = quiet
        if sys.stderr.isatty() and not quiet:
            shape = "{l_bar}{bar}| {elapsed} {postfix}"
            self.bar = tqdm(total=100, unit="%", bar_format=shape, dynamic_ncols=True)

    def show(self, event: "TrainEvent") -> None:
        """Print an event; see training.journal for its values."""
        sentence = "" if self.quiet else _sentence(event)
        if event.kind == "train" and self.bar is not None:
            self.bar.n = round(event.values["progress"] * 100, 2)
            self.bar.set_postfix_str(sentence)
        elif sentence:
            tqdm.write(sentence, file=sys.stdout)
            sys.stdout.flush()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self.bar is not None:
            self.bar.close()


def _sentence(event: "TrainEvent") -> str:
    """An event in one line; "" for those that need none."""
    values = event.values
    if event.kind == "start":
        begun = "Resumed" if values["resumed"] else "Begun"
        return "\n".join([*values["warnings"], f"{begun} at step {event.step}."])
    if event.kind == "train":
        return (
            f"step {event.step}, loss {_number(values['loss'])}, {values['images_per_second']:.1f} images/s, "
            f"{values['megapixels_per_second']:.3f} MP/s, waiting for data {values['waiting_share']:.1%}, "
            f"{values['memory_mb']:.0f} MB, {_duration(values['seconds_left'])} left"
        )
    if event.kind == "activity":
        return activity_words(values)
    if event.kind == "validation":
        gain = values["score_db"] - values["score_input_db"]
        return f"step {event.step}, validation {values['score_db']:.3f} dB, {gain:+.3f} dB over doing nothing"
    return ""


def _number(value: float | None) -> str:
    return "no number" if value is None else f"{value:.5f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line, as described by --help."""
    parser = argparse.ArgumentParser(
        prog=program("training.train"), description="Train a restoration network."
    )
    add_common_options(parser, dry_run="check the configuration, say what would be trained, and end")
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
        "--minutes",
        type=float,
        help="wall-clock budget from the end of the first step; the learning rate's schedule completes in it",
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


def load_config(options: argparse.Namespace) -> tuple["TrainConfig", "RunFolder"]:
    """The configuration, with the command line's budget in it, and the run's folder."""
    from training.config import TrainConfig
    from training.run import RunFolder

    if options.config is None:
        if options.run is None:
            raise SystemExit(
                "Name a configuration such as training/configs/tiny-cpu.yaml, or a run with --run."
            )
        run = RunFolder(options.run)
        config = run.config
    else:
        config = TrainConfig.from_yaml(options.config)
        run = RunFolder(options.run or Path("runs") / config.name)
        if options.resume:
            config = run.config
    budget = {
        name: getattr(options, name)
        for name in ("minutes", "steps", "petaflop")
        if getattr(options, name) is not None
    }
    if budget:
        values = config.to_values()
        values["optimizer"] |= budget
        config = TrainConfig.from_values(values, "the command line")
    return config, run


def main(arguments: list[str] | None = None) -> int:
    """Train, resume or publish; returns the exit code."""
    begin()
    options = parse_arguments(arguments)
    from training.failures import in_words
    from training.trainer import fit

    signals = []
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, frame: signals.append(number))
    console = Console(quiet=options.quiet)
    try:
        config, run = load_config(options)

        def asked() -> bool:
            return bool(signals) or run.stop_path.exists()

        if options.dry_run:
            print(_plan(config, run, options))
            return 0
        if options.publish:
            print(f"Wrote {run.publish(options.publish)}")
            outcome = outcome_of(History.of(run.events()))
            if outcome.learned is False:
                print(outcome.sentence)
            return 0
        finished = fit(
            config,
            run,
            data_root=options.data,
            resume=options.resume,
            device=options.device,
            should_stop=asked,
            should_leave=asked,
            on_event=console.show,
        )
    except (RestorationError, OSError) as error:
        console.close()
        print(in_words(error), file=sys.stderr)
        return 2
    console.close()
    _say_what_next(finished, run)
    return 0


def _plan(config: "TrainConfig", run: "RunFolder", options: argparse.Namespace) -> str:
    """What --dry-run says."""
    if options.publish:
        return f"The best weights of {run.folder} would be written to {options.publish}."
    budgets = {name: getattr(config.optimizer, name) for name in ("minutes", "steps", "petaflop")}
    budget = ", ".join(f"{value:g} {name}" for name, value in budgets.items() if value)
    begun = "go on" if options.resume else "begin"
    return f"{config.name} ({config.architecture}) would {begun} in {run.folder}, for at most {budget}."


def _say_what_next(finished: bool, run: "RunFolder") -> None:
    from training.processes import is_first_process

    if not is_first_process():
        return
    history = History.of(run.events())
    outcome, command = outcome_of(history), f"{program('training.train')} --run {run.folder}"
    print(outcome.sentence)
    if not finished:
        saved = f"It is saved. Go on with: {command} --resume"
        print(saved if run.can_resume() else "Nothing was saved, because no step was done.")
    elif outcome.learned is False:
        budget = history.ended_by or "minutes"
        more = f"{history.minutes + MORE_MINUTES:.0f}" if budget == "minutes" else "MORE"
        print(f"Give it more with: {command} --resume --{budget} {more}")
    else:
        print(f"Publish it with: {command} --publish checkpoints")


def command() -> None:
    """The trainer as a program of its own."""
    end_at_signals()  # before what takes long to import
    code = main()
    from training.processes import end_process

    end_process(code)


if __name__ == "__main__":
    command()

"""Command line: train a folder of configurations one after another, each once, going on where it was interrupted.

python -m training.experiments.series training/configs/quality-factor --list
"""

import argparse
import contextlib
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.command_line import begin
from models.errors import InvalidSetting, RestorationError
from training.config import TrainConfig
from training.run import RunFolder, TrainEvent
from training.train import DEFAULT_DATA

MISSING, INTERRUPTED, FINISHED, DIFFERENT = (
    "missing",
    "interrupted",
    "finished",
    "trained with other settings",
)


WATCH_SECONDS = 0.25
"""How often a trainer is looked after."""


@dataclass(frozen=True)
class Member:
    """One configuration of a series and the run it makes.

    Attributes:
        path: the YAML file.
        config: its content, with the series's budget in it.
        run: where it is trained.
    """

    path: Path
    config: TrainConfig
    run: RunFolder

    @property
    def state(self) -> str:
        """MISSING, INTERRUPTED, FINISHED or DIFFERENT."""
        events = self._events() if self.run.config_path.exists() else []
        if not events:
            return MISSING
        finished = events[-1].kind == "end" and events[-1].values["finished"]
        if not finished and not self.run.last_path.exists():
            return MISSING
        if self.run.config != self.config:
            return DIFFERENT
        return FINISHED if finished else INTERRUPTED

    @property
    def budget(self) -> str:
        """What ends the run, for people."""
        optimizer = self.config.optimizer
        return f"{optimizer.petaflop:g} PFLOP" if optimizer.petaflop else f"{optimizer.steps} steps"

    @property
    def petaflop(self) -> float:
        """Operations trained so far, in units of 1e15, as of the last event that says so."""
        return self._last_training("petaflop")

    @property
    def megapixels(self) -> float:
        """Pixels of patches trained on so far, in units of 1e6, as of the same event."""
        return self._last_training("megapixels")

    @property
    def best(self) -> TrainEvent | None:
        """The validation by which the best weights were picked; None before the first."""
        validations = [event for event in self._events() if event.kind == "validation"]
        return max(validations, key=lambda event: event.values["score_db"], default=None)

    def _last_training(self, value: str) -> float:
        found = [event.values[value] for event in self._events() if event.kind == "train"]
        return found[-1] if found else 0.0

    def _events(self) -> list[TrainEvent]:
        """Those of the latest attempt; earlier ones may have been killed before they saved anything."""
        events = list(self.run.events())
        begun = [i for i, event in enumerate(events) if event.kind == "start" and not event.values["resumed"]]
        return events[begun[-1] :] if begun else events


def read_series(configs: Path, runs: Path, petaflop: float | None = None) -> list[Member]:
    """The series of a folder, in the order of its file names.

    Args:
        configs: holds one YAML per member.
        runs: the folder of their runs, each named like its configuration.
        petaflop: budget for all instead of the configurations' own.

    Raises:
        InvalidSetting: no configuration, or a broken one.
    """
    paths = sorted(configs.glob("*.yaml"))
    if not paths:
        raise InvalidSetting(
            f"There is no configuration in {configs}. A series is a folder of YAML files. "
            "Name one, such as training/configs/ablation."
        )
    members = []
    for path in paths:
        config = TrainConfig.from_yaml(path)
        if petaflop is not None:
            values = config.to_values()
            values["optimizer"]["petaflop"] = petaflop
            config = TrainConfig.from_values(values, f"{path} with the budget of the command line")
        members.append(Member(path, config, RunFolder(runs / config.name)))
    return members


def chosen(members: Sequence[Member], names: Sequence[str] | None) -> list[Member]:
    """Those of the given names, or all.

    Raises:
        InvalidSetting: a name that no member has.
    """
    known = {member.config.name: member for member in members}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise InvalidSetting(
            f"The series has no {', '.join(unknown)}. It has {', '.join(known)}. Choose one of them."
        )
    return [known[name] for name in names] if names else list(members)


def train_all(members: Sequence[Member], data: Path, device: str | None = None) -> bool:
    """Train what is missing and go on with what was interrupted, each in a process of its own.

    Args:
        members: in the order in which they are to be trained; the finished ones are passed over.
        data: the folder above the picture folders.
        device: cpu, cuda, ...; None leaves it to the trainer.

    Returns:
        True when all are finished, False when asked to stop; the member in training has then saved itself.

    Raises:
        InvalidSetting: a run that was trained with other settings, before any training; or one that failed.
    """
    different = [member for member in members if member.state == DIFFERENT]
    if different:
        folders = ", ".join(str(member.run.folder) for member in different)
        raise InvalidSetting(
            f"These runs were trained with other settings than their configurations have now: {folders}. One "
            "series is trained with one set of settings. Move them away to train them anew, or name another "
            "folder with --runs."
        )
    for member in members:
        if member.state == FINISHED:
            continue
        print(f"{member.config.name}: {member.state}, training", flush=True)
        code, asked_to_stop = _run(_command(member, data, device), member.run.stop_path)
        if code and not asked_to_stop:
            raise InvalidSetting(
                f"Training {member.config.name} ended with exit code {code}. Its own message stands above. "
                "Correct what it names and start the series again; what is finished is kept."
            )
        if asked_to_stop or member.state != FINISHED:
            return False
    return True


def listing(members: Sequence[Member]) -> str:
    """One line per member: its state, the operations used and its best validation score."""
    width = max(len(member.config.name) for member in members)
    lines = []
    for member in members:
        best = member.best
        score = f"{best.values['score_db']:.3f} dB at step {best.step}" if best else "not validated yet"
        used = f"{member.petaflop:.3f} PFLOP used of {member.budget}"
        lines.append(f"{member.config.name.ljust(width)}  {member.state}, {used}, {score}")
    return "\n".join(lines)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that every command line over a series has."""
    add = parser.add_argument
    add("--list", action="store_true", help="say what is trained and what is not, and stop")
    add("--runs", type=Path, help="folder of the runs (default: runs/ and the name of the series)")
    add("--data", type=Path, default=Path(DEFAULT_DATA), help="folder above the picture folders")
    add("--only", action="append", metavar="NAME", help="this member; may be repeated")
    add("--petaflop", type=float, help="budget of each, instead of the configurations' own")
    add("--device", help="cpu, cuda, cuda:1 (default: CUDA where there is one)")


def _command(member: Member, data: Path, device: str | None) -> list[str]:
    command = [sys.executable, "-m", "training.train", str(member.path), "--run", str(member.run.folder)]
    command += ["--data", str(data), "--device", device] if device else ["--data", str(data)]
    if member.state == INTERRUPTED:
        return [*command, "--resume"]
    budget = member.config.optimizer.petaflop
    return [*command, "--petaflop", str(budget)] if budget else command


def _run(command: list[str], stop: Path) -> tuple[int, bool]:
    """Run a trainer to its end: its exit code, and whether this process was asked to stop, which the file passes on."""
    asked: list[int] = []
    process = subprocess.Popen(command)
    before = {
        number: signal.signal(number, lambda number, frame: asked.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(WATCH_SECONDS)
            if asked and process.poll() is None:
                with contextlib.suppress(OSError):  # again and again: a trainer that begins takes it away
                    stop.touch()
        return process.returncode, bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    begin()
    parser = argparse.ArgumentParser(
        prog="python -m training.experiments.series", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("configs", type=Path, help="folder of YAML files, such as training/configs/ablation")
    add_options(parser)
    options = parser.parse_args(arguments)
    try:
        runs = options.runs or Path("runs") / options.configs.resolve().name
        members = chosen(read_series(options.configs, runs, options.petaflop), options.only)
        if options.list:
            print(listing(members))
            return 0
        finished = train_all(members, options.data, options.device)
    except (RestorationError, OSError) as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 2
    print("All are finished." if finished else "Stopped and saved. The same command goes on.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

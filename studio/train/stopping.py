"""How a trainer is made to end: asked by a file, then firmly, then by force, and how long each of these waits."""

import contextlib

import psutil

from models.operating_system import ask_firmly
from training.events import History
from training.run import RunFolder
from training.run_state import ProcessMark, age_seconds, is_late, noted_holder

ASKED, FIRMLY, BY_FORCE = 1, 2, 3

PATIENCE_SECONDS = (120.0, 30.0)
"""From the file to a firmer request, and from there to the end by force: a step of a large network takes long."""

HANGING_PATIENCE_SECONDS = (5.0, 10.0)
"""The same for a trainer that has not given a sign for long."""

STARTING_PATIENCE_SECONDS = (2.0, 2.0)
"""The same before the first step is done, which may compile for minutes: nothing is lost."""


def due(run: RunFolder, mark: ProcessMark, history: History, patience: tuple[float, float]) -> int:
    """ASKED, FIRMLY or BY_FORCE: what is due by now, in a folder with a file that asks to stop.

    Args:
        run: its folder.
        mark: the trainer.
        history: what the events of the run said.
        patience: for a trainer that trains.
    """
    holder, age = noted_holder(run), age_seconds(run.stop_path)
    if holder is None or holder.pid != mark.pid:  # it imports what it needs, and looks at no file yet
        return BY_FORCE if age >= sum(STARTING_PATIENCE_SECONDS) else FIRMLY
    if history.activity:
        patience = min(patience, STARTING_PATIENCE_SECONDS)
    elif is_late(run, mark):
        patience = min(patience, HANGING_PATIENCE_SECONDS)
    return BY_FORCE if age >= sum(patience) else FIRMLY if age >= patience[0] else ASKED


def send(mark: ProcessMark, request: int) -> None:
    """Send FIRMLY or BY_FORCE, which also ends what the trainer started; the file itself was ASKED."""
    if request == ASKED:
        return
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(mark.pid)
        if request == FIRMLY:
            ask_firmly(process)
            return
        for one in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.Error):
                one.kill()

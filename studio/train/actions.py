"""What the large button of the Train tab does and says, and the way back from a run to the recipe."""

from collections.abc import Sequence
from typing import Any

from studio.server.answers import Props
from studio.train.jobs import Jobs
from studio.train.runs_view import RunRow
from training.outcome import outcome_of

START, STOP, RESUME, MORE, STOPPING, WAITING = "start", "stop", "resume", "more", "stopping", "waiting"
"""What the large button does; the last two say why it does nothing."""

MORE_MINUTES = 10.0
"""What MORE gives to a run whose minutes were too few to learn anything."""


def action_of(row: RunRow | None, rows: Sequence[RunRow], name: str, jobs: Jobs) -> tuple[str, str]:
    """What the button does, and what it says.

    Args:
        row: the run on view; None for none.
        rows: all runs.
        name: of the run that the recipe would start.
        jobs: knows which run can go on.
    """
    if row is not None and row.state.is_live:
        return (STOPPING, "Saving") if row.state.kind == "stopping" else (STOP, "Stop")
    action, words = START, f"Start {name}" if name else "Start"
    if row is not None and jobs.files(row.name).can_resume():
        if row.state.kind in ("stopped", "failed"):
            action, words = RESUME, f"Resume {row.name}"
        elif row.record.ended_by == "minutes" and outcome_of(row.record).learned is False:
            action, words = MORE, f"{MORE_MINUTES:g} more minutes"
    return (WAITING if any(one.state.is_live for one in rows) else action), words


def buttons(action: str, words: str, *, run_on_view: bool) -> dict[str, Any]:
    """The large button, and the way back."""
    variant = "stop" if action == STOP else "primary"
    return {
        "button": Props(value=words, interactive=action not in (STOPPING, WAITING), variant=variant),
        "another": Props(visible=run_on_view and action in (START, RESUME, MORE)),
    }

"""Overview: how all runs stand, looked up once for everybody who watches."""

import hashlib
import logging
import threading
import time
from collections.abc import Sequence

from models.bounded_reading import read_at_most
from models.zoo import Zoo
from studio.train.jobs import Jobs
from studio.train.publish import is_newer, is_published
from studio.train.record import RunRecord
from studio.train.runs_view import RunRow
from training.config_text import MAX_TEXT_BYTES, read_yaml
from training.run import RunFolder
from training.run_state import RunState

logger = logging.getLogger(__name__)

UNREADABLE = (
    "What lies in its folder cannot be understood; the server's log has the details. Runs of this studio's own trainer "
    "can be shown. Delete it, or take its folder away."
)

FRESH_SECONDS = 1.0
"""Watchers who ask within this get the same answer: many of them cost no more than one."""


class Overview:
    """Every run of a root, with its state, its record, and whether its weights are in the pickers."""

    def __init__(self, jobs: Jobs, zoo: Zoo) -> None:
        self._jobs, self._zoo = jobs, zoo
        self._lock = threading.Lock()
        self._rows: list[RunRow] = []
        self._looked_at = float("-inf")
        self._networks: dict[tuple[str, float], str] = {}

    def rows(self) -> list[RunRow]:
        """The runs, the latest first; at most FRESH_SECONDS old."""
        with self._lock:
            if time.monotonic() - self._looked_at >= FRESH_SECONDS:
                shipped = self.shipped_names()
                self._rows = [self._row_whatever_it_says(name, shipped) for name in self._jobs.names()]
                self._looked_at = time.monotonic()
            return self._rows

    def pulse(self) -> dict[str, str]:
        """The states of all runs, and how far they have come, as short texts to compare."""
        rows = self.rows()
        states = [(row.name, row.state.kind, _doing(row.state), row.published) for row in rows]
        told = [(row.record.version, row.can_publish, _log_size(self._jobs.files(row.name))) for row in rows]
        return {"urgent": _short_of(states), "news": _short_of(told)}

    def forget(self) -> None:
        """Something was done: look again at the next question."""
        with self._lock:
            self._looked_at = float("-inf")

    def shipped_names(self) -> frozenset[str]:
        """Names of checkpoints that were not trained here."""
        return frozenset(path.parent.name for path in self._zoo.folder.glob("*/card.yaml"))

    def _row_whatever_it_says(self, name: str, shipped: frozenset[str]) -> RunRow:
        """The folder of a run may come from anywhere: one that cannot be told leaves the others in the list."""
        try:
            return self._row(name, shipped)
        except Exception:
            logger.exception("the run %s cannot be told", name)
            return RunRow(
                name, RunState("failed", UNREADABLE), RunRecord(), "", can_publish=False, published=False
            )

    def _row(self, name: str, shipped: frozenset[str]) -> RunRow:
        run, own = self._jobs.files(name), self._zoo.own_folder
        return RunRow(
            name=name,
            state=self._jobs.state(name),
            record=self._jobs.record(name),
            network=self._network(run),
            can_publish=own is not None and is_newer(run, own, shipped),
            published=own is not None and is_published(run, own, shipped),
        )

    def _network(self, run: RunFolder) -> str:
        """The architecture that its configuration names; "" where that cannot be read."""
        try:
            key = (run.folder.name, run.config_path.stat().st_mtime)
            if key not in self._networks:
                text = read_at_most(run.config_path, MAX_TEXT_BYTES).decode("utf-8")
                entries = read_yaml(text, run.folder.name)
                name = entries.get("architecture", "") if isinstance(entries, dict) else ""
                self._networks[key] = str(name)[:40]
            return self._networks[key]
        except Exception:  # a file of somebody else's may hold anything
            return ""


def _doing(state: RunState) -> str:
    """What is news at once."""
    return state.sentence if state.kind == "starting" else ""


def _log_size(run: RunFolder) -> int:
    try:
        return run.log_path.stat().st_size
    except OSError:
        return 0


def _short_of(facts: Sequence[tuple[object, ...]]) -> str:
    return hashlib.blake2b(repr(facts).encode(), digest_size=8).hexdigest()

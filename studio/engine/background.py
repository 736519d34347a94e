"""A restorer at work in a thread of its own: its progress can be told, and it can be stopped, meanwhile."""

import logging
from collections.abc import Callable, Generator
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import Generic, TypeVar

from models.card import ModelCard
from models.errors import OutOfMemory, RestorationCancelled, RestorationError
from models.jpeg import JpegImage
from models.network_restorer import is_out_of_memory
from models.restorer import OnTile, RestoredPart
from studio.engine.turn import Turn

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

SPARE_MEMORY = "What it needs grows with the picture. Try again in a minute, or choose a smaller picture."


_TURN = Turn()
"""Held by the one restorer of this process at work: two would only take each other's processor. It changes hands
between tiles, so that a small picture never waits for a large one."""

QUICK_MMAC = 20_000.0
"""A tenth of a second of a core, or 130 by 130 pixels of the largest networks. So little work needs no turn: a tile of
somebody else's takes fifty times as long."""

BASELINE_MMAC_PER_PIXEL = 0.02
"""What baselines count for, which cost their picture's memory."""


def needs_turn(card: ModelCard, image: JpegImage) -> bool:
    """Whether a model works on a picture for so long that others have to wait meanwhile."""
    rows, columns = image.decoded_pixels.shape[:2]
    return rows * columns * max(card.mmac_per_pixel, BASELINE_MMAC_PER_PIXEL) > QUICK_MMAC


@dataclass(frozen=True)
class Progress:
    """One more tile is done.

    Attributes:
        model_name: which model is at work.
        done, total: tiles; both 0 before the first one.
        seconds: since this model's turn came.
        part: what the tile shows, where that can be told before the last one.
    """

    model_name: str
    done: int
    total: int
    seconds: float
    part: RestoredPart | None = field(default=None, compare=False)


@dataclass(frozen=True, eq=False)
class _Done(Generic[Result]):
    """What the thread hands over at its end."""

    result: Result


def in_background(
    name: str, work: Callable[[OnTile], Result], stop: Event, *, in_turn: bool = True
) -> Generator[Progress, None, Result]:
    """Do a restorer's work in a thread of its own, so that progress can be yielded while it runs.

    One restorer works at a time, whoever asked for it; the others wait, at most for one tile of each before them.

    Args:
        name: of the model, for progress and messages.
        work: restores; hands the given on_tile to Restorer.restore.
        stop: set it from anywhere to end the work within one tile; a generator that is closed ends it too.
        in_turn: wait until no other restorer is at work; False for work that is part of such work, see also needs_turn.

    Yields:
        Progress after every tile.

    Returns:
        What `work` returns.

    Raises:
        RestorationCancelled: once `stop` is set.
        RestorationError: with a sentence for people, whatever went wrong.
    """
    running = _Running[Result](name, stop)
    if stop.is_set():
        raise running.stopped_before_it_began()
    do = partial(work, running.on_tile) if not in_turn else partial(running.in_turn, work)
    context = copy_context()  # a GPU that is lent wants to know for whose request
    run = partial(context.run, lambda: running.news.put(_outcome(name, do)))
    Thread(target=run, name=f"restore-{name}", daemon=True).start()
    try:
        while True:
            item = running.news.get()
            if isinstance(item, Exception):
                raise item
            if isinstance(item, _Done):
                return item.result
            yield item
    finally:
        running.abandoned.set()


class _Running(Generic[Result]):
    """One restorer's work, as its own thread and its listener see it.

    Attributes:
        news: what the listener is told.
        abandoned: set once nobody listens any more.
    """

    def __init__(self, name: str, stop: Event) -> None:
        self.news: SimpleQueue[Progress | _Done[Result] | Exception] = SimpleQueue()
        self.abandoned = Event()
        self._name, self._stop = name, stop
        self._began, self._has_turn = monotonic(), False

    def stopped_before_it_began(self) -> RestorationCancelled:
        """What the listener is told then."""
        return RestorationCancelled(f"Stopped before {self._name} began. Press the button again to run it.")

    def on_tile(self, done: int, total: int, part: RestoredPart | None = None) -> None:
        """Tell of a tile, and let others have one in between."""
        if not self._has_left():
            self.news.put(Progress(self._name, done, total, monotonic() - self._began, part))
            if self._has_turn and done < total:
                before = monotonic()
                self._has_turn = _TURN.hand_on(self._has_left)
                self._began += monotonic() - before  # waiting is no work
        if self._has_left():
            raise RestorationCancelled(
                f"Stopped {self._name} after {done} of {total} tiles. "
                "Finished results stay on the page. Press the button again to run the rest."
            )

    def in_turn(self, work: Callable[[OnTile], Result]) -> Result:
        """Wait for the turn, work, and give it back."""
        self._has_turn = _TURN.take(self._has_left)
        if not self._has_turn:
            raise self.stopped_before_it_began()
        self._began = monotonic()
        try:
            return work(self.on_tile)
        finally:
            if self._has_turn:
                _TURN.give_back()

    def _has_left(self) -> bool:
        return self._stop.is_set() or self.abandoned.is_set()


def _outcome(name: str, work: Callable[[], Result]) -> "_Done[Result] | Exception":
    """What work gives, or the error to show."""
    try:
        return _Done(work())
    except RestorationError as error:
        return error
    except Exception as problem:
        return _for_people(name, problem)


def _for_people(name: str, problem: Exception) -> RestorationError:
    """What a model's failure is called on the page; the log has the rest."""
    if is_out_of_memory(problem):
        return OutOfMemory(f"{name} ran out of memory. {SPARE_MEMORY}")
    logger.error("%s failed", name, exc_info=problem)
    return RestorationError(
        f"{name} failed on this picture for a reason nobody foresaw; the server's log has the details. "
        "Other models are not affected. Untick it, or try another picture."
    )

"""Work that is due later: one thread for all of it."""

import heapq
import itertools
import logging
from collections.abc import Callable, Hashable
from threading import Condition, Thread
from time import monotonic

logger = logging.getLogger(__name__)


class Later:
    """Calls what is due, one after the other; safe to use from several threads."""

    def __init__(self, name: str) -> None:
        """No thread is started before there is something to do; `name` is the thread's."""
        self._name = name
        self._due: list[tuple[float, int, Hashable]] = []
        self._work: dict[Hashable, tuple[int, Callable[[], object]]] = {}
        self._numbers = itertools.count()
        self._changed = Condition()
        self._thread: Thread | None = None

    def call(self, key: Hashable, seconds: float, work: Callable[[], object]) -> None:
        """Call `work` after so many seconds, unless other work is given under the same key until then."""
        with self._changed:
            number = next(self._numbers)
            self._work[key] = number, work
            heapq.heappush(self._due, (monotonic() + seconds, number, key))
            if len(self._due) > 2 * len(self._work) + 100:  # mostly what was given anew since
                self._due = [one for one in self._due if self._is_current(one)]
                heapq.heapify(self._due)
            if self._thread is None:
                self._thread = Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()

    def forget(self, key: Hashable) -> None:
        """Nothing is due under this key any more."""
        with self._changed:
            self._work.pop(key, None)

    def __len__(self) -> int:
        """How much is still to be done."""
        return len(self._work)

    def _is_current(self, entry: tuple[float, int, Hashable]) -> bool:
        return self._work.get(entry[2], (None,))[0] == entry[1]

    def _run(self) -> None:
        while True:
            work = self._next()
            try:
                work()
            except Exception:
                logger.exception("what was due failed")

    def _next(self) -> Callable[[], object]:
        with self._changed:
            while True:
                while self._due and not self._is_current(self._due[0]):
                    heapq.heappop(self._due)
                wait = self._due[0][0] - monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return self._work.pop(heapq.heappop(self._due)[2])[1]
                self._changed.wait(wait)

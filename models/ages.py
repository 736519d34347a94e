"""How long ago something last changed, whatever becomes of the machine's clock meanwhile."""

import time
from collections.abc import Hashable, Iterable
from threading import Lock

_STEADY_OFFSET = time.time() - time.monotonic()
"""From the clock that nobody sets to the wall clock as it was when this process began."""


class Ages:
    """Notes when changes were seen; safe to call from several threads.

    What has changed under these eyes is as old as that is long ago, by a clock that only goes on. What was there
    before is as old as its own time of change says, by the clock as it is and as it was, whichever makes it younger;
    a time that lies ahead of a clock says nothing by it.
    """

    def __init__(self) -> None:
        self._seen: dict[
            Hashable, tuple[int, float]
        ] = {}  # (time of change in ns, when by the monotonic clock)
        self._lock = Lock()

    def seconds(self, key: Hashable, changed_ns: int, *, is_new: bool = False) -> float:
        """How long ago something changed, in seconds, never below 0.

        Args:
            key: what it is.
            changed_ns: its own time of change, in ns since the epoch; another one than before means a change.
            is_new: it was changed just now, whatever its time says.
        """
        now = time.monotonic()
        with self._lock:
            known = self._seen.get(key)
            if is_new:
                known = (changed_ns, now)
            elif known is None or known[0] != changed_ns:
                known = (changed_ns, now - _by_its_own_time(changed_ns / 1e9, now))
            self._seen[key] = known
        return max(0.0, now - known[1])

    def forget_all_but(self, keys: Iterable[Hashable]) -> None:
        """Only these are still there."""
        kept = set(keys)
        with self._lock:
            self._seen = {key: seen for key, seen in self._seen.items() if key in kept}


def _by_its_own_time(changed: float, now: float) -> float:
    ages = (time.time() - changed, now + _STEADY_OFFSET - changed)
    return min((age for age in ages if age >= 0), default=0.0)

"""A line in which everybody's turn comes: by how much of the server's time a client has had, not by who came first."""

from collections.abc import Mapping, Sequence

MOST_REMEMBERED = 4096
"""Clients whose share is remembered; beyond that everybody begins anew."""


class FairLine:
    """Says who is next, and keeps account of what each client has had. Not thread-safe."""

    def __init__(self) -> None:
        self._had: dict[str, float] = {}
        self._level = 0.0  # where the last turn began: nobody saves up turns while away

    def next_of(self, waiting: Sequence[str], at_work: Mapping[str, int], places: int | None) -> int | None:
        """Index of the one whose turn it is; None where nobody may begin now.

        A client never has all places, where there are several: whoever comes next need not wait for his work to end.

        Args:
            waiting: the clients in the line, in the order they came; one who waits twice is there twice.
            at_work: how many of each client are being served.
            places: how many can be served at a time; None for any number.
        """
        most = None if places is None else max(1, places - 1)
        allowed = [one for one in dict.fromkeys(waiting) if most is None or at_work.get(one, 0) < most]
        if not allowed:
            return None
        chosen = min(allowed, key=lambda one: (self._begins(one), at_work.get(one, 0)))
        self._level = self._begins(chosen)
        return waiting.index(chosen)

    def charge(self, client: str, seconds: float) -> None:
        """A client has had so much of the server's time."""
        if len(self._had) >= MOST_REMEMBERED:
            self._had.clear()
            self._level = 0.0
        self._had[client] = self._begins(client) + seconds

    def _begins(self, client: str) -> float:
        """Where a client's next turn begins, in seconds that he and those before him have had."""
        return max(self._had.get(client, 0.0), self._level)

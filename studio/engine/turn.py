"""Whose turn it is to use the processor: one at a time, in the order they came, and handed on between steps."""

from collections import deque
from collections.abc import Callable
from threading import Condition

LOOK_SECONDS = 0.1
"""Between two looks whether somebody who waits for his turn is still there."""


class Turn:
    """Held by one thread at a time."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: deque[object] = deque()
        self._is_held = False

    def take(self, has_left: Callable[[], bool]) -> bool:
        """Wait for the turn; False, and nothing taken, once `has_left` says so."""
        me = object()
        with self._changed:
            self._waiting.append(me)
            while self._is_held or self._waiting[0] is not me:
                self._changed.wait(LOOK_SECONDS)
                if has_left():
                    self._waiting.remove(me)
                    self._changed.notify_all()
                    return False
            self._waiting.popleft()
            self._is_held = True
            return True

    def give_back(self) -> None:
        """The turn is over; the one who came first is next."""
        with self._changed:
            self._is_held = False
            self._changed.notify_all()

    def hand_on(self, has_left: Callable[[], bool]) -> bool:
        """Between two steps: let those who wait have theirs first. Whether the turn is held again; see take."""
        with self._changed:
            if not self._waiting:
                return True
        self.give_back()
        return self.take(has_left)

"""How many megapixels are worked on at the same time, whoever asks and by whichever handler."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

MOST_PIXELS = 80_000_000
"""Two of the largest pictures; each takes some ten bytes per pixel while it is worked on."""


class PixelGate:
    """Lets work begin as long as not too much is under way; work larger than that begins alone."""

    def __init__(self, most_pixels: int = MOST_PIXELS) -> None:
        self._most, self._under_way = most_pixels, 0
        self._changed = Condition()

    @contextmanager
    def of(self, pixels: int) -> Iterator[None]:
        """Work on so many pixels, after waiting as long as need be; small pictures pass by large ones that wait."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way or self._under_way + pixels <= self._most)
            self._under_way += pixels
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= pixels
                self._changed.notify_all()

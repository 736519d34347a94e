"""Opening files once: equal ones share a picture, those that were given up are remembered, and clients take turns."""

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Condition
from time import monotonic
from weakref import WeakValueDictionary

from models.errors import ImageTooLarge, RestorationError, UnreadableImage, UnsupportedImage
from models.jpeg import JpegImage

REMEMBERED_SECONDS = 3600.0
MAX_REMEMBERED = 10_000
"""Refused files, by their hash."""

ABOUT_THE_FILE = (UnreadableImage, UnsupportedImage, ImageTooLarge)
"""Refusals that a second try would not change; others tell of a busy server."""

PLACES = 2
"""Files that are opened at the same time; a client has one of them while others may come."""

WAITING_SECONDS = 60.0


def nobody() -> str:
    """Whose file is being opened, where nobody's is."""
    return ""


class Openings:
    """Stands in for a decoder; safe to call from several threads."""

    def __init__(
        self,
        decode: Callable[[bytes], JpegImage],
        client: Callable[[], str] = nobody,
        *,
        places: int = PLACES,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Nothing is opened yet.

        Args:
            decode: opens a file.
            client: names who is being answered by the calling thread.
            places: files that may be opened at the same time.
            clock: tells seconds.
        """
        self._decode, self._client, self._clock = decode, client, clock
        self._places, self._most_of_one = places, max(1, places - 1)
        self._changed = Condition()
        self._open: WeakValueDictionary[bytes, JpegImage] = WeakValueDictionary()
        self._under_way: dict[bytes, Future[JpegImage]] = {}
        self._refused: OrderedDict[bytes, tuple[float, RestorationError]] = OrderedDict()
        self._at_work: Counter[str] = Counter()

    def __call__(self, data: bytes) -> JpegImage:
        """The picture in a file, shared with everybody who has an equal file open.

        Args:
            data: the whole file, untrusted.

        Raises:
            RestorationError: with a sentence for people.
        """
        key = hashlib.sha256(data).digest()
        with self._changed:
            image = self._open.get(key)
            if image is not None:
                return image
            self._raise_refused(key)
            mine: Future[JpegImage] = Future()
            waited_for = self._under_way.setdefault(key, mine)
        if waited_for is not mine:
            return waited_for.result()
        try:
            with self._place(self._client()):
                image = self._decode(data)
        except BaseException as error:
            with self._changed:
                del self._under_way[key]
                if isinstance(error, ABOUT_THE_FILE):
                    self._remember(key, error)
            mine.set_exception(error)
            raise
        with self._changed:
            self._open[key] = image
            del self._under_way[key]
        mine.set_result(image)
        return image

    @contextmanager
    def _place(self, client: str) -> Iterator[None]:
        """One of the places; never the last one where the client has one already."""

        def is_free() -> bool:
            return self._at_work.total() < self._places and self._at_work[client] < self._most_of_one

        with self._changed:
            if not self._changed.wait_for(is_free, WAITING_SECONDS):
                raise RestorationError(
                    f"Many pictures are being opened at the moment; this one waited {WAITING_SECONDS:g} s. "
                    "Each takes its turn. Try again in a minute."
                )
            self._at_work[client] += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work[client] -= 1
                if not self._at_work[client]:
                    del self._at_work[client]
                self._changed.notify_all()

    def _remember(self, key: bytes, error: RestorationError) -> None:
        self._refused[key] = self._clock(), type(error)(str(error))
        while len(self._refused) > MAX_REMEMBERED:
            self._refused.popitem(last=False)

    def _raise_refused(self, key: bytes) -> None:
        refused_at, error = self._refused.get(key, (0.0, None))
        if error is None:
            return
        if self._clock() - refused_at < REMEMBERED_SECONDS:
            raise type(error)(str(error))
        del self._refused[key]

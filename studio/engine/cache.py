"""A small thread-safe cache of results, bounded by the bytes of the arrays it holds."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import is_dataclass
from threading import Lock
from time import monotonic
from typing import Any

import numpy as np

from models.canvas import Canvas


class ResultCache:
    """Forgets what was used longest ago once the arrays in it exceed `max_bytes`, and whatever is too old."""

    def __init__(
        self, max_bytes: int, lifetime_seconds: float = float("inf"), clock: Callable[[], float] = monotonic
    ) -> None:
        """Results are kept for `lifetime_seconds` by the clock at most, however often they are used."""
        self._max_bytes = max_bytes
        self._lifetime_seconds, self._clock = lifetime_seconds, clock
        self._bytes = 0
        self._entries: OrderedDict[Hashable, tuple[Any, int, float]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Any | None:
        """The value, now the most recently used, or None."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def put(self, key: Hashable, value: Any) -> None:
        """Keep a value; one that alone exceeds the bound is not kept."""
        size = array_bytes(value)
        self.sweep()
        with self._lock:
            if key in self._entries:
                self._bytes -= self._entries.pop(key)[1]
            if size > self._max_bytes:
                return
            self._entries[key] = (value, size, self._clock())
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._bytes -= self._entries.popitem(last=False)[1][1]

    def discard(self, key: Hashable) -> None:
        """Forget one value, if it is there."""
        self._drop(lambda other, made: other == key)

    def sweep(self) -> int:
        """Forget what is older than the lifetime; returns how many results that were."""
        limit = self._clock() - self._lifetime_seconds
        return self._drop(lambda key, made: made < limit)

    def forget(self, photograph_key: str) -> int:
        """Forget what was made of one photograph; returns how many results that were."""
        return self._drop(lambda key, made: _mentions(key, photograph_key))

    def _drop(self, unwanted: Callable[[Hashable, float], bool]) -> int:
        with self._lock:
            keys = [key for key, (_, _, made) in self._entries.items() if unwanted(key, made)]
            for key in keys:
                self._bytes -= self._entries.pop(key)[1]
        return len(keys)

    def get_or_make(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The cached value, or a freshly made one; two threads may both make it, and either result is kept."""
        value = self.get(key)
        if value is None:
            value = make()
            self.put(key, value)
        return value


def _mentions(key: Hashable, photograph_key: str) -> bool:
    """True where a part of the key is the photograph's key, begins with it, or holds it in a field of that name."""
    for part in key if isinstance(key, tuple) else (key,):
        named = part if isinstance(part, str) else getattr(part, "photograph_key", None)
        if isinstance(named, str) and named.split(" ")[0] == photograph_key:
            return True
    return False


def array_bytes(value: Any) -> int:
    """Bytes of arrays and byte strings inside dataclasses, canvases, mappings, sequences; shared arrays count once."""
    return sum(sizes_of_arrays(value).values())


def sizes_of_arrays(value: Any) -> dict[int, int]:
    """Bytes of each of them, by where it lies in memory; what dataclasses have worked out and kept is among them."""
    seen: dict[int, int] = {}

    def walk(item: Any) -> None:
        if isinstance(item, np.ndarray):
            whole = item.base if isinstance(item.base, np.ndarray) else item  # a view keeps all of it
            seen[id(whole)] = whole.nbytes
        elif isinstance(item, bytes | bytearray):
            seen[id(item)] = len(item)
        elif isinstance(item, Canvas) or (is_dataclass(item) and not isinstance(item, type)):
            for one in tuple(vars(item).values()) if hasattr(item, "__dict__") else ():
                walk(one)
        elif isinstance(item, Mapping):
            for one in tuple(item.values()):
                walk(one)
        elif isinstance(item, (tuple, list)):
            for one in item:
                walk(one)

    walk(value)
    return seen

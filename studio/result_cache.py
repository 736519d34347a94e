"""A small thread-safe cache of results, bounded by the bytes of the arrays it holds."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from threading import Lock
from typing import Any

import numpy as np


class ResultCache:
    """Forgets what was used longest ago once the arrays in it exceed `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
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
        with self._lock:
            if key in self._entries:
                self._bytes -= self._entries.pop(key)[1]
            if size > self._max_bytes:
                return
            self._entries[key] = (value, size)
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._bytes -= self._entries.popitem(last=False)[1][1]

    def get_or_make(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The cached value, or a freshly made one; two threads may both make it, and either result is kept."""
        value = self.get(key)
        if value is None:
            value = make()
            self.put(key, value)
        return value


def array_bytes(value: Any) -> int:
    """Bytes of all arrays and byte strings inside dataclasses, mappings and sequences; shared arrays count once."""
    seen: dict[int, int] = {}

    def walk(item: Any) -> None:
        if isinstance(item, np.ndarray):
            seen[id(item)] = item.nbytes
        elif isinstance(item, bytes):
            seen[id(item)] = len(item)
        elif is_dataclass(item) and not isinstance(item, type):
            for one in fields(item):
                walk(getattr(item, one.name))
        elif isinstance(item, dict):
            for one in item.values():
                walk(one)
        elif isinstance(item, (tuple, list)):
            for one in item:
                walk(one)

    walk(value)
    return sum(seen.values())

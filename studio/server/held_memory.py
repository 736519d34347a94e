"""What open pages hold, in bytes: one bound for all of them, and a share for each client."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any

from models.memory import total_memory_bytes
from studio.engine.cache import sizes_of_arrays

CLIENT_BYTES = 400 * 2**20
"""Of one client in public: three of the largest pictures, or thirty of four megapixels."""


def most_held_bytes() -> int:
    """A quarter of the machine's memory."""
    return total_memory_bytes() // 4


class HeldMemory:
    """Has sessions let go of their pictures, the one that was used longest ago first; safe across threads."""

    def __init__(
        self,
        states: Callable[[], Mapping[str, Iterable[Any]]],
        let_go: Callable[[str], object],
        *,
        most_bytes: int | None = None,
        client_bytes: int | None = None,
    ) -> None:
        """Look at nothing yet.

        Args:
            states: what every session holds now, by its name.
            let_go: empties a session.
            most_bytes: of all sessions; None for a quarter of the memory.
            client_bytes: of the sessions of one client; None where nobody has to share.
        """
        self._states, self._let_go = states, let_go
        self._most = most_held_bytes() if most_bytes is None else most_bytes
        self.client_bytes = client_bytes
        self._clients: OrderedDict[str, str] = OrderedDict()  # client by session; last used last
        self._lock = Lock()

    def note(self, session: str, client: str) -> None:
        """A session is being used."""
        with self._lock:
            self._clients[session] = client
            self._clients.move_to_end(session)

    def keep_within(self, current: str | None = None) -> int:
        """Let sessions go until what is held is within its bounds; returns how many were.

        Args:
            current: a session that is being answered and stays.
        """
        with self._lock:
            states = self._states()
            self._clients = OrderedDict((name, one) for name, one in self._clients.items() if name in states)
            order = [*(name for name in states if name not in self._clients), *self._clients]
            arrays = {name: sizes_of_arrays(tuple(states[name])) for name in order}
            gone: list[str] = []
            if self.client_bytes is not None:
                for client in dict.fromkeys(self._clients.values()):
                    own = [name for name in order if self._clients.get(name) == client]
                    gone += _surplus(own, arrays, self.client_bytes, current)
            gone += _surplus([name for name in order if name not in gone], arrays, self._most, current)
        for name in gone:
            self._let_go(name)
        return len(gone)


def _surplus(
    order: list[str], arrays: Mapping[str, dict[int, int]], most: int, current: str | None
) -> list[str]:
    """Who has to go, the first ones first, so that the rest holds no more than allowed; shared arrays count once."""
    holders = Counter(number for name in order for number in arrays[name])
    held = sum({number: size for name in order for number, size in arrays[name].items()}.values())
    gone = []
    for name in order:
        if held <= most:
            break
        if name == current or not arrays[name]:
            continue
        gone.append(name)
        for number, size in arrays[name].items():
            holders[number] -= 1
            held -= size if not holders[number] else 0
    return gone

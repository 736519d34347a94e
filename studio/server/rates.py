"""Fair shares: token buckets by client, so that nobody can use up what belongs to everyone."""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

MAX_KEYS = 8192
"""Clients remembered; whoever was away longest is forgotten first and starts with a full share."""
PER_NETWORK = 16
"""Shares of all the households that one customer of a provider can pretend to be."""


@dataclass(frozen=True)
class Share:
    """What one client may use.

    Attributes:
        per_second: refilled all the time.
        burst: that can be saved up, and that everybody starts with.
    """

    per_second: float
    burst: float


class Buckets:
    """One bucket per client, all of one share. Not thread-safe: lives on one event loop."""

    def __init__(self, share: Share, clock: Callable[[], float] = monotonic) -> None:
        """The clock tells seconds."""
        self._share, self._clock = share, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client: (tokens, told at)

    def take(self, client: str, cost: float = 1.0) -> bool:
        """Use up `cost` of a client's share; False, and nothing used, where less is left.

        All clients of one customer's network, see network_of, have PER_NETWORK shares together.
        """
        now = self._clock()
        wanted = [(client, 1)]
        if (network := network_of(client)) is not None:
            wanted.append((network, PER_NETWORK))
        left = [self._filled(key, shares, now) for key, shares in wanted]
        granted = min(left) >= cost
        for (key, _), tokens in zip(wanted, left, strict=True):
            self._left[key] = (tokens - cost if granted else tokens, now)
        while len(self._left) > MAX_KEYS:
            self._left.popitem(last=False)
        return granted

    def _filled(self, key: str, shares: int, now: float) -> float:
        tokens, told = self._left.pop(key, (shares * self._share.burst, now))
        return min(shares * self._share.burst, tokens + (now - told) * shares * self._share.per_second)


class Recent:
    """The keys that were seen last; older ones are forgotten."""

    def __init__(self, most: int = MAX_KEYS) -> None:
        self._most = most
        self._seen: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        """True where the key is remembered; it then counts as seen just now."""
        if key not in self._seen:
            return False
        self._seen.move_to_end(key)
        return True

    def add(self, key: str) -> None:
        """Remember a key."""
        self._seen[key] = None
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)


def client_of(address: str) -> str:
    """Who shares a share: one IPv4 address, or one IPv6 network of 64 bits, which is what one household gets."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def network_of(client: str) -> str | None:
    """The IPv6 network of 48 bits that a client belongs to: the most that one customer gets. None for all others."""
    try:
        network = ipaddress.IPv6Network(client)
    except ValueError:
        return None
    return str(network.supernet(new_prefix=48)) if network.prefixlen == 64 else None

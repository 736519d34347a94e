"""Who may call a handler now: a bounded queue for each group, in which turns go by what each client has had, not by
who came first. A call begins once somebody listens for its answer, and is dropped once nobody does.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic

from models.errors import RestorationError
from studio.server.rates import network_of

MAX_QUEUED_PER_CLIENT = 32
"""Calls of one group that may wait for one client; handlers that run models are one group."""

MAX_QUEUED = 256
"""The same for all clients together; their turns come by what each has had, so that a long queue harms nobody. Once it
is full, a call that nobody listens to gives way, or the newest of the client with most to whoever comes with less."""

MAX_WAITING_PER_CLIENT, MAX_WAITING = 160, 512
"""The same for all groups together: a class behind one address opens thirty pages at once, each of which calls four."""

UNHEARD_SECONDS = 20.0
"""A call that nobody has listened to for so long is dropped."""

MAX_CLIENTS = 4096
"""Clients whose share is remembered; beyond that everybody begins anew."""


UNHEARD_SENTENCE = (
    "Nobody waited for the answer any more. A call is answered while somebody listens to it. "
    "Call again, and keep the connection open."
)


class QueueFull(RestorationError):
    """A call that cannot even wait."""


class NobodyListens(RestorationError):
    """A call that nobody wants answered any more."""


class FairOrder:
    """Says who is next, and keeps account of what each client has had. Not thread-safe."""

    def __init__(self) -> None:
        self._had: dict[str, float] = {}
        self._level = 0.0  # where the last turn began: nobody saves up turns while away

    def next_of(self, queued: Sequence[str], at_work: Mapping[str, int], places: int | None) -> int | None:
        """Index of the one whose turn it is; None where nobody may begin now.

        A client never has all places, where there are several: whoever comes next need not wait for their work to end.

        Args:
            queued: the clients in the order they came; one who waits twice is there twice.
            at_work: how many calls of each client are being served.
            places: how many can be served at a time; None for any number.
        """
        most = None if places is None else max(1, places - 1)
        allowed = [
            client for client in dict.fromkeys(queued) if most is None or at_work.get(client, 0) < most
        ]
        if not allowed:
            return None
        chosen = min(allowed, key=lambda client: (self._begins(client), at_work.get(client, 0)))
        self._level = self._begins(chosen)
        return queued.index(chosen)

    def charge(self, client: str, seconds: float) -> None:
        """A client has had so much of the server's time."""
        if len(self._had) >= MAX_CLIENTS:
            self._had.clear()
            self._level = 0.0
        self._had[client] = self._begins(client) + seconds

    def _begins(self, client: str) -> float:
        """Where a client's next turn begins, in seconds that they and those before them have had."""
        return max(self._had.get(client, 0.0), self._level)


class Call:
    """A call that waits or is being served."""

    def __init__(self, group: "Group", client: str, names: tuple[str, ...]) -> None:
        self.group, self.client, self.names = group, client, names
        self.heard_at = self.began_at = monotonic()
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Group:
    """Handlers that share one queue."""

    def __init__(self, places: int | None, shares_work: bool) -> None:
        """Nobody waits yet.

        Args:
            places: calls that are served at a time; None for any number.
            shares_work: one call works at a time, so whoever was let in beside it waits as well.
        """
        self.places, self.shares_work = places, shares_work
        self.queued: list[Call] = []
        self.at_work: list[Call] = []
        self.order = FairOrder()

    def clients_at_work(self) -> Counter[str]:
        """How many calls of each client are being served."""
        return Counter(call.client for call in self.at_work)

    def waiting_of(self, client: str) -> int:
        """How many calls of a client wait, those beside the one at work among them."""
        count = sum(call.client == client for call in self.queued)
        if self.queued and self.shares_work:
            count += max(0, self.clients_at_work()[client] - 1)
        return count


class CallQueues:
    """All queues of a page. Lives on one event loop."""

    def __init__(self, places: Mapping[str, int | None], sharing_work: str = "") -> None:
        """Nobody waits yet.

        Args:
            places: calls of each group that are served at a time, by the group's name.
            sharing_work: the group of which one call works at a time, whatever its places.
        """
        self.places = dict(places)
        self._groups = {name: Group(count, name == sharing_work) for name, count in places.items()}
        self._listeners: Counter[str] | None = None

    def heed_listeners(self) -> None:
        """From now on calls begin only once somebody listens(); before, everybody counts as heard."""
        self._listeners = Counter()

    @contextmanager
    def listening(self, name: str) -> Iterator[None]:
        """While this lasts, somebody waits for news of a session or of a single call."""
        if self._listeners is None:
            yield
            return
        self._listeners[name] += 1
        self._advance_all()
        try:
            yield
        finally:
            for call in self._queued():
                if self.is_heard(*call.names):
                    call.heard_at = monotonic()
            self._listeners[name] -= 1
            if not self._listeners[name]:
                del self._listeners[name]
            asyncio.get_running_loop().call_later(UNHEARD_SECONDS, self._advance_all)

    def is_heard(self, *names: str) -> bool:
        """Whether somebody listens to one of these."""
        return self._listeners is None or any(name in self._listeners for name in names)

    def refusal(self, group_name: str, client: str) -> str | None:
        """What somebody is told whose call cannot even wait; None where there is room, or will be made."""
        client, group = _share_of(client), self._groups[group_name]
        own, queued = group.waiting_of(client), self._queued()
        if own >= MAX_QUEUED_PER_CLIENT:
            return busy_sentence(own)
        if [call.client for call in queued].count(client) >= MAX_WAITING_PER_CLIENT:
            return busy_sentence(len(queued))
        for calls, most in ((group.queued, MAX_QUEUED), (queued, MAX_WAITING)):
            if len(calls) >= most and self._to_give_way(calls, client) is None:
                return busy_sentence(len(calls))
        return None

    def _queued(self) -> list[Call]:
        return [call for group in self._groups.values() for call in group.queued]

    def _make_room(self, group: Group, client: str) -> None:
        """Have the newest call of whoever has most leave, where the queue or all of them together are full."""
        for calls, most in ((group.queued, MAX_QUEUED), (self._queued(), MAX_WAITING)):
            if len(calls) >= most and (call := self._to_give_way(calls, client)) is not None:
                call.turn.set_exception(QueueFull(busy_sentence(len(calls))))
                call.group.queued.remove(call)

    def _to_give_way(self, calls: Sequence[Call], client: str) -> Call | None:
        """The call that nobody has listened to for longest; else the newest of whoever has most, or None where this
        client would have as many then.
        """
        unheard = [call for call in calls if not self.is_heard(*call.names)]
        if unheard:
            return min(unheard, key=lambda call: call.heard_at)
        counts = Counter(call.client for call in calls)
        most = max(counts.values(), default=0)
        if counts[client] + 1 >= most:
            return None
        return next(call for call in reversed(calls) if counts[call.client] == most)

    async def join(self, group_name: str, client: str, *names: str) -> Call:
        """Wait for a turn.

        Args:
            group_name: of the handler.
            client: whose share it is of, see studio.server.rates.client_of.
            names: what somebody who waits for the answer listens to.

        Returns:
            The call, to be ended with end() when it has been served.

        Raises:
            QueueFull: too many wait.
            NobodyListens: for UNHEARD_SECONDS, or any more.
        """
        if (refusal := self.refusal(group_name, client)) is not None:
            raise QueueFull(refusal)
        call = Call(self._groups[group_name], _share_of(client), names)
        self._make_room(call.group, call.client)
        call.group.queued.append(call)
        asyncio.get_running_loop().call_later(UNHEARD_SECONDS, self._advance, call.group)
        self._advance(call.group)
        try:
            await call.turn
        except BaseException:
            self._leave(call)
            raise
        call.began_at = monotonic()
        return call

    def end(self, call: Call) -> None:
        """A call has been served, or given up; doing so again changes nothing."""
        if call in call.group.at_work:
            call.group.order.charge(call.client, monotonic() - call.began_at)
            self._leave(call)

    def _leave(self, call: Call) -> None:
        for calls in (call.group.queued, call.group.at_work):
            if call in calls:
                calls.remove(call)
        self._advance(call.group)

    def _advance_all(self) -> None:
        for group in self._groups.values():
            if group.queued:
                self._advance(group)

    def _advance(self, group: Group) -> None:
        """Drop the calls that nobody listens to, and let in whose turn it is."""
        now = monotonic()
        for call in group.queued:
            if self.is_heard(*call.names):
                call.heard_at = now
            elif now - call.heard_at >= UNHEARD_SECONDS and not call.turn.done():
                call.turn.set_exception(NobodyListens(UNHEARD_SENTENCE))
        group.queued = [call for call in group.queued if not call.turn.done()]
        while group.places is None or len(group.at_work) < group.places:
            ready = [call for call in group.queued if self.is_heard(*call.names)]
            index = group.order.next_of(
                [call.client for call in ready], group.clients_at_work(), group.places
            )
            if index is None:
                return
            group.queued.remove(ready[index])
            group.at_work.append(ready[index])
            ready[index].turn.set_result(None)


def _share_of(client: str) -> str:
    """Whose turns a client's are: one customer of a provider can be 65,536 clients, and would have as many turns."""
    return network_of(client) or client


def busy_sentence(waiting: int) -> str:
    """What somebody is told who cannot even wait."""
    return f"Busy, {waiting} waiting. That is as many as the line takes. Try again in a minute."

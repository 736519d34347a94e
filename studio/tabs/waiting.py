"""The queue in front of the handlers: bounded line by line, so that a long one never keeps a page from opening."""

from collections import OrderedDict
from typing import Any

import fastapi
import gradio as gr
from gradio.queueing import Queue

QUEUE_LENGTH = 32
"""Handlers of one group that may wait; those that run models are one group."""

MOST_MAILBOXES = 1000
"""Visitors whose news are held while nobody fetches them."""


class BoundedQueue(Queue):
    """Gradio's queue, with a bound for each concurrency group instead of one for all, and with fewer records.

    Gradio drops the mailbox that was opened longest ago once there are 2,000, even one whose owner still waits for his
    result, and after every event it makes a table of the last 10,000. Neither happens here.
    """

    def __init__(self, queue: Queue) -> None:
        """Takes the place of a queue that has not begun."""
        super().__init__(
            live_updates=queue.live_updates,
            concurrency_count=queue.max_thread_count,
            update_intervals=queue.update_intervals,
            max_size=None,
            blocks=queue.blocks,
            default_concurrency_limit=queue.default_concurrency_limit,
        )
        self.pending_messages_per_session = _Mailboxes(self)
        self.ANALYTICS_MAX_EVENTS = 1
        self.ANAYLTICS_CACHE_FREQUENCY = 2**62

    async def push(self, body: Any, request: fastapi.Request, username: str | None) -> Any:
        """Join the line of the handler's group.

        Raises:
            HTTPException: the line is full; the page shows its words.
        """
        known = self.blocks.fns.get(body.fn_index)
        line = self.event_queue_per_concurrency_id.get(known.concurrency_id) if known else None
        if line is not None and len(line.queue) >= QUEUE_LENGTH:
            raise fastapi.HTTPException(429, busy_words(len(line.queue)))
        return await super().push(body, request, username)


def busy_words(waiting: int) -> str:
    """What somebody is told who cannot even wait."""
    return f"Busy, {waiting} waiting. That is as many as the line takes. Try again in a minute."


def bound_queue(demo: gr.Blocks) -> None:
    """Give a page its bounded queue; handlers are called by the page only, not over open addresses."""
    demo.queue(api_open=False)
    demo._queue = BoundedQueue(demo._queue)


class _Mailboxes(OrderedDict):
    """Messages by visitor; beyond MOST_MAILBOXES those go first whose owners wait for nothing."""

    def __init__(self, queue: Queue) -> None:
        super().__init__()
        self._queue = queue

    def __setitem__(self, visitor: str, mailbox: Any) -> None:
        if visitor not in self and len(self) >= MOST_MAILBOXES:
            waiting = {event.session_hash for event in self._queue.event_ids_to_events.values()}
            idle = next((one for one in self if one not in waiting), next(iter(self)))
            del self[idle]
            self._queue.pending_event_ids_session.pop(idle, None)
        super().__setitem__(visitor, mailbox)

"""Hundreds of jobs one after the other: python -m tests.load.soak --jobs 2000."""

import argparse
import time
from dataclasses import dataclass

import httpx

from tests.load.pictures import foreign_pixels, tinted
from tests.load.server import Server, served
from tests.load.visitor import Layout, Visitor, until

JOBS_PER_VISITOR = 10


@dataclass(frozen=True)
class State:
    """What a server holds at a moment."""

    memory_mb: float
    threads: int
    descriptors: int


def soak(server: Server, jobs: int, settled_after: int) -> tuple[State, State]:
    """Do jobs, every visitor with JOBS_PER_VISITOR of them; every second one closes his page properly.

    Args:
        server: to be used by nobody else.
        jobs: how many.
        settled_after: jobs after which the first state is taken.

    Returns:
        The states then and at the end.
    """
    layout = Layout.of(server.address)
    states = []
    for number, first in enumerate(range(0, jobs, JOBS_PER_VISITOR)):
        visitor = Visitor(server.address, layout)
        visitor.set("Models", ["plain"])
        heart = _heart(visitor) if number % 2 else None
        for job in range(first, min(first + JOBS_PER_VISITOR, jobs)):
            if job == settled_after:
                states.append(state_of(server))
            visitor.open(tinted(job % 24, job, 64, 96))
            visitor.restore()
            assert foreign_pixels(visitor.result("plain"), job % 24) == 0
        if heart is not None:
            heart.close()
        visitor.close()
    time.sleep(2)
    states.append(state_of(server))
    return states[0], states[-1]


def state_of(server: Server) -> State:
    """Now."""
    return State(server.memory_mb(), server.threads(), server.descriptors())


def is_emptied(server: Server, seconds: float) -> bool:
    """Wait until nothing but the page's own pictures is left."""
    return until(lambda: not server.files(), seconds, every=0.5)


def _heart(visitor: Visitor) -> httpx.Response:
    """The connection that says that a page is open."""
    asked = visitor.web.build_request("GET", f"/gradio_api/heartbeat/{visitor.session}")
    return visitor.web.send(asked, stream=True)


def main() -> None:
    """Start a server of its own and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--settled-after", type=int, default=200)
    parser.add_argument("--lifetime", type=int, default=60, help="seconds that pictures live")
    told = parser.parse_args()
    with served("--public", program=("tests/load/short_lived.py", str(told.lifetime))) as server:
        began = time.monotonic()
        first, last = soak(server, told.jobs, told.settled_after)
        print(f"{told.jobs} jobs in {time.monotonic() - began:.0f} s")
        print(f"after {told.settled_after}: {first}")
        print(f"at the end: {last}")
        print(f"memory grew by {last.memory_mb - first.memory_mb:.0f} MB")
        print(f"folder empty: {is_emptied(server, 3 * told.lifetime)}")


if __name__ == "__main__":
    main()

"""Many visitors at once: python -m tests.load.crowd --visitors 16 --pictures 10 --model plain."""

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tests.load.pictures import foreign_pixels, tinted
from tests.load.server import served
from tests.load.visitor import Layout, Visitor


@dataclass(frozen=True)
class Crowd:
    """What came of it.

    Attributes:
        seconds: by picture, from dropping it to having its result.
        took: from the first visitor's first picture to the last one's last.
        foreign: pixels of somebody else's in all results.
        by_visitor: seconds that each visitor needed for all of his.
    """

    seconds: tuple[float, ...]
    took: float
    foreign: int
    by_visitor: tuple[float, ...]

    @property
    def per_second(self) -> float:
        """Pictures."""
        return len(self.seconds) / self.took

    @property
    def p95(self) -> float:
        """Nineteen of twenty pictures took no longer."""
        first, *others = self.seconds
        return statistics.quantiles(self.seconds, n=20)[18] if others else first


def crowd(
    address: str, visitors: int, pictures: int, model: str, rows: int = 480, columns: int = 640
) -> Crowd:
    """Let visitors restore their own pictures at the same time; every failure is raised.

    Args:
        address: of the server.
        visitors: up to 24.
        pictures: each of them drops.
        model: restores them.
        rows, columns: their size.
    """
    layout = Layout.of(address)
    files = [[tinted(n, picture, rows, columns) for picture in range(pictures)] for n in range(visitors)]

    def one(number: int) -> tuple[list[float], list[np.ndarray]]:
        visitor = Visitor(address, layout)
        visitor.set("Models", [model])
        seconds, results = [], []
        for data in files[number]:
            began = time.monotonic()
            visitor.open(data, f"visitor-{number}.png")
            visitor.restore()
            results.append(visitor.result(model))
            seconds.append(time.monotonic() - began)
        visitor.close()
        return seconds, results

    began = time.monotonic()
    with ThreadPoolExecutor(visitors) as pool:
        found = list(pool.map(one, range(visitors)))
    took = time.monotonic() - began
    each = tuple(second for seconds, _ in found for second in seconds)
    foreign = 0
    for number, (_, results) in enumerate(found):
        for result in results:
            assert result.shape == (rows, columns, 3), result.shape
            foreign += foreign_pixels(result, number)
    return Crowd(each, took, foreign, tuple(sum(seconds) for seconds, _ in found))


def main() -> None:
    """Start a server of its own and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=16)
    parser.add_argument("--pictures", type=int, default=10)
    parser.add_argument("--model", default="plain")
    parser.add_argument("--rows", type=int, default=480)
    parser.add_argument("--columns", type=int, default=640)
    told = parser.parse_args()
    with served("--public") as server:
        crowd(server.address, 1, 1, told.model, told.rows, told.columns)  # loads the model
        before = server.processor_seconds()
        found = crowd(server.address, told.visitors, told.pictures, told.model, told.rows, told.columns)
        each = (server.processor_seconds() - before) / len(found.seconds)
        print(f"{len(found.seconds)} pictures, {found.foreign} foreign pixels, 0 errors")
        print(
            f"{found.per_second:.1f} pictures/s; median {statistics.median(found.seconds):.2f} s, p95 {found.p95:.2f} s"
        )
        print(
            f"by visitor: median {statistics.median(found.by_visitor):.1f} s, slowest {max(found.by_visitor):.1f} s"
        )
        print(f"{each:.3f} s of processor time per picture, decoders included")
        print(f"memory {server.memory_mb():.0f} MB")


if __name__ == "__main__":
    main()
